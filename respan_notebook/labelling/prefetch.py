"""Look up the scores in Respan of the logs near the one on screen, in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from respan_notebook.client.client import RespanClient
from respan_notebook.client.retry import RetryBudget
from respan_notebook.client.score_reader import FilterRefusedError, read_scores
from respan_notebook.errors import BadRequestError
from respan_notebook.models import Evaluator, Score

_ATTEMPTS: Final = 3

Found = Callable[[Sequence[str], Sequence[Score], int], object]
"""Called with the logs of a look-up (none when it failed), their scores, and the outbox's order
number when it began."""


class Prefetch:
    """Look up the scores of logs, one request after the other, the latest first.

    ``order`` returns the outbox's order number. It, ``found``, and ``on_wait`` when :attr:`wait`
    changed, are called from the prefetch's thread.

    Attributes
    ----------
    status : str
        The error of the last request; empty when it succeeded.
    wait : str
        The reason why the request in flight waits; empty while it does not.
    by_log : bool
        Whether the server refuses to filter scores; then logs must be looked up one by one.
    """

    def __init__(
        self,
        client: RespanClient,
        evaluators: Sequence[Evaluator],
        found: Found,
        on_wait: Callable[[], object],
        order: Callable[[], int],
    ) -> None:
        self.status = self.wait = ""
        self._order = order
        self._on_wait = on_wait
        self.by_log = False
        self._client, self._evaluators, self._found = client, evaluators, found
        self._budget = RetryBudget(client.settings)
        self._closed = False
        self._queued: list[Sequence[str]] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Return whether logs are being looked up."""
        return self._thread is not None

    def enqueue(self, log_ids: Sequence[str]) -> None:
        """Enqueue these logs to be looked up."""
        with self._lock:
            if self.by_log and len(log_ids) > 1:
                return  # Enqueued before the server refused to filter: too many requests.
            self._queued.append(log_ids)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(
                    target=self._run, name="respan-prefetch", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """End all look-ups."""
        with self._lock:
            self._closed = True
            self._budget.cancel("the annotator was closed")

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._queued or self._closed:
                    self._client.close()
                    self._thread = None
                    return
                log_ids = self._queued.pop()
                self._budget = RetryBudget(
                    self._client.settings, attempts=_ATTEMPTS, announce=self._announce
                )
            began, scores = 0, list[Score]()
            try:
                began = self._order()
                scores = self._read(log_ids)
                self.status = ""
            except Exception as error:  # noqa: BLE001 - a thread that dies would say nothing.
                log_ids = []
                if isinstance(error, BadRequestError | FilterRefusedError) and not self.by_log:
                    self.status = ""
                    with self._lock:
                        self.by_log = True
                        self._queued.clear()
                else:
                    self.status = str(error) or type(error).__name__
            self.wait = ""
            try:
                self._found(log_ids, scores, began)
            except Exception as bug:  # noqa: BLE001 - it becomes the status, and the thread lives.
                self.status = f"{type(bug).__name__}: {bug}"

    def _announce(self, reason: str, _seconds: float) -> None:
        self.wait = reason
        self._on_wait()

    def _read(self, log_ids: Sequence[str]) -> list[Score]:
        if self.by_log:
            of_logs = (self._client.list_scores(one, budget=self._budget) for one in log_ids)
            return [score for scores in of_logs for score in scores]
        found = read_scores(
            self._client, log_ids, self._evaluators, scorer=None, budget=self._budget
        )
        return list(found)
