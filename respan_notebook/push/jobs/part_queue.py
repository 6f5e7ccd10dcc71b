"""Give the lines of a job's parts to one engine, part after part, and take their results.

The lines of all parts have one number each: that of the part, shifted, plus the place in it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Final

from respan_notebook.client.retry import RetryBudget
from respan_notebook.models import Upsert
from respan_notebook.push.jobs.parts import Part
from respan_notebook.push.outcomes import Result

SHIFT: Final = 32
_PLACE: Final = (1 << SHIFT) - 1
_GRACE: Final = 1.0  # Seconds.


class PartQueue:
    """Give the lines of the parts one by one to an engine's threads, and record their results.

    The threads share it as an iterator. A part is read when the one before has been given out, and
    its report is written when the last of its lines has a result.

    Parameters
    ----------
    parts : iterable of Part
        The parts, each read when it is asked for.
    prepare : Callable
        Called with a part when it was read; returns the places of the lines that are to be sent.
    budget : RetryBudget
        Cancelled when a part can't be read, or a result can't be noted.

    Attributes
    ----------
    fault : BaseException or None
        The reason why it could not go on: a file that can't be read or written.
    """

    def __init__(
        self,
        parts: Iterable[Part],
        prepare: Callable[[Part], Iterable[int]],
        budget: RetryBudget,
    ) -> None:
        self._prepare, self._budget = prepare, budget
        self._reader = _Reader(iter(parts))
        self._open: dict[int, Part] = {}
        self._current: Part | None = None
        self._lines: Iterator[int] = iter(())
        self._late: dict[int, dict[int, Result]] = {}
        self._lock = threading.Lock()
        self._recording = threading.Lock()  # No part is finished while a result goes into it.
        self.fault: BaseException | None = None

    def __iter__(self) -> PartQueue:
        return self

    def __next__(self) -> int:
        with self._lock:
            if self._budget.cancelled:
                raise StopIteration
            try:
                return self._next()
            except StopIteration:
                raise
            except BaseException as error:
                self._break_off(error)
                raise StopIteration from error

    def _next(self) -> int:
        while True:
            line = next(self._lines, None)
            if line is not None and self._current is not None:
                self._current.in_flight.add(line)
                return (self._current.number << SHIFT) + line
            self._current = None
            if not self._read_part():
                raise StopIteration

    def _read_part(self) -> bool:
        """Read and prepare the next part; return whether there is one."""
        part = self._reader.read()
        if part is not None:
            self._open[part.number] = self._current = part
            self._lines = iter(self._prepare(part))
        return part is not None

    def open_first(self) -> None:
        """Read and prepare the first part, before any line is given out."""
        with self._lock:
            self._read_part()

    def upsert(self, i: int) -> Upsert:
        """Return the upsert of a line that was given out."""
        return self._open[i >> SHIFT].plan.upsert(i & _PLACE)

    def record(self, i: int, result: Result) -> None:
        """Record the result of a line; called by one thread at a time."""
        number, line = i >> SHIFT, i & _PLACE
        with self._recording:
            part = self._open.get(number)
            if part is None:  # An answer turned out to be about another log, later on.
                self._late.setdefault(number, {})[line] = result
                return
            try:
                part.record(line, result)
            except OSError as error:
                self._break_off(error)

    def _break_off(self, error: BaseException) -> None:
        self.fault = self.fault or error
        self._budget.cancel(f"the push broke off: {error}")

    def __contains__(self, log_id: object) -> bool:
        """Return whether a log is one of those that may be in flight."""
        return any(log_id in part.log_ids for part in list(self._open.values()))

    def finish_parts(self) -> None:
        """Write the reports of the parts whose lines all have their results."""
        for part in list(self._open.values()):
            if part is not self._current and not part.in_flight:
                self._finish(part)

    def _finish(self, part: Part) -> None:
        with self._recording:
            del self._open[part.number]
        try:
            part.finish()
        except OSError as error:  # Its journal stays, and says the same.
            self._break_off(error)

    def sync(self) -> None:
        """Bring the journals to the disk."""
        try:
            for part in list(self._open.values()):
                part.sync()
        except OSError as error:
            self._break_off(error)

    def close(self) -> dict[int, dict[int, Result]]:
        """Write the reports of all parts that are open.

        Returned are the results that came when a part was finished, by its number and the line.
        """
        self._reader.close()
        for part in list(self._open.values()):
            self._finish(part)
        return self._late


class _Reader:
    """Read parts in one thread: Arrow keeps some 20 MB for each that has ever read one.

    A thread that waits for a storage without an answer does not keep the process from its end.
    """

    def __init__(self, parts: Iterator[Part]) -> None:
        self._parts, self._closed = parts, False
        self._asked: queue.SimpleQueue[Future[Part | None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="respan-parts", daemon=True)
        self._thread.start()

    def read(self) -> Part | None:
        """Return the next part, None when there is none."""
        answer: Future[Part | None] = Future()
        self._asked.put(answer)
        return None if self._closed else answer.result()

    def close(self) -> None:
        """Read no more; wait a moment for a part that is being read."""
        self._closed = True
        self._asked.put(None)
        self._thread.join(_GRACE)

    def _work(self) -> None:
        while (answer := self._asked.get()) is not None:
            try:
                answer.set_result(next(self._parts, None))
            except BaseException as error:  # noqa: BLE001 - raised where it was asked for.
                answer.set_exception(error)
