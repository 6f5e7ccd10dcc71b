"""Set the attempts, pauses and limits of requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """Tell the time and wait; a test may replace it.

    Attributes
    ----------
    monotonic : Callable
        Returns seconds that never go back.
    wait : Callable
        Waits for an event for so many seconds; returns whether it is set.
    """

    monotonic: Callable[[], float] = time.monotonic
    wait: Callable[[threading.Event, float], bool] = threading.Event.wait


@dataclass(frozen=True)
class RequestSettings:
    """Set the attempts, pauses and limits of a client's requests; every time is in seconds.

    The defaults suit the service. Another server, or a test, may need others:
    ``RespanClient(settings=RequestSettings(backoff=0.001))``.

    Attributes
    ----------
    attempts, call_attempts : int
        Requests per score of a push, and per other call, not counting those answered 429.
    call_deadline : float
        The time that a call may take with all its retries, beside its timeout.
    budget : float
        Retries of a whole push; every success gives some back.
    backoff, longest_backoff : float
        The longest first pause before a retry, which doubles, and the longest of all.
    hold_backoff, longest_hold_backoff : float
        The same for the hold after a 429 that names no time.
    longest_hold : float
        The longest hold, whatever the server says; after it one request probes.
    refusals : int
        The number of 429s in a row, one per hold, after which a push gives up.
    longest_request : float
        The time that one request may take with the whole of its answer.
    longest_answer, longest_page : int
        The most bytes that are read of the answer to a write, and of a page or a log;
        decompressed.
    clock : Clock
        The time that deadlines, pauses and holds go by.
    """

    attempts: int = 10
    call_attempts: int = 5
    call_deadline: float = 60.0
    budget: float = 200
    backoff: float = 0.25
    longest_backoff: float = 8.0
    hold_backoff: float = 1.0
    longest_hold_backoff: float = 60.0
    longest_hold: float = 900.0
    refusals: int = 20
    longest_request: float = 300.0
    longest_answer: int = 2**20
    longest_page: int = 2**26
    clock: Clock = Clock()
