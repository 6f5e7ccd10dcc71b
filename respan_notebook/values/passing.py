"""Decide whether a value passes, by the passing conditions of its evaluator."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from respan_notebook.errors import ConfigurationError
from respan_notebook.models import Evaluator
from respan_notebook.values.cells import is_number
from respan_notebook.wording import render_names, render_value


def _any_case(value: Any) -> str:
    return str(value).casefold()


# Whether one value meets one wanted value.
_MEETS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "": operator.eq,
    "in": operator.eq,
    "not": operator.eq,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "iexact": lambda value, wanted: _any_case(value) == _any_case(wanted),
    "contains": lambda value, wanted: str(wanted) in str(value),
    "icontains": lambda value, wanted: _any_case(wanted) in _any_case(value),
    "startswith": lambda value, wanted: str(value).startswith(str(wanted)),
    "endswith": lambda value, wanted: str(value).endswith(str(wanted)),
}
_ORDERED: Final = ("lt", "lte", "gt", "gte")


def passing_check(evaluator: Evaluator, read: Callable[[Any], Any]) -> Callable[[Any], bool]:
    """Return the function that says whether a value passes.

    The condition is ``passing_conditions["primary_score"]``, else the older
    ``configurations["passing_score"]``, a number from which up scores pass. Of a list of values one
    has to meet it, and of a list of wanted values one has to be met. ``read`` turns a wanted value
    into the form in which values come (a choice may be named by its name or its value).

    Raises
    ------
    ConfigurationError
        There is no condition, or one that is not understood.

    Examples
    --------
    >>> stars = Evaluator(id="e1", score_value_type="numerical", passing_conditions={
    ...     "primary_score": {"operator": "gte", "value": 3}})
    >>> [passing_check(stars, float)(value) for value in (2.0, 3.0)]
    [False, True]
    """
    name, wanted = _read_condition(evaluator)
    meets = _MEETS[name]
    if name in _ORDERED:
        if not all(map(is_number, wanted)):
            raise ConfigurationError(
                f"the passing condition of {evaluator.slug_or_id!r} compares with "
                f"{render_value(wanted[0])}, which is no number"
            )
    elif name in ("", "in", "not"):
        wanted = [_read_wanted(one, read) for one in wanted]

    def passes(value: Any) -> bool:
        given = value if isinstance(value, list | tuple) else [value]
        matched = any(meets(one, other) for one in given for other in wanted)
        return matched != (name == "not")

    return passes


def _read_condition(evaluator: Evaluator) -> tuple[str, list[Any]]:
    conditions, legacy = evaluator.passing_conditions, evaluator.configurations
    primary = conditions.get("primary_score") if isinstance(conditions, Mapping) else None
    if isinstance(primary, Mapping) and "value" in primary:
        name, wanted = primary.get("operator"), primary["value"]
        if name not in _MEETS:
            raise ConfigurationError(
                f"the passing condition of {evaluator.slug_or_id!r} has the operator "
                f"{render_value(name)}; understood are {render_names(_MEETS)}"
            )
        return str(name), list(wanted) if isinstance(wanted, list | tuple) else [wanted]
    bound = legacy.get("passing_score") if isinstance(legacy, Mapping) else None
    if bound is None:
        raise ConfigurationError(
            f"{evaluator.slug_or_id!r} has no passing condition; say what passes by a value, a set "
            "of them or a bound"
        )
    return "gte", [bound]


def _read_wanted(wanted: Any, read: Callable[[Any], Any]) -> Any:
    try:
        found = read(wanted)
    except ValueError:  # An InvalidValueError: no score can be that.
        return wanted
    return found[0] if isinstance(found, list | tuple) and len(found) == 1 else found
