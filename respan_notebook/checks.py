"""The checks behind :mod:`respan_notebook.values`: what each kind of value accepts.

A ``check_*`` function takes an evaluator and gives the function that turns a raw value, one that
is not missing, into what is sent, or raises :class:`RefusedError`. Pure: no network, no state.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from respan_notebook.models import Choice, Evaluator

Check = Callable[[Any], Any]

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


# Python turns no whole number of more bits into text (4,300 digits).
_LONGEST_INT = 14_000


class RefusedError(Exception):
    """What the evaluator takes instead of a value, without saying yet which evaluator."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason, hint)


def is_missing(raw: object) -> bool:
    """Whether a cell means *no score*: None, NaN (float, numpy, Decimal), ``pd.NA`` or NaT.

    Examples
    --------
    >>> [is_missing(cell) for cell in (None, float("nan"), 0, False, "", [])]
    [True, True, False, False, False, False]
    """
    if raw is None or raw is pd.NA or raw is pd.NaT:
        return True
    if isinstance(raw, Decimal):
        return raw.is_nan()
    if isinstance(raw, float | np.floating | np.datetime64 | np.timedelta64):
        return bool(raw != raw)
    return False


def is_number(raw: object) -> bool:
    """Whether a cell is a number; a bool is none, and a timedelta64 is no integer here."""
    return isinstance(raw, int | float | Decimal | np.integer | np.floating) and not isinstance(
        raw, bool | np.timedelta64
    )


def shown(raw: object) -> str:
    """Return a value as error messages show it: its repr, shortened, and its type."""
    try:
        text = _SHORT.repr(raw)
    except ValueError:  # A whole number too long to be printed.
        text = "<too long to show>"
    return f"{text} ({type(raw).__name__})"


# -- numbers ------------------------------------------------------------------------------------


def _number(raw: Any, takes: str) -> float:
    if not is_number(raw):
        is_text = isinstance(raw, str)
        hint = "text is not taken for a number; convert with pd.to_numeric" if is_text else ""
        raise RefusedError(takes, hint)
    try:
        number = float(raw)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise RefusedError("takes a finite number")
    if isinstance(raw, int | np.integer) and int(number) != int(raw):
        raise RefusedError("takes a number that a double can hold exactly")
    return number


def _bounded(low: float | None, high: float | None) -> Callable[[Any], float]:
    floor = -math.inf if low is None else low
    ceiling = math.inf if high is None else high
    takes = f"takes a number{_range(low, high)}"

    def check(raw: Any) -> float:
        # Most cells are plain floats within the bounds; NaN fails both comparisons.
        if type(raw) is float and floor <= raw <= ceiling and raw - raw == 0:
            return raw
        number = _number(raw, takes)
        if not floor <= number <= ceiling:
            raise RefusedError(takes)
        return number

    return check


def _range(low: float | None, high: float | None) -> str:
    start = "" if low is None else f" from {_brief(low)}"
    end = "" if high is None else f" to {_brief(high)}" if start else f" up to {_brief(high)}"
    return start + end


def _brief(number: float) -> str:
    return repr(number).removesuffix(".0")


def check_numerical(evaluator: Evaluator) -> Check:
    """Take a number within the evaluator's bounds, if it has any; sent as float."""
    return _bounded(*evaluator.bounds)


def check_percentage(evaluator: Evaluator) -> Check:
    """Take a number within the evaluator's bounds, else 0 to 100; sent as float."""
    low, high = evaluator.bounds
    return _bounded(0.0 if low is None else low, 100.0 if high is None else high)


# -- booleans -----------------------------------------------------------------------------------


def check_boolean(_evaluator: Evaluator) -> Check:
    """Take a bool, or exactly 0 or 1."""

    def check(raw: Any) -> bool:
        if isinstance(raw, bool | np.bool_):
            return bool(raw)
        # pandas turns a column of booleans with gaps into floats.
        if is_number(raw) and raw in (0, 1):
            return bool(raw)
        hint = 'convert text with column.map({"True": True, "False": False})'
        raise RefusedError("takes True or False (or 1 or 0)", hint if isinstance(raw, str) else "")

    return check


# -- choices ------------------------------------------------------------------------------------


def choice_text(choice: Choice) -> str:
    """Return what is sent for a choice: its value when that is text (not blank), else its name.

    ``categorical_value`` is a list of strings, while a choice's value may be a number.
    """
    if isinstance(choice.value, str) and choice.value.strip():
        return choice.value
    return choice.name if choice.name is not None else json.dumps(choice.value)


def _choice_key(raw: object) -> tuple[str, Any]:
    """Tell 1, True and "1" apart, but not 1 and 1.0."""
    if isinstance(raw, bool | np.bool_):
        return "boolean", bool(raw)
    if is_number(raw):
        return "number", raw
    if isinstance(raw, str):
        return "text", str.__str__(raw)
    return "other", shown(raw)


def _one_choice(evaluator: Evaluator) -> Callable[[Any], str]:
    choices = evaluator.choices
    texts: dict[tuple[str, Any], set[str]] = {}
    for choice in choices:
        for name in (choice.value, choice.name, choice_text(choice)):
            if name is not None:
                texts.setdefault(_choice_key(name), set()).add(choice_text(choice))

    def check(raw: Any) -> str:
        if is_missing(raw) or isinstance(raw, list | tuple | set | frozenset | dict | np.ndarray):
            raise RefusedError("takes choices that are plain values")
        if not choices:
            return _text(raw)
        found = texts.get(_choice_key(raw), set())
        if len(found) > 1:
            raise RefusedError(f"has several choices of that name, {sorted(found)}")
        if not found:
            known = _SHORT.repr(list(dict.fromkeys(map(choice_text, choices))))
            raise RefusedError(f"takes one of {known}")
        return _unicode(next(iter(found)))

    return check


def _members(raw: Any) -> list[Any] | None:
    """Return the members of a list-like cell, None for a scalar; sets in a stable order."""
    if isinstance(raw, np.ndarray):
        return list(np.atleast_1d(raw).tolist())
    if isinstance(raw, list | tuple):
        return list(raw)
    if isinstance(raw, set | frozenset):
        return sorted(raw, key=repr)
    return None


def check_single(evaluator: Evaluator) -> Check:
    """Take value or name of a choice, or a list of one; sent as a list of one str."""
    one_choice = _one_choice(evaluator)

    def check(raw: Any) -> list[str]:
        members = _members(raw)
        if members is None:
            return [one_choice(raw)]
        if len(members) != 1:
            raise RefusedError(f"takes exactly one choice, not {len(members)}")
        return [one_choice(members[0])]

    return check


def check_multi(evaluator: Evaluator) -> Check:
    """Take several choices, one, or JSON text of a list; sent as a list of str."""
    one_choice = _one_choice(evaluator)
    names = {str(name) for choice in evaluator.choices for name in (choice.name, choice.value)}

    def check(raw: Any) -> list[str]:
        members = _members(raw)
        if members is None and isinstance(raw, str) and raw not in names:
            members = _json_list(raw)
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


def _json_list(raw: str) -> list[Any] | None:
    """Return the list that a cell of a CSV file holds as JSON text, None if it holds none."""
    if not raw.lstrip().startswith("["):
        return None
    try:
        members = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, list) else None


# -- text and JSON ------------------------------------------------------------------------------


def _unicode(text: str) -> str:
    """Return the text as a plain str, if it is one that can be sent."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise RefusedError(
                f"takes valid Unicode; character {error.start} is half of a surrogate pair"
            ) from None
    return str.__str__(text)  # The text itself, also of an Enum.


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise RefusedError("takes text")
    if not raw or raw.isspace():
        raise RefusedError("takes text that is not blank", "leave the cell empty for no score")
    return _unicode(raw)


def check_text(_evaluator: Evaluator) -> Check:
    """Take a str that is not blank, sent as it is."""
    return _text


def check_json(_evaluator: Evaluator) -> Check:
    """Take JSON text, or a value that JSON can hold; sent as JSON text."""
    return _json_text


def _json_text(raw: Any) -> str:
    """Return JSON text for a cell that is JSON text already, or a value that JSON can hold."""
    try:
        if isinstance(raw, str):
            parsed = _parsed_json(raw)
            _plain(parsed, "$")
            text = str.__str__(raw)
        else:
            parsed = _plain(raw, "$")
            text = json.dumps(parsed, ensure_ascii=False, allow_nan=False)
    except RecursionError:
        raise RefusedError("takes JSON that is not nested so deeply") from None
    if parsed is None:
        raise RefusedError("takes JSON other than null", "leave the cell empty for no score")
    return text


def _parsed_json(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise RefusedError(f"takes JSON, which has no {constant}")

    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise RefusedError(
            f"takes JSON; at line {error.lineno}, column {error.colno}: {error.msg}",
            "a plain string needs its quotes, as in '\"text\"'",
        ) from None
    except ValueError:  # Python reads no whole number of over 4,300 digits.
        raise RefusedError("takes JSON whose numbers are not that long") from None


def _plain(value: Any, path: str) -> Any:
    """Return the value in the types that ``json`` writes, naming the place that can't be."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, str):
        return _unicode(value)
    if is_number(value):
        return _plain_number(value, path)
    if isinstance(value, np.ndarray):
        return _plain(value.tolist(), path)
    if isinstance(value, list | tuple):
        return [_plain(member, f"{path}[{i}]") for i, member in enumerate(value)]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise RefusedError(f"takes JSON, whose keys are strings, not {shown(key)}")
        return {_unicode(k): _plain(member, f"{path}.{k}") for k, member in value.items()}
    raise RefusedError(f"takes JSON, which has no {type(value).__name__} (at {path})")


def _plain_number(value: Any, path: str) -> int | float:
    if isinstance(value, int | np.integer):
        if int(value).bit_length() > _LONGEST_INT:
            raise RefusedError(f"takes JSON whose numbers are not that long (at {path})")
        return int(value)
    if is_missing(value) or not math.isfinite(number := float(value)):
        raise RefusedError(f"takes JSON, which has no NaN or infinity (at {path})")
    return number
