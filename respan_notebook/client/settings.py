"""Attempts, pauses and limits of requests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RequestSettings:
    """Attempts, pauses and limits of the requests of a client; every time is in seconds.

    The defaults suit the service. For a server that is nothing like it, and for tests, others are
    given: ``RespanClient(settings=RequestSettings(backoff=0.001))``.

    Attributes
    ----------
    attempts, call_attempts : int
        Requests per score of a push, and per other call, not counting those answered 429.
    call_deadline : float
        How long a call may wait and try again, beside its timeout.
    budget : float
        Retries of a whole push that may go unanswered by success, which gives some back.
    backoff, longest_backoff : float
        The longest first pause before another attempt, which doubles, and the longest of all.
    hold_backoff, longest_hold_backoff : float
        The same for the hold after a 429 that names no time.
    longest_hold : float
        The longest hold, whatever the server asks; after it one request probes.
    refusals : int
        429s in a row, one per hold, after which a push gives up.
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
