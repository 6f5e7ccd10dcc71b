"""Raw cells to score values and back: one entry per ``score_value_type``.

This is the only place that decides whether a value can be a score. It is pure: no network, no
widgets, no state. Adding a type is adding an entry to :data:`VALUE_TYPES`.

Missing (None, NaN, ``pd.NA``, NaT) means *no score*: it is never an error and never sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from respan_notebook import checks
from respan_notebook.errors import InvalidValueError, UnsupportedEvaluatorError
from respan_notebook.models import VALUE_FIELDS, Evaluator, Score, ScoreWrite

Encoder = Callable[[Any], Any]
"""Raw value -> wire value, or None when it is missing; raises InvalidValueError."""


@dataclass(frozen=True)
class ValueType:
    """How the values of one ``score_value_type`` are checked and sent.

    Attributes
    ----------
    field : str
        The field of the score that holds the value.
    check : Callable[[Evaluator], checks.Check]
        Given an evaluator, the function that turns a raw value that is not missing into what is
        sent, or raises.
    """

    field: str
    check: Callable[[Evaluator], checks.Check]


_NUMBER, _LABELS, _STRING = "numerical_value", "categorical_value", "string_value"

VALUE_TYPES: Final[Mapping[str, ValueType]] = MappingProxyType(
    {
        "numerical": ValueType(_NUMBER, checks.check_numerical),
        "percentage": ValueType(_NUMBER, checks.check_percentage),
        "boolean": ValueType("boolean_value", checks.check_boolean),
        "single_select": ValueType(_LABELS, checks.check_single),
        "multi_select": ValueType(_LABELS, checks.check_multi),
        "text": ValueType(_STRING, checks.check_text),
        "json": ValueType("json_value", checks.check_json),
        "categorical": ValueType(_LABELS, checks.check_multi),
        "comment": ValueType(_STRING, checks.check_text),
    }
)
"""Every ``score_value_type`` that can be written. Source: the API page, "Evaluators"."""

TYPE_OF_FIELD: Final[Mapping[str, str]] = MappingProxyType(
    {
        _NUMBER: "numerical",
        _STRING: "text",
        "boolean_value": "boolean",
        _LABELS: "multi_select",
        "json_value": "json",
    }
)
"""The type that a raw value field implies, for evaluators that only the caller knows."""


def value_type(evaluator: Evaluator) -> ValueType:
    """Return the entry of :data:`VALUE_TYPES` for an evaluator.

    Raises
    ------
    UnsupportedEvaluatorError
        When its ``score_value_type`` is absent or unknown, when it has neither id nor slug, or
        when no number lies within its bounds.
    """
    low, high = evaluator.bounds
    if not evaluator.key.strip():
        raise UnsupportedEvaluatorError("an evaluator needs an id or an evaluator_slug")
    if low is not None and high is not None and low > high:
        raise UnsupportedEvaluatorError(
            f"evaluator {evaluator.key!r} has a min_score, {low:g}, above its max_score, {high:g}"
        )
    try:
        return VALUE_TYPES[evaluator.score_value_type or ""]
    except KeyError:
        raise UnsupportedEvaluatorError(
            f"evaluator {evaluator.key!r} has the score_value_type "
            f"{evaluator.score_value_type!r}, which this version can't write; "
            f"it knows {', '.join(VALUE_TYPES)}"
        ) from None


def encoder(evaluator: Evaluator) -> Encoder:
    """Return the function that turns raw cells into wire values for this evaluator.

    It returns None for a missing cell and raises :class:`InvalidValueError` for one that the
    evaluator does not take. What it accepts, by ``score_value_type``:

    - ``numerical``, ``percentage``: int, float, Decimal, numpy and pandas numbers within the
      evaluator's bounds (a percentage without bounds: 0 to 100). Sent as float.
    - ``boolean``: bool, numpy bool, exactly 0 or 1.
    - ``single_select``: value or name of a choice, or a list of one.
    - ``multi_select``, ``categorical``: a list, tuple, set or array of those, one of them, or
      JSON text of a list. Sent as a list of str.
    - ``text``, ``comment``: str that is not blank.
    - ``json``: dict, list, number, bool, or JSON text. Sent as JSON text.

    Raises
    ------
    UnsupportedEvaluatorError
        As :func:`value_type`.

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
    check = value_type(evaluator).check(evaluator)

    def encode(raw: Any) -> Any:
        if checks.is_missing(raw):
            return None
        try:
            return check(raw)
        except checks.RefusedError as refusal:
            reason, hint = refusal.args
        raise InvalidValueError(
            f"{evaluator.key!r} ({evaluator.score_value_type}) {reason}, "
            f"got {checks.shown(raw)}{hint and '; '}{hint}",
            value=raw,
            reason=reason,
            evaluator=evaluator.key,
        )

    return encode


def score_write(evaluator: Evaluator, raw: Any, **context: Any) -> ScoreWrite | None:
    """Return the score to send for a raw value, None when the value is missing.

    Parameters
    ----------
    evaluator : Evaluator
        Whose score it is.
    raw : object
        As :func:`encoder` takes it.
    **context
        Further fields of :class:`ScoreWrite`: ``explanation``, ``timestamp``, ...

    Raises
    ------
    InvalidValueError
        When the evaluator does not take the value.
    UnsupportedEvaluatorError
        When the evaluator's ``score_value_type`` is absent or unknown.

    Examples
    --------
    >>> score_write(Evaluator(evaluator_slug="ok", score_value_type="boolean"), True).body()
    {'evaluator_slug': 'ok', 'boolean_value': True}
    """
    value = encoder(evaluator)(raw)
    if value is None:
        return None
    fields: dict[str, Any] = {value_type(evaluator).field: value, **context}
    return ScoreWrite(**target(evaluator), **fields)


def target(evaluator: Evaluator) -> dict[str, Any]:
    """Return the field of a score that names its evaluator: the id, else the slug."""
    if evaluator.id:
        return {"evaluator_id": evaluator.id}
    return {"evaluator_slug": evaluator.key}


def decode(score: Score, evaluator: Evaluator | None = None) -> Any:
    """Return the value of a score as Python has it, None when it holds none.

    float for numbers, bool, str for text and for a single choice, a list of str for several
    choices, and whatever the JSON text holds. Without an evaluator, or for a type that is not
    known, the value field that is set is taken, and choices come as a list.

    Examples
    --------
    >>> decode(Score(id="s1", json_value='{"tone": "warm"}'))
    {'tone': 'warm'}
    """
    kind = VALUE_TYPES.get(evaluator.score_value_type or "") if evaluator else None
    fields = (kind.field,) if kind else VALUE_FIELDS
    field, value = next(
        ((name, v) for name in fields if (v := getattr(score, name)) is not None), ("", None)
    )
    if field == "json_value" and isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):  # Legacy rows may hold plain text.
            return value
    single = evaluator is not None and evaluator.score_value_type == "single_select"
    if single and isinstance(value, list) and len(value) == 1:
        return value[0]
    return value
