"""Edit the score of one evaluator: in Python by traits, on screen by the annotator's front end."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import anywidget
import traitlets

from respan_notebook.errors import UnsupportedEvaluatorError
from respan_notebook.labelling.entry import SHOWN, UNSET, Check, Entry, check_of
from respan_notebook.labelling.log_view.escape import visible
from respan_notebook.labelling.static import SCRIPT, STYLE
from respan_notebook.labelling.widgets.controls import control_of
from respan_notebook.labelling.widgets.wire import as_wire, drafts_of, entry_json
from respan_notebook.models import Evaluator

Entered = Callable[[str, Entry], object]
"""Called with :attr:`Evaluator.id_or_slug` and the entry, when Python has entered something."""


class Editor(traitlets.HasTraits):
    """Enter the score of one evaluator; one of ``annotator.editors``.

    Attributes
    ----------
    value : object
        The score that was entered, as it is sent: float, bool, str (text, one choice, JSON text)
        or a list of str. None while there is none. Setting it validates it, and raises
        :class:`InvalidValueError`. Observable: ``editor.observe(f, "value")``.
    explanation : str
        The reason behind the score; empty for none.
    error : str
        The reason why the entry can't be a score; empty when it can.
    state : {"unset", "set", "invalid", "shown", "cleared"}
        Nothing was entered; a score was entered; the entry is no score; the previous score is
        shown and nothing was entered; the previous score was cleared.
    evaluator : Evaluator
        The evaluator of the scores.
    """

    value = traitlets.Any(None, allow_none=True)
    explanation = traitlets.Unicode("")
    error = traitlets.Unicode("", read_only=True)
    state = traitlets.Unicode(UNSET, read_only=True)

    def __init__(
        self, evaluator: Evaluator, entered: Entered | None = None, lock: Any = None, **traits: Any
    ) -> None:
        self.evaluator = evaluator
        self.problem, self._check_value = _checked(evaluator)
        self._entry = Entry()
        self._entered, self._lock = entered, lock or threading.RLock()
        super().__init__(**traits)

    def __repr__(self) -> str:
        return f"Editor({self.evaluator.slug_or_id!r}, value={self.value!r})"

    @property
    def entry(self) -> Entry:
        """The present entry, with the previous score."""
        return self._entry

    @property
    def previous(self) -> Any:
        """The score that the log has already; None for none."""
        return self._entry.previous

    former = previous  # Its name in the first release, which code out there uses.

    def accept(self) -> None:
        """Enter the previous score as one's own; without one nothing is changed."""
        if self._entry.state == SHOWN:
            self._enter(self._entry.accept(self._check_value))

    def clear(self) -> None:
        """Clear the entry: no score, and no explanation."""
        self._enter(self._entry.clear())

    def show(self, entry: Entry) -> None:
        """Show an entry; what an observer raises is raised when all of it is shown."""
        with self._lock:
            self._entry, failed = entry, None
            for name in ("explanation", "error", "state", "value"):
                try:
                    self.set_trait(name, getattr(entry, name))
                except Exception as error:  # noqa: BLE001 - of an observer.
                    failed = failed or error
            if failed:
                raise failed

    def _enter(self, entry: Entry) -> None:
        with self._lock:
            try:
                self.show(entry)
            finally:
                if self._entered is not None:
                    self._entered(self.evaluator.id_or_slug, entry)

    # A value of the entry itself was shown, here or in another thread, and not entered.

    @traitlets.validate("value")
    def _validate(self, proposal: Any) -> Any:
        value = proposal["value"]
        is_shown = value is None or value is self._entry.value
        return value if is_shown else self._check_value(value)

    @traitlets.observe("value")
    def _value_was_set(self, change: Any) -> None:
        with self._lock:
            if change["new"] is not self._entry.value:
                self._enter(self._entry.enter(change["new"], self._check_value))

    @traitlets.observe("explanation")
    def _explanation_was_set(self, change: Any) -> None:
        with self._lock:
            if change["new"] != self._entry.explanation:
                self._enter(self._entry.explain(change["new"]))


class EditorWidget(Editor, anywidget.AnyWidget):
    """Edit a score, as a widget by itself; made by :func:`editor_for`."""

    _esm, _css = SCRIPT, STYLE
    face = traitlets.Unicode("editor").tag(sync=True)
    setup = traitlets.Dict().tag(sync=True)
    screen = traitlets.Dict().tag(sync=True)

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__(evaluator)
        self.setup = {"evaluators": [describe(self)]}
        self.on_msg(self._received)
        self._draw("")

    def show(self, entry: Entry) -> None:
        """Show an entry, on screen as well."""
        try:
            super().show(entry)
        finally:
            self._draw("")

    def _draw(self, answer: str) -> None:
        self.screen = {"entries": [entry_json(self._entry)], "answer": answer}

    def _received(self, _widget: object, intent: Any, _buffers: object) -> None:
        try:
            draft = drafts_of(intent, 1).get(0)
        except (TypeError, ValueError):  # It is no intent of this front end.
            draft = None
        try:
            if draft is not None and not self.problem:
                self._enter(self._entry.restore(draft, self._check_value))
        finally:
            if isinstance(intent, Mapping):
                self._draw(str(intent.get("id")))


def editor_for(evaluator: Evaluator) -> EditorWidget:
    """Return the editor for an evaluator's ``score_value_type``, as a widget.

    It has ``value``, ``explanation``, ``state`` and ``error``, ``clear()`` and ``observe()``; see
    :class:`Editor`.

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
    return EditorWidget(evaluator)


def describe(editor: Editor) -> dict[str, Any]:
    """Return what the browser needs to draw an editor: texts, the control, or the problem."""
    evaluator, problem = editor.evaluator, editor.problem
    control: dict[str, Any] = {"kind": "none"}
    if not problem:
        try:
            control = control_of(evaluator)
            json.dumps(control, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, TypeError, OverflowError) as error:
            control, problem = {"kind": "none"}, f"its bounds or choices make no editor: {error}"
    return {
        "title": visible(evaluator.display_name or "evaluator without a name"),
        "about": visible(evaluator.description or ""),
        "problem": visible(problem),
        "control": as_wire(control),
    }


def _checked(evaluator: Evaluator) -> tuple[str, Check]:
    """Return the reason why the evaluator can't be scored (empty when it can), and its check."""
    try:
        return "", check_of(evaluator)
    except UnsupportedEvaluatorError as error:
        problem = str(error)
    except (ValueError, TypeError, OverflowError) as error:
        problem = f"its bounds or choices make no editor: {error}"

    def refuse(_raw: Any) -> Any:
        raise UnsupportedEvaluatorError(problem)

    return problem, refuse
