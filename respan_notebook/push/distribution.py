"""Count the values of a push, by evaluator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np

from respan_notebook.push.plan import Plan
from respan_notebook.values.types import find_type
from respan_notebook.wording import render_number

_MOST_POINTS: Final = 7  # Numbers of more values than this are counted in as many bins as follows.
_BINS: Final = 5
_MOST_CHOICES: Final = 7
_OPEN_LEVELS: Final = ("exact",)  # Texts and JSON are hardly ever the same twice.


def count_values(plan: Plan) -> dict[str, dict[str, int]]:
    """Return the number of scores by evaluator and value; those without a value don't count.

    Numbers are in their order, and in five bins where they are many; choices in their order, the
    rarest together as "other". A list of choices counts once for each. Text and JSON have none.
    """
    by_code: dict[int, list[Any]] = {}
    for code, value in zip(plan.codes.tolist(), plan.values, strict=True):
        if value is not None:
            by_code.setdefault(code, []).append(value)
    return {
        plan.evaluators[code].slug_or_id: _count_of_type(
            plan.evaluators[code].score_value_type,
            [str(one.value or one.name) for one in plan.evaluators[code].choices],
            values,
        )
        for code, values in by_code.items()
    }


def _count_of_type(
    type_name: str | None, order: Sequence[str], values: list[Any]
) -> dict[str, int]:
    kind = find_type(type_name)
    if kind is None or kind.level in _OPEN_LEVELS:
        return {}
    if all(isinstance(one, bool) for one in values):
        return {f"{one}": values.count(one) for one in (False, True) if one in values}
    if all(isinstance(one, float) for one in values):
        return _count_numbers(np.array(values))
    flat = [name for one in values for name in (one if isinstance(one, list) else [one])]
    counts = Counter(map(str, flat))
    kept = [name for name, _ in counts.most_common(_MOST_CHOICES)]
    places = {name: place for place, name in enumerate(order)}
    kept.sort(key=lambda name: places.get(name, len(places)))
    found = {name: counts.pop(name) for name in kept}
    return found | ({"other": counts.total()} if counts else {})


def _count_numbers(numbers: Any) -> dict[str, int]:
    points, counts = np.unique(numbers, return_counts=True)
    if len(points) <= _MOST_POINTS:
        return {
            render_number(float(f"{point:.4g}")): int(count)
            for point, count in zip(points, counts, strict=True)
        }
    found, edges = np.histogram(numbers, _BINS)
    names = [f"{low:.2g} to {high:.2g}" for low, high in pairwise(edges)]
    return dict(zip(names, map(int, found), strict=True))
