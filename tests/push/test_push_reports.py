"""What a push says of its scores: of those that arrived, were stopped, refused or sent again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from canned import Canned, CannedServer

from respan_notebook import Evaluator, PushError, PushReport, RespanClient
from respan_notebook.models import Upsert
from respan_notebook.push.plan import digest_of
from respan_notebook.push.progress import estimate_duration

Start = Callable[..., CannedServer]
STARS = Evaluator(evaluator_slug="stars", score_value_type="numerical")
MOONS = Evaluator(evaluator_slug="moons", score_value_type="numerical")
NO_LOG = Canned(404, b'{"detail": "No such log."}')
REVOKED = Canned(401, b'{"detail": "Revoked."}')


def arrived(status: int = 201, **fields: Any) -> Canned:
    return Canned(status, json.dumps({"id": "s", **fields}).encode())


def push(server: CannedServer, frame: pd.DataFrame, *evaluators: Evaluator) -> PushReport:
    options: dict[str, Any] = {"progress": False, "concurrency": 1}
    with RespanClient("key", server.base_url) as client:
        return frame.respan.push_scores([*evaluators], client=client, **options)


def frame_of(*values: Any, **columns: Any) -> pd.DataFrame:
    log_ids = [f"log_{n}" for n in range(len(values))]
    return pd.DataFrame({"log_id": log_ids, "stars": pd.Series(values, dtype=object), **columns})


def in_turn(canned: Start, *answers: Canned) -> CannedServer:
    """Start a server that gives one answer after the other, the last one for ever."""

    def answer(_path: str) -> Canned:
        return answers[min(len(server.requests), len(answers)) - 1]

    server = canned(answer)
    return server


def test_frame__of_scores_that_arrived(canned: Start) -> None:
    answers = [
        arrived(201, is_passed=True),
        arrived(200, is_passed=False),
        arrived(200),
        arrived(200, is_passed="unclear"),
    ]
    frame = pd.DataFrame({"log_id": ["b", "a"], "stars": [1, 2], "moons": [3, 4]}, index=[9, 3])
    report = push(in_turn(canned, *answers), frame, STARS, MOONS)
    expected = pd.DataFrame(
        {
            "log_id": ["b", "b", "a", "a"],
            "evaluator": ["stars", "moons", "stars", "moons"],
            "status": ["created", "updated", "updated", "updated"],
            "error": [None] * 4,
            "http_status": pd.array([201, 200, 200, 200], dtype="Int16"),
            "is_passed": pd.array([True, False, None, None], dtype="boolean"),
            "attempts": np.array([1] * 4, np.int16),
            "score_id": ["s"] * 4,
            "digest": [
                digest_of(Upsert(log_id, {"evaluator_slug": slug, "numerical_value": value}))
                for log_id, slug, value in (
                    ("b", "stars", 1.0),
                    ("b", "moons", 3.0),
                    ("a", "stars", 2.0),
                    ("a", "moons", 4.0),
                )
            ],
        },
        index=[9, 9, 3, 3],
    )
    texts = ["log_id", "evaluator", "status", "error", "score_id", "digest"]
    expected = expected.astype(dict.fromkeys(texts, object))
    found = report.frame.drop(columns="seconds").astype(dict.fromkeys(texts, object))
    pd.testing.assert_frame_equal(found, expected)
    assert report.ok
    assert report.payloads.empty


def test_report__of_a_push_that_was_stopped_and_of_its_retry(canned: Start) -> None:
    server = in_turn(canned, NO_LOG, REVOKED, arrived())
    report = push(server, frame_of(1, 2, 3, 4), STARS)
    revoked = report.frame["error"][1]
    assert report.counts == {"failed": 2, "not_sent": 2}
    assert "answered 401: Revoked" in revoked
    assert report.frame["error"].tolist()[2:] == [revoked, revoked]
    assert not report.ok
    assert report.errors.index.tolist() == [0, 1, 2, 3]
    assert report.payloads["body"].tolist() == [
        {"evaluator_slug": "stars", "numerical_value": float(n)} for n in (1, 2, 3, 4)
    ]
    assert repr(report).splitlines() == [
        "PushReport pushed: 2 failed, 2 not_sent",
        f"  stopped: {revoked}",
        f"  row 0 failed: {report.frame['error'][0]}",
        f"  row 1 failed: {revoked}",
    ]
    again = report.retry()
    assert again.counts == {"created": 4}
    assert repr(again) == "PushReport pushed: 4 created"
    assert again.frame["attempts"].tolist() == [2, 2, 1, 1]
    assert again.frame["error"].tolist() == [None] * 4
    assert report.counts == {"failed": 2, "not_sent": 2}, "the first report stays as it was"


def test_raise_for_errors__when_only_some_were_not_sent(canned: Start) -> None:
    report = push(in_turn(canned, arrived(), REVOKED), frame_of(1, 2, 3), STARS)
    with pytest.raises(PushError, match=r"2 of 3 scores .*; the first, row 1: POST"):
        report.raise_for_errors()


def test_repr__names_a_row_once_for_several_scores(canned: Start) -> None:
    report = push(in_turn(canned, NO_LOG), frame_of(1, moons=[2]), STARS, MOONS)
    assert report.counts == {"failed": 2}
    assert repr(report).splitlines()[1].startswith("  row 0 failed: POST /api/logs/log_0/scores/")


def test_repr__names_three_rows_and_counts_the_rest(canned: Start) -> None:
    for rows, said in ((3, "rows 0, 1, 2 failed"), (4, "rows 0, 1, 2 and 1 more failed")):
        report = push(in_turn(canned, NO_LOG), frame_of(*range(rows)), STARS)
        assert repr(report).splitlines()[1].startswith(f"  {said}: POST")


def test_reasons__values_of_several_lines_are_one() -> None:
    frame = frame_of(np.zeros((2, 2)), np.ones((2, 2)), "bad")
    report = frame.respan.push_scores([STARS], dry_run=True)
    assert report.reasons["rows"].tolist() == [3]


def test_reasons__duplicates_of_different_rows_are_one() -> None:
    frame = frame_of(1, 2, 3, 4).assign(log_id=["a", "b", "a", "b"])
    report = frame.respan.push_scores([STARS], dry_run=True)
    expected = pd.DataFrame(
        {
            "status": ["duplicate"],
            "rows": [2],
            "reason": ["same log and evaluator as row 2, which counts"],
        }
    )
    pd.testing.assert_frame_equal(report.reasons, expected)


@pytest.mark.parametrize(
    ("config", "values", "warned"),
    [
        ({}, [0.0, 0.5, 1.0], True),
        ({}, [0.0, 0.5, 1.5], False),
        ({"max_score": 1}, [0.0, 0.5], False),
        ({"min_score": -5}, [-0.5, 0.5], False),
        ({}, [0.0, 0.0], False),
    ],
    ids=["shares", "percentages", "of one", "below zero", "zeros"],
)
def test_warnings__of_shares_in_the_place_of_percentages(
    config: dict[str, Any], values: list[float], warned: bool
) -> None:
    share = Evaluator(evaluator_slug="stars", score_value_type="percentage", score_config=config)
    report = frame_of(*values).respan.push_scores([share], dry_run=True)
    said = (
        "all values for 'stars' lie between 0 and 1, and a percentage goes to 100; multiply the "
        "column by 100 if they are shares"
    )
    assert report.warnings == ([said] if warned else [])


@pytest.mark.parametrize(
    ("limit", "scores", "estimate"),
    [
        (None, 100, ""),
        ((60, 60.0), 0, ""),
        ((60, 60.0), 60, "about 0 s at 60 in 60 s"),
        ((60, 60.0), 61, "about 1 min at 60 in 60 s"),
        ((1, 1.0), 60, "about 59 s at 1 in 1 s"),
        ((1, 1.0), 3540, "about 59 min at 1 in 1 s"),
        ((1, 1.0), 3601, "about 1.0 h at 1 in 1 s"),
        ((5, 0.5), 100, "about 10 s at 5 in 0.5 s"),
    ],
)
def test_estimate__by_the_limit(limit: Any, scores: int, estimate: str) -> None:
    assert estimate_duration(scores, limit) == estimate
