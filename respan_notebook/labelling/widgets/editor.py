"""Edit scores, with one widget per evaluator.

Nothing is a score until the person made it one. An editor takes the raw value of its control, has
it validated by :mod:`respan_notebook.values.encoding`, and shows the outcome.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final

import ipywidgets as widgets
import traitlets

from respan_notebook.errors import InvalidValueError, UnsupportedEvaluatorError
from respan_notebook.labelling.current_scores import entered_value
from respan_notebook.labelling.log_view.escape import escaped
from respan_notebook.labelling.static import STYLE
from respan_notebook.labelling.widgets.controls import CONTROLS, Control
from respan_notebook.models import Evaluator
from respan_notebook.values.encoding import encoder
from respan_notebook.values.types import value_type

UNSET, SET, INVALID, SHOWN, CLEARED = "unset", "set", "invalid", "shown", "cleared"
_SAID: Final = 60  # The most characters of a value on the state line.


class Editor(widgets.VBox):
    """Edit the scores of one evaluator; made by :func:`editor_for`.

    Attributes
    ----------
    value : object
        The score that was entered, as it is sent: float, bool, str (text, one choice, JSON text)
        or a list of str. None while there is none. Setting it validates it, and raises
        :class:`InvalidValueError`. Observable, as all traits of a widget:
        ``editor.observe(f, "value")``.
    explanation : str
        The reason behind the score; empty for none.
    error : str
        The reason why the entry can't be a score; empty when it can.
    state : {"unset", "set", "invalid", "shown", "cleared"}
        Nothing was entered; a score was entered; the entry is no score; the previous score is
        shown and nothing was entered; the previous score was cleared.
    entries : int
        The number of entries, by the person or from Python.
    evaluator : Evaluator
        The evaluator of the scores.
    lock : RLock
        Held while the editor changes, by any thread that changes it.
    """

    value = traitlets.Any(None, allow_none=True)
    explanation = traitlets.Unicode("")
    error = traitlets.Unicode("")
    state = traitlets.Unicode(UNSET)
    entries = traitlets.Int(0)

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.lock = threading.RLock()
        self._quiet = False  # True while the editor itself changes its control.
        self._previous: Any = None
        self._at_rest: Any = None
        self._previous_explanation = self._source = self._refusal = ""
        self._why = widgets.Text(placeholder="Why? (optional)", layout=widgets.Layout(width="auto"))
        self._line = widgets.HTML(_state_html(UNSET, _MARKS[UNSET], ""))
        self._line.add_class("rn-state")
        super().__init__()
        self.add_class("rn-editor")
        self._build()
        self._at_rest = self._control.read()

    def _build(self) -> None:
        evaluator = self.evaluator
        self._encode = encoder(evaluator)
        self._control: Control = CONTROLS[evaluator.score_value_type or ""](evaluator)
        self._control.widget.add_class("rn-control")
        for box in self._control.inputs():
            # Its label is for screen readers; people see the title.
            if not isinstance(box, widgets.Checkbox):
                box.description = evaluator.display_name
            box.observe(self._touched, "value")
        self._why.description = f"Explanation of {evaluator.display_name}"
        self._why.add_class("rn-why")
        self._why.observe(self._explained, "value")
        bar = widgets.HBox([self._line, self._why, *self._buttons()])
        bar.add_class("rn-bar")
        if self._control.shows_value:
            self.add_class("rn-resting")
        self.children = [self._head(), self._control.widget, bar]

    def _head(self) -> widgets.HTML:
        return widgets.HTML(_title_html(self.evaluator, self._control.hint))

    def _buttons(self) -> list[widgets.Button]:
        accept = widgets.Button(description="Use this", tooltip="Score with the value shown (v)")
        clear = widgets.Button(description="Clear", tooltip="No score (x)")
        accept.on_click(lambda _: self.accept())
        clear.on_click(lambda _: self.clear())
        accept.add_class("rn-accept")
        clear.add_class("rn-clear")
        return [accept, clear]

    def __repr__(self) -> str:
        return f"Editor({self.evaluator.slug_or_id!r}, value={self.value!r})"

    @property
    def hotkeys(self) -> Mapping[str, str]:
        """Key -> the value that it enters, in words."""
        return {key: self._control.said(raw) for key, raw in self._control.keys.items()}

    @property
    def inputs(self) -> list[widgets.DOMWidget]:
        """The widgets that the person types into or moves."""
        return [*self._control.inputs(), self._why]

    # -- entering -------------------------------------------------------------------------------

    def accept(self) -> None:
        """Enter the value that is shown."""
        shown = self._previous if self.state == SHOWN else self._control.read()
        self._enter(shown, show=False)

    def clear(self) -> None:
        """Clear the entry: no score, and no explanation."""
        with self.lock:
            with self._silently():
                self._why.value = ""
            self._enter(None, show=True)

    def press(self, key: str) -> bool:
        """Enter the value of a key; return whether the key has one."""
        if key not in self._control.keys:
            return False
        self._enter(self._control.press(key, self._control.read()), show=True)
        return True

    def step(self, direction: int) -> bool:
        """Enter the value one step up (1) or down (-1); return whether there are steps."""
        raw = self._control.step(direction)
        if raw is None:
            return False
        self._enter(raw, show=True)
        return True

    @traitlets.validate("value")
    def _check(self, proposal: Any) -> Any:
        value = proposal["value"]
        with self.lock:
            return value if self._quiet or value is None else self._canonical(value)

    @traitlets.observe("value")
    def _was_set(self, change: Any) -> None:
        with self.lock:
            if not self._quiet:  # Set from Python, not by the control.
                self._enter(change["new"], show=True)

    @traitlets.observe("explanation")
    def _explanation_was_set(self, change: Any) -> None:
        with self.lock:
            if not self._quiet:
                self._why.value = change["new"]

    def _touched(self, change: Any) -> None:
        with self.lock:
            if self._quiet or change["old"] == change["new"]:
                return  # Another thread showed a value at the same moment, which counts.
            if self._control.laying_out and self.state == SHOWN:
                return
            if change["owner"].value != change["new"]:
                # Another thread has shown a value since; the person's entry counts.
                with self._silently():
                    change["owner"].value = change["new"]
            self._enter(self._control.read(), show=False)

    def _explained(self, change: Any) -> None:
        with self.lock:
            if not self._quiet:
                self.explanation = change["new"]
                self.entries += 1

    def _enter(self, raw: Any, *, show: bool) -> None:
        """Validate an entry, which may be a score, nothing, or no score, and set the state."""
        with self.lock:
            self._refusal = ""
            try:
                value = None if raw is None else self._canonical(raw)
            except InvalidValueError as error:
                self._set_state(INVALID, None, error.reason or str(error))
            else:
                if show:
                    with self._silently():
                        self._control.show(value)
                nothing = UNSET if self._previous is None else CLEARED
                self._set_state(nothing if value is None else SET, value, "")
            self.entries += 1

    def _canonical(self, raw: Any) -> Any:
        value = self._encode(raw)
        if value is None:  # NaN and the like are missing values, and so no score.
            return None
        return entered_value({value_type(self.evaluator).field: value}, self.evaluator)

    # -- showing --------------------------------------------------------------------------------

    def show(
        self, previous: Any = None, explanation: str = "", *, source: str = "", refusal: str = ""
    ) -> None:
        """Show the previous score, or nothing; either way nothing is entered.

        Parameters
        ----------
        previous : object
            As :func:`respan_notebook.labelling.current_scores.entered_value` returns it; None for
            no score.
        explanation : str
            The explanation of the previous score.
        source : str
            The place of the previous score, in words.
        refusal : str
            The reason why the server refused it.
        """
        with self.lock:
            self._previous, self._previous_explanation = previous, explanation
            self._source, self._refusal = source, refusal
            with self._silently():
                value = None
                if previous is not None:
                    with contextlib.suppress(InvalidValueError, UnsupportedEvaluatorError):
                        value = self._canonical(previous)
                self._control.show(value)
                self._why.value = explanation if previous is not None else ""
            self._at_rest = self._control.read()
            self._set_state(UNSET if previous is None else SHOWN, None, "")

    def set_previous(self, previous: Any, source: str) -> None:
        """Set the previous score when it was found after the entry began; the entry stays."""
        with self.lock:
            if self._previous is None:
                self._previous, self._source = previous, source

    @property
    def previous(self) -> Any:
        """The previous score, as :meth:`show` got it."""
        return self._previous

    former = previous  # Its name in the first release, which code out there uses.

    @property
    def at_rest(self) -> bool:
        """Return whether nothing was entered since :meth:`show`, and nothing is being entered."""
        untouched = self._control.read() == self._at_rest
        lonely = self.state == UNSET and self.explanation
        return untouched and not self.changed and not lonely

    @property
    def previous_explanation(self) -> str:
        """The explanation of the previous score."""
        return self._previous_explanation

    @property
    def changed(self) -> bool:
        """Return whether saving would change anything."""
        if self.state == SHOWN:
            return self.explanation != self._previous_explanation
        return self.state != UNSET

    @property
    def draft(self) -> dict[str, Any] | None:
        """The entry as JSON, for :meth:`restore`; None when nothing is entered."""
        if not self.changed and not (self.state == UNSET and self.explanation):
            return None
        # A value and not the state of widgets: another version of the evaluator may lack them.
        typed = self._control.inputs()[0].value if self.state == INVALID else None
        return {
            "state": self.state,
            "value": self.value,
            "typed": typed if isinstance(typed, str) else None,
            "explanation": self.explanation,
        }

    def restore(self, draft: Mapping[str, Any]) -> None:
        """Enter a draft again; one that is no score any more becomes invalid."""
        with self.lock:
            with self._silently():
                self.explanation = self._why.value = draft["explanation"]
                if draft["typed"] is not None and isinstance(self._control.inputs()[0].value, str):
                    self._control.inputs()[0].value = draft["typed"]
            if draft["state"] == SET:
                self._enter(draft["value"], show=True)
            elif draft["state"] == INVALID:
                self._enter(self._control.read(), show=False)
            elif draft["state"] == CLEARED:
                self._enter(None, show=True)

    @contextlib.contextmanager
    def _silently(self) -> Iterator[None]:
        was_quiet, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = was_quiet

    def _set_state(self, state: str, value: Any, error: str) -> None:
        with self._silently():
            self.explanation = self._why.value
            self.error, self.state = error, state
            self.value = value
        kind = f"{state} rn-bad" if self._refusal else state
        self._line.value = _state_html(kind, _MARKS[state], self._state_text(state, value, error))

    def _state_text(self, state: str, value: Any, error: str) -> str:
        if self._refusal:
            return f"refused by Respan: {self._refusal}"
        if state == SET:
            return _short(self._control.said(value))
        if state == INVALID:
            return error
        if state == SHOWN:
            return f"{self._source}: {_short(self._said_previous())}"
        return "saving takes the score away" if state == CLEARED else ""

    def _said_previous(self) -> str:
        try:
            return self._control.said(self._canonical(self._previous))
        except (InvalidValueError, UnsupportedEvaluatorError):
            return str(self._previous)


class UnsupportedEditor(Editor):
    """Show an evaluator's name, and the reason why it can't be scored here."""

    def __init__(self, evaluator: Evaluator, reason: str) -> None:
        self._reason = reason
        super().__init__(evaluator)

    def _build(self) -> None:
        self._control = _NoControl()
        said = f'<span class="rn-bad">Can\'t be scored here: {escaped(self._reason)}</span>'
        self.children = [self._head(), widgets.HTML(said)]

    def _canonical(self, _raw: Any) -> Any:
        raise UnsupportedEvaluatorError(self._reason)

    def restore(self, draft: Mapping[str, Any]) -> None:
        """Ignore a draft, which was made when the evaluator had another type."""


class _NoControl(Control):
    """Show nothing and take nothing."""

    def inputs(self) -> list[widgets.DOMWidget]:
        return []

    def read(self) -> None:
        return None

    def show(self, value: Any) -> None:
        pass


def editor_for(evaluator: Evaluator) -> Editor:
    """Return the editor for an evaluator's ``score_value_type``.

    Parameters
    ----------
    evaluator : Evaluator
        An evaluator with an id or a slug. For an unknown type, or none, the editor shows the reason
        and takes nothing; setting its ``value`` raises :class:`UnsupportedEvaluatorError`.

    Examples
    --------
    >>> good = editor_for(Evaluator(evaluator_slug="good", score_value_type="boolean"))
    >>> good.value is None, good.state
    (True, 'unset')
    >>> good.value = False
    >>> good.value, good.state
    (False, 'set')
    >>> good.clear()
    >>> good.value is None
    True
    """
    editor = plain_editor(evaluator)
    editor.children = [widgets.HTML(STYLE, layout={"display": "none"}), *editor.children]
    return editor


def plain_editor(evaluator: Evaluator) -> Editor:
    """Return an editor without its style sheet, for a screen that has it already."""
    try:
        return Editor(evaluator)
    except UnsupportedEvaluatorError as error:
        return UnsupportedEditor(evaluator, str(error))
    except (traitlets.TraitError, ValueError, OverflowError) as error:
        return UnsupportedEditor(evaluator, f"its bounds or choices make no editor: {error}")


def _title_html(evaluator: Evaluator, hint: str) -> str:
    about = f"<small>{escaped(evaluator.description)}</small>" if evaluator.description else ""
    name = escaped(evaluator.display_name or "evaluator without a name")
    hint = f" <kbd>{escaped(hint)}</kbd>" if hint else ""
    return f'<div class="rn-title"><b>{name}</b>{hint}{about}</div>'


_MARKS: Final = {UNSET: "not scored", SET: "✓ ", INVALID: "✗ ", SHOWN: "", CLEARED: "cleared: "}


def _state_html(kind: str, mark: str, text: str) -> str:
    return f'<span class="rn-{kind}">{mark}{escaped(text)}</span>'


def _short(text: str) -> str:
    return text if len(text) <= _SAID else text[: _SAID - 1] + "…"
