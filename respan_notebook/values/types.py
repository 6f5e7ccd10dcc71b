"""Define every ``score_value_type``, in one table.

A new type needs one entry in :data:`VALUE_TYPES`, and one control in the labelling view.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from respan_notebook.errors import UnsupportedEvaluatorError
from respan_notebook.models import Evaluator
from respan_notebook.values.checks import (
    Bounds,
    Check,
    check_boolean,
    check_choices,
    check_number,
    check_one_choice,
    check_text,
)
from respan_notebook.values.json_value import check_json, decode_json
from respan_notebook.values.text_cells import (
    Parse,
    parse_boolean,
    parse_number,
    parse_one_choice,
)
from respan_notebook.wording import find_surrogate, make_printable

Level = Literal["nominal", "ordinal", "interval", "set", "exact"]
"""Level of measurement; values of level ``exact`` are equal or not, with no order or distance."""


def _identity(value: Any) -> Any:
    return value


def _decode_one_choice(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


@dataclass(frozen=True)
class ValueType:
    """Define how the scores of one ``score_value_type`` are validated, sent, read and compared.

    Attributes
    ----------
    name : str
        The ``score_value_type``.
    field : str
        The field of a score that holds its value.
    check : Callable[[Evaluator, Bounds], Check]
        Returns the function that validates and encodes a raw value.
    decode : Callable
        Wire value -> Python value.
    dtype : str
        Dtype of a pandas column of decoded values.
    level : Level
        Level of measurement. An ``ordinal`` scale with many points counts as ``interval``.
    default_bounds : Bounds
        The bounds of an evaluator that has none.
    is_implied : bool
        Whether a raw value field alone implies this type, for evaluators that the server lacks.
        Such a type takes every value that the field can hold.
    parse : Parse or None
        Parses a cell of text with ``parse_text=True``; None where text stays text.
    """

    name: str
    field: str
    check: Callable[[Evaluator, Bounds], Check]
    decode: Callable[[Any], Any] = _identity
    dtype: str = "object"
    level: Level = "exact"
    default_bounds: Bounds = (None, None)
    is_implied: bool = False
    parse: Parse | None = None

    def bounds_of(self, evaluator: Evaluator) -> Bounds:
        """Return the evaluator's bounds, else the default bounds of the type."""
        low, high = evaluator.bounds
        lowest, highest = self.default_bounds
        return lowest if low is None else low, highest if high is None else high


_NUMBER, _STRING, _CHOICES = "numerical_value", "string_value", "categorical_value"
_TYPES: Final = (
    ValueType(
        "numerical",
        _NUMBER,
        check_number,
        dtype="float64",
        level="ordinal",
        is_implied=True,
        parse=parse_number,
    ),
    ValueType(
        "percentage",
        _NUMBER,
        check_number,
        dtype="float64",
        level="interval",
        default_bounds=(0.0, 100.0),
        parse=parse_number,
    ),
    ValueType(
        "boolean",
        "boolean_value",
        check_boolean,
        dtype="boolean",
        level="nominal",
        is_implied=True,
        parse=parse_boolean,
    ),
    ValueType(
        "single_select",
        _CHOICES,
        check_one_choice,
        _decode_one_choice,
        level="nominal",
        parse=parse_one_choice,
    ),
    ValueType("multi_select", _CHOICES, check_choices, level="set", is_implied=True),
    ValueType("text", _STRING, check_text, is_implied=True),
    ValueType("json", "json_value", check_json, decode_json, is_implied=True),
    ValueType("categorical", _CHOICES, check_choices, level="set"),
    ValueType("comment", _STRING, check_text),
)

VALUE_TYPES: Mapping[str, ValueType] = MappingProxyType({one.name: one for one in _TYPES})
"""Every ``score_value_type`` that can be written, by name; read-only.

Source: the API's documentation, "Evaluators". The functions below look the name up when they are
called, so a test can add a type by replacing the mapping.
"""


def find_type(name: str | None) -> ValueType | None:
    """Return the entry of :data:`VALUE_TYPES`, None when there is none."""
    return VALUE_TYPES.get(name or "")


def value_field(evaluator: Evaluator) -> str:
    """Return the field of a score that holds the value of an evaluator of a known type."""
    return VALUE_TYPES[evaluator.score_value_type or ""].field


def implied_type(field: str) -> ValueType:
    """Return the type that a raw value field implies."""
    return next(one for one in VALUE_TYPES.values() if one.field == field and one.is_implied)


def value_type(evaluator: Evaluator) -> ValueType:
    """Return the type of an evaluator; raise UnsupportedEvaluatorError when it can't be written.

    That is so when its ``score_value_type`` is absent or unknown, when it has neither id nor slug
    or one that is no valid Unicode, or when no number lies within its bounds.
    """
    name, (low, high) = evaluator.slug_or_id, evaluator.bounds
    if not name.strip():
        raise UnsupportedEvaluatorError("an evaluator needs an id or an evaluator_slug")
    if find_surrogate(evaluator.id_or_slug):
        raise UnsupportedEvaluatorError(f"evaluator {make_printable(name)!r} is no valid Unicode")
    if low is not None and high is not None and low > high:
        raise UnsupportedEvaluatorError(
            f"evaluator {name!r} has a min_score, {low:g}, above its max_score, {high:g}"
        )
    found = find_type(evaluator.score_value_type)
    if found is None:
        raise UnsupportedEvaluatorError(
            f"evaluator {name!r} has the score_value_type {evaluator.score_value_type!r}, which "
            f"this version can't write; it knows {', '.join(VALUE_TYPES)}"
        )
    return found
