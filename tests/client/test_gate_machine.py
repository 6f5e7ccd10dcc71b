"""Several processes' gates on one store, against a plain model of a server with a window.

On fake time, with kills, holds, lost and late answers: no window that is kept ever lets more
through than it says, at most one probe is out, and every request goes in the end.
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from respan_notebook.client.gate import Gate
from respan_notebook.client.gate_state import GateState, Permit
from respan_notebook.client.gate_store import ProcessStore, Transition, Word
from respan_notebook.client.rate import Limit
from respan_notebook.client.settings import RequestSettings

SETTINGS = RequestSettings(longest_request=30.0, longest_hold=100.0)
PROCESSES = st.integers(0, 3)
GIVEN = [(2, 6.0), (5, 6.0), (3, 60.0)]  # Few, so that several pushes ask for the same.
LEARNED = "learned"  # The owner of the limit that no process has given.
MOMENTS = st.sampled_from([None, None, -1.0, 0.0, 0.05])
LIMITS = st.tuples(st.integers(1, 8), st.sampled_from([1.0, 6.0, 60.0]))


class Shared(ProcessStore):
    """One process's view of a store that several have, which buries those that were killed."""

    def __init__(self, cell: ProcessStore, owner: str, living: set[str]) -> None:
        self._cell, self._living, self.owner = cell, living, owner
        self.batch = 0.0

    def look(self) -> Word:
        return self._cell.look()

    def read(self) -> GateState:
        return self._cell.read()

    def change(self, transition: Transition) -> None:
        def change(state: GateState) -> GateState | None:
            state = state.without(state.owners - self._living)
            return transition(state) or state

        self._cell.change(change)


@dataclass
class Server:
    """Take so many requests in any so many seconds; the others are answered 429."""

    limit: Limit | None
    taken: deque[float] = field(default_factory=deque)

    def answer(self, now: float) -> float:
        """Return 0 for a request that is taken, else the seconds to wait."""
        if self.limit is None:
            return 0.0
        count, seconds = self.limit
        while self.taken and self.taken[0] + seconds <= now:
            self.taken.popleft()
        if len(self.taken) >= count:
            return self.taken[0] + seconds - now
        self.taken.append(now)
        return 0.0


@dataclass
class Request:
    process: str
    permit: Permit
    wait: float  # As the server has answered; 0 when it took the request.


class GateMachine(RuleBasedStateMachine):
    """Drive the gates of up to four processes."""

    @initialize(limit=LIMITS, is_limited=st.integers(0, 3))
    def begin(self, limit: Limit, is_limited: int) -> None:
        self.now, self.made = 1000.0, 0
        self.server, self.cell = Server(limit if is_limited else None), ProcessStore()
        self.gates: dict[str, Gate] = {}
        self.living: set[str] = {LEARNED}
        self.in_flight: list[Request] = []
        self.given: list[tuple[str, Limit, ExitStack]] = []
        # The limits that are kept, since when, and what was permitted since then.
        self.permitted: dict[tuple[str, Limit], list[float]] = {}

    def start(self) -> str:
        self.made += 1
        name = f"process {self.made}"
        self.living.add(name)
        store = Shared(self.cell, name, self.living)
        self.gates[name] = Gate(lambda: self.now, SETTINGS, store)
        return name

    def pick(self, which: int) -> str:
        """Return one of up to four processes; a new one where there are fewer."""
        names = list(self.gates)
        return names[which] if which < len(names) else self.start()

    @rule(processes=st.lists(PROCESSES, min_size=1, max_size=9), moment=MOMENTS)
    def request(self, processes: list[int], moment: float | None) -> None:
        """Send some requests, as far as the gate permits them; the server has them at once.

        Often shortly before or after the end of a hold, which would be rare by chance.
        """
        if moment is not None:
            self.now = max(self.now, self.cell.read().held_until + moment)
        for which in processes:
            name = self.pick(which)
            before = self.cell.read().at(self.now)
            seconds, permit = self.gates[name].request()
            if seconds == 0:
                self.check(before)
                given = {window.owner for window in self.cell.read().given}
                assert given <= self.living, "the limits of processes that ended are gone"
                self.in_flight.append(Request(name, permit, self.server.answer(self.now)))

    def check(self, before: GateState) -> None:
        """Check that the state before a request has permitted it."""
        assert before.held_until <= before.now, "nothing goes during a hold"
        is_over = self.now - before.probing_since > SETTINGS.longest_request
        assert before.prober not in self.living or is_over, "one probe at a time"
        for (owner, (count, span)), times in self.permitted.items():
            if owner in self.living:
                times.append(self.now)
                assert sum(time > self.now - span for time in times) <= count

    @rule(which=PROCESSES, limit=st.sampled_from(GIVEN))
    def give(self, which: int, limit: Limit) -> None:
        """Let a push ask for a limit of its own."""
        name = self.pick(which)
        stack = ExitStack()
        stack.enter_context(self.gates[name].paced(limit))
        self.given.append((name, limit, stack))

    @precondition(lambda self: self.given)
    @rule(which=PROCESSES)
    def take_back(self, which: int) -> None:
        name, _, stack = self.given.pop(which % len(self.given))
        if name in self.living:
            stack.close()

    @precondition(lambda self: self.in_flight)
    @rule(which=st.lists(st.integers(0, 20), min_size=1, max_size=9), tells=st.booleans())
    def answer(self, which: list[int], *, tells: bool) -> None:
        """Let the answers of some requests come, late as they may be."""
        for place in which[: len(self.in_flight)]:
            self.answer_one(place, is_lost=False, tells=tells)

    @precondition(lambda self: self.in_flight)
    @rule(which=st.integers(0, 20))
    def lose(self, which: int) -> None:
        """Let the answer of a request get lost."""
        self.answer_one(which, is_lost=True, tells=False)

    def answer_one(self, which: int, *, is_lost: bool, tells: bool) -> None:
        request = self.in_flight.pop(which % len(self.in_flight))
        gate = self.gates.get(request.process)
        if gate is None:
            return  # Killed.
        if is_lost:
            gate.lost(request.permit)
        elif request.wait:
            gate.refused(request.permit, request.wait if tells else None)
        else:
            gate.passed(request.permit)

    @precondition(lambda self: self.gates)
    @rule(which=PROCESSES)
    def kill(self, which: int) -> None:
        name = list(self.gates)[which % len(self.gates)]
        del self.gates[name]
        self.living.discard(name)

    @rule(seconds=st.sampled_from([0.01, 0.3, 1.0, 5.0, 31.0, 400.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def restart_the_machine(self) -> None:
        """Begin the clock anew; all processes end with it."""
        self.end_all()
        self.server.taken.clear()
        self.now = 5.0

    @invariant()
    def follow_the_limits(self) -> None:
        state = self.cell.read()
        kept = {(window.owner or LEARNED, window.limit) for window in state.windows}
        former = self.permitted
        self.permitted = {limit: former.get(limit, []) for limit in kept}

    def end_all(self) -> None:
        self.living.clear()
        self.living.add(LEARNED)
        self.gates.clear()
        self.in_flight.clear()
        self.permitted.clear()

    def teardown(self) -> None:
        """A process that starts after all others were killed gets its permits in the end."""
        if not hasattr(self, "cell"):
            return
        self.end_all()
        gate, sent = self.gates[self.start()], 0
        for _ in range(500):
            seconds, permit = gate.request()
            if seconds > 0:
                assert seconds <= SETTINGS.longest_hold + 62
                self.now += seconds
            elif wait := self.server.answer(self.now):
                gate.refused(permit, wait)
            else:
                gate.passed(permit)
                sent += 1
                if sent == 20:
                    return
        raise AssertionError(f"only {sent} of 20 requests went: {self.cell.read()}")


GateMachine.TestCase.settings = settings(
    max_examples=int(os.environ.get("RESPAN_EXAMPLES", "200")), stateful_step_count=60
)
TestGateMachine = GateMachine.TestCase
