"""Frames of any dtype, index and cell: no odd one stops another row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dry import FRAME, dry, statuses

from respan_notebook import FrameError


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
        "timestamp": datetime(2026, 1, 5, 12, tzinfo=UTC),
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


def test_push_scores__columns_named_by_other_things() -> None:
    frame = pd.DataFrame({"log_id": ["a"], 0: [1], pd.NA: [2], "stars": [3]})
    assert dry(frame).payloads["body"][0]["numerical_value"] == 3.0
    assert dry(frame, {"stars": 0}).payloads["body"][0]["numerical_value"] == 1.0
    for wrong in (None, False, pd.Series([3])):
        with pytest.raises(FrameError, match=r"stars|column"):
            dry(frame, {"stars": wrong})


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (7, "no evaluator has the slug or id '7'"),
        (" ", "no evaluator has the slug or id ' '"),
        (["stars"], "an evaluator is named by its slug or id, not by ['stars'] (list)"),
        ({"a": 1}, "an evaluator is named by its slug or id, not by {'a': 1} (dict)"),
        (True, "an evaluator is named by its slug or id, not by True (bool)"),
    ],
    ids=repr,
)
def test_tidy__odd_evaluator_names(name: Any, reason: str) -> None:
    for value in ("value", "numerical_value"):
        frame = pd.DataFrame({"log_id": ["a"], "evaluator_slug": [name], value: [1]})
        report = dry(frame, None)
        assert statuses(report) == ["invalid"]
        assert reason in report.frame["error"][0]


def test_tidy__a_cell_that_is_no_name_makes_no_custom_evaluator() -> None:
    frame = pd.DataFrame({"log_id": ["a"], "evaluator_slug": [["new"]], "numerical_value": [1]})
    assert statuses(dry(frame, None, custom_evaluators=True)) == ["invalid"]
