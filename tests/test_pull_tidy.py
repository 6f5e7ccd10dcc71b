"""Everybody's scores read back, a row each: whose, of what, and in which order."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
from canned import CannedServer

from respan_notebook import Evaluator, RespanClient, Sandbox

WARM = {"choices": [{"name": "warm"}, {"name": "cold"}]}


def custom(slug: str, kind: str, **fields: Any) -> Evaluator:
    return Evaluator(evaluator_slug=slug, score_value_type=kind, **fields)


def test_pull_scores__all_of_custom_slugs_come_in_the_order_asked_for(
    sandbox: Sandbox, client: RespanClient
) -> None:
    names = ["third", "first", "second"]
    frame = pd.DataFrame({"log_id": ["demo_02", "demo_01"], **dict.fromkeys(names, 3)})
    evaluators = [custom(name, "numerical") for name in names]
    with RespanClient(sandbox.api_keys["bob@example.com"], sandbox.base_url) as bob:
        for one in (bob, client):
            frame.respan.push_scores(evaluators, client=one, progress=False).raise_for_errors()
    pulled = frame.respan.pull_scores(evaluators, client=client, scorer="all")
    rows = pulled[["log_id", "evaluator_slug", "scorer"]].values.tolist()
    assert rows == [
        [log_id, name, scorer]
        for log_id in ("demo_02", "demo_01")
        for name in names
        for scorer in ("ann@example.com", "bob@example.com")
    ]


def test_pull_scores__all_of_an_evaluator_known_by_its_slug_are_decoded(
    client: RespanClient,
) -> None:
    """The server names id and slug; the definition at hand has only the slug."""
    tone = custom("tone", "single_select", score_config=WARM)
    client.upsert_score("demo_01", {"evaluator_slug": "tone", "categorical_value": ["warm"]})
    (score,) = client.list_scores("demo_01")
    assert score.evaluator_id == "eval_tone"
    frame = pd.DataFrame({"log_id": ["demo_01"]})
    pulled = frame.respan.pull_scores(tone, client=client, scorer="all")
    assert pulled["value"].tolist() == ["warm"]


def test_pull_scores__all_passes_over_evaluators_that_were_not_asked_for(
    canned: Callable[..., CannedServer],
) -> None:
    found = [
        {"id": "s1", "log_id": "a", "evaluator_slug": "other", "numerical_value": 1},
        {"id": "s2", "log_id": "a", "evaluator_slug": "mine", "numerical_value": 2},
    ]
    server = canned(body=json.dumps({"next": None, "results": found}).encode())
    with RespanClient("key", server.base_url) as client:
        pulled = pd.DataFrame({"log_id": ["a"]}).respan.pull_scores(
            custom("mine", "numerical"), client=client, scorer="all"
        )
    assert pulled["score_id"].tolist() == ["s2"]
