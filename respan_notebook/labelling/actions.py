"""Do what a person does while labelling, one action after the other."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from respan_notebook.errors import ConfigurationError, FrameError, InvalidValueError
from respan_notebook.labelling.current_log import CurrentLog
from respan_notebook.labelling.display import Display
from respan_notebook.labelling.entry import Entry
from respan_notebook.labelling.nearby import Nearby
from respan_notebook.labelling.outbox.history import UnknownPreviousError
from respan_notebook.labelling.outbox.label import QUEUED
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.sender import Sender
from respan_notebook.labelling.outbox.unsent import NoSender
from respan_notebook.labelling.progress import Progress
from respan_notebook.labelling.queue import SHOWN, Queue
from respan_notebook.labelling.screen import Message
from respan_notebook.labelling.undo import History

_LISTED: Final = 20


class Actions:
    """Do what a person does; :meth:`Session.act` lets one thread at a time do so.

    An action stores what it changes before it shows anything. An OutboxError means that nothing
    was stored.
    """

    def __init__(
        self,
        queue: Queue,
        current: CurrentLog,
        progress: Progress,
        display: Display,
        nearby: Nearby,
        outbox: Outbox,
        sender: Sender | NoSender,
    ) -> None:
        self._queue, self._current, self._progress = queue, current, progress
        self._display, self._nearby = display, nearby
        self._outbox, self._sender = outbox, sender
        self._history = History(queue, current, progress, outbox)

    def show(self, text: str = "", offer: str = "", *, is_end: bool = False) -> None:
        """Show the row at the position of the queue, with a message."""
        self._display.show(Message(text, offer=offer, is_end=is_end))
        self._nearby.look_up()

    def say(self, text: str, *, is_wrong: bool = False, evaluator: str = "") -> None:
        """Show a message until the next action; ``evaluator`` is the one at fault."""
        self._display.message = Message(text, is_wrong, evaluator=evaluator)

    def put(self, entries: Mapping[str, Entry]) -> None:
        """Set entries by evaluator, and store them as drafts of the log on screen."""
        for name, entry in entries.items():
            self._current.put(name, entry)
        self._store_drafts()

    def _store_drafts(self) -> None:
        self._current.store_drafts()
        log_id = self._queue.log_id_or_none
        if log_id is not None:
            has_draft = any(not one.is_at_rest for one in self._current.entries.values())
            self._queue.mark_here(self._queue.drafted, log_id, on=has_draft)

    def keep(self, log_id: str, name: str, draft: Mapping[str, Any]) -> None:
        """Keep an entry of another of these logs, which is on screen no more, as a draft."""
        if log_id in self._queue.rows and self._current.keep(log_id, name, draft):
            self._queue.mark(self._queue.drafted, log_id, on=True)

    def save(self, entries: Mapping[str, Entry] = MappingProxyType({})) -> None:
        """Store the entries, and go to the next log; the message says when that can't be done.

        ``entries`` replace those that are there; when they can't be saved, they are drafts.
        """
        for name, entry in entries.items():
            self._current.put(name, entry)
        try:
            changes = self._current.changes()
        except InvalidValueError as error:
            at_fault = error.evaluator or ""
            self._store_drafts()
            self.say(f"Nothing was saved. {error}", is_wrong=True, evaluator=at_fault)
            return
        if not changes and not self._current.is_scored:
            self._store_drafts()
            self.say("Nothing is scored yet. Score something, or skip this log.", is_wrong=True)
            return
        log_id = self._queue.log_id
        able = self._current.evaluators.keys() - self._current.problems
        self._outbox.save(changes, [(log_id, name) for name in able])
        self._queue.mark(self._queue.drafted, log_id, on=False)
        if changes:
            self._progress.mark_saved(changes)
            self._history.note_save()
            self._display.pace.finish()
        self._go_on("Saved." if changes else "Nothing was changed.", "undo" if changes else "")
        self._sender.kick()

    def skip(self) -> None:
        """Go to the next log; entries stay with this one as drafts."""
        log_id, position = self._queue.log_id_or_none, self._queue.position
        is_skipped = self._queue.scored[position] or self._queue.skipped[position]
        if log_id is not None and not is_skipped:
            self._history.skip(log_id)
            self._display.pace.finish()
        self._go_on("Skipped.", "undo" if log_id is not None and not is_skipped else "")

    def back(self) -> None:
        """Go to the previous log; entries stay with this one as drafts."""
        if self._queue.move(-1):
            self.show()
        else:
            self.say("This is the first log.")

    def undo(self) -> None:
        """Take back the last save, here and in Respan, or the last skip, and show that log."""
        try:
            step = self._history.undo()
        except UnknownPreviousError as error:
            why = (
                " yet: it is on its way."
                if error.state == QUEUED
                else ": what was there before it could not be read."
            )
            self.say(f"The last save can't be undone{why}", is_wrong=True)
            return
        if step is None:
            self.say("There is nothing to undo.")
            return
        self._queue.position = self._queue.rows[step.log_id][0]
        what = "skip" if step.is_skip else "save"
        self._progress.count()
        self.show(f"The last {what} of log {step.log_id} is undone.", "redo")
        self._sender.kick()

    def redo(self) -> None:
        """Do again what the last undo took back."""
        step = self._history.redo()
        if step is None:
            self.say("There is nothing to redo.")
            return
        self._queue.position = self._queue.rows[step.log_id][0]
        self._go_on("Skipped again." if step.is_skip else "Saved again.", "undo")
        self._sender.kick()

    def go_to(self, row: int | str) -> None:
        """Show a row: by its position, from 0, or by a log id; text also by its number, from 1.

        Raises
        ------
        FrameError
            There is no such row.
        """
        found = self._queue.find(row) if isinstance(row, str) else row
        if found is None or not 0 <= found < len(self._queue):
            last = len(self._queue)
            range_ = f"1 to {last}" if isinstance(row, str) else f"0 to {last - 1}"
            raise FrameError(f"there is no log {row!r}; rows are {range_}, or the id of a log")
        self._queue.position = found
        self.show()

    def show_only(self, which: str) -> None:
        """Go through ``"all"`` rows, the ``"unscored"`` ones, or the ``"refused"`` ones.

        Raises
        ------
        ConfigurationError
            ``which`` is anything else.
        """
        if which not in SHOWN:
            raise ConfigurationError(f"show one of {SHOWN}, not {which!r}")
        start, self._queue.shown = self._queue.position, which
        if which == "all":
            self.say("")
            return
        self._queue.position = -1
        if self._queue.move(1):
            self.show()
        else:
            self._queue.position, self._queue.shown = start, "all"
            self.say(f"No log is {which}.")

    def adopt(self, who: str) -> int:
        """Take over the labels of another key; see :meth:`Annotator.adopt`."""
        count = self._outbox.accounts.adopt(who)
        self._display.foreign = tuple(self._outbox.accounts.foreign())
        self._progress.mark_stored()
        self.say(f"{count} scores of {who} are yours now.")
        self._sender.kick(again=True)
        return count

    def send_again(self) -> None:
        """Send all refused scores once more, those of other frames as well."""
        count = self._outbox.send_again()
        self._progress.count()
        self.say(f"{count} refused scores are sent again.")
        self._sender.kick(again=True)

    def list_elsewhere(self) -> None:
        """Say which scores of other frames or evaluators were refused, and why."""
        refused = self._progress.refused_elsewhere()
        lines = [f"{one.log_id}, {one.evaluator}: {one.reason}" for one in refused[:_LISTED]]
        more = [f"and {len(refused) - _LISTED:,} more"] if len(refused) > _LISTED else []
        self.say("\n".join(("Refused by Respan:", *lines, *more)), is_wrong=True)

    def _go_on(self, said: str, offer: str = "") -> None:
        self._progress.count()
        is_end = not self._queue.move(1)
        if is_end:
            counts = self._progress.counts()
            left = counts["left"] + counts["skipped"] + counts["partly"]
            more = f"{left} have no score yet." if left else "All are scored."
            said = f"{said} This was the last log. {more}"
            if not self._queue.place()[1]:  # Of those that were asked for, none is there any more.
                self._queue.shown = "all"
        self.show(said, offer, is_end=is_end)
