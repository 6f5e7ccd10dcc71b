"""The push engine: checked lines in, one outcome per line out.

A fixed number of threads takes lines from one iterator, so the work in flight is bounded and there
is no object per line. Only the calling thread draws the progress bar.
"""

from __future__ import annotations

import copy
import threading
import time
from functools import partial

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
from respan_notebook.report import PushReport

# With these no other line can do better.
_FINAL = (AuthenticationError, PermissionDeniedError, RedirectError)
_LOOK = 0.1  # Seconds between two looks at the progress.
_GRACE = 1.5  # Seconds that requests under way have to end after an interrupt.


def push(
    batch: Batch,
    outcomes: Outcomes,
    client: RespanClient,
    warnings: list[str],
    *,
    concurrency: int,
    progress: bool,
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
    concurrency : int
        Threads, and so requests under way at once.
    progress : bool
        Whether to show a bar with rate and time left.
    """
    sender = _Sender(batch, copy.deepcopy(outcomes), client)
    sender.run(concurrency, progress)
    resend = partial(push, concurrency=concurrency, progress=progress)
    return PushReport(batch, sender.outcomes, warnings=warnings, resend=resend, client=client)


class _Sender:
    def __init__(self, batch: Batch, outcomes: Outcomes, client: RespanClient) -> None:
        self.batch, self.outcomes, self.client = batch, outcomes, client
        self._lines = outcomes.lines(FAILED, NOT_SENT).tolist()
        for line in self._lines:
            outcomes.status[line] = NOT_SENT
            outcomes.errors.pop(line, None)
        outcomes.stopped = ""
        self._next = iter(self._lines)
        self._done = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._under_way: set[int] = set()
        self._closed = False

    def run(self, concurrency: int, progress: bool) -> None:
        from tqdm.auto import tqdm  # Slow to import, and a dry run needs none.

        threads = [
            threading.Thread(target=self._work, daemon=True, name=f"respan-push-{i}")
            for i in range(min(concurrency, len(self._lines)))
        ]
        with tqdm(
            total=len(self._lines), unit=" scores", disable=not (progress and self._lines)
        ) as bar:
            try:
                for thread in threads:
                    thread.start()
                for thread in threads:
                    while thread.is_alive():
                        thread.join(_LOOK)
                        bar.update(self._done - bar.n)
            except KeyboardInterrupt:
                self._halt("interrupted")
                self._await(threads)
            bar.update(self._done - bar.n)
        self._close()

    def _await(self, threads: list[threading.Thread]) -> None:
        end = time.monotonic() + _GRACE
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, end - time.monotonic()))

    def _work(self) -> None:
        try:
            while not self._stop.is_set() and (line := next(self._next, None)) is not None:
                self._send(line)
        finally:
            self.client.close()

    def _send(self, line: int) -> None:
        self.outcomes.attempts[line] += 1
        self._under_way.add(line)
        start = time.monotonic()
        result: Score | None = None
        status, error = 0, ""
        try:
            score = self.batch.score(line)
            result, status = self.client.upsert_score_with_status(self.batch.log_id(line), score)
        except _FINAL as final:
            status, error = final.status, str(final)
            self._halt(error)
        except HTTPError as refused:
            status, error = refused.status, str(refused)
        except RespanError as failed:
            error = str(failed)
        except Exception as bug:  # noqa: BLE001 - a thread that dies would not say which line.
            error = f"{type(bug).__name__}: {bug}"
        self._record(line, time.monotonic() - start, status, result, error)

    def _record(
        self, line: int, seconds: float, status: int, result: Score | None, error: str
    ) -> None:
        outcomes = self.outcomes
        with self._lock:
            if self._closed:
                return
            self._under_way.discard(line)
            outcomes.seconds[line] = seconds
            outcomes.http_status[line] = status
            if result is None:
                outcomes.status[line], outcomes.errors[line] = FAILED, error
            else:
                outcomes.status[line] = CREATED if status == 201 else UPDATED
                outcomes.score_ids[line] = result.id
                outcomes.is_passed[line] = result.is_passed
            self._done += 1

    def _halt(self, reason: str) -> None:
        with self._lock:
            self.outcomes.stopped = self.outcomes.stopped or reason
        self._stop.set()

    def _close(self) -> None:
        """Settle the lines that are still under way; their threads may end later."""
        with self._lock:
            self._closed = True
        for line in self._under_way:
            self.outcomes.errors[line] = (
                f"{self.outcomes.stopped} while it was on its way, so it may have arrived; "
                "sending it again is safe"
            )
