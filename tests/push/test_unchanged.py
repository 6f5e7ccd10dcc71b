"""skip_unchanged: scores that the server has already are not sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from canned import Canned, CannedServer
from stars import frame_of, push, sandbox_of, serving

from respan_notebook import Evaluator, RespanClient, Sandbox

Start = Callable[..., CannedServer]

TAGS = Evaluator(evaluator_slug="tags", score_value_type="json")


@pytest.mark.parametrize("changed", [0, 50])
def test_skip_unchanged__requests(requests: list[str], changed: int) -> None:
    frame = frame_of(500)
    with (
        sandbox_of(500) as sandbox,
        RespanClient(sandbox.api_key, sandbox.base_url) as client,
    ):
        assert push(frame, client).counts == {"created": 500}
        frame.loc[frame.index[-changed:] if changed else [], "stars"] += 1
        fresh = RespanClient(sandbox.api_key, sandbox.base_url)
        requests.clear()
        report = push(frame, fresh, skip_unchanged=True)
        fresh.close()
        assert report.counts == {"updated": changed + 1, "unchanged": 499 - changed}
        assert len(requests) == 1 + 5 + changed, "one to learn the scorer, one per 100 logs"
        assert push(frame, client, skip_unchanged=True).counts == {"unchanged": 500}


def test_skip_unchanged__explanations_and_json_count() -> None:
    frame = pd.DataFrame(
        {
            "log_id": ["log_0", "log_1", "log_2"],
            "tags": ['{"a": 1}', {"b": [1, 2]}, [3]],
            "explanation": ["why", "why", None],
        }
    )
    with serving(3) as client:
        scores: dict[str, Any] = {"client": client, "progress": False}
        frame.respan.push_scores([TAGS], **scores)
        frame["tags"] = [[0], '{"b":[1,2]}', "[ 3 ]"]
        report = frame.respan.push_scores([TAGS], skip_unchanged=True, **scores)
        assert report.frame["status"].tolist() == ["updated", "unchanged", "unchanged"]
        frame.loc[1, "explanation"] = "another reason"
        report = frame.respan.push_scores([TAGS], skip_unchanged=True, **scores)
        assert report.frame["status"].tolist() == ["unchanged", "updated", "unchanged"]


def test_skip_unchanged__another_scorers_score_is_not_ours() -> None:
    with Sandbox(annotators=["ann@example.com", "bob@example.com"]) as sandbox:
        ann, bob = (RespanClient(key, sandbox.base_url) for key in sandbox.api_keys.values())
        with ann, bob:
            for n in range(2):
                ann.create_log({"unique_id": f"log_{n}"})
            push(frame_of(2), bob)
            report = push(frame_of(2), ann, skip_unchanged=True)
    assert report.counts == {"created": 2}


@pytest.mark.parametrize(
    "listed",
    [
        Canned(status=400, body=b'{"filters": ["unknown field: log_id"]}'),
        Canned(status=404),
        Canned(body=b'{"count": 1, "next": null, "results": [{"id": "x", "log_id": "other"}]}'),
    ],
    ids=["refused", "no such route", "ignored"],
)
def test_skip_unchanged__falls_back_when_the_filter_fails(canned: Start, listed: Canned) -> None:
    def answer(path: str) -> Canned:
        if "/scores/list/" in path:
            return listed
        return Canned(status=200, body=b'{"id": "s", "scorer": "ann@example.com"}')

    with RespanClient("key", canned(answer).base_url) as client:
        report = push(frame_of(5), client, skip_unchanged=True)
    assert report.counts == {"updated": 5}
    assert "so the rest was pushed" in repr(report)


def test_skip_unchanged__no_answer_names_the_scorer(canned: Start) -> None:
    with RespanClient("key", canned(status=404).base_url) as client:
        report = push(frame_of(30), client, skip_unchanged=True)
    assert report.counts == {"failed": 30}
    assert "no answer named the owner of the key" in repr(report)
