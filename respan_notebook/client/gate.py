"""Pace and hold the requests of one server and key.

Every request of every thread, client and push passes the gate of its server and key, and the
processes of this user on this machine share its state. What it decides stands in
:mod:`~respan_notebook.client.gate_state`.
"""

from __future__ import annotations

import atexit
import os
import random
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from respan_notebook.client.fallback_store import FallbackStore
from respan_notebook.client.gate_state import PROBE_LOOK, GateState, Permit
from respan_notebook.client.gate_store import GateStore, ProcessStore, Word
from respan_notebook.client.rate import Limit
from respan_notebook.client.server import Server
from respan_notebook.client.settings import RequestSettings
from respan_notebook.errors import ConfigurationError


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
    store : GateStore, optional
        Keeps the state; by default for this process alone.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        settings: RequestSettings = RequestSettings(),  # noqa: B008 - it is frozen.
        store: GateStore | None = None,
    ) -> None:
        self._clock, self._settings = clock, settings
        self._store = store or ProcessStore()
        self._forget_requests()

    def _forget_requests(self) -> None:
        self._lock = threading.Lock()
        self._passed: dict[Permit, int] = {}  # Requests that are not recorded in the store yet.
        self._since: float | None = None  # When the first of them went.
        self._probe: Permit | None = None
        self._probing = 0  # The thread whose request it is.
        self._waiting: tuple[Word | None, float] = None, 0.0  # Nothing is permitted until then.
        self._seen: tuple[Word | None, GateState] = None, GateState()

    def renew(self) -> None:
        """Forget the threads of a parent process: its locks, its requests and its probe."""
        self._forget_requests()
        self._store.renew()

    @property
    def limit(self) -> Limit | None:
        """The strictest limit, None when there is none."""
        return self._look().limit

    @property
    def refusals(self) -> int:
        """Holds in a row, without a request that passed in between."""
        return self._look().refusals

    def held(self) -> float:
        """Return the seconds until the hold of a 429 ends, 0 when there is none."""
        return max(0.0, self._look().held_until - self._clock())

    def estimate(self, requests: int) -> float:
        """Return the seconds until so many more requests have gone, as far as limits are known.

        Other processes of the key, which send at the same time, make it longer.
        """
        if not requests or self._store.look().is_open:
            return 0.0
        self._seen = None, GateState()  # Requests that go leave the word as it is.
        return self._look().at(self._clock()).estimate(requests)

    @contextmanager
    def paced(self, limit: Limit | None) -> Iterator[None]:
        """Keep to a further limit for the time of a with block; None is no limit."""
        if limit is None:
            yield
            return
        self._change(lambda state: state.give(self._store.owner, limit))
        try:
            yield
        finally:
            self._change(lambda state: state.take_back(self._store.owner, limit))

    def request(self) -> tuple[float, Permit]:
        """Request a permit to send.

        Returns
        -------
        tuple of (seconds, permit)
            With 0 seconds the request may go, and :meth:`passed`, :meth:`refused` or :meth:`lost`
            must be called with its permit. Else: request again after so many seconds.
        """
        word = self._store.look()
        if word.is_open:
            if self._since is None:
                self._since = self._clock()
            return 0.0, Permit(word.holds, is_counted=False)
        jitter = random.random()  # noqa: S311
        with self._lock:
            known, until = self._waiting
            now = self._clock()
            if word == known and now < until:
                return until - now + jitter * PROBE_LOOK, Permit(word.holds, is_counted=False)
            seconds, permit = self._request(jitter)
            if seconds > 0:
                self._waiting = self._store.look(), self._clock() + seconds
            return seconds, permit

    def passed(self, permit: Permit) -> None:
        """Record that a request was answered, and not with 429."""
        with self._lock:
            is_first = not self._passed
            self._passed[permit] = self._passed.get(permit, 0) + 1
            if permit == self._probe or not self._store.batch:
                self._store_passed()
                self._end_probe(permit)
            elif is_first:
                timer = threading.Timer(self._store.batch, self.flush)
                timer.daemon = True
                try:
                    timer.start()
                except RuntimeError:  # The system has no thread left, or the process ends.
                    self._store_passed()

    def lost(self, permit: Permit) -> None:
        """Record that a request got no answer."""
        with self._lock:
            if permit == self._probe:
                self._change(lambda state: state.end_probe(self._store.owner))
                self._end_probe(permit)

    @contextmanager
    def giving_back(self) -> Iterator[None]:
        """Let another probe go when a with block is left during one, as by an interrupt."""
        try:
            yield
        finally:
            if self._probe and self._probing == threading.get_ident():
                self.lost(self._probe)

    def refused(self, permit: Permit, retry_after: float | None) -> None:
        """Record a 429, and hold all requests."""
        jitter = random.random()  # noqa: S311
        with self._lock:
            self._store_passed()
            self._change(lambda state: state.refuse(permit, retry_after, self._settings, jitter))
            self._end_probe(permit)

    def flush(self) -> None:
        """Store the requests that have passed."""
        with self._lock:
            self._store_passed()

    def _end_probe(self, permit: Permit) -> None:
        """Forget a probe; not before the store has, since an interrupt may come in between."""
        if permit == self._probe:
            self._probe = None

    def _request(self, jitter: float) -> tuple[float, Permit]:
        seconds, permit = 0.0, Permit(0, is_counted=True)

        def request(state: GateState) -> GateState | None:
            nonlocal seconds, permit
            state, seconds = state.request(self._store.owner, jitter)
            permit = Permit(state.holds, is_counted=True)
            if seconds == 0 and state.prober:
                self._probe, self._probing = permit, threading.get_ident()
            return None if seconds else state

        self._change(request)
        return seconds, permit

    def _store_passed(self) -> None:
        passed, since = self._passed, self._since
        self._passed, self._since = {}, None

        def record(state: GateState) -> GateState:
            for permit, requests in passed.items():
                state = state.record(permit, requests, state.now if since is None else since)
            return state

        if passed:
            self._change(record)

    def _look(self) -> GateState:
        """Return the state, read again only when something has changed."""
        word = self._store.look()
        known, state = self._seen
        if word == known:
            return state
        state = self._store.read()
        self._seen = word, state
        return state

    def _change(self, transition: Callable[[GateState], GateState | None]) -> None:
        longest_probe = self._settings.longest_request

        def change(state: GateState) -> GateState | None:
            present = state.at(self._clock(), longest_probe)
            # Where the clock began anew, a wait has to be counted from now on.
            return transition(present) or (present if present.now < state.now else None)

        self._store.change(change)


# Gates live as long as a client that uses them.
_GATES: weakref.WeakValueDictionary[tuple[str, str], Gate] = weakref.WeakValueDictionary()
_GATES_LOCK = threading.Lock()


def gate_for(server: Server, settings: RequestSettings) -> Gate:
    """Return the gate that all clients of a server and key share; the first client's settings.

    Its state is shared with other processes, but with ``RESPAN_GATE=process``.
    """
    identity = server.base_url, server.fingerprint
    with _GATES_LOCK:
        gate = _GATES.get(identity)
        if gate is None:
            store = _open_store(server)
            gate = _GATES[identity] = Gate(settings.clock.monotonic, settings, store)
        return gate


def _open_store(server: Server) -> GateStore:
    kind = os.environ.get("RESPAN_GATE") or "shared"
    if kind not in ("shared", "process"):
        raise ConfigurationError(f"RESPAN_GATE must be 'shared' or 'process', got {kind!r}")
    if kind == "process":
        return ProcessStore()
    from respan_notebook.client.shared_store import SharedStore, gate_folder

    return FallbackStore(lambda: SharedStore(gate_folder(), server.base_url, server.fingerprint))


def _renew_after_fork() -> None:
    """Free the locks that threads of the parent process held; they are not in the child."""
    global _GATES_LOCK
    _GATES_LOCK = threading.Lock()
    for gate in list(_GATES.values()):
        gate.renew()


def _flush_all() -> None:
    for gate in list(_GATES.values()):
        gate.flush()


atexit.register(_flush_all)
if hasattr(os, "register_at_fork"):  # Windows has no fork.
    os.register_at_fork(after_in_child=_renew_after_fork)
