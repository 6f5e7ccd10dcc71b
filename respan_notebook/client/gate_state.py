"""Decide which requests may go: the state of a gate, and its transitions, without time or I/O.

A 429 holds all requests; then one probe goes first, and the number of requests that had passed
before the 429 becomes the limit, which is raised a little after a time without another 429.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Self

from respan_notebook.client.rate import Counts, Limit, Window, shift
from respan_notebook.client.settings import RequestSettings

LONGEST_NAMED: Final = 3600.0
"""Seconds that a 429 may name; more is taken for a mistake, such as a date in place of a time."""

PROBE_LOOK: Final = 0.02
"""Seconds until it is looked again whether the probe is back."""

_LOOK_BACK: Final = 60.0  # Seconds before a 429 in which passed requests count.
_STEP: Final = 0.25  # Seconds in which passed requests are counted together.
_PATIENCE: Final = 4  # Spans without a 429 before one request more is tried.
_MOST_PATIENCE: Final = 64
_FORGET: Final = 900.0  # Seconds without a request after which what was learned is forgotten.
_SAME_MOMENT: Final = 1.0  # Seconds that two processes' readings of one clock are apart at most.


class Permit(NamedTuple):
    """Say how a request was let through.

    Attributes
    ----------
    hold : int
        The number of holds before it.
    is_counted : bool
        Whether the windows have counted it; they have not where the gate was open.
    """

    hold: int
    is_counted: bool


@dataclass(frozen=True)
class GateState:
    """Hold what is known of the limits of one server and key, at one moment.

    Attributes
    ----------
    now : float
        The clock at the last transition, in seconds.
    holds : int
        The number of holds so far; see :class:`Permit`.
    refusals : int
        Holds in a row, without a request that passed in between.
    held_until : float
        The clock at which the hold of a 429 ends.
    prober, probing_since : str, float
        The process whose probe is out, empty when there is none, and the clock when it went.
    learned, given : Window, tuple of Window
        The limits that are kept: one learned from 429s, and those that pushes have asked for.
    """

    now: float = 0.0
    holds: int = 0
    refusals: int = 0
    held_until: float = 0.0
    prober: str = ""
    probing_since: float = 0.0
    learned: Window | None = None
    given: tuple[Window, ...] = ()
    sent: int = 0  # Requests that were counted.
    passed: Counts = ()  # Requests answered, and not with 429.
    start: float = 0.0  # Of the time in which they count.
    is_counting: bool = False  # Whether late answers still add to the learned limit.
    good: Limit | None = None  # The limit before a little more was tried.
    clean: int = 0  # Requests passed since the limit changed.
    more: int = 1  # Requests by which the limit is raised next.
    patience: int = _PATIENCE
    needed: int = _PATIENCE  # Spans without a 429 until then.

    @property
    def is_open(self) -> bool:
        """Tell whether requests may go without a permit from here: nothing is limited or held."""
        return not (self.refusals or self.given or self.learned) and self.held_until <= self.now

    @property
    def windows(self) -> tuple[Window, ...]:
        """All limits that are kept."""
        return (*self.given, self.learned) if self.learned else self.given

    @property
    def limit(self) -> Limit | None:
        """The strictest limit, None when there is none."""
        limits = [window.limit for window in self.windows]
        return min(limits, key=lambda limit: limit[0] / limit[1], default=None)

    @property
    def owners(self) -> set[str]:
        """The processes that have given a limit, or whose probe is out."""
        return {window.owner for window in self.given} | ({self.prober} - {""})

    def at(self, now: float, longest_probe: float = math.inf) -> Self:
        """Return the state at another reading of the clock.

        Where the clock began anew, as after a restart of the machine, no time has passed. A probe
        that is out for longer than `longest_probe` is given up.
        """
        if now < self.now - _SAME_MOMENT:
            return self._shift(now - self.now).at(now, longest_probe)
        state = replace(self, now=max(now, self.now))
        if state.prober and state.now - state.probing_since > longest_probe:
            state = replace(state, prober="")
        if state.now - max(self.now, self.held_until) > _FORGET:
            return replace(type(self)(), now=state.now, holds=self.holds, given=self.given)
        return state

    def request(self, owner: str, jitter: float) -> tuple[Self, float]:
        """Request a permit; return the seconds to wait, 0 when the request may go.

        `jitter`, from 0 to 1, spreads those who wait for one moment.
        """
        if self.now < self.held_until:
            return self, self.held_until - self.now + jitter * PROBE_LOOK
        if self.prober:
            return self, (1 + jitter) * PROBE_LOOK
        wait = max((window.wait(self.now) for window in self.windows), default=0.0)
        if wait > 0:
            return self, wait
        state = self._add(1)
        if self.refusals:
            state = replace(state, prober=owner, probing_since=self.now)
            state = replace(state, start=self.now, passed=(), is_counting=False)
        return state, 0.0

    def estimate(self, requests: int) -> float:
        """Return the seconds until so many more requests have gone, as far as limits are known."""
        held = max(0.0, self.held_until - self.now)
        waits = [window.wait(self.now + held, requests) for window in self.windows]
        return held + max(waits, default=0.0)

    def record(self, permit: Permit, requests: int, since: float) -> Self:
        """Record requests that were answered, and not with 429, the first of them sent at `since`.

        Those that went while the gate was open are counted now.
        """
        state = self if permit.is_counted else self._add(requests)
        if permit.hold == self.holds:
            return state._count(requests, since)._speed_up(requests)
        if permit.hold == self.holds - 1 and state.learned and self.is_counting:
            # They went before the hold, and count for the learned limit.
            learned = replace(state.learned, count=state.learned.count + requests)
            state = replace(state, learned=learned)
        return state

    def end_probe(self, owner: str) -> Self:
        """Record that a probe got no answer; another one may go."""
        return replace(self, prober="") if owner == self.prober else self

    def refuse(
        self, permit: Permit, retry_after: float | None, settings: RequestSettings, jitter: float
    ) -> Self:
        """Record a 429, and hold all requests.

        A time that the server names is believed up to an hour, and kept to up to
        ``settings.longest_hold``.
        """
        if retry_after is not None and retry_after > LONGEST_NAMED:
            retry_after = None
        if permit.hold != self.holds:  # Went before the hold that is on.
            named = min(retry_after or 0.0, settings.longest_hold)
            return replace(self, held_until=max(self.held_until, self.now + named))
        state = replace(self, holds=self.holds + 1, refusals=self.refusals + 1, prober="")
        wait = state._hold(retry_after, settings, jitter)
        state = replace(state, held_until=self.now + wait)
        return state._learn(wait, is_informed=retry_after is not None)

    def give(self, owner: str, limit: Limit) -> Self:
        """Keep to a further limit, which counts the requests that passed before as well."""
        window = Window(*limit, owner).load(self.passed, _STEP)
        return replace(self, given=(*self.given, window))

    def take_back(self, owner: str, limit: Limit) -> Self:
        """Keep to a given limit no longer."""
        given = self.given
        same = [
            n for n, window in enumerate(given) if (window.owner, window.limit) == (owner, limit)
        ]
        if not same:
            return self
        # Of two alike the later one goes, which may have counted less.
        return replace(self, given=given[: same[-1]] + given[same[-1] + 1 :])

    def without(self, owners: Collection[str]) -> Self:
        """Forget the limits and probes of processes that have ended."""
        given = tuple(window for window in self.given if window.owner not in owners)
        return replace(self, given=given, prober="" if self.prober in owners else self.prober)

    def alone(self, owner: str) -> Self:
        """Return the state from which a process goes on by itself."""
        return replace(self.without(self.owners - {owner}), sent=0)

    def rejoin(self, owner: str, alone: Self) -> Self:
        """Take up the limits, the hold and the requests of a process that went on by itself.

        The requests count as if they all went with the last one.
        """
        state = self.at(max(self.now, alone.now)).end_probe(owner)
        before = Counter(window.limit for window in self.given if window.owner == owner)
        after = Counter(window.limit for window in alone.given)
        for limit in (before - after).elements():
            state = state.take_back(owner, limit)
        for limit in (after - before).elements():
            state = state.give(owner, limit)
        held_until = max(state.held_until, alone.held_until)
        return replace(state._add(alone.sent), held_until=held_until)

    def _add(self, requests: int) -> Self:
        """Count requests in all windows."""
        return replace(
            self,
            sent=self.sent + requests,
            learned=self.learned and self.learned.add(self.now, requests),
            given=tuple(window.add(self.now, requests) for window in self.given),
        )

    def _shift(self, seconds: float) -> Self:
        return replace(
            self,
            now=self.now + seconds,
            held_until=self.held_until + seconds,
            probing_since=self.probing_since + seconds,
            start=self.start + seconds,
            passed=shift(self.passed, seconds, _STEP),
            learned=self.learned and self.learned.shift(seconds),
            given=tuple(window.shift(seconds) for window in self.given),
        )

    def _count(self, requests: int, since: float) -> Self:
        """Count passed requests; after a time without any, the time in which they count begins."""
        number = math.ceil(self.now / _STEP)
        first = number - _LOOK_BACK / _STEP
        passed = [entry for entry in self.passed if entry[0] > first]
        start = self.start if passed or self.refusals else min(since, self.now)
        if passed and passed[-1][0] >= number:
            requests += passed.pop()[1]
        passed.append((number, requests))
        return replace(self, passed=tuple(passed), start=start, refusals=0, prober="")

    def _hold(self, retry_after: float | None, settings: RequestSettings, jitter: float) -> float:
        """Return the seconds of a hold."""
        first, longest = settings.hold_backoff, settings.longest_hold_backoff
        backoff = min(longest, first * 2.0 ** min(self.refusals - 1, 60))
        jittered = backoff * (0.5 + jitter / 2)
        if retry_after is None:
            return jittered
        # A server may say 0 over and over.
        floor = jittered if self.refusals > 1 else PROBE_LOOK
        return min(max(retry_after, floor), settings.longest_hold)

    def _learn(self, wait: float, *, is_informed: bool) -> Self:
        """Learn a limit: the requests that passed before the hold, in that time and the wait."""
        first = math.ceil((self.now - _LOOK_BACK) / _STEP)
        passed = sum(requests for number, requests in self.passed if number > first)
        state = replace(self, is_counting=False)
        if not passed:
            return state  # The probe came too early, which shows no rate.
        patience = self.patience
        if self.learned is None:
            looked_back = min(self.now - self.start, _LOOK_BACK)
            count = passed if is_informed else max(1, passed // 2)
            learned = Window(count, looked_back + wait).load(self.passed, _STEP)
            state = replace(state, is_counting=is_informed)
        elif self.good is not None:  # A little more was tried, and was too much.
            learned = self.learned.resize(*self.good)
            patience = min(2 * patience, _MOST_PATIENCE)
        else:
            count, seconds = self.learned.limit
            less = count * 4 // 5 if is_informed else count // 2
            slower = (less, seconds) if less else (1, min(2 * seconds, _LOOK_BACK))
            learned = self.learned.resize(*slower)
        return replace(
            state,
            learned=learned,
            good=None,
            clean=0,
            more=1,
            patience=patience,
            needed=patience,
        )

    def _speed_up(self, requests: int) -> Self:
        """Raise the limit a little after a time without a 429."""
        clean = self.clean + requests
        if self.learned is None or clean < self.needed * self.learned.count:
            return replace(self, clean=clean)
        count, seconds = self.learned.limit
        return replace(
            self,
            good=self.learned.limit,
            learned=self.learned.resize(count + self.more, seconds),
            clean=0,
            more=2 * self.more,
            needed=1,
        )
