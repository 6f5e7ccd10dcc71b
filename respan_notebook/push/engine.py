"""Send upserts over a bounded number of threads: one result per score.

Threads take scores from one iterator, so the number in flight is bounded and there is no object
per score; threads are added while the processor is not busy. Only the calling thread watches. The
requester waits, paces and retries; the engine decides when to stop.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterable, Sized
from types import TracebackType
from typing import Final, Self

from respan_notebook.client.answer_check import AnswerCheck
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
from respan_notebook.models import Score, Upsert
from respan_notebook.push.outcomes import CREATED, FAILED, UNCHANGED, UPDATED, Result

INTERRUPTED: Final = "interrupted"  # The reason why a push was stopped by Ctrl-C.
_KINDS: Final = {201: CREATED, 0: UNCHANGED}  # By the status of a success; else updated.
_ALIKE: Final = 5  # Scores in a row that are refused alike, when no other one can do better.
_FIRST_LOOK: Final = 0.01  # Seconds until the first look at the progress.
_LOOK: Final = 0.1  # Seconds between two looks later on.
_BUSY: Final = 0.8  # Share of a processor from which on it is taken for busy.
_IDLE: Final = 0.05  # The least share that is taken for measured.
_GRACE: Final = 1.5  # Seconds that requests in flight have to end after an interrupt or deadline.


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
        Called with the number of a score and its result, by one thread at a time; again with
        another result when an answer turns out later to be about another log.
    check : AnswerCheck
        Compares each answer with what was sent.
    write : Callable, optional
        Sends an upsert within a call and returns the score and the status, 0 when the score was
        there already; else :meth:`RespanClient.send_upsert`.
    has_arrived : bool
        Whether a score of this push has arrived earlier; then a 403 or a redirect ends nothing.

    Attributes
    ----------
    done : int
        The number of results.
    """

    def __init__(
        self,
        client: RespanClient,
        budget: RetryBudget,
        record: Callable[[int, Result], object],
        check: AnswerCheck,
        *,
        write: Callable[[Upsert, Call], tuple[Score, int]] | None = None,
        has_arrived: bool = False,
    ) -> None:
        self.done = 0
        self._write = write or client.send_upsert
        self._client, self._budget, self._record = client, budget, record
        self._check, self._has_arrived = check, has_arrived
        self._refusals: list[tuple[int, str]] = []  # The last ones in a row that are alike.
        self._threads: list[threading.Thread] = []
        self._cpu: list[float] = []  # Seconds of processor time by thread.
        self._in_flight: dict[int, Call] = {}
        self._lock = threading.Lock()
        self._closed = False

    @property
    def in_flight(self) -> int:
        """The number of scores that are sent and not answered yet."""
        with self._lock:
            return sum(call.is_in_flight for call in self._in_flight.values())

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
            self._budget.cancel(INTERRUPTED)
            with contextlib.suppress(KeyboardInterrupt):  # Pressed again: wait no longer.
                self._await_threads()
        elif kind is not None:  # No thread may go on sending unseen.
            self._budget.cancel("the push broke off")
        self._close()
        return is_interrupt

    def send(
        self,
        scores: Iterable[int],
        upsert: Callable[[int], Upsert],
        *,
        concurrency: int,
        watch: Callable[[], object] = int,
    ) -> None:
        """Send scores by their numbers; those not sent when the budget ends get no result.

        Parameters
        ----------
        scores : iterable of int
            Numbers of the scores: a sequence, or an iterator that threads may share.
        upsert : Callable
            Number -> upsert.
        concurrency : int
            The most threads, and so requests in flight at once.
        watch : Callable
            Called again and again, and once at the end, by the calling thread.
        """
        numbers = iter(scores)  # Threads may share the iterator of a list, but no generator.
        most = min(concurrency, len(scores)) if isinstance(scores, Sized) else concurrency

        def work(thread: int) -> None:
            while not self._budget.cancelled and (i := next(numbers, None)) is not None:
                self.send_one(i, upsert)
                self._cpu[thread] = time.thread_time()

        def start(more: int) -> None:
            for number in range(len(self._threads), len(self._threads) + more):
                thread = threading.Thread(target=work, args=[number], daemon=True)
                self._cpu.append(0.0)
                thread.start()
                self._threads.append(thread)

        try:
            start(min(1, most))
        except RuntimeError:  # The system has no thread left, so this one does the work.
            work(0)
        pause, used, now = _FIRST_LOOK, 0.0, time.monotonic()
        while alive := [thread for thread in self._threads if thread.is_alive()]:
            alive[0].join(pause)
            if not self._budget.goes_on() and self._budget.left < -_GRACE:
                break  # One may be looking up the server's name, which nothing can end.
            busy = (sum(self._cpu) - used) / (time.monotonic() - now)
            used, now = sum(self._cpu), time.monotonic()
            # Beyond a busy processor, more threads only get in each other's way (the GIL).
            if busy < _BUSY and not (self._client.gate.held() or self._budget.cancelled):
                wanted = min(most, int(len(self._threads) / max(busy, _IDLE)))
                with contextlib.suppress(RuntimeError):  # No more of them: these go on.
                    start(wanted - len(self._threads))
            watch()
            pause = min(_LOOK, 1.2 * pause)
        watch()

    def send_one(self, i: int, upsert: Callable[[int], Upsert]) -> None:
        """Send one score, in this thread."""
        call = self._budget.call()
        with self._lock:
            self._in_flight[i] = call
        start, score, status, error = time.monotonic(), None, 0, ""
        sent: Upsert | None = None
        try:
            sent = upsert(i)
            score, status = self._write(sent, call)
        except StoppedError:
            with self._lock:
                self._in_flight.pop(i, None)
            return
        except RespanError as failed:
            status = failed.status if isinstance(failed, HTTPError) else 0
            error = str(failed)
            if 300 <= status < 500 and call.may_have_arrived:
                error += f"; an earlier attempt may have arrived: {call.advice}"
            self._stop_if_final(failed, sent)
        except Exception as bug:  # noqa: BLE001 - a thread that dies would not say which score.
            error = f"{type(bug).__name__}: {bug}"
        kind = FAILED if score is None else _KINDS.get(status, UPDATED)
        seconds = time.monotonic() - start
        result = Result(kind, status, call.attempts, seconds, score, error)
        with self._lock:
            if self._closed:
                return
            self._in_flight.pop(i, None)
            self._record(i, result)
            self.done += 1
            wrong = (
                score is not None and sent is not None and self._find_wrong(i, sent, score, call)
            )
        if wrong:
            self._client.close()  # Its connections may be out of step.

    def _find_wrong(self, i: int, sent: Upsert, score: Score, call: Call) -> bool:
        """Compare an answer with what was sent; return whether wrong ones were found."""
        self._has_arrived = True
        self._check.compare(i, sent, score, advice=call.advice)
        wrong = self._check.take_wrong()
        for number, error in wrong.items():
            self._record(number, Result(FAILED, error=str(error)))
        return bool(wrong)

    def _stop_if_final(self, error: RespanError, sent: Upsert | None) -> None:
        """Cancel the budget when no other score can do better."""
        with self._lock:
            if isinstance(error, AuthenticationError):
                self._budget.cancel(str(error))
            elif isinstance(error, PermissionDeniedError | RedirectError):
                # A redirect names the path, which differs from log to log.
                detail = error.detail if error.status == 403 else ""
                log_id = re.escape(sent.log_id if sent else "")
                refusal = error.status, re.sub(rf"(?<!\w){log_id}(?!\w)", "", detail)
                self._refusals = [one for one in self._refusals if one == refusal] + [refusal]
                if len(self._refusals) >= _ALIKE and not self._has_arrived:
                    self._budget.cancel(str(error))
            else:
                self._refusals = []

    def _await_threads(self) -> None:
        deadline = time.monotonic() + _GRACE
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _close(self) -> None:
        """Record results for the scores still in flight; their threads may end later."""
        error = f"{self._budget.cancelled} while in flight, so it may have arrived: "
        with self._lock:
            self._closed = True
            for i, call in self._in_flight.items():
                if call.attempts:
                    self._record(
                        i, Result(FAILED, attempts=call.attempts, error=error + call.advice)
                    )
