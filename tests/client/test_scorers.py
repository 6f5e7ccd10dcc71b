"""Whose scores are read back, whatever the server gives."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from canned import CannedServer

from respan_notebook import Evaluator, RespanClient
from respan_notebook.client.score_reader import read_scores

STARS = Evaluator(evaluator_slug="stars", score_value_type="numerical")


@pytest.mark.parametrize(
    ("scorer", "ids"),
    [("bob", ["s2"]), (None, ["s1", "s2", "s3"])],
    ids=["one person's", "everybody's"],
)
def test_read_scores__of_a_server_that_passes_over_the_scorer(
    canned: Callable[..., CannedServer], scorer: str | None, ids: list[str]
) -> None:
    scores = [
        {"id": f"s{n}", "log_id": "log_1", "evaluator_slug": "stars", "scorer": name}
        for n, name in enumerate(["ann", "bob", "cid"], 1)
    ]
    server = canned(body=json.dumps({"results": scores, "next": None}).encode())
    with RespanClient("key", server.base_url) as client:
        found = [score.id for score in read_scores(client, ["log_1"], [STARS], scorer=scorer)]
    assert found == ids
