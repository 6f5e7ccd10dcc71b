"""Cells at the edges of what an evaluator takes."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from respan_notebook import Evaluator, InvalidValueError, Score, UnsupportedEvaluatorError
from respan_notebook.values.encoding import decode, encoder


def evaluator(kind: str, **config: Any) -> Evaluator:
    return Evaluator(id="e1", score_value_type=kind, score_config=config)


def chosen(*pairs: tuple[Any, Any]) -> dict[str, Any]:
    return {"choices": [{"name": name, "value": value} for name, value in pairs]}


class Loud(str):
    """Text of another class, as a library may give it."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("kind", "config", "raw", "sent"),
    [
        ("percentage", {"max_score": 200}, 150, 150.0),
        ("percentage", {"min_score": -5}, -1, -1.0),
        ("numerical", {"min_score": 3, "max_score": 3}, 3, 3.0),
        ("single_select", chosen((None, True), (None, False)), True, ["true"]),
        ("single_select", chosen(("Half", 0.5), ("One", 1.5)), 0.5, ["Half"]),
        ("multi_select", {}, {"d", "b", "c", "a", "e"}, ["a", "b", "c", "d", "e"]),
        ("multi_select", chosen(('["a"]', "list"), ("a", "a")), '["a"]', ["list"]),
        ("multi_select", chosen(("list", '["a"]'), ("a", "a")), '["a"]', ['["a"]']),
        ("multi_select", chosen(("A", "a"), ("B", "b")), ' ["a", "b"]', ["a", "b"]),
        ("text", {}, Loud("text"), "text"),
        ("single_select", {}, Loud("free"), ["free"]),
        ("json", {}, Loud("[1]"), "[1]"),
    ],
    ids=lambda _: "",
)
def test_encoder__accepts_at_the_edge(
    kind: str, config: dict[str, Any], raw: Any, sent: Any
) -> None:
    value = encoder(evaluator(kind, **config))(raw)
    assert (value, type(value)) == (sent, type(sent))
    members = value if isinstance(value, list) else []
    assert {type(member) for member in members} <= {str}


@pytest.mark.parametrize(
    ("kind", "config", "raw", "message"),
    [
        ("percentage", {"max_score": 200}, 201, "a number from 0 to 200, got 201"),
        ("percentage", {"min_score": -5}, -6, "a number from -5 to 100, got -6"),
        ("numerical", {"min_score": 3, "max_score": 3}, 4, "a number from 3 to 3, got 4"),
        ("single_select", chosen(("Half", 0.5), ("One", 1)), 1.5, r"one of \['Half', 'One'\]"),
        ("single_select", chosen(("Warm", "warm")), " warm", r"one of \['warm'\]"),
        ("json", {}, '{"a": NaN}', "takes JSON, which has no NaN, got"),
        ("json", {}, "-Infinity", "takes JSON, which has no -Infinity, got"),
        ("json", {}, {"\ud83d": 1}, "character 0 is half of a surrogate pair"),
    ],
    ids=ascii,
)
def test_encoder__refuses_beyond_the_edge(
    kind: str, config: dict[str, Any], raw: Any, message: str
) -> None:
    with pytest.raises(InvalidValueError, match=message):
        encoder(evaluator(kind, **config))(raw)


@pytest.mark.parametrize("blank", ["", "  "])
def test_encoder__a_blank_slug_names_no_evaluator(blank: str) -> None:
    with pytest.raises(UnsupportedEvaluatorError, match="needs an id or an evaluator_slug"):
        encoder(Evaluator(evaluator_slug=blank, score_value_type="text"))


@pytest.mark.parametrize("text", ["plain text", "[" * 100_000], ids=["plain", "deep"])
def test_decode__what_is_no_json_stays_text(text: str) -> None:
    gc.disable()  # At the limit of recursion no finalizer of another test's objects can run.
    try:
        assert decode(Score(id="s", json_value=text)) == text
    finally:
        gc.enable()
