"""Columns of numbers at the edge of a double, and when a stored score is the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from respan_notebook import Evaluator, Score
from respan_notebook.values.encoding import decode, encode_cells, is_same_score
from respan_notebook.values.json_value import is_same_json, normalize_json

NUMBER = Evaluator(id="e1", score_value_type="numerical")


def test_encode_cells__a_whole_number_beyond_a_double_is_refused() -> None:
    cells = np.array([1, 2**53, 2**53 + 1])
    values, errors = encode_cells(NUMBER, cells)
    assert (values, list(errors)) == ([1.0, float(2**53), None], [2])


@pytest.mark.parametrize(
    ("body", "stored", "same"),
    [
        ({"string_value": "warm"}, {"string_value": "warm"}, True),
        ({"string_value": "warm"}, {"string_value": "cold"}, False),
        ({"numerical_value": 3.0}, {"numerical_value": 2.0}, False),
        ({"numerical_value": 2.0}, {"numerical_value": 3.0}, False),
        ({"numerical_value": 1.0}, {"numerical_value": True}, False),
        ({"json_value": '{"a":1}'}, {"json_value": '{"a": 1}'}, True),
        ({"json_value": "1"}, {"json_value": None}, False),
        ({"string_value": "a"}, {"string_value": "a", "explanation": "b"}, True),
        ({"string_value": "a", "explanation": "b"}, {"string_value": "a"}, False),
        ({"string_value": "a", "explanation": ""}, {"string_value": "a"}, True),
    ],
    ids=lambda given: str(given),
)
def test_is_same_score__value_type_and_explanation_count(
    body: dict[str, Any], stored: dict[str, Any], same: bool
) -> None:
    assert is_same_score(body, stored) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('{"a": 1}', '{"a":1}', True),
        ("1", "2", False),
        ("2", "1", False),
        ("1", "plain text", False),
        ("1", "[" * 100_000, False),
    ],
    ids=["equal", "less", "more", "no JSON", "too deep"],
)
def test_is_same_json__compares_what_it_says(one: str, other: str, same: bool) -> None:
    assert is_same_json(one, other) is same


def test_normalize_json__leaves_letters_readable() -> None:
    assert normalize_json('{"b": "ü", "a": 1.0}') == '{"a": 1, "b": "ü"}'


CHOICES = [
    {"name": "Friendly", "value": "friendly"},
    {"name": "Four", "value": 4},
    {"name": "Sure", "value": True},
    {"name": "Twin", "value": "a"},
    {"name": "Twin", "value": "b"},
]


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("friendly", "friendly"),
        ("Friendly", "friendly"),
        ("Four", "Four"),
        ("4", "Four"),
        ("true", "Sure"),
        ("True", "Sure"),
        ("Twin", "Twin"),
        ("a", "a"),
        ("gone", "gone"),
        (7, 7),
    ],
)
def test_decode__gives_a_choice_in_one_form(stored: object, read: object) -> None:
    select = Evaluator(id="e", score_value_type="multi_select", score_config={"choices": CHOICES})
    assert decode(Score(id="s", categorical_value=[stored]), select) == [read]
    one = select.model_copy(update={"score_value_type": "single_select"})
    assert decode(Score(id="s", categorical_value=[stored]), one) == read
