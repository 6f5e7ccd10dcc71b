"""Build the input widgets of the editors: one control per ``score_value_type``.

A control shows a value and returns the raw value that the person entered.
:mod:`respan_notebook.values.encoding` decides whether that can be a score.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import ipywidgets as widgets

from respan_notebook.labelling.log_view.json_view import json_tree
from respan_notebook.models import Evaluator
from respan_notebook.values.cells import is_number
from respan_notebook.values.checks import choice_text
from respan_notebook.values.types import value_type
from respan_notebook.wording import render_number

KEYS: Final = "123456789" + "acdfghiklmopqrtz"
"""Keys for choices in their order; the other letters are commands."""

_MOST_RADIOS: Final = 8
_MOST_CHECKBOXES: Final = 20
_MOST_POINTS: Final = 11
_FULL: Final = MappingProxyType({"width": "auto"})


class Control:
    """Show a value, and take the one that a person enters.

    Attributes
    ----------
    widget : Widget
        The widget that is displayed.
    shows_value : bool
        Whether a value is on screen also when nothing was entered, as on a slider.
    keys : mapping of str to object
        Key -> raw value that it enters.
    hint : str
        The keys in words, where the control does not show them.
    laying_out : bool
        Whether only the layout of the value is being changed.
    """

    widget: widgets.DOMWidget
    shows_value = False
    keys: Mapping[str, Any] = MappingProxyType({})
    hint = ""
    laying_out = False

    def inputs(self) -> Sequence[widgets.DOMWidget]:
        """Return the widgets whose ``value`` the person changes."""
        return [self.widget]

    def read(self) -> Any:
        """Return the raw value that is entered, None for nothing."""
        return self.widget.value

    def show(self, value: Any) -> None:
        """Show a value as :attr:`Editor.value` has it; None for the resting state."""
        self.widget.value = value

    def press(self, key: str, _current: Any) -> Any:
        """Return the raw value that a key enters."""
        return self.keys[key]

    def step(self, _direction: int) -> Any:
        """Return the raw value one step up (1) or down (-1); None where there are no steps."""
        return None

    def said(self, value: Any) -> str:
        """Return a value in the words of the control."""
        return str(value)


# -- numbers ------------------------------------------------------------------------------------


class Slider(Control):
    """Take a number between two bounds, with a slider."""

    shows_value = True

    def __init__(self, evaluator: Evaluator, low: float, high: float) -> None:
        self._names = _point_names(evaluator)
        step = _step(evaluator, low, high)
        decimals = len(render_number(step).partition(".")[2])
        self.widget = widgets.FloatSlider(
            low, min=low, max=high, step=step, readout_format=f".{decimals}f", layout=dict(_FULL)
        )
        whole = step == 1 and high - low < len(KEYS)
        self.keys = _point_keys(
            [low + i for i in range(int(high - low) + 1)]
            if whole
            else [low + i * (high - low) / 10 for i in range(11)],
            by_value=whole,
        )
        letters = [
            f"{key} = {render_number(point)}" for key, point in self.keys.items() if key.isalpha()
        ]
        self.hint = ", ".join(["keys: its digits" if whole else "keys: 0-9 for tenths", *letters])

    def show(self, value: Any) -> None:
        inside = is_number(value) and self.widget.min <= value <= self.widget.max
        self.widget.value = value if inside else self.widget.min

    def step(self, direction: int) -> Any:
        moved = round(self.widget.value + direction * self.widget.step, 10)
        return min(max(moved, self.widget.min), self.widget.max)

    def said(self, value: Any) -> str:
        return _point_text(value, self._names)


class Points(Control):
    """Take a named point of a scale, with a button each."""

    def __init__(self, names: Mapping[float, str]) -> None:
        self._names = names
        points = sorted(names)
        self.widget = widgets.ToggleButtons(
            options=[(_point_text(point, names), point) for point in points], value=None
        )
        self.keys = _point_keys(points, by_value=True)

    def show(self, value: Any) -> None:
        self.widget.value = value if value in self._names else None

    def step(self, direction: int) -> Any:
        points = sorted(self._names)
        if self.widget.value is None:
            return points[0 if direction > 0 else -1]
        place = points.index(self.widget.value) + direction
        return points[min(max(place, 0), len(points) - 1)]

    def said(self, value: Any) -> str:
        return _point_text(value, self._names)


class NumberBox(Control):
    """Take a number that is typed, where there are not two bounds."""

    def __init__(self) -> None:
        self.widget = widgets.Text(placeholder="a number", layout=dict(_FULL))

    def read(self) -> Any:
        text = self.widget.value.strip()
        if re.fullmatch(r"[+-]?\d{1,30}", text):
            return int(text)
        if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", text, re.IGNORECASE):
            return float(text)
        return text or None

    def show(self, value: Any) -> None:
        self.widget.value = "" if value is None else render_number(value)

    def said(self, value: Any) -> str:
        return render_number(value)


def _number_control(evaluator: Evaluator) -> Control:
    low, high = value_type(evaluator).bounds_of(evaluator)
    names = _point_names(evaluator)
    if low is None or high is None:
        return Points(names) if 0 < len(names) <= _MOST_POINTS else NumberBox()
    whole = {low + i for i in range(int(min(high - low, _MOST_POINTS)) + 1)}
    if names and whole <= names.keys() and max(whole) == high:
        return Points(names)
    return Slider(evaluator, low, high)


def _point_names(evaluator: Evaluator) -> dict[float, str]:
    return {
        float(choice.value): choice.name or render_number(choice.value)
        for choice in evaluator.choices
        if is_number(choice.value)
    }


def _point_keys(points: Sequence[float], *, by_value: bool) -> dict[str, float]:
    """Return a key per point: its own digit where it has one, else the next free letter."""
    letters = iter(KEYS[9:])
    keys = {}
    for place, point in enumerate(points):
        digit = render_number(point) if by_value else str(place)
        key = digit if len(digit) == 1 and digit.isdigit() else next(letters, "")
        if key:
            keys[key] = point
    return keys


def _point_text(value: Any, names: Mapping[float, str]) -> str:
    brief, name = render_number(value), names.get(value)
    return brief if name in (None, brief) else f"{brief} · {name}"


def _step(evaluator: Evaluator, low: float, high: float) -> float:
    given: Any = getattr(evaluator.score_config, "step", None)  # Not documented, but natural.
    if is_number(given) and 0 < given <= high - low:
        return float(given)
    whole = low % 1 == 0 and high % 1 == 0 and high - low > 1
    return 1.0 if whole else (high - low) / 100 or 1.0


# -- yes or no ----------------------------------------------------------------------------------


class YesNo(Control):
    """Take yes or no, with a checkbox."""

    shows_value = True
    keys = MappingProxyType({"y": True, "n": False})

    def __init__(self, _evaluator: Evaluator) -> None:
        self.widget = widgets.Checkbox(
            False, description="Yes (y / n)", indent=False, layout=dict(_FULL)
        )

    def show(self, value: Any) -> None:
        self.widget.value = bool(value)

    def said(self, value: Any) -> str:
        return "Yes" if value else "No"


# -- choices ------------------------------------------------------------------------------------


class _Choices(Control):
    def __init__(self, evaluator: Evaluator) -> None:
        texts = list(dict.fromkeys(choice_text(choice) for choice in evaluator.choices))
        names = {choice_text(choice): choice.name for choice in reversed(evaluator.choices)}
        twins = [name for name in names.values() if list(names.values()).count(name) > 1]
        self.labels: dict[str, str] = {}
        for text in texts:
            name = str(names[text] or text)
            self.labels[text] = f"{name} ({text})" if name in twins else name
        self.keys = dict(zip(KEYS, texts, strict=False))
        keys = {text: key for key, text in self.keys.items()}
        self.options = [
            (f"{keys[text]} · {label}" if text in keys else label, text)
            for text, label in self.labels.items()
        ]

    def said(self, value: Any) -> str:
        members: list[str] = value if isinstance(value, list) else [value]
        return ", ".join(self.labels.get(member, member) for member in members)


class OneOf(_Choices):
    """Take one choice, with radio buttons, or a dropdown when there are many."""

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__(evaluator)
        few = len(self.options) <= _MOST_RADIOS
        kind = widgets.RadioButtons if few else widgets.Dropdown
        self.widget = kind(options=self.options, value=None, layout=dict(_FULL))

    def show(self, value: Any) -> None:
        self.widget.value = value if value in self.labels else None

    def step(self, direction: int) -> Any:
        texts = list(self.labels)
        if self.widget.value is None:
            return texts[0 if direction > 0 else -1]
        place = texts.index(self.widget.value) + direction
        return texts[min(max(place, 0), len(texts) - 1)]


class _Several(_Choices):
    def press(self, key: str, current: Any) -> Any:
        pressed, chosen = self.keys[key], current or []
        chosen = [text for text in self.labels if (text in chosen) != (text == pressed)]
        return chosen or None


class Checkboxes(_Several):
    """Take several choices, with a checkbox each; a click leaves the others as they are."""

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__(evaluator)
        self._boxes = {
            text: widgets.Checkbox(False, description=label, indent=False, layout=dict(_FULL))
            for label, text in self.options
        }
        self.widget = widgets.VBox(list(self._boxes.values()))

    def inputs(self) -> Sequence[widgets.DOMWidget]:
        return list(self._boxes.values())

    def read(self) -> Any:
        return [text for text, box in self._boxes.items() if box.value] or None

    def show(self, value: Any) -> None:
        for text, box in self._boxes.items():
            box.value = text in (value or [])


class ManyOf(_Several):
    """Take several of many choices, in a list."""

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__(evaluator)
        self.widget = widgets.SelectMultiple(options=self.options, rows=10, layout=dict(_FULL))

    def read(self) -> Any:
        return list(self.widget.value) or None

    def show(self, value: Any) -> None:
        self.widget.value = [text for text in self.labels if text in (value or [])]


class Tags(Control):
    """Take several words of one's own, for an evaluator without choices."""

    def __init__(self) -> None:
        self.widget = widgets.TagsInput(allow_duplicates=False, placeholder="type, then Enter")

    def read(self) -> Any:
        return list(self.widget.value) or None

    def show(self, value: Any) -> None:
        self.widget.value = list(value or [])

    def said(self, value: Any) -> str:
        return ", ".join(value)


def _single_control(evaluator: Evaluator) -> Control:
    return OneOf(evaluator) if evaluator.choices else Line()


def _multi_control(evaluator: Evaluator) -> Control:
    if not evaluator.choices:
        return Tags()
    return (Checkboxes if len(evaluator.choices) <= _MOST_CHECKBOXES else ManyOf)(evaluator)


# -- text ---------------------------------------------------------------------------------------


class Line(Control):
    """Take one line of text."""

    def __init__(self) -> None:
        self.widget = widgets.Text(layout=dict(_FULL))

    def read(self) -> Any:
        return self.widget.value or None

    def show(self, value: Any) -> None:
        self.widget.value = value if isinstance(value, str) else ""


class TextArea(Line):
    """Take text of any length."""

    def __init__(self, _evaluator: Evaluator | None = None) -> None:
        self.widget = widgets.Textarea(rows=3, layout=dict(_FULL))

    def said(self, value: Any) -> str:
        return f"{len(value)} characters"


class JsonArea(Control):
    """Take JSON text, with a button that indents it and a tree of its value."""

    def __init__(self, _evaluator: Evaluator) -> None:
        self._area = widgets.Textarea(rows=5, placeholder='{"key": "value"}', layout=dict(_FULL))
        self._area.add_class("rn-json")
        self._tree = widgets.HTML()
        format_ = widgets.Button(description="Format", tooltip="Lay the JSON out, indented")
        format_.on_click(self._format)
        self.widget = widgets.VBox([self._area, format_, self._tree])
        self._area.observe(self._draw, "value")

    def inputs(self) -> Sequence[widgets.DOMWidget]:
        return [self._area]

    def read(self) -> Any:
        return self._area.value or None

    def show(self, value: Any) -> None:
        if value is not None and not isinstance(value, str):
            value = json.dumps(value, ensure_ascii=False, indent=2)
        self._area.value = value or ""

    def said(self, value: Any) -> str:
        return f"{len(value)} characters of JSON"

    def _format(self, _button: object) -> None:
        try:
            parsed = json.loads(self._area.value)
        except (ValueError, RecursionError):
            return  # The editor shows the error.
        self.laying_out = True
        self._area.value = json.dumps(parsed, ensure_ascii=False, indent=2)
        self.laying_out = False

    def _draw(self, _change: object) -> None:
        self._tree.value = json_tree(self._area.value)


CONTROLS: Final[Mapping[str, Callable[[Evaluator], Control]]] = MappingProxyType(
    {
        "numerical": _number_control,
        "percentage": _number_control,
        "boolean": YesNo,
        "single_select": _single_control,
        "multi_select": _multi_control,
        "categorical": _multi_control,
        "text": TextArea,
        "comment": TextArea,
        "json": JsonArea,
    }
)
"""``score_value_type`` -> its control; a test checks that none is missing."""
