"""Pace and hold the requests of one server and key.

Every request of every thread, client and push in this process passes the gate of its server and
key. A 429 holds all requests; then one probe goes first, and the number of requests that had
passed before the 429 becomes the limit.
"""

from __future__ import annotations

import os
import random
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from respan_notebook.client.rate import Limit
from respan_notebook.client.server import Server
from respan_notebook.client.settings import RequestSettings

_LONGEST_LOOK_BACK: Final = 60.0  # Seconds before a 429 in which passed requests count.
_PROBE_LOOK: Final = 0.02  # Seconds until a thread looks again whether the probe is back.
_SLACK: Final = 1.02  # The server sees requests a little later than the gate permits them.
_PATIENCE: Final = 4  # Spans without a 429 before one request more is tried.
_MOST_PATIENCE: Final = 64


class Gate:
    """Permit, pace and hold the requests of one server and key.

    Without a limit every request may go at once. A limit, a number of requests in any so many
    seconds, is given by :meth:`paced` or learned from 429s.

    Parameters
    ----------
    clock : Callable
        Returns seconds that never go back.
    settings : RequestSettings
        Lengths of holds.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        settings: RequestSettings = RequestSettings(),  # noqa: B008 - it is frozen.
    ) -> None:
        self._clock, self._settings = clock, settings
        self._lock = threading.Lock()
        self._given: list[Limit] = []
        self._learned: Limit | None = None
        self._good: Limit | None = None  # The limit before a little more was tried.
        self._sent: deque[float] = deque()
        self._passed: deque[float] = deque()
        self._held_until = 0.0
        self._start = clock()  # Of the time in which passed requests count.
        self._holds = 0  # Also the number of a permit: it shows which requests went before a hold.
        self._probing = False
        self._counting = False  # Whether late answers still add to the learned limit.
        self._clean = 0  # Requests passed since the limit changed.
        self._step, self._patience, self._needed = 1, _PATIENCE, _PATIENCE
        self.refusals = 0
        """Holds in a row, without a request that passed in between."""

    def renew(self) -> None:
        """Forget the threads of a parent process: its lock, and the probe that may be out."""
        self._lock = threading.Lock()
        self._probing = False

    @property
    def limit(self) -> Limit | None:
        """The strictest limit, None when there is none."""
        return min(self._limits(), key=lambda limit: limit[0] / limit[1], default=None)

    @contextmanager
    def paced(self, limit: Limit | None) -> Iterator[None]:
        """Keep to a further limit for the time of a with block; None is no limit."""
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
        """Return the seconds until the hold of a 429 ends, 0 when there is none."""
        return max(0.0, self._held_until - self._clock())

    def request(self) -> tuple[float, int]:
        """Request a permit to send.

        Returns
        -------
        tuple of (seconds, permit)
            With 0 seconds the request may go, and :meth:`passed`, :meth:`refused` or :meth:`lost`
            must be called with its permit. Else: request again after so many seconds.
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

    def passed(self, permit: int) -> None:
        """Record that a request was answered, and not with 429."""
        with self._lock:
            now = self._clock()
            if permit == self._holds:
                self.refusals, self._probing = 0, False
                self._passed.append(now)
                while self._passed[0] < now - _LONGEST_LOOK_BACK:
                    self._passed.popleft()
                self._speed_up()
            elif permit == self._holds - 1 and self._learned and self._counting:
                # It went before the hold and counts for the learned limit.
                self._learned = self._learned[0] + 1, self._learned[1]

    def lost(self, permit: int) -> None:
        """Record that a request got no answer."""
        with self._lock:
            if permit == self._holds:
                self._probing = False

    def refused(self, permit: int, retry_after: float | None) -> None:
        """Record a 429, and hold all requests."""
        with self._lock:
            now = self._clock()
            if permit != self._holds:  # Went before the hold that is on.
                named = min(retry_after or 0.0, self._settings.longest_hold)
                self._held_until = max(self._held_until, now + named)
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
        first, longest = self._settings.hold_backoff, self._settings.longest_hold_backoff
        backoff = min(longest, first * 2 ** (self.refusals - 1))
        jittered = random.uniform(backoff / 2, backoff)  # noqa: S311
        if retry_after is None:
            return jittered
        # A server may say 0 over and over.
        floor = jittered if self.refusals > 1 else _PROBE_LOOK
        return min(max(retry_after, floor), self._settings.longest_hold)

    def _learn(self, now: float, wait: float, *, informed: bool) -> None:
        """Learn a limit: the requests that passed before the hold, in that time and the wait."""
        self._counting = False
        if not self._passed:
            return  # The probe came too early, which shows no rate.
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
        """Raise the limit a little after a time without a 429."""
        self._clean += 1
        if self._learned is None or self._clean < self._needed * self._learned[0]:
            return
        self._good = self._learned
        self._learned = self._learned[0] + self._step, self._learned[1]
        self._clean, self._step, self._needed = 0, 2 * self._step, 1


# Gates live as long as a client that uses them.
_GATES: weakref.WeakValueDictionary[tuple[str, str], Gate] = weakref.WeakValueDictionary()
_GATES_LOCK = threading.Lock()


def gate_for(server: Server, settings: RequestSettings) -> Gate:
    """Return the gate that all clients of a server and key share; the first client's settings."""
    identity = server.base_url, server.fingerprint
    with _GATES_LOCK:
        gate = _GATES.get(identity)
        if gate is None:
            gate = _GATES[identity] = Gate(settings.clock.monotonic, settings)
        return gate


def _renew_after_fork() -> None:
    """Free the locks that threads of the parent process held; they are not in the child."""
    global _GATES_LOCK
    _GATES_LOCK = threading.Lock()
    for gate in list(_GATES.values()):
        gate.renew()


if hasattr(os, "register_at_fork"):  # Windows has no fork.
    os.register_at_fork(after_in_child=_renew_after_fork)
