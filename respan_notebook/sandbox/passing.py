"""Decide whether a score passes, by the conditions of its evaluator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

VALUE_FIELD = {
    "numerical": "numerical_value",
    "percentage": "numerical_value",
    "text": "string_value",
    "comment": "string_value",
    "boolean": "boolean_value",
    "single_select": "categorical_value",
    "multi_select": "categorical_value",
    "categorical": "categorical_value",
    "json": "json_value",
}
VALUE_FIELDS = tuple(dict.fromkeys(VALUE_FIELD.values()))

# Compare a value with a wanted one. A TypeError (is a text below a number?) means no.
CONDITIONS: dict[str, Callable[[Any, Any], bool]] = {
    "": lambda value, wanted: value == wanted,
    "in": lambda value, wanted: value == wanted,
    "not": lambda value, wanted: value == wanted,
    "iexact": lambda value, wanted: str(value).casefold() == str(wanted).casefold(),
    "lt": lambda value, wanted: value < wanted,
    "lte": lambda value, wanted: value <= wanted,
    "gt": lambda value, wanted: value > wanted,
    "gte": lambda value, wanted: value >= wanted,
    "contains": lambda value, wanted: str(wanted) in str(value),
    "icontains": lambda value, wanted: str(wanted).casefold() in str(value).casefold(),
    "startswith": lambda value, wanted: str(value).startswith(str(wanted)),
    "endswith": lambda value, wanted: str(value).endswith(str(wanted)),
    "isnull": lambda value, wanted: (value is None) == wanted,
}


def is_passed(evaluator: Mapping[str, Any], values: Mapping[str, Any]) -> bool | None:
    """Return whether the evaluator's value among `values` passes.

    None if there is no value, no condition, or one of an unknown form.
    """
    value = values.get(VALUE_FIELD[evaluator["score_value_type"]])
    condition = _passing_condition(evaluator)
    if value is None or condition is None:
        return None
    operator, wanted = condition
    given = value if isinstance(value, list) else [value]
    matched = any(_meets(operator, one, other) for one in given for other in wanted)
    return not matched if operator == "not" else matched


def make_verdict(evaluator: Mapping[str, Any]) -> dict[str, Any]:
    """Return a made-up verdict of an evaluator: always the same, and not that of a model."""
    config = evaluator.get("score_config") or {}
    choices = config.get("choices") or evaluator.get("categorical_choices") or [{"name": "none"}]
    field = VALUE_FIELD[evaluator["score_value_type"]]
    values: dict[str, Any] = {
        "numerical_value": float(config.get("min_score") or 0),
        "string_value": "a made-up verdict",
        "boolean_value": True,
        "categorical_value": [str(choices[0]["name"])],
        "json_value": "{}",
    }
    score = {name: values[name] if name == field else None for name in VALUE_FIELDS}
    return {**score, "is_passed": is_passed(evaluator, score), "evaluator_id": evaluator["id"]}


def _passing_condition(evaluator: Mapping[str, Any]) -> tuple[str, list[Any]] | None:
    primary = (evaluator.get("passing_conditions") or {}).get("primary_score")
    if isinstance(primary, dict) and "value" in primary:
        operator, wanted = primary.get("operator"), primary["value"]
        if isinstance(operator, str) and operator in CONDITIONS:
            return operator, wanted if isinstance(wanted, list) else [wanted]
    passing_score = (evaluator.get("configurations") or {}).get("passing_score")
    return None if passing_score is None else ("gte", [passing_score])


def _meets(operator: str, value: object, wanted: object) -> bool:
    try:
        return CONDITIONS[operator](value, wanted)
    except TypeError:
        return False
