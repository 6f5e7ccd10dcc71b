"""Which values of an evaluator are equal, and how they are ordered: its level of measurement.

Adding a ``score_value_type`` is adding an entry to :data:`_KEYS` (when its wire value is not
hashable) and to :data:`_SCALES`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from respan_notebook.checks import choice_text, is_number
from respan_notebook.models import Evaluator
from respan_notebook.values import encoder

MOST_POINTS: Final = 11
"""A scale of whole numbers with more points than this (0 to 10) counts as continuous."""

_Read = Callable[[Any], Any]
_Scale = tuple[str, list[Any]]


def read_key(evaluator: Evaluator) -> _Read:
    """Return the function that turns a score into what is compared: hashable, equal when they are.

    Sets of choices become tuples in the order of the choices, JSON its text with sorted keys.

    Raises
    ------
    UnsupportedEvaluatorError
        When the type is not known. The function raises InvalidValueError.

    Examples
    --------
    >>> read = read_key(Evaluator(id="e1", score_value_type="json"))
    >>> read({"b": 1.0, "a": None}), read('{"a": null, "b": 1}')
    ('{"a": null, "b": 1}', '{"a": null, "b": 1}')
    """
    encode = encoder(evaluator)
    make = _KEYS.get(evaluator.score_value_type or "")
    return encode if make is None else make(evaluator, encode)


def read_scale(evaluator: Evaluator, keys: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return the level of measurement and the categories, in order, of an evaluator's scores.

    ========== =====================================================================
    nominal    ``boolean``; ``single_select`` (all choices, in their order)
    ordinal    ``numerical`` when all scores are named points, or when scores and
               bounds are whole numbers and the scale has 11 points at most
    interval   ``numerical`` else, ``percentage``
    set        ``multi_select``, ``categorical``
    exact      ``text``, ``comment``, ``json``
    ========== =====================================================================

    Parameters
    ----------
    evaluator : Evaluator
        Of a known type.
    keys : sequence
        Its scores, from :func:`read_key`; one at least.

    Examples
    --------
    >>> stars = Evaluator(id="e1", score_value_type="numerical",
    ...                   score_config={"min_score": 1, "max_score": 5})
    >>> read_scale(stars, [2.0, 4.0])
    ('ordinal', [1.0, 2.0, 3.0, 4.0, 5.0])
    >>> read_scale(stars, [2.0, 4.5])
    ('interval', [2.0, 4.5])
    """
    return _SCALES[evaluator.score_value_type or ""](evaluator, keys)


def width_of(evaluator: Evaluator, numbers: Sequence[float]) -> float:
    """Return how far apart two scores can be: between the bounds, else between the scores.

    Examples
    --------
    >>> width_of(Evaluator(id="e1", score_value_type="percentage"), [20.0, 30.0])
    100.0
    """
    low, high = evaluator.bounds
    if evaluator.score_value_type == "percentage":
        low, high = 0.0 if low is None else low, 100.0 if high is None else high
    return (max(numbers) if high is None else high) - (min(numbers) if low is None else low)


# -- keys ---------------------------------------------------------------------------------------


def _one(_evaluator: Evaluator, encode: _Read) -> _Read:
    return lambda raw: encode(raw)[0]


def _set(evaluator: Evaluator, encode: _Read) -> _Read:
    rank = _rank(evaluator)
    return lambda raw: tuple(sorted(encode(raw), key=rank))


def _rank(evaluator: Evaluator) -> Callable[[str], tuple[int, str]]:
    """Return a sort key: the order of the choices, or of the alphabet when there are none."""
    places = {text: i for i, text in enumerate(map(choice_text, evaluator.choices))}
    return lambda text: (places.get(text, 0), text)


def _json(_evaluator: Evaluator, encode: _Read) -> _Read:
    def read(raw: Any) -> str:
        if isinstance(raw, str):
            try:
                json.loads(raw)
            except (ValueError, RecursionError):
                raw = json.dumps(raw)  # pull_scores gives a JSON string without its quotes.
        parsed = json.loads(encode(raw), parse_float=_json_number)
        return json.dumps(parsed, sort_keys=True, ensure_ascii=False)

    return read


def _json_number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number  # JSON has one kind of number.


_KEYS: Final[Mapping[str, Callable[[Evaluator, _Read], _Read]]] = {
    "single_select": _one,
    "multi_select": _set,
    "categorical": _set,
    "json": _json,
}

# -- scales -------------------------------------------------------------------------------------


def _boolean(_evaluator: Evaluator, _keys: Sequence[Any]) -> _Scale:
    return "nominal", [False, True]


def _choices(evaluator: Evaluator, keys: Sequence[Any]) -> _Scale:
    named = list(dict.fromkeys(map(choice_text, evaluator.choices)))
    return "nominal", named or sorted(set(keys))


def _sets(evaluator: Evaluator, keys: Sequence[Any]) -> _Scale:
    rank = _rank(evaluator)
    return "set", sorted(set(keys), key=lambda key: [rank(text) for text in key])


def _exact(_evaluator: Evaluator, keys: Sequence[Any]) -> _Scale:
    return "exact", sorted(set(keys))


def _interval(_evaluator: Evaluator, keys: Sequence[Any]) -> _Scale:
    return "interval", sorted(set(keys))


def _numerical(evaluator: Evaluator, keys: Sequence[float]) -> _Scale:
    points = {float(one.value) for one in evaluator.choices if is_number(one.value)}
    if points.issuperset(keys):
        return "ordinal", sorted(points)
    numbers = {*keys, *points, *(end for end in evaluator.bounds if end is not None)}
    low, high = min(numbers), max(numbers)
    if all(n.is_integer() for n in numbers) and high - low < MOST_POINTS:
        return "ordinal", [float(n) for n in range(int(low), int(high) + 1)]
    return _interval(evaluator, keys)


_SCALES: Final[Mapping[str, Callable[[Evaluator, Sequence[Any]], _Scale]]] = {
    "boolean": _boolean,
    "single_select": _choices,
    "multi_select": _sets,
    "categorical": _sets,
    "numerical": _numerical,
    "percentage": _interval,
    "text": _exact,
    "comment": _exact,
    "json": _exact,
}
