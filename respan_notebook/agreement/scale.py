"""Turn scores into categories, and order the categories by the level of measurement."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from respan_notebook.models import Evaluator
from respan_notebook.values.cells import is_number
from respan_notebook.values.checks import choice_text
from respan_notebook.values.encoding import encoder
from respan_notebook.values.json_value import normalize_json
from respan_notebook.values.types import Level, value_type

MOST_POINTS: Final = 11
"""A scale of whole numbers with more points than this (0 to 10) counts as continuous."""

Scale = tuple[Level, list[Any]]
"""Level of measurement, and the categories in their order."""


def category_reader(evaluator: Evaluator) -> Callable[[Any], Any]:
    """Return the function that turns a score into its category: hashable, equal for equal scores.

    A set of choices becomes a tuple in the order of the choices, JSON its text with sorted names.
    UnsupportedEvaluatorError is raised for an unknown type, InvalidValueError by the function.

    Examples
    --------
    >>> read = category_reader(Evaluator(id="e1", score_value_type="json"))
    >>> read({"b": 1.0, "a": None}), read('{"a": null, "b": 1}')
    ('{"a": null, "b": 1}', '{"a": null, "b": 1}')
    """
    kind, encode = value_type(evaluator), encoder(evaluator)
    if kind.field == "json_value":
        return lambda raw: normalize_json(encode(_quote_text(raw)))
    if kind.level == "set":
        rank = _rank(evaluator)
        return lambda raw: tuple(sorted(kind.decode(encode(raw)), key=rank))
    return lambda raw: kind.decode(encode(raw))


def _quote_text(raw: Any) -> Any:
    """Return text that is no JSON as a JSON string: pull_scores returns one without its quotes."""
    if isinstance(raw, str):
        try:
            json.loads(raw)
        except (ValueError, RecursionError):
            return json.dumps(raw)
    return raw


def _rank(evaluator: Evaluator) -> Callable[[str], tuple[int, str]]:
    """Return a sort key: the order of the choices, or of the alphabet when there are none."""
    places = {text: i for i, text in enumerate(map(choice_text, evaluator.choices))}
    return lambda text: (places.get(text, 0), text)


def order_categories(evaluator: Evaluator, found: Sequence[Any]) -> Scale:
    """Return the level of measurement and the categories, in order, of the scores found.

    ========== =====================================================================
    nominal    ``boolean``; ``single_select`` (all choices, in their order)
    ordinal    ``numerical`` when all scores are named points, or when scores and
               bounds are whole numbers and the scale has 11 points at most
    interval   ``numerical`` else, ``percentage``
    set        ``multi_select``, ``categorical``
    exact      ``text``, ``comment``, ``json``
    ========== =====================================================================

    ``found`` has at least one score, as read by :func:`category_reader`.

    Examples
    --------
    >>> stars = Evaluator(id="e1", score_value_type="numerical",
    ...                   score_config={"min_score": 1, "max_score": 5})
    >>> order_categories(stars, [2.0, 4.0])
    ('ordinal', [1.0, 2.0, 3.0, 4.0, 5.0])
    >>> order_categories(stars, [2.0, 4.5])
    ('interval', [2.0, 4.5])
    """
    level = value_type(evaluator).level
    return _SCALES[level](level, evaluator, found)


def width_of(evaluator: Evaluator, numbers: Sequence[float]) -> float:
    """Return the width of a scale: between its bounds, else between the scores.

    Examples
    --------
    >>> width_of(Evaluator(id="e1", score_value_type="percentage"), [20.0, 30.0])
    100.0
    """
    low, high = value_type(evaluator).bounds_of(evaluator)
    return (max(numbers) if high is None else high) - (min(numbers) if low is None else low)


def _order_nominal(level: Level, evaluator: Evaluator, found: Sequence[Any]) -> Scale:
    if isinstance(found[0], bool):
        return level, [False, True]
    named = list(dict.fromkeys(map(choice_text, evaluator.choices)))
    return level, named or sorted(set(found))


def _order_sets(level: Level, evaluator: Evaluator, found: Sequence[Any]) -> Scale:
    rank = _rank(evaluator)
    return level, sorted(set(found), key=lambda texts: [rank(text) for text in texts])


def _order_plain(level: Level, _evaluator: Evaluator, found: Sequence[Any]) -> Scale:
    return level, sorted(set(found))


def _order_points(_level: Level, evaluator: Evaluator, found: Sequence[float]) -> Scale:
    points = {float(one.value) for one in evaluator.choices if is_number(one.value)}
    if points.issuperset(found):
        return "ordinal", sorted(points)
    bounds = value_type(evaluator).bounds_of(evaluator)
    numbers = {*found, *points, *(end for end in bounds if end is not None)}
    low, high = min(numbers), max(numbers)
    if all(n.is_integer() for n in numbers) and high - low < MOST_POINTS:
        return "ordinal", [float(n) for n in range(int(low), int(high) + 1)]
    return "interval", sorted(set(found))


_SCALES: Final[Mapping[Level, Callable[[Level, Evaluator, Sequence[Any]], Scale]]] = {
    "nominal": _order_nominal,
    "ordinal": _order_points,
    "interval": _order_plain,
    "set": _order_sets,
    "exact": _order_plain,
}
