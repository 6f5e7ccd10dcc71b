"""Send upserts over a bounded number of threads: one result per score.

Threads take scores from one iterator, so the number in flight is bounded and there is no object
per score; threads are added while the processor is not busy. Only the calling thread watches. The
requester waits, paces and retries; the engine decides when to stop.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

from respan_notebook.client.client import RespanClient
from respan_notebook.client.retry import Call, RetryBudget
from respan_notebook.errors import (
    AuthenticationError,
    HTTPError,
    PermissionDeniedError,
    RedirectError,
    RespanError,
    StoppedError,
)
from respan_notebook.models import Upsert
from respan_notebook.push.outcomes import CREATED, FAILED, UPDATED, Result

# With these no other score can do better.
_FINAL = (AuthenticationError, PermissionDeniedError, RedirectError)
_CREATED: Final = 201
_FIRST_LOOK: Final = 0.02  # Seconds until the first look at the progress.
_LOOK: Final = 0.1  # Seconds between two looks later on.
_BUSY: Final = 0.8  # Share of a processor from which on it is taken for busy.
_GRACE: Final = 1.5  # Seconds that requests in flight have to end after an interrupt.


class Engine:
    """Send upserts within a retry budget, and record a result for each.

    It is a context manager: at its end each score still in flight gets a result as well, which
    says that it may have arrived. A KeyboardInterrupt ends the sending and goes no further.

    Parameters
    ----------
    client : RespanClient
        Sends the upserts.
    budget : RetryBudget
        Ends the sending of all scores when it is cancelled or spent.
    record : Callable
        Called with the number of a score and its result, by one thread at a time.

    Attributes
    ----------
    done : int
        The number of results.
    """

    def __init__(
        self, client: RespanClient, budget: RetryBudget, record: Callable[[int, Result], object]
    ) -> None:
        self.done = 0
        self._client, self._budget, self._record = client, budget, record
        self._threads: list[threading.Thread] = []
        self._cpu: list[float] = []  # Seconds of processor time by thread.
        self._in_flight: dict[int, Call] = {}
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> bool:
        is_interrupt = kind is not None and issubclass(kind, KeyboardInterrupt)
        if is_interrupt:
            self._budget.cancel("interrupted")
            with contextlib.suppress(KeyboardInterrupt):  # Pressed again: wait no longer.
                self._await_threads()
        elif kind is not None:  # No thread may go on sending unseen.
            self._budget.cancel("the push broke off")
        self._close()
        return is_interrupt

    def send(
        self,
        scores: Sequence[int],
        upsert: Callable[[int], Upsert],
        *,
        concurrency: int,
        watch: Callable[[], object] = int,
    ) -> None:
        """Send scores by their numbers; those not sent when the budget ends get no result.

        Parameters
        ----------
        scores : sequence of int
            Numbers of the scores.
        upsert : Callable
            Number -> upsert.
        concurrency : int
            The most threads, and so requests in flight at once.
        watch : Callable
            Called again and again, and once at the end, by the calling thread.
        """
        numbers = iter(scores)  # Threads may share the iterator of a list, but no generator.

        def work(thread: int) -> None:
            try:
                while not self._budget.cancelled and (i := next(numbers, None)) is not None:
                    self.send_one(i, upsert)
                    self._cpu[thread] = time.thread_time()
            finally:
                self._client.close()

        def start(more: int) -> None:
            for number in range(len(self._threads), len(self._threads) + more):
                self._cpu.append(0.0)
                thread = threading.Thread(target=work, args=[number], daemon=True)
                thread.start()
                self._threads.append(thread)

        most = min(concurrency, len(scores))
        start(min(1, most))
        pause, used, now = _FIRST_LOOK, 0.0, time.monotonic()
        while alive := [thread for thread in self._threads if thread.is_alive()]:
            alive[0].join(pause)
            busy = (sum(self._cpu) - used) / (time.monotonic() - now)
            used, now = sum(self._cpu), time.monotonic()
            # Beyond a busy processor, more threads only get in each other's way (the GIL).
            if busy < _BUSY and not (self._client.gate.held() or self._budget.cancelled):
                start(min(len(self._threads), most - len(self._threads)))
            watch()
            pause = min(_LOOK, 1.2 * pause)
        watch()

    def send_one(self, i: int, upsert: Callable[[int], Upsert]) -> None:
        """Send one score, in this thread."""
        call = self._budget.call()
        with self._lock:
            self._in_flight[i] = call
        start, score, status, error = time.monotonic(), None, 0, ""
        try:
            score, status = self._client.send_upsert(upsert(i), call)
        except StoppedError:
            with self._lock:
                self._in_flight.pop(i, None)
            return
        except RespanError as failed:
            status = failed.status if isinstance(failed, HTTPError) else 0
            error = str(failed)
            if isinstance(failed, _FINAL):
                self._budget.cancel(error)
        except Exception as bug:  # noqa: BLE001 - a thread that dies would not say which score.
            error = f"{type(bug).__name__}: {bug}"
        kind = FAILED if score is None else CREATED if status == _CREATED else UPDATED
        seconds = time.monotonic() - start
        result = Result(kind, status, call.attempts, seconds, score, error)
        with self._lock:
            if self._closed:
                return
            self._in_flight.pop(i, None)
            self._record(i, result)
            self.done += 1

    def _await_threads(self) -> None:
        deadline = time.monotonic() + _GRACE
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _close(self) -> None:
        """Record results for the scores still in flight; their threads may end later."""
        error = (
            f"{self._budget.cancelled} while in flight, so it may have arrived; sending it again "
            "is safe"
        )
        with self._lock:
            self._closed = True
            for i, call in self._in_flight.items():
                if call.attempts:
                    self._record(i, Result(FAILED, attempts=call.attempts, error=error))
