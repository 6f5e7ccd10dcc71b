"""The one retry layer: what is tried again, how long, and when to give up."""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections.abc import Callable
from typing import Final

from respan_notebook import errors

ATTEMPTS: Final = 10
"""Requests per score at the most, not counting those answered 429."""

BUDGET: Final = 200
"""Retries of a whole push that may go unanswered by success, which gives some back."""

REFUSALS: Final = 20
"""429s in a row, one per hold, after which a push gives up."""

_REFUND = 2  # Retries that a success gives back: two of three requests may fail for ever.
_BACKOFF = 0.25  # Seconds before the first retry at the most; doubles.
_LONGEST_BACKOFF = 8.0
_STATUSES: Final = frozenset({408, 409, 500, 502, 503, 504})
_log = logging.getLogger("respan_notebook")


def _warn(reason: str, seconds: float) -> None:
    _log.warning("%s; waiting %.1f s", reason, seconds)


class StoppedError(errors.RespanError):
    """A request was not sent, since its effort had ended."""


def is_passing(error: errors.RespanError) -> bool:
    """Whether the same request may succeed a little later."""
    if isinstance(error, errors.UnexpectedAnswerError):
        return True  # A 2xx that was cut off; sending a score again is safe.
    if isinstance(error, errors.HTTPError):
        return error.status in _STATUSES
    return isinstance(error, errors.TransportError)


class Effort:
    """How long and how often to try, for one call or for a whole push; shared by threads.

    Parameters
    ----------
    attempts : int
        Requests per call or score.
    budget : float
        Retries in all, see :data:`BUDGET`.
    deadline : float, optional
        Seconds from now.
    announce : Callable or None
        Is told why a wait of half a second or more begins, and how many seconds it takes. Else it
        is logged as a warning, which Python shows; with None nobody is told.

    Attributes
    ----------
    ended : str
        Why nothing more is tried; empty while it is.
    trouble : str
        Why the last attempt that failed is tried again; empty after a success.
    tried : dict of int to int
        Thread -> requests sent for what it is about now.
    """

    def __init__(
        self,
        *,
        attempts: int = ATTEMPTS,
        budget: float = math.inf,
        deadline: float | None = None,
        announce: Callable[[str, float], object] | None = _warn,
    ) -> None:
        self.attempts = attempts
        self.ended = ""
        self.trouble = ""
        self.tried: dict[int, int] = {}
        self._budget = self._most = budget
        self._deadline = deadline
        self._until = math.inf if deadline is None else time.monotonic() + deadline
        self._announce = announce
        self._stop = threading.Event()
        self._lock = threading.Lock()

    @property
    def left(self) -> float:
        """Seconds until the deadline; infinite without one."""
        return self._until - time.monotonic()

    def end(self, reason: str) -> None:
        """Try nothing more; the first reason counts. Threads that wait wake up."""
        with self._lock:
            self.ended = self.ended or reason
        self._stop.set()

    def goes_on(self) -> bool:
        """Whether something more may be tried; ends the effort when its deadline is over."""
        if self.left <= 0:
            self.end(f"the deadline of {self._deadline:g} s")
        return not self.ended

    def succeeded(self) -> None:
        """Give back some of the budget."""
        self.trouble = ""
        self._budget = min(self._budget + _REFUND, self._most)

    def wait(self, seconds: float, reason: str) -> bool:
        """Wait; return False, sooner, when the effort ends.

        A wait beyond the deadline is not begun but ends the effort.
        """
        if seconds > max(0.0, self.left):
            self.end(f"the deadline of {self._deadline:g} s: {reason}")
        elif self._announce and seconds >= 0.5:
            self._announce(reason, seconds)
        return not self._stop.wait(0 if self.ended else seconds)

    def wait_to_retry(self, error: errors.RespanError, attempt: int) -> bool:
        """Wait before another attempt; return False when there is to be none."""
        if attempt >= self.attempts or not is_passing(error):
            return False
        with self._lock:
            self._budget -= 1
        if self._budget < 0:
            self.end(f"gave up after {self._most:g} retries too many; the last: {error}")
            return False
        longest = min(_LONGEST_BACKOFF, _BACKOFF * 2 ** (attempt - 1))
        asked = getattr(error, "retry_after", None) or 0.0
        seconds = max(min(asked, 60.0), random.uniform(0, longest))  # noqa: S311
        self.trouble = str(error)
        return self.wait(seconds, self.trouble)
