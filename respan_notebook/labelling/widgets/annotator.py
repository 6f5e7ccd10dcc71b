"""Show one log after the other, with an editor per evaluator.

A label is in the outbox before the screen moves on, and is sent to Respan in the background. The
browser sends intents and draws a screen; it holds the log on screen, the one before it and the two
after it, and no other.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import anywidget
import pandas as pd
import traitlets
from IPython.display import display

from respan_notebook.errors import OutboxError
from respan_notebook.labelling.actions import Actions
from respan_notebook.labelling.entry import Entry
from respan_notebook.labelling.intents import Intent, carry_out
from respan_notebook.labelling.log_view.escape import escaped
from respan_notebook.labelling.outbox.accounts import Foreign
from respan_notebook.labelling.outbox.sender import SenderSettings
from respan_notebook.labelling.screen import ShownLog
from respan_notebook.labelling.session import Session
from respan_notebook.labelling.static import SCRIPT, STYLE
from respan_notebook.labelling.widgets.cells import note_shown
from respan_notebook.labelling.widgets.editor import Editor, describe
from respan_notebook.labelling.widgets.wire import (
    as_wire,
    drafts_of,
    finish_json,
    screen_json,
    status_json,
)

T = TypeVar("T")

_SLOTS: Final = ("log0", "log1", "log2", "log3")  # The log on screen, one before it, two after it.


@dataclass(frozen=True)
class Button:
    """Press a button of the screen from Python."""

    _press: Callable[[], None]

    def click(self) -> None:
        """Do what a click on it does."""
        self._press()


class Annotator(anywidget.AnyWidget):
    """Show logs one by one and take their scores; made by ``df.respan.annotate(...)``.

    Displayed as the last expression of a cell. Keys on screen (click on the log first): digits and
    letters score, ``↑`` ``↓`` mark another editor, ``Enter`` saves, ``s`` skips, ``b`` goes back,
    ``u`` undoes and ``Shift+u`` redoes, ``v`` takes the score that is shown, ``x`` clears, ``w``
    writes, ``e`` explains; ``?`` shows all. Every action can be done from Python as well:
    ``editors["tone"].value = "friendly"``, then :meth:`save`; :meth:`skip`, :meth:`back`,
    :meth:`undo`, :meth:`redo`, :meth:`go_to`, :meth:`show_only`. Rows are counted from 0 in
    Python, and from 1 on screen.

    What came of it: :attr:`scores` (a tidy frame), :attr:`progress` (counts), :attr:`pace`
    (seconds per log), :meth:`wait` (until all is in Respan).

    Attributes
    ----------
    editors : dict of str to Editor
        By slug, else id; by id also where several evaluators have one slug.
    save_button, skip_button, back_button, undo_button : Button
        The buttons of the screen: ``save_button.click()`` does what :meth:`save` does.
    first_look : float
        Class attribute: the seconds that opening waits for the look-up of scores in Respan.
    sender_settings : SenderSettings
        Class attribute: attempts and pauses of the background sender.
    """

    _task, _done = "label", "scored"  # Words for what is done here.
    first_look = 1.0
    sender_settings = SenderSettings()

    _esm, _css = SCRIPT, STYLE  # As text: with a path, closed instances leak.
    face = traitlets.Unicode("annotator").tag(sync=True)
    setup = traitlets.Dict().tag(sync=True)
    # In three parts, since of a state only the parts that have changed are sent.
    screen = traitlets.Dict().tag(sync=True)
    status = traitlets.Dict().tag(sync=True)
    answer = traitlets.Unicode().tag(sync=True)  # The id of the last intent that was carried out.
    log0 = traitlets.Dict().tag(sync=True)
    log1 = traitlets.Dict().tag(sync=True)
    log2 = traitlets.Dict().tag(sync=True)
    log3 = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        session: Session,
        *,
        advance: bool = False,
        answers: Callable[[str], list[Any]] | None = None,
    ) -> None:
        self._session, self._answers = session, answers
        evaluators = list(session.current.evaluators.values())
        slugs = Counter(one.slug_or_id for one in evaluators)
        self.editors: dict[str, Editor] = {
            one.slug_or_id if slugs[one.slug_or_id] == 1 else one.id_or_slug: Editor(
                one, self._entered, session.lock
            )
            for one in evaluators
        }
        self._names = [one.id_or_slug for one in evaluators]
        self.save_button, self.skip_button = Button(self.save), Button(self.skip)
        self.back_button, self.undo_button = Button(self.back), Button(self.undo)
        super().__init__()
        self.setup = {
            "evaluators": [describe(one) for one in self.editors.values()],
            "required": [
                place for place, name in enumerate(self._names) if name in session.required
            ],
            "advance": advance,
            "answers": answers is not None,
        }
        self.on_msg(self._received)
        session.subscribe(self._draw)
        self._draw()

    def __repr__(self) -> str:
        screen = self._session.screen
        return (
            f"{type(self).__name__}(log {screen.log.position + 1} of {screen.size}, "
            f"{screen.counts['scored']} {self._done})"
        )

    def _ipython_display_(self) -> None:
        """Display the screen, and a summary that the live screen hides."""
        show: Callable[..., object] = display
        note_shown(self)
        if self.comm is not None:  # It is not closed.
            data, metadata = super()._repr_mimebundle_() or ({}, {})
            show(data, metadata=metadata, raw=True)
        counts = self._session.screen.counts
        names = ", ".join(one.evaluator.display_name for one in self.editors.values())
        said = (
            f"{len(self._session)} logs to {self._task} by {names}. When this was run: "
            f"{counts['scored']} {self._done}, {counts['partly']} partly, "
            f"{counts['skipped']} skipped, {counts['left']} left. Run the cell to go on."
        )
        html = f'<p class="rn-summary">{escaped(said)}</p>'
        show({"text/html": html, "text/plain": said}, raw=True)

    # -- the screen -----------------------------------------------------------------------------

    def _draw(self, answer: str | None = None) -> None:
        """Draw the screen of the session: what has changed is sent, in one message."""
        with self._session.lock:
            if self._session.is_closed:
                return
            screen = self._session.screen
            with self.hold_sync():
                near = self._session.around()
                slots = self._place([screen.log, *near])
                self.screen = {
                    **screen_json(screen),
                    "slot": slots[screen.log.position],
                    "near": [[one.position, slots[one.position]] for one in near],
                    "finish": self._finish() if screen.message.is_end else None,
                }
                self.status = status_json(screen)
                self.answer = self.answer if answer is None else answer
            for editor in self.editors.values():  # Last: it calls observers, which may do anything.
                entry = self._session.current.entries[editor.evaluator.id_or_slug]
                if editor.entry != entry:
                    editor.show(entry)

    def _finish(self) -> list[Any]:
        evaluators = self._session.current.evaluators.values()
        try:
            return finish_json(self._session.scores, evaluators)
        except OutboxError:  # The next action of the person says it.
            return []

    def _place(self, logs: list[ShownLog]) -> dict[int, str]:
        """Put logs into the slots, each where it was before; return position -> slot."""
        wanted = {log.position: log for log in logs}
        slots: dict[int, str] = {}
        for name in _SLOTS:
            position = getattr(self, name).get("position")
            if position in wanted and position not in slots:
                slots[position] = name
        free = iter([name for name in _SLOTS if name not in slots.values()])
        for position, log in wanted.items():
            slot = slots.setdefault(position, "") or next(free)
            slots[position] = slot
            shown = {"position": position, "log_id": as_wire(log.log_id), "html": log.html}
            if self._answers is not None and log.log_id is not None:
                shown["answers"] = as_wire(self._answers(log.log_id))
            setattr(self, slot, shown)
        return slots

    def _act(self, action: Callable[[Actions], T]) -> T | None:
        """Do what the person wants, and draw the screen, whatever becomes of it."""
        try:
            return self._session.act(action)
        finally:
            self._draw()

    def _entered(self, name: str, entry: Entry) -> None:
        """Store what Python entered as a draft, so that it outlives the kernel."""
        self._act(lambda actions: actions.put({name: entry}))

    def _received(self, _widget: object, content: Any, _buffers: object) -> None:
        """Carry out an intent of the browser, and answer it, whatever becomes of it."""
        try:
            carry_out(self._session, self._read(content))
        except Exception as error:  # noqa: BLE001 - any error is shown: the browser waits.
            text = f"{type(error).__name__}: {error}"
            if not self._session.is_closed:
                self._session.act(lambda actions: actions.say(text, is_wrong=True))
        finally:
            self._draw(str(content.get("id")) if isinstance(content, Mapping) else "")

    def _read(self, content: Any) -> Intent:
        drafts = drafts_of(content, len(self._names))
        return Intent(
            str(content["do"]),
            int(content["turn"]),
            content["log_id"],
            {self._names[place]: draft for place, draft in drafts.items()},
            str(content.get("argument") or ""),
        )

    @property
    def position(self) -> int:
        """The row that is shown, from 0."""
        return self._session.position

    @property
    def log_id(self) -> str | None:
        """The id of the log that is shown; None when it has none that can be scored."""
        return self._session.log_id

    @property
    def progress(self) -> dict[str, int]:
        """The numbers of logs and of scores by state.

        Of the logs of this frame, each in one count: ``scored`` (all that is required), ``partly``,
        ``skipped`` and ``left``. Of the scores of yours that the outbox has for this server, those
        of other frames as well: ``queued``, ``delivered`` (in Respan) and ``refused``.
        """
        return self._session.progress

    @property
    def scores(self) -> pd.DataFrame:
        """The labels of these logs, entered here or in an earlier session, a row each.

        Columns, all object: ``log_id``, ``evaluator_id``, ``evaluator_slug``, ``value`` (float,
        bool, str or list of str; JSON as text), ``explanation``, ``state`` ("queued",
        "delivered" to Respan, "refused") and ``reason`` (of a refusal); RangeIndex, in the order
        of the logs and of the editors. A cell without a value is None. ``push_scores`` takes this
        frame.
        """
        return self._session.scores

    @property
    def pace(self) -> pd.DataFrame:
        """The time of each log that was saved or skipped, a row each, in that order.

        Columns: ``log_id`` (object) and ``seconds`` (float64; what goes beyond two minutes is taken
        for a pause, and cut); RangeIndex.
        """
        return self._session.pace

    def wait(self, timeout: float = 30.0) -> bool:
        """Wait until all labels are delivered or refused, and no look-up is in flight.

        Parameters
        ----------
        timeout : float
            Seconds.

        Returns
        -------
        bool
            Whether no label is queued any more.
        """
        return self._session.wait(timeout)

    @property
    def foreign(self) -> list[Foreign]:
        """Whose labels wait in this outbox, entered with other keys: ``who``, and how many.

        They are sent when their owners open the annotator, or when you take them over with
        :meth:`adopt`.
        """
        return self._session.foreign

    def adopt(self, who: str) -> int:
        """Take over the labels of another key: they are sent, under the name of yours.

        Parameters
        ----------
        who : str
            As :attr:`foreign` names them.

        Returns
        -------
        int
            The number of scores that are sent.

        Raises
        ------
        ConfigurationError
            No labels of that name wait here, or another notebook sends them at the moment.
        """
        return self._act(lambda actions: actions.adopt(who)) or 0

    # -- actions --------------------------------------------------------------------------------

    def save(self) -> None:
        """Store the entries, and go to the next log; a message says when that is not possible."""
        self._act(Actions.save)

    def skip(self) -> None:
        """Go to the next log; entries stay with this one as drafts."""
        self._act(Actions.skip)

    def back(self) -> None:
        """Go to the previous log; entries stay with this one as drafts."""
        self._act(Actions.back)

    def undo(self) -> None:
        """Take back the last save, here and in Respan, or the last skip, and show that log."""
        self._act(Actions.undo)

    def redo(self) -> None:
        """Do again what :meth:`undo` took back last."""
        self._act(Actions.redo)

    def go_to(self, row: int | str) -> None:
        """Show a row: by its position, from 0, or by a log id; text also by its number, from 1.

        Raises
        ------
        FrameError
            There is no such row.
        """
        self._act(lambda actions: actions.go_to(row))

    def show_only(self, which: str) -> None:
        """Go through ``"all"`` rows, the ``"unscored"`` ones, or the ``"refused"`` ones.

        Raises
        ------
        ConfigurationError
            ``which`` is anything else.
        """
        self._act(lambda actions: actions.show_only(which))

    def send_again(self) -> None:
        """Send all refused scores once more, those of other frames as well."""
        self._act(Actions.send_again)

    def close(self) -> None:
        """Close the widgets and end the threads; queued labels stay in the outbox."""
        if not sys.is_finalizing():  # Then Python ends threads and files.
            self._session.close()
            self.layout.close()
            super().close()
