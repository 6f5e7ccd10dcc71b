"""Limit retries: which errors are tried again, after which pause, and until when.

This is the only place that retries.
"""

from __future__ import annotations

import logging
import math
import random
import threading
from collections.abc import Callable
from typing import Final

from respan_notebook import errors
from respan_notebook.client.settings import RequestSettings

_REFUND: Final = 2  # Retries that a success gives back: two of three requests may fail for ever.
_LONGEST_RETRY_AFTER: Final = 60.0  # Seconds, of anything but a 429.
REPEAT_IS_SAFE: Final = "sending it again is safe"
LOOK_FIRST: Final = (
    "retry() and resume= look before they create, yet one that arrives late may be there twice"
)
_STATUSES: Final = frozenset({408, 409, 500, 502, 503, 504})
_log = logging.getLogger("respan_notebook")


def _warn(reason: str, seconds: float) -> None:
    _log.warning("%s; waiting %.1f s", reason, seconds)


def is_transient(error: errors.RespanError) -> bool:
    """Return whether the same request may succeed a little later."""
    if isinstance(error, errors.TooLongAnswerError | errors.WrongAnswerError):
        return False
    if isinstance(error, errors.UnexpectedAnswerError):
        return True  # A 2xx that is no JSON; what must not be sent twice has one try.
    if isinstance(error, errors.HTTPError):
        return error.status in _STATUSES
    return isinstance(error, errors.TransportError)


class RetryBudget:
    """Limit the retries and the time of one call or of a whole push; shared by threads.

    Parameters
    ----------
    settings : RequestSettings
        Pauses, and the attempts per call.
    attempts : int, optional
        Requests per call or score, not counting those answered 429; else as in ``settings``.
    retries : float
        Retries of all calls together; a success gives some back.
    deadline : float, optional
        Seconds from now.
    announce : Callable or None
        Called with the reason and the seconds of each wait of half a second or more. By default
        the wait is logged as a warning, which Python shows; None logs nothing.

    Attributes
    ----------
    cancelled : str
        The reason why nothing more is tried; empty while the budget is open.
    status : str
        The error that is being retried; empty after a success.
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
        self._settings, self.announce = settings, announce
        self._clock = settings.clock
        self._retries = self._most_retries = retries
        self._deadline = deadline
        self._until = math.inf if deadline is None else self._clock.monotonic() + deadline
        self._stop = threading.Event()
        self._lock = threading.Lock()

    @property
    def left(self) -> float:
        """Seconds until the deadline; infinite without one."""
        return self._until - self._clock.monotonic()

    def call(self) -> Call:
        """Return the budget of one more request."""
        return Call(self)

    def cancel(self, reason: str) -> None:
        """End all attempts and waits; the first reason counts."""
        with self._lock:
            self.cancelled = self.cancelled or reason
        self._stop.set()

    def begin(self, call: Call) -> float:
        """Count an attempt of a call, and return the seconds that it may take; 0 for no attempt.

        Once the budget is cancelled no attempt begins any more, so those in flight are known.
        """
        left = self._look()
        with self._lock:
            if self.cancelled:
                return 0.0
            call.attempts += 1
        return left

    def goes_on(self) -> bool:
        """Return whether more may be tried; cancel the budget when the deadline is over."""
        self._look()
        return not self.cancelled

    def _look(self) -> float:
        left = self.left
        if left <= 0:
            self.cancel(f"the deadline of {self._deadline:g} s")
        return left

    def refund(self) -> None:
        """Give back some retries after a success."""
        self.status = ""
        with self._lock:
            self._retries = min(self._retries + _REFUND, self._most_retries)

    def wait(self, seconds: float, reason: str) -> bool:
        """Wait; return False at once when the budget is cancelled.

        A wait that would end after the deadline is not begun and cancels the budget.
        """
        if seconds > max(0.0, self.left):
            self.cancel(f"the deadline of {self._deadline:g} s: {reason}")
        elif self.announce and seconds >= 0.5:
            self.announce(reason, seconds)
        return not self._clock.wait(self._stop, 0 if self.cancelled else seconds)

    def spend(self, error: errors.RespanError) -> bool:
        """Take one retry; return False, and cancel the budget, when none is left."""
        with self._lock:
            self._retries -= 1
        if self._retries < 0:
            self.cancel(f"gave up after {self._most_retries:g} retries too many; the last: {error}")
        return self._retries >= 0

    def pause(self, error: errors.RespanError, failures: int) -> float:
        """Return the seconds to wait after so many failures of a call."""
        longest = min(self._settings.longest_backoff, self._settings.backoff * 2 ** (failures - 1))
        named = getattr(error, "retry_after", None) or 0.0
        return max(min(named, _LONGEST_RETRY_AFTER), random.uniform(0, longest))  # noqa: S311


class Call:
    """Count the attempts of one request within a retry budget.

    Attributes
    ----------
    budget : RetryBudget
        The budget that the request shares with others.
    attempts : int
        Requests sent.
    tries : int
        The most attempts, not counting those answered 429; by default those of the budget.
    is_repeatable : bool
        Whether the same request sent twice leaves what one leaves; not where it creates.
    may_have_arrived : bool
        Whether an attempt failed in a way that leaves open if the server has stored what was sent.
    is_in_flight : bool
        Whether the request is sent and not answered yet; not while it waits.
    """

    def __init__(self, budget: RetryBudget) -> None:
        self.budget = budget
        self.attempts = 0
        self.tries = budget.attempts
        self.is_repeatable = True
        self.may_have_arrived = self.is_in_flight = False
        self._failures = 0

    @property
    def advice(self) -> str:
        """The advice on sending a score again that may have arrived."""
        return REPEAT_IS_SAFE if self.is_repeatable else LOOK_FIRST

    def wait_to_retry(self, error: errors.RespanError) -> bool:
        """Wait before another attempt; return False when there must be none."""
        self._failures += 1
        budget = self.budget
        if self._failures >= self.tries or not is_transient(error) or not budget.spend(error):
            return False
        budget.status = str(error)
        return budget.wait(budget.pause(error, self._failures), budget.status)
