"""Cells of text: what parse_text=True reads, and what the error says without it."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from respan_notebook import Evaluator
from respan_notebook.values.encoding import encode_cells
from respan_notebook.values.types import VALUE_TYPES

STARS = Evaluator(
    evaluator_slug="stars",
    score_value_type="numerical",
    score_config={"min_score": 1, "max_score": 5},
)
CHOICES = {"choices": [{"name": "Warm", "value": "warm"}, {"name": "[1]", "value": "cold"}]}
ADVICE = ", and this is one as text: pass parse_text=True"


def evaluator(kind: str) -> Evaluator:
    config = CHOICES if VALUE_TYPES[kind].field == "categorical_value" else None
    return Evaluator(evaluator_slug="e", score_value_type=kind, score_config=config)


def encode(one: Evaluator, cell: object, *, parse_text: bool) -> Any:
    """Give the wire value of one cell, else the error without its beginning."""
    (value,), errors = encode_cells(one, [cell], parse_text=parse_text)
    return errors[0].partition(") ")[2] if errors else value


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("numerical", "4", 4.0),
        ("numerical", " -2.5e1\n", -25.0),
        ("numerical", np.str_("4"), 4.0),
        ("percentage", "87.5", 87.5),
        ("boolean", "true", True),
        ("boolean", "YES", True),
        ("boolean", "1", True),
        ("boolean", "False", False),
        ("boolean", "no", False),
        ("boolean", "0", False),
        ("single_select", '["Warm"]', ["warm"]),
    ],
    ids=repr,
)
def test_encode_cells__parses_text_when_told(kind: str, text: str, value: Any) -> None:
    sent = encode(evaluator(kind), text, parse_text=True)
    assert (sent, type(sent)) == (value, type(value))
    assert f"{ADVICE}, got " in encode(evaluator(kind), text, parse_text=False)


@pytest.mark.parametrize("parse_text", [False, True])
@pytest.mark.parametrize(
    ("kind", "text", "result"),
    [
        ("numerical", "", "takes a number, got '' (str)"),
        ("numerical", "n/a", "takes a number, got 'n/a' (str)"),
        ("numerical", "1,000", "takes a number, got '1,000' (str)"),
        ("numerical", "1_000", "takes a number, got '1_000' (str)"),
        ("numerical", "0x10", "takes a number, got '0x10' (str)"),
        ("numerical", "nan", "takes a finite number, got 'nan' (str)"),
        ("numerical", "1e999", "takes a finite number, got '1e999' (str)"),
        ("percentage", "101", "takes a number from 0 to 100, got '101' (str)"),
        ("percentage", "50%", "takes a number from 0 to 100, got '50%' (str)"),
        ("boolean", "", "takes True or False (or 1 or 0), got '' (str)"),
        ("boolean", " yes", "takes True or False (or 1 or 0), got ' yes' (str)"),
        ("boolean", "1.0", "takes True or False (or 1 or 0), got '1.0' (str)"),
        ("boolean", "on", "takes True or False (or 1 or 0), got 'on' (str)"),
        ("single_select", "Warm", ["warm"]),
        ("single_select", "[1]", ["cold"]),
        ("single_select", "[2]", "takes one of ['warm', 'cold'], got '[2]' (str)"),
        ("single_select", '["warm"', "takes one of ['warm', 'cold'], got '[\"warm\"' (str)"),
        ("multi_select", '["Warm", "cold"]', ["warm", "cold"]),
        ("categorical", '["Warm"]', ["warm"]),
        ("text", "4", "4"),
        ("comment", "true", "true"),
        ("json", "[1]", "[1]"),
    ],
    ids=repr,
)
def test_encode_cells__takes_other_text_as_ever(
    kind: str, text: str, result: Any, parse_text: bool
) -> None:
    assert encode(evaluator(kind), text, parse_text=parse_text) == result


def test_encode_cells__a_free_choice_is_text_until_a_list_is_to_be_read() -> None:
    free = Evaluator(evaluator_slug="e", score_value_type="single_select")
    assert encode(free, '["a", "b"]', parse_text=False) == ['["a", "b"]']
    assert encode(free, '["a"]', parse_text=True) == ["a"]
    assert encode(free, '["a", "b"]', parse_text=True).startswith("takes exactly one choice, not 2")


@pytest.mark.parametrize("kind", VALUE_TYPES)
def test_encode_cells__what_is_no_text_is_read_as_ever(kind: str) -> None:
    cells = [None, math.nan, 1, 0.5, True, ["warm"], {"a": 1}, b"1"]
    assert encode_cells(evaluator(kind), cells, parse_text=True) == encode_cells(
        evaluator(kind), cells
    )


def test_encode_cells__the_errors_of_text_are_alike_but_for_the_value() -> None:
    _, errors = encode_cells(STARS, ["4", "2.5", "n/a", "9"])
    takes = "'stars' (numerical) takes a number from 1 to 5"
    assert errors == {
        0: f"{takes}{ADVICE}, got '4' (str)",
        1: f"{takes}{ADVICE}, got '2.5' (str)",
        2: f"{takes}, got 'n/a' (str)",
        3: f"{takes}, got '9' (str)",
    }


# -- against a plain model ----------------------------------------------------------------------

NUMBERS = st.one_of(
    st.floats().map(repr),
    st.integers().map(str),
    st.text("0123456789+-._eE ,", max_size=6),
    st.text(max_size=6),
)


def model_of_number(text: str) -> float | None:
    """Read a number between 1 and 5 by its spelling, without exceptions."""
    spelled = re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", text)
    number = float(text) if spelled else math.nan
    return number if 1 <= number <= 5 else None


@given(st.lists(NUMBERS | st.sampled_from(["1", "5", "5.1", "3_0", "inf", "NaN"]), max_size=8))
def test_parse_text__numbers_follow_the_model(texts: list[str]) -> None:
    values, errors = encode_cells(STARS, texts, parse_text=True)
    assert values == [model_of_number(text) for text in texts]
    assert sorted(errors) == [row for row, value in enumerate(values) if value is None]
    refused = encode_cells(STARS, texts)[1]
    assert sorted(refused) == list(range(len(texts))), "text is no number unless told"
    assert [row for row, error in refused.items() if ADVICE not in error] == sorted(errors)


def anycase(word: str) -> st.SearchStrategy[str]:
    letters = [st.sampled_from([letter.lower(), letter.upper()]) for letter in word]
    return st.tuples(*letters).map("".join)


@given(st.sampled_from(["true", "false", "yes", "no", "1", "0", "y", "on"]).flatmap(anycase))
def test_parse_text__booleans_follow_the_model(text: str) -> None:
    model = {"t": True, "f": False, "yes": True, "no": False, "1": True, "0": False}
    word = text.lower()
    (value,), _ = encode_cells(evaluator("boolean"), [text], parse_text=True)
    assert value is model.get(word[0] if len(word) > 3 else word)
