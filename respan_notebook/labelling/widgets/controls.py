"""Say what the browser draws for an evaluator: one control per ``score_value_type``.

A control is plain data, in the types of JSON; ``static/controls.js`` draws it, and returns the raw
value that a person entered. :mod:`respan_notebook.values.encoding` decides whether that can be a
score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from math import isfinite
from types import MappingProxyType
from typing import Any, Final

from respan_notebook.models import Choice, Evaluator
from respan_notebook.values.cells import is_number
from respan_notebook.values.checks import choice_text
from respan_notebook.values.types import value_type
from respan_notebook.wording import render_number

KEYS: Final = "123456789" + "acdfhijklmpqrtz"
"""Keys for choices, in their order; the other letters are commands, or kept for some."""

_MOST_POINTS: Final = 11

Control = dict[str, Any]
"""``kind``, and what a control of that kind needs. ``options`` is a list of ``value``, ``label``,
``key`` (empty for none) and ``about``; ``keys`` is a list of [key, raw value]."""


def control_of(evaluator: Evaluator) -> Control:
    """Return the control of an evaluator whose type is known.

    Raises
    ------
    ValueError, TypeError, OverflowError
        Its bounds or choices make no control.
    """
    return CONTROLS[evaluator.score_value_type or ""](evaluator)


def free_digits(control: Control) -> Control:
    """Return a control whose keys are letters alone, since the digits are for something else."""
    options = control.get("options", [])
    letters = iter(
        [key for key in KEYS if key.isalpha() and key not in {o["key"] for o in options}]
    )
    changed = [
        {**one, "key": next(letters, "")} if one["key"].isdigit() else one for one in options
    ]
    return {**control, **({"options": changed} if options else {}), "keys": []}


# -- numbers ------------------------------------------------------------------------------------


def _number(evaluator: Evaluator) -> Control:
    low, high = value_type(evaluator).bounds_of(evaluator)
    points = {float(one.value): one for one in evaluator.choices if is_number(one.value)}
    if low is None or high is None or not isfinite(high - low):
        return _points(points) if 0 < len(points) <= _MOST_POINTS else {"kind": "number"}
    step = _step(evaluator, low, high)
    if step == 1 and high - low < _MOST_POINTS:
        return _points({low + i: points.get(low + i) for i in range(int(high - low) + 1)})
    tenths = [_on_step(low + i * (high / 10 - low / 10), low, high, step) for i in range(10)]
    return {
        "kind": "slider",
        "low": low,
        "high": high,
        "step": step,
        "keys": [[str(i), point] for i, point in enumerate(tenths)],
        "names": [[point, one.name] for point, one in sorted(points.items()) if one.name],
    }


def _points(points: Mapping[float, Choice | None]) -> Control:
    names = {value: one.name if one else None for value, one in sorted(points.items())}
    texts = [render_number(value) for value in names]
    options = [
        {
            "value": value,
            "label": text if name in (None, "", text) else f"{text} {name}",
            "key": key,
            "about": _about(points[value]),
        }
        for (value, name), text, key in zip(names.items(), texts, _keys(texts), strict=True)
    ]
    return {"kind": "points", "options": options}


def _step(evaluator: Evaluator, low: float, high: float) -> float:
    given: Any = getattr(evaluator.score_config, "step", None)  # Not documented, but natural.
    if is_number(given) and 0 < given <= high - low:
        return float(given)
    whole = low % 1 == 0 and high % 1 == 0 and 1 < high - low <= 1000
    # Two digits, so that the points of the scale are short numbers.
    return 1.0 if whole else float(f"{high / 100 - low / 100:.2g}") or 1.0


def _on_step(value: float, low: float, high: float, step: float) -> float:
    """Return the point of a scale that is nearest to a value."""
    steps = round(Decimal(repr(value - low)) / Decimal(repr(step)))
    point = float(Decimal(repr(low)) + steps * Decimal(repr(step)))
    return min(max(point, low), high)


# -- choices ------------------------------------------------------------------------------------


def _options(evaluator: Evaluator) -> list[dict[str, Any]]:
    """Return an option per choice; choices of one value are one."""
    choices: dict[str, list[Choice]] = {}
    for one in evaluator.choices:
        text = choice_text(one)
        if text:  # A choice without value and name can't be told from no score.
            choices.setdefault(text, []).append(one)
    names = {t: " / ".join(str(one.name or t) for one in ones) for t, ones in choices.items()}
    labels = list(names.values())
    return [
        {
            "value": text,
            "label": f"{name} ({text})" if labels.count(name) > 1 else name,
            "key": key,
            "about": _about(choices[text][0]),
        }
        for (text, name), key in zip(names.items(), _keys(names), strict=True)
    ]


def _about(choice: Choice | None) -> str:
    about = getattr(choice, "description", None)
    return about if isinstance(about, str) else ""


def _keys(texts: Iterable[str]) -> Sequence[str]:
    """Return a key per text: itself where it is one, else the next that is free; empty for none."""
    texts = list(texts)
    own = {t for t in texts if t == "0" or (len(t) == 1 and t in KEYS)}
    free = iter(key for key in KEYS if key not in own)
    return [text if text in own else next(free, "") for text in texts]


def _one(evaluator: Evaluator) -> Control:
    if not evaluator.choices:
        return {"kind": "line"}
    return {"kind": "one", "options": _options(evaluator)}


def _many(evaluator: Evaluator) -> Control:
    if not evaluator.choices:
        return {"kind": "tags"}
    return {"kind": "many", "options": _options(evaluator)}


CONTROLS: Final[Mapping[str, Callable[[Evaluator], Control]]] = MappingProxyType(
    {
        "numerical": _number,
        "percentage": _number,
        "boolean": lambda _evaluator: {"kind": "yesno"},
        "single_select": _one,
        "multi_select": _many,
        "categorical": _many,
        "text": lambda _evaluator: {"kind": "area"},
        "comment": lambda _evaluator: {"kind": "area"},
        "json": lambda _evaluator: {"kind": "json"},
    }
)
"""``score_value_type`` -> what makes its control; a test checks that none is missing."""
