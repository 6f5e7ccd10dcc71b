"""What a frame of scores is taken for: evaluators, scorers, equal values, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scored import NAN, choices, defined, row_of, scores

from respan_notebook import Evaluator, FrameError
from respan_notebook.agreement.agreement import measure_agreement

SAME = [
    ("boolean", {}, True, np.True_),
    ("boolean", {}, False, 0.0),
    ("numerical", {}, 3, Decimal("3")),
    ("numerical", {}, np.int64(3), np.float32(3)),
    ("single_select", choices("warm", "cold"), "is warm", ["warm"]),
    ("multi_select", {}, ["b", "a"], np.array(["a", "b"])),
    ("multi_select", {}, {"a", "b"}, '["b", "a"]'),
    ("categorical", {}, "a", ("a",)),
    ("json", {}, {"a": [1, None], "b": 2.0}, '{"b": 2, "a": [1.0, null]}'),
    ("json", {}, "plain", '"plain"'),
    ("text", {}, "same", "same"),
]
DIFFERENT = [
    ("boolean", {}, True, False),
    ("numerical", {}, 3, 3.0000001),
    ("single_select", choices("warm", "cold"), "warm", "cold"),
    ("multi_select", {}, ["a"], ["a", "b"]),
    ("json", {}, {"a": 1}, {"a": True}),
    ("json", {}, [1, 2], [2, 1]),
    ("json", {}, {"a": 1}, {"a": "1"}),
    ("comment", {}, "same", "Same"),
]


def cases(rows: list[tuple[str, Any, Any, Any]]) -> list[Any]:
    return [pytest.param(*row, id=f"{i}-{row[0]}") for i, row in enumerate(rows)]


@pytest.mark.parametrize(("kind", "fields", "one", "other"), cases(SAME))
def test_percent__equal(kind: str, fields: dict[str, Any], one: Any, other: Any) -> None:
    result = measure_agreement(scores(ann=[one], bob=[other]), [defined(kind, **fields)])
    assert row_of(result)["percent"] == 100


@pytest.mark.parametrize(("kind", "fields", "one", "other"), cases(DIFFERENT))
def test_percent__unequal(kind: str, fields: dict[str, Any], one: Any, other: Any) -> None:
    result = measure_agreement(scores(ann=[one], bob=[other]), [defined(kind, **fields)])
    assert row_of(result)["percent"] == 0


@pytest.mark.parametrize("dtype", ["bool", "boolean", "object", "int64", "float64"])
def test_values__boolean_in_any_column(dtype: str) -> None:
    frame = scores(ann=[True, False], bob=[True, True]).astype({"value": dtype})
    assert row_of(measure_agreement(frame, [defined("boolean")]))["percent"] == 50


@pytest.mark.parametrize(
    "columns",
    [
        {"evaluator_slug": ["good"] * 4},
        {"evaluator_id": ["e1"] * 4},
        {"evaluator_slug": ["good"] * 4, "evaluator_id": ["e1"] * 4},
        {"evaluator_slug": ["good", None, "good", NAN], "evaluator_id": [None, "e1", "e1", "e1"]},
    ],
    ids=["slug", "id", "both", "either"],
)
def test_evaluators__by_slug_or_id(columns: dict[str, Any]) -> None:
    frame = scores(ann=[1, 0], bob=[1, 1]).drop(columns="evaluator_slug").assign(**columns)
    result = measure_agreement(
        frame, Evaluator(id="e1", evaluator_slug="good", score_value_type="boolean")
    )
    assert result.table["percent"].to_dict() == {"good": 50.0}
    assert result.warnings == []


def test_evaluators__undefined_id_goes_with_the_slug_beside_it() -> None:
    frame = scores("good", ann=[True], bob=[True]).assign(evaluator_id="e1")
    frame.loc[1, "evaluator_slug"] = None
    assert measure_agreement(frame).table.index.tolist() == ["good"]


def test_scorers__chosen_and_in_that_order() -> None:
    frame = scores(ann=[1, 2], bob=[1, 3], judge=[1, 2])
    result = measure_agreement(frame, [defined("numerical")], scorers=["judge", "ann"])
    assert result.pairs("e")[["first", "second", "percent"]].to_dict("list") == {
        "first": ["judge"],
        "second": ["ann"],
        "percent": [100.0],
    }
    assert row_of(result)["scorers"] == 2


def test_scorers__an_evaluator_without_scores_by_them_is_left_out() -> None:
    frame = pd.concat([scores("one", ann=[1]), scores("two", bob=[1])], ignore_index=True)
    assert measure_agreement(frame, scorers=["bob"]).table.index.tolist() == ["two"]


TWICE = pd.concat([scores(ann=[1, 2]), scores(ann=[3])], ignore_index=True)
MIXED = scores(ann=[True, None], bob=[2, "x"])
REFUSED = [
    (scores(ann=[1]).drop(columns="scorer"), {}, "no column 'scorer'; there are 'log_id', "),
    (scores(ann=[1]).drop(columns="value"), {}, "no column 'value'"),
    (scores(ann=[1]).drop(columns="evaluator_slug"), {}, 'pull_scores(..., scorer="all") gives'),
    (scores(ann=[1]).drop(columns="log_id"), {}, "no log id"),
    (
        pd.concat([scores(ann=[1]), scores(ann=[1])[["value"]]], axis=1),
        {},
        "column 'value' is there 2 times",
    ),
    (scores(ann=[1]).assign(log_id=None), {}, "row 0: no log id"),
    (scores(ann=[1]).assign(scorer=None), {}, "row 0 has a score, and its scorer is None"),
    (
        scores(ann=[1]).assign(scorer=7),
        {},
        "its scorer is 7 (int); say in column 'scorer', as text",
    ),
    (scores(ann=[1]).assign(evaluator_slug=" "), {}, "row 0 has a score and no evaluator"),
    (TWICE, {}, "rows 0 and 2: 'ann' scores log '0' twice by 'e'; keep one"),
    (
        MIXED,
        {},
        "the scores of 'e' are of several types: row 0 has True (bool), row 2 2 (int); pass",
    ),
    (scores(ann=[object]), {}, "row 0: 'e' has <class 'object'> (type), and a score is a bool"),
    (
        scores(ann=[1, 7], bob=[9, 2]),
        {"evaluators": [defined("numerical", score_config={"min_score": 1, "max_score": 5})]},
        "row 1: 'e' (numerical) takes a number from 1 to 5, got 7 (int) (1 more like it); correct",
    ),
    (
        scores(ann=[1]).assign(evaluator_id="e2"),
        {"evaluators": [defined("boolean"), Evaluator(id="e2", score_value_type="boolean")]},
        "row 0: evaluator_id 'e2' and evaluator_slug 'e' differ",
    ),
    (scores(ann=[1]), {"scorers": ["anne"]}, "no scores by 'anne'; did you mean 'ann'?"),
]


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    REFUSED,
    ids=[
        "no-scorer-column",
        "no-value-column",
        "no-evaluator-column",
        "no-log-column",
        "column-twice",
        "no-log",
        "no-scorer",
        "scorer-number",
        "no-evaluator",
        "scored-twice",
        "mixed",
        "odd",
        "out-of-bounds",
        "evaluators-differ",
        "unknown-scorer",
    ],
)
def test_frame__refused(frame: pd.DataFrame, options: dict[str, Any], message: str) -> None:
    with pytest.raises(FrameError) as caught:
        measure_agreement(frame, **options)
    assert message in str(caught.value)


def test_missing_value__is_no_score_whatever_else_the_row_holds() -> None:
    odd = pd.DataFrame({"value": [None, NAN, pd.NA, pd.NaT]}).astype(object)
    frame = pd.concat([scores(ann=[1, 2], bob=[1, 2]), odd], ignore_index=True)
    assert row_of(measure_agreement(frame, [defined("numerical")]))["logs"] == 2
