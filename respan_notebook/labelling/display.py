"""Compose what a session shows: the log at the position of its queue, and all that is around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from respan_notebook.labelling.current_log import CurrentLog
from respan_notebook.labelling.outbox.accounts import Foreign
from respan_notebook.labelling.outbox.label import QUEUED
from respan_notebook.labelling.outbox.sender import Sender
from respan_notebook.labelling.outbox.unsent import NoPrefetch, NoSender
from respan_notebook.labelling.pace import Pace
from respan_notebook.labelling.prefetch import Prefetch
from respan_notebook.labelling.progress import Progress
from respan_notebook.labelling.queue import Queue
from respan_notebook.labelling.screen import Message, Screen, ShownLog, Sync

_MARKS: Final = 100  # Rows before and after the position whose marks are shown.
_RENDERED: Final = 4  # The log on screen, the previous one and the next two.

Render = Callable[[Mapping[Any, Any]], str]
"""The cells of a row by column -> the log as HTML."""


class Display:
    """Compose the Screen of a session.

    Parameters
    ----------
    queue : Queue
        The logs.
    current : CurrentLog
        The entries of the log on screen.
    progress : Progress
        Marks and counts.
    sender, prefetch : Sender, Prefetch
        The background, whose waits are said; or those that do nothing.
    render : Callable
        Renders a log.

    Attributes
    ----------
    turn : int
        Grows whenever a log is shown anew.
    message : Message
        What is said of the last action.
    foreign : tuple of Foreign
        Whose labels wait beside one's own.
    pace : Pace
        How long the person takes.
    """

    def __init__(
        self,
        queue: Queue,
        current: CurrentLog,
        progress: Progress,
        sender: Sender | NoSender,
        prefetch: Prefetch | NoPrefetch,
        render: Render,
    ) -> None:
        self.turn, self.message = 0, Message()
        self.foreign: tuple[Foreign, ...] = ()
        self.pace = Pace()
        self._queue, self._current, self._progress = queue, current, progress
        self._sender, self._prefetch, self._render = sender, prefetch, render
        self._rendered: dict[int, str] = {}

    def show(self, message: Message | None = None) -> None:
        """Show the row at the position of the queue, with another message if one is given."""
        self.turn += 1
        self.message = self.message if message is None else message
        log_id = self._queue.log_id_or_none
        self.pace.show(log_id)
        self._current.show()
        if log_id is not None:
            self._progress.mark_shown(log_id, self._current.labels)

    def screen(self) -> Screen:
        """Return what is shown now."""
        position, size = self._queue.position, len(self._queue)
        first = max(position - _MARKS, 0)
        counts = self._progress.counts()
        return Screen(
            turn=self.turn,
            log=self._log_at(position),
            size=size,
            entries=dict(self._current.entries),
            counts=counts,
            marks=self._progress.marks(first, min(position + _MARKS + 1, size)),
            first_mark=first,
            shown=self._queue.shown,
            place=self._queue.place(),
            message=self.message,
            sync=self._sync(counts[QUEUED]),
            seconds_left=self.pace.seconds_for(counts["left"] + counts["partly"]),
            foreign=self.foreign,
            elsewhere=self._progress.elsewhere,
        )

    def around(self) -> list[ShownLog]:
        """Return the previous log and the next two of those that moving stops at."""
        return [self._log_at(position) for position in self._queue.neighbours()]

    def _log_at(self, position: int) -> ShownLog:
        html = self._rendered.pop(position, None)
        if html is None:
            html = self._render(self._queue.cells(position))
        self._rendered[position] = html
        while len(self._rendered) > _RENDERED:
            self._rendered.pop(next(iter(self._rendered)))
        problem = self._queue.problem_at(position)
        return ShownLog(position, self._queue.id_at(position), html, problem)

    def _sync(self, queued: int) -> Sync:
        if not self._sender.sends:
            return Sync("kept", "What you enter here is kept on this machine, and is not sent.")
        if self._sender.halted:
            return Sync(
                "halted",
                f"Nothing is sent for a while: {self._sender.status}. Your labels are kept, and "
                "sent when it works; else open the annotator again with a key that works.",
            )
        if self._sender.status:
            kept = "They are kept, and sent when it works."
            return Sync("waiting", f"Labels wait: {self._sender.status}. {kept}")
        reason = ""
        if self._prefetch.wait:
            reason = f"What Respan has already is not read yet: {self._prefetch.wait}"
        elif self._prefetch.status:
            reason = f"What Respan has already could not be read: {self._prefetch.status}"
        return Sync("sending" if queued else "done", reason)
