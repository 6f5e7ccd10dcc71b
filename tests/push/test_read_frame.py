"""Which columns and evaluators are read, and what a call is refused for before anything is sent."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pandas as pd
import pytest
from dry import BOTH, FRAME, GOOD, STARS, dry, statuses

from respan_notebook import (
    ConfigurationError,
    Evaluator,
    FrameError,
    RespanClient,
    UnknownEvaluatorError,
    UnsupportedEvaluatorError,
)


@pytest.mark.parametrize(
    ("scores", "error", "message"),
    [
        ({"stars": "star"}, FrameError, "no column 'star'; did you mean 'stars'?"),
        (["good"], FrameError, "no column 'good'"),
        ({"star": "stars"}, UnknownEvaluatorError, "slug or id 'star'; did you mean 'stars'?"),
        ({}, FrameError, "no evaluator given"),
        ([], FrameError, "no evaluator given"),
        ({1: "stars"}, FrameError, r"slug or id, not by 1 \(int\)"),
        ({"ok": "stars"}, FrameError, "from evaluator to column: swap them"),
        ({"stars": "stars", "ev_1": "ok"}, FrameError, "'stars' and 'ev_1' are the same"),
        (None, FrameError, "a row per score"),
    ],
)
def test_push_scores__refuses_arguments(scores: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        dry(FRAME, scores)


def test_push_scores__evaluator_of_unknown_type() -> None:
    odd = Evaluator(evaluator_slug="odd", score_value_type="stars")
    with pytest.raises(UnsupportedEvaluatorError, match="'odd' has the score_value_type 'stars'"):
        FRAME.assign(odd=1).respan.push_scores([odd], dry_run=True)
    tidy = pd.DataFrame({"log_id": ["a"], "evaluator_slug": ["odd"], "value": [1]})
    assert statuses(tidy.respan.push_scores(evaluators=[odd], dry_run=True)) == ["invalid"]


@pytest.mark.parametrize(
    "options",
    [{"on_duplicate": "newest"}, {"concurrency": 0}, {"concurrency": 2.5}, {"concurrency": True}],
    ids=str,
)
def test_push_scores__refuses_options(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="must be"):
        dry(FRAME, **options)


@pytest.mark.parametrize(
    "scores", ["stars", ["stars"], ["ev_1"], STARS, [STARS], {"ev_1": "stars"}]
)
def test_push_scores__ways_to_name_an_evaluator(scores: Any) -> None:
    frame = FRAME.assign(ev_1=FRAME["stars"])
    report = dry(frame, scores)
    assert [body["numerical_value"] for body in report.payloads["body"]] == [1.0, 2.0]
    assert report.frame["evaluator"].unique().tolist() == ["stars"]


def test_push_scores__evaluator_objects_need_no_server() -> None:
    assert len(FRAME.respan.push_scores([STARS], dry_run=True)) == 2


def test_push_scores__duplicate_columns() -> None:
    twice = pd.concat([FRAME, FRAME[["stars"]]], axis=1)
    with pytest.raises(FrameError, match="'stars' is there 2 times"):
        dry(twice)
    assert len(dry(twice, {"good": "ok"})) == 2
    ids = pd.concat([FRAME, FRAME[["log_id"]]], axis=1)
    with pytest.raises(FrameError, match="'log_id' is there 2 times"):
        dry(ids)


def test_push_scores__multiindex_columns() -> None:
    frame = FRAME.copy()
    frame.columns = pd.MultiIndex.from_product([["top"], frame.columns])
    with pytest.raises(FrameError, match="no log id"):
        dry(frame)


def test_push_scores__empty_frame() -> None:
    report = dry(FRAME.iloc[:0])
    assert (len(report), report.ok, report.counts, len(report.payloads)) == (0, True, {}, 0)
    assert "no rows" in repr(report)
    sent = FRAME.iloc[:0].respan.push_scores(
        [STARS], client=RespanClient("key", "http://127.0.0.1:1"), progress=False
    )
    assert len(sent.frame) == 0


def test_push_scores__wide_lines_follow_the_rows() -> None:
    report = dry(FRAME, {"stars": "stars", "good": "ok"})
    assert report.frame.index.tolist() == [0, 0, 1, 1]
    assert report.frame["evaluator"].tolist() == ["stars", "good"] * 2
    assert statuses(report) == ["not_sent"] * 3 + ["skipped"]


@pytest.mark.parametrize(
    ("values", "bounds", "warned"),
    [
        ([0.2, 1.0], {}, True),
        ([0.2, 20], {}, False),
        ([0, 0], {}, False),
        ([0.2, 1.0], {"score_config": {"min_score": 0, "max_score": 1}}, False),
    ],
)
def test_warnings__shares_for_percentages(values: Any, bounds: Any, warned: bool) -> None:
    share = Evaluator(evaluator_slug="share", score_value_type="percentage", **bounds)
    report = FRAME.assign(share=values).respan.push_scores([share], dry_run=True)
    assert ["multiply the column by 100" in w for w in report.warnings] == [True] * warned


def test_tidy__value_and_raw_fields() -> None:
    frame = pd.DataFrame(
        {"log_id": ["a"], "evaluator_slug": ["stars"], "value": [1], "numerical_value": [1]}
    )
    with pytest.raises(FrameError, match="both a column 'value' and 'numerical_value'"):
        dry(frame, None)


@pytest.mark.parametrize(
    "options",
    [
        {"evaluators": ["stars"]},
        {"evaluators": [STARS, GOOD, STARS.model_copy(update={"name": "x"})]},
        {"client": "key"},
        {"deadline": 0},
        {"rate_limit": "fast"},
    ],
    ids=str,
)
def test_push_scores__refuses_arguments_of_another_kind(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        FRAME.respan.push_scores(["stars"], **{"evaluators": BOTH, "dry_run": True, **options})
    with pytest.raises(FrameError, match="not 3"):
        dry(FRAME, 3)
    with pytest.raises(FrameError, match="an evaluator is a slug"):
        dry(FRAME, [3])


def test_push_scores__objects_and_slugs_together(client: RespanClient) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01"], "stars": [3], "helpfulness": [4]})
    scores = [Evaluator(evaluator_slug="stars", score_value_type="numerical"), "helpfulness"]
    report = frame.respan.push_scores(scores, client=client, dry_run=True)
    assert statuses(report) == ["not_sent", "not_sent"]


def test_tidy__a_uuid_names_an_evaluator() -> None:
    stars = Evaluator(id=str(UUID(int=1)), score_value_type="numerical")
    frame = pd.DataFrame({"log_id": ["a"], "evaluator_id": [UUID(int=1)], "value": [3]})
    report = frame.respan.push_scores(evaluators=stars, dry_run=True)
    assert report.payloads["body"].tolist() == [
        {"evaluator_id": str(UUID(int=1)), "numerical_value": 3.0}
    ]


def test_tidy__missing_value_is_skipped_whatever_the_evaluator() -> None:
    frame = pd.DataFrame(
        {
            "log_id": ["a", "b", None],
            "evaluator_slug": ["stars", "nobody", None],
            "value": [None] * 3,
        }
    )
    assert statuses(dry(frame, None)) == ["skipped"] * 3


def test_accessor__leaves_the_frame_alone() -> None:
    before = FRAME.copy(deep=True)
    dry(FRAME, {"stars": "stars", "good": "ok"})
    pd.testing.assert_frame_equal(FRAME, before)
