"""What a client learns from the answer to a write."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from canned import Canned, CannedServer

from respan_notebook import RespanClient, ScoreWrite

Start = Callable[..., CannedServer]
GOOD = ScoreWrite(evaluator_slug="helpfulness", numerical_value=4)


@pytest.mark.parametrize("nameless", [{}, {"scorer": None}, {"scorer": ""}], ids=str)
def test_upsert_score__an_answer_without_scorer_leaves_it_as_it_was(
    canned: Start, nameless: dict[str, Any]
) -> None:
    answers: list[dict[str, Any]] = [
        nameless,
        {"scorer": "ann@example.com"},
        nameless,
        {"scorer": "bob@example.com"},
    ]

    def answer(_path: str) -> Canned:
        return Canned(body=json.dumps({"id": "s", **answers[len(server.requests) - 1]}).encode())

    server = canned(answer)
    known = []
    with RespanClient("key", server.base_url) as client:
        for _ in answers:
            client.upsert_score("log_1", GOOD)
            known.append(client.scorer)
    assert known == [None, "ann@example.com", "ann@example.com", "bob@example.com"]
