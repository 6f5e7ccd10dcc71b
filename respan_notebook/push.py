"""The push engine: checked lines in, one outcome per line out.

A bounded number of threads takes lines from one iterator, so the work in flight is bounded and
there is no object per line; threads are added while the processor is not busy. Only the calling
thread draws the progress bar. Waiting, pacing and trying again are the transport's; the engine
says when to stop.
"""

from __future__ import annotations

import contextlib
import copy
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from respan_notebook.batch import CREATED, FAILED, NOT_SENT, UPDATED, Batch, Outcomes
from respan_notebook.client import RespanClient
from respan_notebook.errors import (
    AuthenticationError,
    HTTPError,
    PermissionDeniedError,
    RedirectError,
    RespanError,
)
from respan_notebook.models import Score
from respan_notebook.reading import settle_unchanged
from respan_notebook.report import PushReport
from respan_notebook.retry import BUDGET, Effort, StoppedError
from respan_notebook.throttle import Limit

# With these no other line can do better.
_FINAL = (AuthenticationError, PermissionDeniedError, RedirectError)
_FIRST_LOOK = 0.02  # Seconds until the first look at the progress.
_LOOK = 0.1  # Seconds between two looks later on.
_TRIES = 10  # Lines that are sent, one by one, to learn the scorer from an answer.
_BUSY = 0.8  # Share of a processor from which on it is taken for busy.
_REASON = 100  # Characters of an error that the bar shows.
_GRACE = 1.5  # Seconds that requests under way have to end after an interrupt.


@dataclass(frozen=True)
class Sending:
    """How a push is sent; the arguments of ``push_scores`` that have to do with it.

    Attributes
    ----------
    concurrency : int
        Threads at the most, and so requests under way at once.
    rate_limit : tuple of (int, float) or None
        Requests in any so many seconds.
    deadline : float or None
        Seconds.
    skip_unchanged : bool
        Whether to read first what the server has.
    progress : bool
        Whether to show a bar with rate, time left and the reason of a wait.
    """

    concurrency: int = 16
    rate_limit: Limit | None = None
    deadline: float | None = None
    skip_unchanged: bool = False
    progress: bool = True

    def estimate(self, scores: int) -> str:
        """Return how long so many scores take, as far as that is known beforehand."""
        if self.rate_limit is None or scores == 0:
            return ""
        count, seconds = self.rate_limit
        return f"about {_duration((scores - 1) // count * seconds)} at {count} in {seconds:g} s"

    def push(
        self,
        batch: Batch,
        outcomes: Outcomes,
        client: RespanClient,
        warnings: list[str],
        *,
        effort: Effort | None = None,
        tell: Callable[[str], object] = str,
    ) -> PushReport:
        """Send the lines that are ``failed`` or ``not_sent`` and report on all.

        Parameters
        ----------
        batch, outcomes
            As :func:`respan_notebook.batch.preflight` gives them; ``outcomes`` is not changed.
        client : RespanClient
            Where to.
        warnings : list of str
            For the report.
        effort : Effort, optional
            To end the push from another thread; else one with the deadline of this push.
        tell : Callable
            Is told, again and again, why the push waits; "" while it does not.
        """
        effort = effort or Effort(budget=BUDGET, deadline=self.deadline, announce=None)
        sender = _Sender(batch, copy.deepcopy(outcomes), client, self, effort, tell)
        warnings = [*warnings, *sender.run()]
        return PushReport(batch, sender.outcomes, warnings=warnings, sending=self, client=client)


class _Sender:
    def __init__(
        self,
        batch: Batch,
        outcomes: Outcomes,
        client: RespanClient,
        sending: Sending,
        effort: Effort,
        tell: Callable[[str], object],
    ) -> None:
        self.batch, self.outcomes, self.client = batch, outcomes, client
        self._sending, self._effort, self._tell = sending, effort, tell
        outcomes.stopped = ""
        self._under_way: dict[int, int] = {}  # Line -> thread.
        self._cpu: list[float] = []  # Seconds of processor time by thread.
        self._done = 0
        self._lock = threading.Lock()
        self._closed = False

    def run(self) -> list[str]:
        """Send everything; return warnings for the report."""
        warnings: list[str] = []
        threads: list[threading.Thread] = []
        with self.client.gate.paced(self._sending.rate_limit):
            try:
                if self._sending.skip_unchanged:
                    warnings = self._settle_unchanged()
                lines = self.outcomes.lines(FAILED, NOT_SENT).tolist()
                self._next = iter(lines)
                self._follow(threads, len(lines))
            except KeyboardInterrupt:
                self._effort.end("interrupted")
                with contextlib.suppress(KeyboardInterrupt):  # Pressed again: wait no longer.
                    self._await(threads)
            except BaseException:  # Raised on; but no thread may go on sending unseen.
                self._effort.end("the push broke off")
                raise
        self._close()
        return warnings

    def _follow(self, threads: list[threading.Thread], total: int) -> None:
        """Start threads while they help, and draw the bar until they are done."""
        from tqdm.auto import tqdm  # Slow to import, and a dry run needs none.

        most = min(self._sending.concurrency, total)
        start, pause = self._done, _FIRST_LOOK
        with tqdm(
            total=total, unit=" scores", disable=not (self._sending.progress and total)
        ) as bar:
            bar.set_postfix_str(self._sending.estimate(total))
            self._start(threads, min(1, most))
            used, now = 0.0, time.monotonic()
            while alive := [thread for thread in threads if thread.is_alive()]:
                alive[0].join(pause)
                busy = (sum(self._cpu) - used) / (time.monotonic() - now)
                used, now = sum(self._cpu), time.monotonic()
                # Beyond a busy processor, more threads only get in each other's way (the GIL).
                if busy < _BUSY and not (self.client.gate.held() or self._effort.ended):
                    self._start(threads, min(len(threads), most - len(threads)))
                self._draw(bar, start)
                pause = min(_LOOK, 1.2 * pause)
            self._draw(bar, start)

    def _start(self, threads: list[threading.Thread], more: int) -> None:
        for number in range(len(threads), len(threads) + more):
            self._cpu.append(0.0)
            thread = threading.Thread(target=self._work, args=[number], daemon=True)
            thread.start()
            threads.append(thread)

    def _draw(self, bar: Any, start: int) -> None:
        gate = self.client.gate
        held, limit, trouble = gate.held(), gate.limit, self._effort.trouble
        if held:
            reason = f"the server asks to wait, {math.ceil(held)} s more"
        elif trouble:
            reason = f"trying again after: {trouble}"
        else:
            reason = f"keeping to {limit[0]} in {limit[1]:.3g} s" if limit else ""
        self._tell(reason)
        bar.set_postfix_str(reason[:_REASON], refresh=False)
        bar.update(self._done - start - bar.n)
        if held or trouble:
            bar.refresh()

    def _await(self, threads: list[threading.Thread]) -> None:
        end = time.monotonic() + _GRACE
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _settle_unchanged(self) -> list[str]:
        """Settle the lines that are there; send one before if it is not known whose the key is."""
        from tqdm.auto import tqdm

        for line in self.outcomes.lines(NOT_SENT)[:_TRIES].tolist():
            if self.client.scorer is not None or self._effort.ended:
                break
            self._send(line)
        left = len(self.outcomes.lines(NOT_SENT))
        if self._effort.ended or not left:
            return []
        if self.client.scorer is None:
            return ["no answer named the owner of the key, so everything was pushed"]
        hide = not self._sending.progress
        with tqdm(total=left, unit=" scores", desc="reading", disable=hide) as bar:
            return settle_unchanged(
                self.batch,
                self.outcomes,
                self.client,
                effort=self._effort,
                read=lambda logs: bar.update(min(logs, left - bar.n)),
            )

    def _work(self, number: int) -> None:
        try:
            while not self._effort.ended and (line := next(self._next, None)) is not None:
                self._send(line)
                self._cpu[number] = time.thread_time()
        finally:
            self.client.close()

    def _send(self, line: int) -> None:
        with self._lock:
            self._under_way[line] = threading.get_ident()
        start = time.monotonic()
        result: Score | None = None
        status, attempts, error = 0, 0, ""
        try:
            score = self.batch.score(line)
            result, answer = self.client.upsert_score_within(
                self.batch.log_id(line), score, self._effort
            )
            status, attempts = answer.status, answer.attempts
        except StoppedError:
            with self._lock:
                self._under_way.pop(line, None)
            return
        except RespanError as failed:
            status = failed.status if isinstance(failed, HTTPError) else 0
            attempts, error = failed.attempts, str(failed)
            if isinstance(failed, _FINAL):
                self._effort.end(error)
        except Exception as bug:  # noqa: BLE001 - a thread that dies would not say which line.
            error = f"{type(bug).__name__}: {bug}"
        self._record(line, time.monotonic() - start, status, attempts, result, error)

    def _record(
        self,
        line: int,
        seconds: float,
        status: int,
        attempts: int,
        result: Score | None,
        error: str,
    ) -> None:
        outcomes = self.outcomes
        with self._lock:
            if self._closed:
                return
            self._under_way.pop(line, None)
            outcomes.seconds[line] = seconds
            outcomes.http_status[line] = status
            outcomes.attempts[line] += attempts
            if result is None:
                outcomes.status[line], outcomes.errors[line] = FAILED, error
            else:
                outcomes.status[line] = CREATED if status == 201 else UPDATED
                outcomes.errors.pop(line, None)
                outcomes.score_ids[line] = result.id
                passed = result.is_passed
                outcomes.is_passed[line] = passed if isinstance(passed, bool) else None
            self._done += 1

    def _close(self) -> None:
        """Settle the lines that are still under way; their threads may end later."""
        with self._lock:
            self._closed = True
            under_way = dict(self._under_way)
        self.outcomes.stopped = self._effort.ended
        for line, thread in under_way.items():
            attempts = self._effort.tried.get(thread, 0)
            if attempts:
                self.outcomes.status[line] = FAILED
                self.outcomes.attempts[line] += attempts
                self.outcomes.errors[line] = (
                    f"{self._effort.ended} while it was on its way, so it may have arrived; "
                    "sending it again is safe"
                )


def _duration(seconds: float) -> str:
    minutes, hours = seconds / 60, seconds / 3600
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if hours < 1 else f"{hours:.1f} h"
