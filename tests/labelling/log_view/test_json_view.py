"""Test JSON and Python values as indented text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from log_pages import LOOP

from respan_notebook.labelling.log_view.json_view import indented_json, pretty_json


def test_pretty_json__is_indented_and_keeps_the_spelling_of_numbers() -> None:
    text = '{"total": 48.90, "items": [1, 2]}'
    assert pretty_json(text) == '{\n  "total": 48.90,\n  "items": [1, 2]\n}'


@pytest.mark.parametrize(
    "text",
    [
        "42",
        "48.90",
        "true",
        '"a"',
        "{}x",
        "[1,]",
        "[" * 5000 + "]" * 5000,
        "[" * 60 + "]" * 60,
        "[a]",
    ],
)
def test_pretty_json__anything_else_is_left_alone(text: str) -> None:
    assert pretty_json(text) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": np.int64(1), "b": pd.NA, "c": True}, '{\n  "a": 1,\n  "b": null,\n  "c": true\n}'),
        ([np.nan, 1.0, None], "[nan, 1.0, null]"),
        ({"x"}, '["x"]'),
        (
            {"at": pd.Timestamp("2026-01-05"), "size": (2, 3)},
            '{\n  "at": "2026-01-05 00:00:00",\n  "size": [2, 3]\n}',
        ),
        (LOOP, None),
        (range(3), '"range(0, 3)"'),
        ([[]] * 6000, None),
    ],
    ids=["scalars", "list", "set", "time", "loop", "other", "long"],
)
def test_indented_json__values_as_pandas_gives_them(value: Any, expected: str | None) -> None:
    text = indented_json(value)
    assert text == expected if expected is not None else "…" in text
