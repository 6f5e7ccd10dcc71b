"""Keep the state of a gate: for one process, or as part of a store that processes share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol

from respan_notebook.client.gate_state import GateState


class Word(NamedTuple):
    """Tell at a glance whether requests need a permit.

    Attributes
    ----------
    is_open : bool
        Whether nothing is limited or held.
    holds : int
        The number of holds so far.
    version : int
        Another one whenever limits, holds or the probe have changed.
    """

    is_open: bool
    holds: int
    version: int

    def following(self, former: GateState, state: GateState) -> Word:
        """Return the word of a state that follows another one."""
        changed = _face(former) != _face(state)
        return Word(state.is_open, state.holds % 2**31, (self.version + changed) % 2**32)


def _face(state: GateState) -> tuple[object, ...]:
    limits = [window.limit for window in state.windows]
    return state.holds, state.refusals, state.held_until, state.prober, limits, state.is_open


Transition = Callable[[GateState], GateState | None]
"""Returns the state that follows, None for no change."""


class GateStore(Protocol):
    """Keep the state of one gate.

    Attributes
    ----------
    owner : str
        This process, as the state names it.
    batch : float
        Seconds for which passed requests are collected before they are stored.
    known : GateState
        The state when it was last read or changed.
    """

    batch: float

    @property
    def owner(self) -> str:
        """Name this process."""

    @property
    def known(self) -> GateState:
        """Return the state without reading it."""

    def look(self) -> Word:
        """Return what is told at a glance."""

    def read(self) -> GateState:
        """Return the state."""

    def change(self, transition: Transition) -> None:
        """Change the state, one change after the other."""

    def renew(self) -> None:
        """Take up the state in the child of a process, which is another owner."""


class ProcessStore:
    """Keep the state of a gate for the threads of this process.

    Parameters
    ----------
    state : GateState
        The state to begin with.
    owner : str
        This process, as the state names it.
    """

    batch = 0.0

    def __init__(
        self,
        state: GateState = GateState(),  # noqa: B008 - it is frozen.
        owner: str = "this process",
    ) -> None:
        self.owner = owner
        self.known, self._word = state, Word(state.is_open, state.holds, 0)
        self._lock = threading.Lock()

    def look(self) -> Word:
        """Return what is told at a glance."""
        return self._word

    def read(self) -> GateState:
        """Return the state."""
        return self.known

    def change(self, transition: Transition) -> None:
        """Change the state, one change after the other."""
        with self._lock:
            state = transition(self.known)
            if state is not None:
                self.known, self._word = state, self._word.following(self.known, state)

    def renew(self) -> None:
        """Forget what the threads of a parent process had asked for."""
        self._lock = threading.Lock()
        self.change(lambda state: state.without(state.owners))
