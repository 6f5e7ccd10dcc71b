"""One gate per server and key: how fast requests may go, and when all of them must wait.

Every request of every thread, client and push in this process passes the gate of its server and
key. A 429 holds everybody back; then one probe goes first, and what had been let through before
the 429 tells how much the server takes.
"""

from __future__ import annotations

import random
import re
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from pydantic import SecretStr

from respan_notebook.errors import ConfigurationError
from respan_notebook.keys import fingerprint

Limit = tuple[int, float]
"""So many requests in any so many seconds."""

LONGEST_HOLD: Final = 900.0
"""Seconds that a gate holds at the most, whatever the server asks; after that it probes."""

_BACKOFF: Final = 1.0  # Seconds to wait after a 429 that names no time; doubles.
_LONGEST_BACKOFF: Final = 60.0
_LONGEST_LOOK_BACK: Final = 60.0  # Seconds before a 429 that tell what the server takes.
_PROBE_LOOK: Final = 0.02  # Seconds until a thread asks again whether the probe is back.
_SLACK: Final = 1.02  # The server sees requests a little later than they were let through.
_PATIENCE: Final = 4  # Spans without a 429 before one request more is tried.
_MOST_PATIENCE: Final = 64
_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "second"), 1.0),
    **dict.fromkeys(("m", "min", "minute"), 60.0),
    **dict.fromkeys(("h", "hour"), 3600.0),
}


def parse_rate(rate: str) -> Limit:
    """Return requests and seconds from a rate such as ``"60/min"``, ``"5/s"`` or ``"60/6s"``.

    Raises
    ------
    ConfigurationError
        When it is no rate.

    Examples
    --------
    >>> parse_rate("60/min"), parse_rate("60 / 6 s")
    ((60, 60.0), (60, 6.0))
    """
    match = re.fullmatch(r"(\d+)/(\d+(?:\.\d+)?)?([a-z]+)", str(rate).replace(" ", "").lower())
    unit = match and (_UNITS.get(match[3]) or _UNITS.get(match[3].removesuffix("s")))
    if not match or not unit or int(match[1]) < 1 or float(match[2] or 1) <= 0:
        raise ConfigurationError(f'a rate looks like "60/min", "5/s" or "60/6s", got {rate!r}')
    return int(match[1]), float(match[2] or 1) * unit


class Gate:
    """Says when the next request may go.

    Without a limit everything may go at once. A limit, a number of requests in any so many
    seconds, is given by :meth:`paced` or learned from 429s.

    Parameters
    ----------
    clock : Callable
        Gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._given: list[Limit] = []
        self._learned: Limit | None = None
        self._good: Limit | None = None  # What was kept before a little more was tried.
        self._sent: deque[float] = deque()
        self._passed: deque[float] = deque()
        self._held_until = 0.0
        self._start = clock()  # Of what a 429 would tell something about.
        self._holds = 0  # Also the ticket that tells which requests went before a hold.
        self._probing = False
        self._counting = False  # Whether late answers still belong to what was learned.
        self._clean = 0  # Requests passed since the limit changed.
        self._step, self._patience, self._needed = 1, _PATIENCE, _PATIENCE
        self.refusals = 0
        """Holds in a row, without a request that passed in between."""

    @property
    def limit(self) -> Limit | None:
        """The limit that is kept, None when there is none."""
        return min(self._limits(), key=lambda limit: limit[0] / limit[1], default=None)

    @contextmanager
    def paced(self, limit: Limit | None) -> Iterator[None]:
        """Keep to a limit as well for the time of a with block; None is no limit."""
        given = [] if limit is None else [limit]
        with self._lock:
            self._given += given
        try:
            yield
        finally:
            with self._lock:
                for one in given:
                    self._given.remove(one)

    def held(self) -> float:
        """Return the seconds for which everybody has to wait after a 429."""
        return max(0.0, self._held_until - self._clock())

    def ask(self) -> tuple[float, int]:
        """Ask to send a request.

        Returns
        -------
        tuple of (seconds, ticket)
            0 seconds: go, and tell :meth:`passed`, :meth:`refused` or :meth:`lost` with the
            ticket what came of it. Else: ask again after so many seconds.
        """
        with self._lock:
            now = self._clock()
            if now < self._held_until:
                return self._held_until - now + random.uniform(0, _PROBE_LOOK), 0  # noqa: S311
            if self._probing:
                return random.uniform(_PROBE_LOOK, 2 * _PROBE_LOOK), 0  # noqa: S311
            wait = self._wait(now)
            if wait > 0:
                return wait, 0
            self._probing = self.refusals > 0
            idle = not self._passed or self._passed[-1] < now - _LONGEST_LOOK_BACK
            if self._probing or idle:
                self._start, self._counting = now, False
                self._passed.clear()
            return 0.0, self._holds

    def passed(self, ticket: int) -> None:
        """Note that a request was answered, and not with 429."""
        with self._lock:
            now = self._clock()
            if ticket == self._holds:
                self.refusals, self._probing = 0, False
                self._passed.append(now)
                while self._passed[0] < now - _LONGEST_LOOK_BACK:
                    self._passed.popleft()
                self._speed_up()
            elif ticket == self._holds - 1 and self._learned and self._counting:
                # It went before the hold and counts among what the server took.
                self._learned = self._learned[0] + 1, self._learned[1]

    def lost(self, ticket: int) -> None:
        """Note that a request got no answer."""
        with self._lock:
            if ticket == self._holds:
                self._probing = False

    def refused(self, ticket: int, retry_after: float | None) -> None:
        """Note a 429, and hold everybody back."""
        with self._lock:
            now = self._clock()
            if ticket != self._holds:  # Went before the hold that is on.
                asked = min(retry_after or 0.0, LONGEST_HOLD)
                self._held_until = max(self._held_until, now + asked)
                return
            self._holds += 1
            self.refusals += 1
            wait = self._hold(retry_after)
            self._held_until = now + wait
            self._probing = False
            self._learn(now, wait, informed=retry_after is not None)

    def _limits(self) -> list[Limit]:
        return self._given + ([self._learned] if self._learned else [])

    def _wait(self, now: float) -> float:
        limits = self._limits()
        if not limits:
            return 0.0
        waits = [
            self._sent[-count] + seconds - now
            for count, seconds in limits
            if len(self._sent) >= count
        ]
        wait = max(waits, default=0.0)
        if wait <= 0:
            self._sent.append(now)
            while len(self._sent) > max(count for count, _ in limits):
                self._sent.popleft()
        return wait

    def _hold(self, retry_after: float | None) -> float:
        backoff = min(_LONGEST_BACKOFF, _BACKOFF * 2 ** (self.refusals - 1))
        jittered = random.uniform(backoff / 2, backoff)  # noqa: S311
        if retry_after is None:
            return jittered
        # A server that says 0 over and over is not taken at its word.
        floor = jittered if self.refusals > 1 else _PROBE_LOOK
        return min(max(retry_after, floor), LONGEST_HOLD)

    def _learn(self, now: float, wait: float, *, informed: bool) -> None:
        """Take what passed before the hold, and the wait, for the server's limit."""
        self._counting = False
        if not self._passed:
            return  # A probe that came too early says nothing about the rate.
        if self._good is not None:  # A little more was tried, and was too much.
            self._learned = self._good
            self._patience = min(2 * self._patience, _MOST_PATIENCE)
        elif self._learned is None:
            looked_back = min(now - self._start, _LONGEST_LOOK_BACK)
            count = len(self._passed) if informed else max(1, len(self._passed) // 2)
            self._counting = informed
            self._learned = count, (looked_back + wait) * _SLACK
        else:
            count, seconds = self._learned
            less = count * 4 // 5 if informed else count // 2
            self._learned = (less, seconds) if less else (1, min(2 * seconds, _LONGEST_LOOK_BACK))
        self._good = None
        self._clean, self._step, self._needed = 0, 1, self._patience

    def _speed_up(self) -> None:
        """Try a little more when the limit was not felt for a while."""
        self._clean += 1
        if self._learned is None or self._clean < self._needed * self._learned[0]:
            return
        self._good = self._learned
        self._learned = self._learned[0] + self._step, self._learned[1]
        self._clean, self._step, self._needed = 0, 2 * self._step, 1


# Gates live as long as a client that uses them.
_GATES: weakref.WeakValueDictionary[tuple[str, str], Gate] = weakref.WeakValueDictionary()
_GATES_LOCK: Final = threading.Lock()


def gate_for(base_url: str, bearer: SecretStr) -> Gate:
    """Return the gate that all clients of this server and key share."""
    key = base_url, fingerprint(bearer)
    with _GATES_LOCK:
        gate = _GATES.get(key)
        if gate is None:
            gate = _GATES[key] = Gate()
        return gate
