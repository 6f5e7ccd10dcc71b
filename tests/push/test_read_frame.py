"""Which columns are read, and what a frame is refused for before anything is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest

from respan_notebook import (
    ConfigurationError,
    DuplicateScoreError,
    Evaluator,
    FrameError,
    PushReport,
    RespanClient,
    UnknownEvaluatorError,
    UnsupportedEvaluatorError,
)

STARS = Evaluator(id="ev_1", evaluator_slug="stars", score_value_type="numerical")
GOOD = Evaluator(evaluator_slug="good", score_value_type="boolean")
BOTH = [STARS, GOOD]


def dry(frame: pd.DataFrame, scores: Any = ("stars",), **options: Any) -> PushReport:
    return frame.respan.push_scores(scores, evaluators=BOTH, dry_run=True, **options)


def statuses(report: PushReport) -> list[str]:
    return report.frame["status"].astype(str).tolist()


# -- the log id ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["log_id", "unique_id", "id"])
def test_log_id__column(name: str) -> None:
    assert dry(pd.DataFrame({name: ["a"], "stars": [1]})).frame["log_id"].tolist() == ["a"]


def test_log_id__index_level() -> None:
    frame = pd.DataFrame({"stars": [1, 2]}, index=pd.Index(["a", "b"], name="log_id"))
    report = dry(frame)
    assert report.frame["log_id"].tolist() == ["a", "b"]
    assert report.frame.index.equals(frame.index)


def test_log_id__none() -> None:
    with pytest.raises(FrameError, match=r"no log id.*log_id, unique_id or id.*'stars'"):
        dry(pd.DataFrame({"stars": [1]}))
    with pytest.raises(FrameError, match=r"its columns are none"):
        dry(pd.DataFrame())


def test_log_id__two_candidates() -> None:
    frame = pd.DataFrame({"log_id": ["a"], "id": ["b"], "stars": [1]})
    with pytest.raises(FrameError, match="'log_id' and 'id', and they differ"):
        dry(frame)
    # The API's alias: both say the same.
    same = pd.DataFrame({"unique_id": ["a", None], "id": ["a", np.nan], "stars": [1, None]})
    assert statuses(dry(same)) == ["not_sent", "skipped"]


@pytest.mark.parametrize(
    ("log_id", "shown", "reason"),
    [
        (None, None, "no log id"),
        (np.nan, np.nan, "no log id"),
        (pd.NA, pd.NA, "no log id"),
        (pd.NaT, pd.NaT, "no log id"),
        ("", "", "'' can't be a log id"),
        (".", ".", "'.' can't be a log id"),
        ("..", "..", "'..' can't be a log id"),
        ("\ud83d", "\\ud83d", "half of a surrogate pair"),
        (1.5, 1.5, "read the column as text"),
        (True, True, "a log id is text, got True (bool)"),
        (["a"], ["a"], "a log id is text"),
    ],
    ids=repr,
)
def test_log_id__refused_row(log_id: Any, shown: Any, reason: str) -> None:
    frame = pd.DataFrame({"log_id": pd.Series([log_id, "ok"], dtype=object), "stars": [1, 2]})
    report = dry(frame)
    assert statuses(report) == ["invalid", "not_sent"]
    assert reason in report.frame["error"][0]
    assert repr(report.frame["log_id"][0]) == repr(shown)
    report.frame.to_string().encode()


@pytest.mark.parametrize(
    ("column", "sent"),
    [
        (pd.Series([12, 13]), "12"),
        (pd.Series([12, 13], dtype="Int64"), "12"),
        (pd.Series(["a/b ?#%", "b"]), "a/b ?#%"),
        (pd.Series(["é🎉", "b"], dtype="string[pyarrow]"), "é🎉"),
        (pd.Series(["a", "b"], dtype="category"), "a"),
    ],
)
def test_log_id__accepted(column: pd.Series, sent: str) -> None:
    report = dry(pd.DataFrame({"log_id": column, "stars": [1, 2]}))
    assert report.frame["log_id"][0] == sent
    assert statuses(report) == ["not_sent"] * 2


# -- columns and evaluators ---------------------------------------------------------------------

FRAME = pd.DataFrame({"log_id": ["a", "b"], "stars": [1, 2], "ok": [True, None]})


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


# -- lines and their order ----------------------------------------------------------------------


def test_push_scores__wide_lines_follow_the_rows() -> None:
    report = dry(FRAME, {"stars": "stars", "good": "ok"})
    assert report.frame.index.tolist() == [0, 0, 1, 1]
    assert report.frame["evaluator"].tolist() == ["stars", "good"] * 2
    assert statuses(report) == ["not_sent"] * 3 + ["skipped"]


@pytest.mark.parametrize(
    "index",
    [
        pd.Index(["x", "x"]),
        pd.MultiIndex.from_tuples([("u", 1), ("u", 1)], names=["k", "n"]),
        pd.DatetimeIndex(["2026-01-01", "2026-01-02"]),
    ],
    ids=["duplicated", "multi", "time"],
)
def test_push_scores__keeps_the_index(index: pd.Index) -> None:
    report = dry(FRAME.set_axis(index))
    pd.testing.assert_index_equal(report.frame.index, index)
    assert "PushReport" in report._repr_html_()


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1.5, None]),
        pd.Series([1, None], dtype="Int64"),
        pd.Series([1.5, None], dtype="Float64"),
        pd.Series([1, None], dtype="int64[pyarrow]"),
        pd.Series([1, None], dtype=object),
        pd.Series([1, None], dtype="category"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_push_scores__any_dtype_and_its_missing_value(column: pd.Series) -> None:
    report = dry(FRAME.assign(stars=column))
    assert statuses(report) == ["not_sent", "skipped"]
    assert report.payloads["body"].tolist() == [
        {"evaluator_id": "ev_1", "numerical_value": float(column[0])}
    ]


@pytest.mark.parametrize("dtype", [object, "boolean", "bool[pyarrow]", float])
def test_push_scores__booleans_of_any_dtype(dtype: Any) -> None:
    frame = pd.DataFrame(
        {"log_id": list("abc"), "good": pd.array([True, False, None], dtype="boolean")}
    )
    frame["good"] = frame["good"].astype(dtype)
    report = dry(frame, ["good"])
    assert statuses(report) == ["not_sent", "not_sent", "skipped"]
    assert [body["boolean_value"] for body in report.payloads["body"]] == [True, False]


# -- duplicates ---------------------------------------------------------------------------------

TWICE = pd.DataFrame(
    {"log_id": ["a", "b", "a", "a"], "stars": [1, 2, 3, None]}, index=["r1", "r2", "r3", "r4"]
)


def test_duplicates__last_counts() -> None:
    report = dry(TWICE)
    assert statuses(report) == ["duplicate", "not_sent", "not_sent", "skipped"]
    assert report.frame["error"]["r1"] == "same log and evaluator as row 'r3', which counts"
    assert report.ok


def test_duplicates__first_counts() -> None:
    report = dry(TWICE, on_duplicate="first")
    assert statuses(report) == ["not_sent", "not_sent", "duplicate", "skipped"]


def test_duplicates__error() -> None:
    with pytest.raises(
        DuplicateScoreError, match=r"row 'r1'.*log 'a'.*'stars'.*row 'r3'"
    ) as caught:
        dry(TWICE, on_duplicate="error")
    assert caught.value.rows == ("r1",)
    assert dry(TWICE.iloc[:2], on_duplicate="error").ok


def test_duplicates__an_invalid_row_does_not_count() -> None:
    frame = TWICE.assign(stars=[1, 2, "three", None])
    assert statuses(dry(frame)) == ["not_sent", "not_sent", "invalid", "skipped"]


def test_duplicates__same_evaluator_by_slug_and_id() -> None:
    tidy = pd.DataFrame(
        {
            "log_id": ["a", "a"],
            "evaluator_id": ["ev_1", None],
            "evaluator_slug": [None, "stars"],
            "value": [1, 2],
        }
    )
    assert statuses(dry(tidy, None)) == ["duplicate", "not_sent"]


def test_duplicates__int_and_text_of_one_log_id() -> None:
    frame = pd.DataFrame({"log_id": pd.Series([7, "7"], dtype=object), "stars": [1, 2]})
    assert statuses(dry(frame)) == ["duplicate", "not_sent"]


# -- what travels along -------------------------------------------------------------------------

TOKYO = timezone(timedelta(hours=9))
NOON = datetime(2026, 1, 5, 12)


@pytest.mark.parametrize(
    ("times", "sent", "warned"),
    [
        (pd.Series(pd.to_datetime([NOON, None])), "2026-01-05T12:00:00Z", True),
        (pd.Series(pd.to_datetime([NOON, None]).tz_localize(TOKYO)), "2026-01-05T03:00:00Z", False),
        (
            pd.Series(["2026-01-05T12:00:00.5+09:00", None]),
            "2026-01-05T03:00:00.500000Z",
            False,
        ),
        (pd.Series(["2026-01-05", None]), "2026-01-05T00:00:00Z", True),
        (
            pd.Series([NOON.replace(tzinfo=UTC), pd.NaT], dtype=object),
            "2026-01-05T12:00:00Z",
            False,
        ),
        (pd.Series([np.datetime64(NOON), None], dtype=object), "2026-01-05T12:00:00Z", True),
        (pd.Series([NOON, None], dtype="timestamp[us][pyarrow]"), "2026-01-05T12:00:00Z", True),
    ],
)
def test_timestamp__naive_is_utc_and_said(times: pd.Series, sent: str, warned: bool) -> None:
    report = dry(FRAME.assign(timestamp=times))
    assert [body.get("timestamp") for body in report.payloads["body"]] == [sent, None]
    assert bool(report.warnings) is warned
    if warned:
        assert "taken as UTC" in repr(report)


@pytest.mark.parametrize(
    ("name", "cell", "reason"),
    [
        ("timestamp", "soon", "column 'timestamp' takes an ISO 8601 time, got 'soon' (str)"),
        ("timestamp", 1_700_000_000, "takes an ISO 8601 time"),
        ("prompt_version_number", "v2", "takes a whole number"),
        ("prompt_version_number", 1.5, "takes a whole number"),
        ("prompt_version_number", True, "takes a whole number"),
        ("prompt_version_number", float("inf"), "takes a whole number"),
        ("environment", ["prod"], "column 'environment' takes text"),
        ("explanation", "\ud83d", "takes valid Unicode"),
    ],
)
def test_context__refused_row(name: str, cell: Any, reason: str) -> None:
    frame = FRAME.assign(**{name: pd.Series([cell, None], dtype=object)})
    report = dry(frame, {"stars": "stars", "good": "ok"})
    assert statuses(report) == ["invalid", "invalid", "not_sent", "skipped"]
    assert reason in report.frame["error"].iloc[0]


def test_context__whole_numbers_as_floats_and_ids_as_numbers() -> None:
    report = dry(FRAME.assign(prompt_version_number=[3.0, np.nan], prompt_id=[7, 8]))
    assert [(b.get("prompt_version_number"), b["prompt_id"]) for b in report.payloads["body"]] == [
        (3, "7"),
        (None, "8"),
    ]


def test_context__a_column_that_holds_the_score_is_not_sent_twice() -> None:
    note = Evaluator(evaluator_slug="note", score_value_type="text")
    frame = pd.DataFrame({"log_id": ["a"], "explanation": ["why"]})
    report = frame.respan.push_scores({"note": "explanation"}, evaluators=[note], dry_run=True)
    assert report.payloads["body"].tolist() == [{"evaluator_slug": "note", "string_value": "why"}]


# -- warnings -----------------------------------------------------------------------------------


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


# -- tidy ---------------------------------------------------------------------------------------


def test_tidy__value_and_raw_fields() -> None:
    frame = pd.DataFrame(
        {"log_id": ["a"], "evaluator_slug": ["stars"], "value": [1], "numerical_value": [1]}
    )
    with pytest.raises(FrameError, match="both a column 'value' and 'numerical_value'"):
        dry(frame, None)


class Odd:
    """A value that breaks whoever looks at it."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparing")

    def __repr__(self) -> str:
        raise RuntimeError("no showing")


@pytest.mark.parametrize(
    "cell",
    [
        Odd(),
        np.array([1, 2]),
        10**5000,
        np.timedelta64(3, "s"),
        np.datetime64("10000-01-01"),
        {"a": 1},
    ],
    ids=lambda cell: type(cell).__name__,
)
@pytest.mark.parametrize(
    "column",
    ["log_id", "timestamp", "environment", "prompt_version_number", "evaluator_slug", "value"],
)
def test_push_scores__an_odd_cell_stops_no_other_row(column: str, cell: Any) -> None:
    good = {
        "log_id": "a",
        "timestamp": NOON.replace(tzinfo=UTC),
        "environment": "prod",
        "prompt_version_number": 3,
        "evaluator_slug": "stars",
        "value": 1,
    }
    frame = pd.DataFrame([good, {**good, "log_id": "b"}]).astype(object)
    frame[column] = pd.Series([cell, frame[column][1]], dtype=object)
    report = dry(frame, None)
    assert report.counts == {"invalid": 1, "not_sent": 1}
    assert len(report.payloads) == 1
    assert report.errors["error"].notna().all()
    assert repr(report)
    assert report._repr_html_()


def test_tidy__surrogate_in_an_evaluator_name() -> None:
    slug = pd.Series(["x\ud83d"], dtype=object)
    frame = pd.DataFrame({"log_id": ["a"], "evaluator_slug": slug, "numerical_value": [1]})
    report = dry(frame, None)
    assert statuses(report) == ["invalid"]
    assert "no valid Unicode" in report.frame["error"][0]
    report.frame.to_string().encode()


def test_push_scores__what_passes_the_check_can_be_sent() -> None:
    times = np.array(["20000-01-01", "-5000-01-01", "2026-01-01", "NaT"], "datetime64[s]")
    frame = pd.DataFrame({"log_id": list("abcd"), "stars": 1, "timestamp": times})
    report = dry(frame)
    assert statuses(report) == ["invalid", "invalid", "not_sent", "not_sent"]
    assert [body.get("timestamp") for body in report.payloads["body"]] == [
        "2026-01-01T00:00:00Z",
        None,
    ]
    assert "years 1 to 9999, got 20000-01-01" in report.frame["error"][0]


def test_push_scores__columns_named_by_other_things() -> None:
    frame = pd.DataFrame({"log_id": ["a"], 0: [1], pd.NA: [2], "stars": [3]})
    assert dry(frame).payloads["body"][0]["numerical_value"] == 3.0
    assert dry(frame, {"stars": 0}).payloads["body"][0]["numerical_value"] == 1.0
    for wrong in (None, False, pd.Series([3])):
        with pytest.raises(FrameError, match=r"stars|column"):
            dry(frame, {"stars": wrong})


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


def test_tidy__missing_value_is_skipped_whatever_the_evaluator() -> None:
    frame = pd.DataFrame(
        {
            "log_id": ["a", "b", None],
            "evaluator_slug": ["stars", "nobody", None],
            "value": [None] * 3,
        }
    )
    assert statuses(dry(frame, None)) == ["skipped"] * 3


@pytest.mark.parametrize("name", [7, ["stars"], {"a": 1}, " "])
def test_tidy__odd_evaluator_names(name: Any) -> None:
    frame = pd.DataFrame({"log_id": ["a"], "evaluator_slug": [name], "value": [1]})
    report = dry(frame, None)
    assert statuses(report) == ["invalid"]
    assert "no evaluator has the slug or id" in report.frame["error"][0]


def test_accessor__leaves_the_frame_alone() -> None:
    before = FRAME.copy(deep=True)
    dry(FRAME, {"stars": "stars", "good": "ok"})
    pd.testing.assert_frame_equal(FRAME, before)
