"""Which JSON scores agree: numbers by their value, however they are written."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from respan_notebook import Evaluator
from respan_notebook.agreement.agreement import measure_agreement

JSON = Evaluator(evaluator_slug="e", score_value_type="json")


def percent(one: Any, other: Any) -> float:
    frame = pd.DataFrame(
        {
            "log_id": ["log_1", "log_1"],
            "evaluator_slug": ["e", "e"],
            "scorer": ["ann", "bob"],
            "value": pd.Series([one, other], dtype=object),
        }
    )
    return float(measure_agreement(frame, [JSON]).table.loc["e", "percent"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        ("1", "1.0"),
        ("[1, 2]", "[1.0, 2e0]"),
        ({"a": 0.5}, '{"a": 0.50}'),
        ("-0.0", "0"),
    ],
    ids=str,
)
def test_percent__equal_numbers_in_json(one: Any, other: Any) -> None:
    assert percent(one, other) == 100


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1.2, 1.7),
        ("1.2", "1.7"),
        (1, 1.5),
        ("[1.2]", "[1.7]"),
        ({"a": {"b": 1.2}}, {"a": {"b": 1.7}}),
        ("1.0", "true"),
    ],
    ids=str,
)
def test_percent__different_numbers_in_json(one: Any, other: Any) -> None:
    assert percent(one, other) == 0
