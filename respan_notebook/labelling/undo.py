"""Take back what a person did last, and do it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from respan_notebook.labelling.current_log import CurrentLog
from respan_notebook.labelling.outbox.definition import definition_of
from respan_notebook.labelling.outbox.label import Change
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.progress import Progress
from respan_notebook.labelling.queue import Queue


@dataclass(frozen=True)
class Step:
    """Hold what was taken back or done again.

    Attributes
    ----------
    log_id : str
        The log, or the first of several.
    is_skip : bool
        Whether it was a skip, and not a save.
    changes : tuple of Change
        What makes the save again.
    """

    log_id: str
    is_skip: bool = False
    changes: tuple[Change, ...] = ()


class History:
    """Take back saves and skips, the latest first, and do them again.

    Saves are in the outbox, so that those of an earlier session can be taken back as well; skips
    are taken back in the session in which they were made.
    """

    def __init__(
        self, queue: Queue, current: CurrentLog, progress: Progress, outbox: Outbox
    ) -> None:
        self._queue, self._current = queue, current
        self._progress, self._outbox = progress, outbox
        self._skipped: list[str | None] = []  # None is a save.
        self._undone: list[Step] = []

    def note_save(self) -> None:
        """Note that the person has saved."""
        self._skipped.append(None)
        self._undone.clear()

    def skip(self, log_id: str) -> None:
        """Store that the person skipped a log."""
        self._store_skip(log_id, on=True)
        self._undone.clear()

    def undo(self) -> Step | None:
        """Take back the last save or skip; None when there is none.

        Raises
        ------
        UnknownPreviousError
            The previous score of a save is not known; nothing was changed.
        """
        if self._skipped and self._skipped[-1] is not None:
            step = Step(self._skipped[-1], is_skip=True)
            self._store_skip(step.log_id, on=False)
        else:
            undone = self._outbox.undo(self._queue.rows, self._current.evaluators)
            if undone is None:
                return None
            for log_id in undone.log_ids:
                self._progress.mark_log(log_id)
            step = Step(undone.log_ids[0], changes=undone.changes)
            if self._skipped:
                self._skipped.pop()
        self._undone.append(step)
        return step

    def redo(self) -> Step | None:
        """Do again what was taken back last; None when there is nothing, or more was done since."""
        if not self._undone:
            return None
        step = self._undone[-1]
        if step.is_skip:
            self._store_skip(step.log_id, on=True)
        else:
            self._save_again(step.changes)
            self._skipped.append(None)
        self._undone.pop()
        return step

    def _save_again(self, changes: Sequence[Change]) -> None:
        evaluators = self._current.evaluators
        changes = [
            replace(one, definition=definition_of(evaluators[one.evaluator])) for one in changes
        ]
        self._outbox.save(changes, [(one.log_id, one.evaluator) for one in changes])
        self._progress.mark_saved(changes)

    def _store_skip(self, log_id: str, *, on: bool) -> None:
        self._outbox.store_skip(log_id, on=on)
        self._queue.mark(self._queue.skipped, log_id, on=on)
        if on:
            self._skipped.append(log_id)
        else:
            self._skipped.pop()
