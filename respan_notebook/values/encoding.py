"""Encode raw cells as wire values and upserts, and decode the server's scores.

Missing (None, NaN, ``pd.NA``, NaT) means *no score*: it is never an error and never sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from respan_notebook.errors import InvalidValueError
from respan_notebook.models import VALUE_FIELDS, Evaluator, Score, Upsert
from respan_notebook.values.cells import RowErrors, is_missing, read_each
from respan_notebook.values.checks import (
    Bounds,
    Check,
    RefusedError,
    check_number,
    choice_reader,
)
from respan_notebook.values.json_value import is_same_json
from respan_notebook.values.text_cells import check_text_cells
from respan_notebook.values.types import (
    ValueType,
    find_type,
    implied_type,
    value_field,
    value_type,
)
from respan_notebook.wording import render_value

Encoder = Callable[[Any], Any]
"""Raw value -> wire value, or None when it is missing; raises InvalidValueError."""


def encoder(evaluator: Evaluator) -> Encoder:
    """Return the function that validates and encodes raw cells for an evaluator.

    It returns None for a missing cell and raises :class:`InvalidValueError` for one that the
    evaluator does not take. By ``score_value_type`` it takes:

    - ``numerical``, ``percentage``: int, float, Decimal, numpy and pandas numbers within the
      evaluator's bounds (a percentage without bounds: 0 to 100). Sent as float.
    - ``boolean``: bool, numpy bool, exactly 0 or 1.
    - ``single_select``: value or name of a choice, or a list of one.
    - ``multi_select``, ``categorical``: a list, tuple, set or array of those, one of them, or
      JSON text of a list. Sent as a list of str.
    - ``text``, ``comment``: str that is not blank.
    - ``json``: dict, list, number, bool, or JSON text. Sent as JSON text.

    UnsupportedEvaluatorError is raised as by :func:`value_type`.

    Examples
    --------
    >>> encode = encoder(Evaluator(id="e1", score_value_type="percentage"))
    >>> encode(87), encode(None)
    (87.0, None)
    >>> encode(870)
    Traceback (most recent call last):
    respan_notebook.errors.InvalidValueError: 'e1' (percentage) takes a number from 0 to 100,
    got 870 (int)
    """
    kind = value_type(evaluator)
    return _encoder(evaluator, kind.name, kind.check(evaluator, kind.bounds_of(evaluator)))


def _encoder(evaluator: Evaluator, type_name: str, check: Check) -> Encoder:
    def encode(raw: Any) -> Any:
        if is_missing(raw):
            return None
        try:
            return check(raw)
        except RefusedError as refusal:
            reason, hint = refusal.args
        name = evaluator.slug_or_id
        message = f"{name!r} ({type_name}) {reason}, got {render_value(raw)}"
        raise InvalidValueError(
            f"{message}; {hint}" if hint else message, value=raw, reason=reason, evaluator=name
        )

    return encode


def encode_cells(
    evaluator: Evaluator, cells: Iterable[Any] | npt.NDArray[Any], *, parse_text: bool = False
) -> tuple[list[Any], RowErrors]:
    """Encode a column of cells; a refused one is an error and stops no other.

    Of the two that are returned, the first has a wire value per cell, None where the cell is
    missing or refused. With ``parse_text``, numbers, booleans and JSON lists are taken as text,
    too; without it, the error of such a cell says so. UnsupportedEvaluatorError is raised as by
    :func:`value_type`.
    """
    kind = value_type(evaluator)
    check = kind.check(evaluator, kind.bounds_of(evaluator))
    check = check_text_cells(check, kind.parse, evaluator, parse_text=parse_text)
    encode = _encoder(evaluator, kind.name, check)
    if isinstance(cells, np.ndarray):
        if kind.check is check_number and cells.dtype.kind in "fiu":
            return _encode_numbers(encode, kind.bounds_of(evaluator), cells)
        cells = cells.tolist()
    values, errors = read_each(cells, encode)
    for position in errors:
        values[position] = None
    return values, errors


def _encode_numbers(
    encode: Encoder, bounds: Bounds, cells: npt.NDArray[Any]
) -> tuple[list[Any], RowErrors]:
    """Encode an array of numbers at once; only those that may be refused go one by one."""
    numbers = cells.astype(np.float64)
    low, high = bounds
    sound = np.isfinite(numbers)
    if low is not None:
        sound &= numbers >= low
    if high is not None:
        sound &= numbers <= high
    if cells.dtype.kind != "f":
        sound &= np.abs(numbers) < 2**53  # Beyond, a double can't hold every whole number.
    if sound.all():
        return numbers.tolist(), {}
    values = numbers.astype(object)
    values[~sound] = None
    odd = np.flatnonzero(~sound & ~np.isnan(numbers))
    again, errors = read_each((cells[position].item() for position in odd), encode)
    for place in errors:
        again[place] = None
    values[odd] = again
    return values.tolist(), {int(odd[place]): error for place, error in errors.items()}


def make_upsert(
    evaluator: Evaluator, log_id: str, value: Any, context: Mapping[str, Any]
) -> Upsert:
    """Return the upsert of a wire value, which is not None.

    ``context`` has further fields of :class:`ScoreWrite`, encoded: ``explanation``, ``timestamp``,
    ...; None is not sent.

    Examples
    --------
    >>> ok = Evaluator(evaluator_slug="ok", score_value_type="boolean")
    >>> make_upsert(ok, "log_1", True, {"explanation": None}).body
    {'evaluator_slug': 'ok', 'boolean_value': True}
    """
    body = evaluator.reference | {k: v for k, v in context.items() if v is not None}
    explanation = body.pop("explanation", None)
    body[value_field(evaluator)] = value
    if explanation is not None:
        body["explanation"] = explanation
    return Upsert(log_id, body)


# -- decoding -----------------------------------------------------------------------------------


def decode(score: Score, evaluator: Evaluator | None = None) -> Any:
    """Return the value of a score as a Python object, None when it has none.

    float for numbers, bool, str for text and for a single choice, a list of str for several
    choices, and for JSON text the object that it encodes. A choice is given in the form in which it
    is written: its value when that is text, else its name. Without an evaluator, or for an unknown
    type, the value field that is set counts, and choices are a list.

    Examples
    --------
    >>> decode(Score(id="s1", json_value='{"tone": "warm"}'))
    {'tone': 'warm'}
    """
    kind = find_type(evaluator.score_value_type) if evaluator else None
    if kind is None:
        field = next((name for name in VALUE_FIELDS if getattr(score, name) is not None), None)
        if field is None:
            return None
        kind = implied_type(field)
    value = getattr(score, kind.field)
    return None if value is None else decode_value(value, kind, evaluator)


def decode_value(value: Any, kind: ValueType, evaluator: Evaluator | None) -> Any:
    """Return a wire value, which is not None, as a Python object; see :func:`decode`."""
    if evaluator is not None and kind.field == "categorical_value" and isinstance(value, list):
        value = [*map(choice_reader(evaluator), value)]
    return kind.decode(value)


def is_same_score(body: Mapping[str, Any], stored: Mapping[str, Any]) -> bool:
    """Return whether writing a body would change neither value nor explanation of a stored score.

    An explanation that is not in the body would stay as it is. JSON is compared by value, not by
    text.
    """
    explanation = body.get("explanation")
    if explanation is not None and explanation != (stored.get("explanation") or ""):
        return False
    field = next(name for name in VALUE_FIELDS if body.get(name) is not None)
    own, there = body[field], stored.get(field)
    if field == "json_value" and isinstance(there, str):
        return is_same_json(own, there)
    return type(own) is type(there) and bool(own == there)
