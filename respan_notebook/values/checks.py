"""Validate raw cell values, one function per kind of score value type.

A ``check_*`` function takes an evaluator and its bounds and returns a :data:`Check`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from respan_notebook.models import Choice, Evaluator
from respan_notebook.values.cells import is_missing, is_number, list_members
from respan_notebook.wording import find_surrogate, render_range, render_short, render_value

Check = Callable[[Any], Any]
"""Raw value, not missing -> wire value; raises RefusedError."""

Bounds = tuple[float | None, float | None]
"""Lowest and highest score, None where there is no bound."""


class RefusedError(Exception):
    """The evaluator does not take this value; the reason says which values it takes."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason, hint)


# -- numbers ------------------------------------------------------------------------------------


def _number(raw: Any, takes: str) -> float:
    if not is_number(raw):
        raise RefusedError(takes)
    try:
        number = float(raw)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise RefusedError("takes a finite number")
    if isinstance(raw, int | np.integer) and int(number) != int(raw):
        raise RefusedError("takes a number that a double can hold exactly")
    return number


def check_number(_evaluator: Evaluator, bounds: Bounds) -> Check:
    """Accept a number within the bounds; sent as float."""
    low, high = bounds
    floor = -math.inf if low is None else low
    ceiling = math.inf if high is None else high
    takes = f"takes a number{render_range(low, high)}"

    def check(raw: Any) -> float:
        # Most cells are plain floats within the bounds; NaN fails both comparisons.
        if type(raw) is float and floor <= raw <= ceiling and raw - raw == 0:
            return raw
        number = _number(raw, takes)
        if not floor <= number <= ceiling:
            raise RefusedError(takes)
        return number

    return check


# -- booleans -----------------------------------------------------------------------------------


def check_boolean(_evaluator: Evaluator, _bounds: Bounds) -> Check:
    """Accept a bool, or exactly 0 or 1."""

    def check(raw: Any) -> bool:
        if isinstance(raw, bool | np.bool_):
            return bool(raw)
        # pandas turns a column of booleans with gaps into floats.
        if is_number(raw) and raw in (0, 1):
            return bool(raw)
        raise RefusedError("takes True or False (or 1 or 0)")

    return check


# -- choices ------------------------------------------------------------------------------------


def choice_text(choice: Choice) -> str:
    """Return the text that is sent for a choice: its value when that is text, else its name.

    ``categorical_value`` is a list of strings, while a choice's value may be a number. A blank
    value counts as none.
    """
    if isinstance(choice.value, str) and choice.value.strip():
        return choice.value
    return choice.name if choice.name is not None else json.dumps(choice.value)


def choice_names(evaluator: Evaluator) -> set[str]:
    """Return the names and values of the choices, as text."""
    return {str(name) for choice in evaluator.choices for name in (choice.name, choice.value)}


def choice_reader(evaluator: Evaluator) -> Callable[[Any], Any]:
    """Return the function that gives a stored choice in the form in which it is written.

    Other writers may have stored a choice's name, or its value as text; what is no choice, or
    could be several, stays as it is.
    """
    texts: dict[str, set[str]] = {}
    for choice in evaluator.choices:
        value = choice.value
        spelt = str(value).lower() if isinstance(value, bool) else value
        for name in (choice.name, value, spelt, choice_text(choice)):
            if name is not None:
                texts.setdefault(str(name), set()).add(choice_text(choice))

    def read(stored: Any) -> Any:
        found = texts.get(stored, set()) if isinstance(stored, str) else set()
        return next(iter(found)) if len(found) == 1 else stored

    return read


def _choice_identity(raw: object) -> tuple[str, Any]:
    """Return a hashable value that differs for 1, True and "1", but not for 1 and 1.0."""
    if isinstance(raw, bool | np.bool_):
        return "boolean", bool(raw)
    if is_number(raw):
        return "number", raw
    if isinstance(raw, str):
        return "text", str.__str__(raw)
    return "other", render_value(raw)


def _one_choice(evaluator: Evaluator) -> Callable[[Any], str]:
    choices = evaluator.choices
    texts: dict[tuple[str, Any], set[str]] = {}
    for choice in choices:
        for name in (choice.value, choice.name, choice_text(choice)):
            if name is not None:
                texts.setdefault(_choice_identity(name), set()).add(choice_text(choice))

    def check(raw: Any) -> str:
        if is_missing(raw) or isinstance(raw, list | tuple | set | frozenset | dict | np.ndarray):
            raise RefusedError("takes choices that are plain values")
        if not choices:
            return _plain_text(raw)
        found = texts.get(_choice_identity(raw), set())
        if len(found) > 1:
            raise RefusedError(f"has several choices of that name, {sorted(found)}")
        if not found:
            known = render_short(list(dict.fromkeys(map(choice_text, choices))))
            raise RefusedError(f"takes one of {known}")
        return encode_text(next(iter(found)))

    return check


def check_one_choice(evaluator: Evaluator, _bounds: Bounds) -> Check:
    """Accept the value or name of a choice, or a list of one; sent as a list of one str."""
    one_choice = _one_choice(evaluator)

    def check(raw: Any) -> list[str]:
        members = list_members(raw)
        if members is None:
            return [one_choice(raw)]
        if len(members) != 1:
            raise RefusedError(f"takes exactly one choice, not {len(members)}")
        return [one_choice(members[0])]

    return check


def check_choices(evaluator: Evaluator, _bounds: Bounds) -> Check:
    """Accept a list of choices, one choice, or JSON text of a list; sent as a list of str."""
    one_choice = _one_choice(evaluator)
    names = choice_names(evaluator)

    def check(raw: Any) -> list[str]:
        members = list_members(raw)
        if members is None and isinstance(raw, str) and raw not in names:
            members = parse_json_list(raw)
        if members is None:
            members = [raw]
        if not members:
            raise RefusedError("takes at least one choice", "leave the cell empty for no score")
        try:
            texts = [one_choice(member) for member in members]
        except RefusedError as refusal:
            is_text = isinstance(raw, str)
            hint = 'several choices in one text are a JSON list: ["a", "b"]' if is_text else ""
            raise RefusedError(refusal.args[0], hint) from None
        if len(set(texts)) < len(texts):
            raise RefusedError("takes each choice once")
        return texts

    return check


def parse_json_list(raw: str) -> list[Any] | None:
    """Parse a JSON list, as a cell of a CSV file may hold it; return None for other text."""
    if not raw.lstrip().startswith("["):
        return None
    try:
        members = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, list) else None


# -- text ---------------------------------------------------------------------------------------


def encode_text(text: str) -> str:
    """Return text as a plain str; refuse half of a surrogate pair, which can't be sent."""
    if not text.isascii() and (problem := find_surrogate(text)):
        raise RefusedError(f"takes valid Unicode; {problem}")
    return str.__str__(text)  # The text itself, also of an Enum.


def _plain_text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise RefusedError("takes text")
    if not raw or raw.isspace():
        raise RefusedError("takes text that is not blank", "leave the cell empty for no score")
    return encode_text(raw)


def check_text(_evaluator: Evaluator, _bounds: Bounds) -> Check:
    """Accept a str that is not blank; sent as it is."""
    return _plain_text
