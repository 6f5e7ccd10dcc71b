"""Cells of every dtype mean the same in a frame of every library."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import pandas as pd
import pytest
from any_frames import each_engine, pa

from respan_notebook import Evaluator, push_scores

CHOICES = {"choices": [{"name": "warm"}, {"name": "cold"}]}
NUMBER = Evaluator(evaluator_slug="it", score_value_type="numerical")
TRUTH = Evaluator(evaluator_slug="it", score_value_type="boolean")
ONE = Evaluator(evaluator_slug="it", score_value_type="single_select", score_config=CHOICES)
MANY = Evaluator(evaluator_slug="it", score_value_type="multi_select", score_config=CHOICES)
TEXT = Evaluator(evaluator_slug="it", score_value_type="text")
JSON = Evaluator(evaluator_slug="it", score_value_type="json")
NAN = float("nan")


class Case(NamedTuple):
    """A dtype, cells of it, and what becomes of them: a wire value, None, or part of an error."""

    type: pa.DataType
    cells: list[Any]
    evaluator: Evaluator
    sent: list[Any]


REFUSED = "takes a number, got"
CASES = {
    "float": Case(pa.float64(), [4.5, NAN, None], NUMBER, [4.5, None, None]),
    "float32": Case(pa.float32(), [0.5, NAN, None], NUMBER, [0.5, None, None]),
    "int": Case(pa.int64(), [1, 2, 3], NUMBER, [1.0, 2.0, 3.0]),
    "int-null": Case(pa.int64(), [1, None, 2**53 + 1], NUMBER, [1.0, None, "a double can hold"]),
    "uint8": Case(pa.uint8(), [1, None, 255], NUMBER, [1.0, None, 255.0]),
    "decimal": Case(
        pa.decimal128(6, 2), [Decimal("1.50"), None, Decimal(3)], NUMBER, [1.5, None, 3.0]
    ),
    "bool": Case(pa.bool_(), [True, False, True], TRUTH, [True, False, True]),
    "bool-null": Case(pa.bool_(), [True, None, False], TRUTH, [True, None, False]),
    "text": Case(pa.string(), ["fine", None, "  "], TEXT, ["fine", None, "text that is not blank"]),
    "large-text": Case(pa.large_string(), ["fine", None, "4"], TEXT, ["fine", None, "4"]),
    "text-number": Case(pa.string(), ["4", None, "x"], NUMBER, [REFUSED[:14], None, REFUSED]),
    "categorical": Case(
        pa.dictionary(pa.int32(), pa.string()),
        ["warm", None, "tepid"],
        ONE,
        [["warm"], None, "takes one of"],
    ),
    "list": Case(
        pa.list_(pa.string()),
        [["warm", "cold"], None, []],
        MANY,
        [["warm", "cold"], None, "takes at least one choice"],
    ),
    "list-null": Case(
        pa.list_(pa.string()),
        [["warm", None], ["cold"], ["cold", "cold"]],
        MANY,
        ["takes choices that are plain values", ["cold"], "takes each choice once"],
    ),
    "list-json": Case(
        pa.list_(pa.int64()), [[1, None], None, []], JSON, ["[1, null]", None, "[]"]
    ),
    "list-of-lists": Case(
        pa.list_(pa.list_(pa.float64())), [[[1.5], None], None, [[NAN]]], JSON,
        ["[[1.5], null]", None, "no NaN or infinity (at $[0][0])"],
    ),
    "struct": Case(
        pa.struct({"a": pa.int64(), "b": pa.list_(pa.string())}),
        [{"a": 1, "b": ["x"]}, None, {"a": None, "b": None}],
        JSON,
        ['{"a": 1, "b": ["x"]}', None, '{"a": null, "b": null}'],
    ),
    "null": Case(pa.null(), [None, None, None], NUMBER, [None, None, None]),
    "date": Case(
        pa.date32(), [dt.date(2026, 1, 5), None, None], NUMBER, ["datetime.date(", None, None]
    ),
    "binary": Case(pa.binary(), [b"x", None, b""], TEXT, ["got b'x' (bytes)", None, "(bytes)"]),
}  # fmt: skip


@each_engine
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_push_scores__cells_mean_the_same(case: Case, make: Callable[[pa.Table], Any]) -> None:
    ids = ["a", "b", "c"]
    frame = make(pa.table({"log_id": ids, "it": pa.array(case.cells, case.type)}))
    report = push_scores(frame, [case.evaluator], dry_run=True)
    of_pandas = pd.DataFrame({"log_id": ids, "it": pd.Series(case.cells, dtype=object)})
    pandas_report = push_scores(of_pandas, [case.evaluator], dry_run=True)
    bodies = dict(report.payloads["body"].items())
    for row, expected in enumerate(case.sent):
        status, error = report.frame.loc[row, ["status", "error"]]
        value = [v for k, v in bodies.get(row, {}).items() if k != "evaluator_slug"]
        if expected is None:
            assert (status, error, value) == ("skipped", None, [])
        elif status == "invalid":
            assert expected in error
        else:
            assert value == [expected]
    assert report.counts == pandas_report.counts
    assert bodies == dict(pandas_report.payloads["body"].items())
    assert report.frame["error"].tolist() == pandas_report.frame["error"].tolist()


def test_push_scores__a_map_is_an_object() -> None:
    kind = pa.struct({"m": pa.list_(pa.map_(pa.string(), pa.map_(pa.string(), pa.int64())))})
    cells = [{"m": [[("a", [("b", 1)])], None]}, None]
    frame = pa.table({"log_id": ["a", "b"], "it": pa.array(cells, kind)})
    report = push_scores(frame, [JSON], dry_run=True)
    assert report.payloads["body"].tolist() == [
        {"evaluator_slug": "it", "json_value": '{"m": [{"a": {"b": 1}}, null]}'}
    ]


IDS = {
    "int": (pa.int64(), [7, None, 2**60 + 1], ["7", None, str(2**60 + 1)]),
    "categorical": (pa.dictionary(pa.int8(), pa.string()), ["x", None, "y"], ["x", None, "y"]),
    "text": (pa.large_string(), ["007", None, "é"], ["007", None, "é"]),
}


@each_engine
@pytest.mark.parametrize(("kind", "cells", "ids"), IDS.values(), ids=IDS)
def test_push_scores__log_ids_mean_the_same(
    kind: pa.DataType, cells: list[Any], ids: list[Any], make: Callable[[pa.Table], Any]
) -> None:
    frame = make(pa.table({"id": pa.array(cells, kind), "it": [1.0, 2.0, 3.0]}))
    report = push_scores(frame, [NUMBER], dry_run=True)
    assert report.payloads["log_id"].tolist() == [one for one in ids if one is not None]
    assert report.errors["error"].tolist() == ["no log id"]


@each_engine
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_push_scores__times_travel_as_the_same_moment(
    unit: str, zone: str | None, make: Callable[[pa.Table], Any]
) -> None:
    moment = dt.datetime(2026, 1, 5, 10, 30, tzinfo=dt.UTC)
    times = pa.array([moment.timestamp() * 1000, None], pa.float64()).cast(pa.int64())
    times = times.cast(pa.timestamp("ms", zone)).cast(pa.timestamp(unit, zone))
    frame = make(pa.table({"log_id": ["a", "b"], "it": [1.0, 2.0], "timestamp": times}))
    report = push_scores(frame, [NUMBER], dry_run=True, context="timestamp")
    sent = [body.get("timestamp") for body in report.payloads["body"]]
    assert sent == ["2026-01-05T10:30:00Z", None]
    naive = "column 'timestamp' has times without a time zone; they were taken as UTC"
    assert report.warnings == ([] if zone else [naive])


@each_engine
def test_push_scores__a_date_is_its_midnight(make: Callable[[pa.Table], Any]) -> None:
    days = pa.array([dt.date(2026, 1, 5), None], pa.date32())
    frame = make(pa.table({"log_id": ["a", "b"], "it": [1.0, 2.0], "timestamp": days}))
    report = push_scores(frame, [NUMBER], dry_run=True, context=True)
    sent = [body.get("timestamp") for body in report.payloads["body"]]
    assert sent == ["2026-01-05T00:00:00Z", None]
