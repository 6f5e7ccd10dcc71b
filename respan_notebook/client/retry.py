"""Decide what is tried again, how long, and when to give up: the one retry layer."""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections.abc import Callable
from typing import Final

from respan_notebook import errors
from respan_notebook.client.settings import RequestSettings

_REFUND: Final = 2  # Retries that a success gives back: two of three requests may fail for ever.
_LONGEST_ASKED: Final = 60.0  # Seconds of a Retry-After of anything but a 429 that are obeyed.
_STATUSES: Final = frozenset({408, 409, 500, 502, 503, 504})
_log = logging.getLogger("respan_notebook")


def _warn(reason: str, seconds: float) -> None:
    _log.warning("%s; waiting %.1f s", reason, seconds)


class CancelledError(errors.RespanError):
    """A request was not sent, since its retry budget was cancelled or spent."""


def is_passing(error: errors.RespanError) -> bool:
    """Return whether the same request may succeed a little later."""
    if isinstance(error, errors.UnexpectedAnswerError):
        return True  # A 2xx that was cut off; sending a score again is safe.
    if isinstance(error, errors.HTTPError):
        return error.status in _STATUSES
    return isinstance(error, errors.TransportError)


class RetryBudget:
    """Limit how long and how often one call, or a whole push, is tried; shared by threads.

    Parameters
    ----------
    settings : RequestSettings
        Its pauses, and attempts per call where ``attempts`` says nothing else.
    attempts : int, optional
        Requests per call or score, not counting those answered 429.
    retries : float
        In all; a success gives some back.
    deadline : float, optional
        Seconds from now.
    announce : Callable or None
        Is told why a wait of half a second or more begins, and how many seconds it takes. Else it
        is logged as a warning, which Python shows; with None nobody is told.

    Attributes
    ----------
    cancelled : str
        Why nothing more is tried; empty while it is.
    status : str
        Why the last attempt that failed is tried again; empty after a success.
    """

    def __init__(
        self,
        settings: RequestSettings,
        *,
        attempts: int | None = None,
        retries: float = math.inf,
        deadline: float | None = None,
        announce: Callable[[str, float], object] | None = _warn,
    ) -> None:
        self.cancelled = self.status = ""
        self.attempts = settings.attempts if attempts is None else attempts
        self._settings, self._announce = settings, announce
        self._retries = self._most_retries = retries
        self._deadline = deadline
        self._until = math.inf if deadline is None else time.monotonic() + deadline
        self._stop = threading.Event()
        self._lock = threading.Lock()

    @property
    def left(self) -> float:
        """Seconds until the deadline; infinite without one."""
        return self._until - time.monotonic()

    def call(self) -> Call:
        """Return the budget of one more request."""
        return Call(self)

    def cancel(self, reason: str) -> None:
        """Try nothing more; the first reason counts. Threads that wait wake up."""
        with self._lock:
            self.cancelled = self.cancelled or reason
        self._stop.set()

    def goes_on(self) -> bool:
        """Return whether something more may be tried; cancels when the deadline is over."""
        if self.left <= 0:
            self.cancel(f"the deadline of {self._deadline:g} s")
        return not self.cancelled

    def refund(self) -> None:
        """Give back some retries after a success."""
        self.status = ""
        self._retries = min(self._retries + _REFUND, self._most_retries)

    def wait(self, seconds: float, reason: str) -> bool:
        """Wait; return False, sooner, when cancelled.

        A wait beyond the deadline is not begun but cancels.
        """
        if seconds > max(0.0, self.left):
            self.cancel(f"the deadline of {self._deadline:g} s: {reason}")
        elif self._announce and seconds >= 0.5:
            self._announce(reason, seconds)
        return not self._stop.wait(0 if self.cancelled else seconds)

    def spend(self, error: errors.RespanError) -> bool:
        """Take a retry; return False, and cancel, when none is left."""
        with self._lock:
            self._retries -= 1
        if self._retries < 0:
            self.cancel(f"gave up after {self._most_retries:g} retries too many; the last: {error}")
        return self._retries >= 0

    def pause(self, error: errors.RespanError, failures: int) -> float:
        """Return the seconds to wait after so many failures of a call."""
        longest = min(self._settings.longest_backoff, self._settings.backoff * 2 ** (failures - 1))
        asked = getattr(error, "retry_after", None) or 0.0
        return max(min(asked, _LONGEST_ASKED), random.uniform(0, longest))  # noqa: S311


class Call:
    """Count the attempts of one request within a retry budget.

    Attributes
    ----------
    attempts : int
        Requests sent.
    """

    def __init__(self, budget: RetryBudget) -> None:
        self.budget = budget
        self.attempts = 0
        self._failures = 0

    def wait_to_retry(self, error: errors.RespanError) -> bool:
        """Wait before another attempt; return False when there is to be none."""
        self._failures += 1
        budget = self.budget
        if self._failures >= budget.attempts or not is_passing(error) or not budget.spend(error):
            return False
        budget.status = str(error)
        return budget.wait(budget.pause(error, self._failures), budget.status)
