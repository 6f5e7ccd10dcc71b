"""Look up the scores in Respan of the logs near the one on screen."""

from __future__ import annotations

import time
from collections.abc import Callable

from respan_notebook.labelling.outbox.sender import wait_until
from respan_notebook.labelling.outbox.unsent import NoPrefetch
from respan_notebook.labelling.prefetch import Prefetch
from respan_notebook.labelling.queue import CHUNK, Queue


class Nearby:
    """Enqueue look-ups of the chunks of rows near a position, each of them once.

    Parameters
    ----------
    queue : Queue
        The logs.
    prefetch : Prefetch or NoPrefetch
        Looks them up.
    """

    def __init__(self, queue: Queue, prefetch: Prefetch | NoPrefetch) -> None:
        self._queue, self._prefetch = queue, prefetch
        self._enqueued: set[int] = set()  # Chunks of rows.

    def look_up(self) -> None:
        """Enqueue the logs near the position of the queue, unless they were enqueued."""
        if self._prefetch.by_log:
            log_id = self._queue.log_id_or_none
            if log_id is not None:
                self._prefetch.enqueue([log_id])
            return
        position = self._queue.position
        ahead = min(position + CHUNK // 4, len(self._queue) - 1)
        for one in (ahead, position):
            number = one // CHUNK
            if number not in self._enqueued:
                self._enqueued.add(number)
                self._prefetch.enqueue(self._queue.chunk(one))

    def fail(self) -> None:
        """Forget what was enqueued after a look-up that failed; the next log enqueues it again."""
        self._enqueued.clear()
        if self._prefetch.by_log and not self._prefetch.status:
            self.look_up()

    def go_to_first_unscored(self, is_looked_up: Callable[[str], bool], seconds: float) -> None:
        """Move the queue to the first log that is not scored, after looking it up, within a time.

        Later on the position never moves by itself: an entry would land on another log.
        """
        queue, deadline = self._queue, time.monotonic() + seconds
        while (position := queue.first_unscored()) is not None:
            queue.position = position
            log_id = queue.log_id_or_none
            if log_id is None or is_looked_up(log_id):
                return
            self.look_up()
            wait_until(lambda: not self._prefetch.busy, deadline - time.monotonic())
            if time.monotonic() > deadline or self._prefetch.status or self._prefetch.by_log:
                return
        queue.position = 0
