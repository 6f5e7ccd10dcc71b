"""Keep the state of a gate in a store that may fail, and for this process alone while it does."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Final

from respan_notebook.client.gate_state import GateState
from respan_notebook.client.gate_store import GateStore, ProcessStore, Transition, Word

FAILURES: Final = (sqlite3.Error, OSError)
"""The errors of a store that can't be used at the moment."""

_PAUSE: Final = 30.0  # Seconds until a store that has failed is tried again.
_WARNED: Final = threading.Event()
_log = logging.getLogger("respan_notebook")


class FallbackStore:
    """Keep the state of a gate in a shared store, and for this process alone while that fails.

    A file may be locked for a moment, or a disk full. The shared store is tried again from time to
    time; then it takes up what this process has done by itself.

    Parameters
    ----------
    open_shared : Callable
        Opens the shared store.
    pause : float
        Seconds until a store that has failed is tried again.
    """

    batch = 0.05

    def __init__(self, open_shared: Callable[[], GateStore], pause: float = _PAUSE) -> None:
        self._open_shared, self._pause = open_shared, pause
        self._shared: GateStore | None = None
        self._alone: ProcessStore | None = None
        self._failed, self._moves = 0.0, 0
        self._lock = threading.RLock()
        try:
            self._shared = open_shared()
        except FAILURES as error:
            self._go_alone(error)

    @property
    def _store(self) -> GateStore:
        store = self._alone or self._shared
        assert store is not None
        return store

    @property
    def owner(self) -> str:
        """Name this process, as the state does."""
        return self._store.owner

    @property
    def known(self) -> GateState:
        """Return the state as it was last read or changed."""
        return self._store.known

    def look(self) -> Word:
        """Return what is told at a glance; another word after each change of the store."""
        word = self._store.look()
        return word._replace(version=word.version + (self._moves << 32)) if self._moves else word

    def read(self) -> GateState:
        """Return the state."""
        with self._lock:
            try:
                return self._store.read()
            except FAILURES as error:
                self._go_alone(error)
                return self._store.read()

    def change(self, transition: Transition) -> None:
        """Change the state, one change after the other."""
        with self._lock:
            if self._alone and time.monotonic() - self._failed >= self._pause:
                self._return(self._alone)
            try:
                self._store.change(transition)
            except FAILURES as error:
                self._go_alone(error)
                self._store.change(transition)

    def renew(self) -> None:
        """Take up the state in the child of a process, which is another owner."""
        self._lock = threading.RLock()
        for store in (self._shared, self._alone):
            if store:
                store.renew()

    def _go_alone(self, error: Exception) -> None:
        """Go on with what is known of the state, and with the limits of this process alone."""
        _warn_not_shared(error)
        if self._shared is None:
            self._alone = self._alone or ProcessStore()
        else:
            owner, state = self._shared.owner, self._shared.known
            self._alone = ProcessStore(state.alone(owner), owner)
        self._failed, self._moves = time.monotonic(), self._moves + 1

    def _return(self, alone: ProcessStore) -> None:
        try:
            shared = self._shared = self._shared or self._open_shared()
            shared.change(lambda state: state.rejoin(shared.owner, alone.known))
        except FAILURES:
            self._failed = time.monotonic()
        else:
            self._alone, self._moves = None, self._moves + 1


def _warn_not_shared(error: Exception) -> None:
    if not _WARNED.is_set():
        _WARNED.set()
        _log.warning(
            "this process keeps to the server's rate limit by itself, without knowing what other "
            "processes of the same key send, as long as the file that they share can't be used: %s",
            error,
        )
