"""Read rates such as ``60/min``, and count requests over a sliding window."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Final, Self

from respan_notebook.errors import ConfigurationError

Limit = tuple[int, float]
"""A number of requests, in any so many seconds."""

Counts = tuple[tuple[int, int], ...]
"""Requests over time: pairs of the number of a step and the requests in it, by time."""

SLACK: Final = 1.02
"""Windows are longer by this factor: the server sees requests later than the gate permits them."""

_STEPS: Final = 256  # Of a window, in which requests are counted together.
_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "second"), 1.0),
    **dict.fromkeys(("m", "min", "minute"), 60.0),
    **dict.fromkeys(("h", "hour"), 3600.0),
}
_SHORT: Final = {1.0: "s", 60.0: "min", 3600.0: "h"}


def parse_rate(rate: str) -> Limit:
    """Parse a rate such as ``"60/min"``, ``"5/s"`` or ``"60/6s"``; else ConfigurationError."""
    match = re.fullmatch(r"(\d+)/(\d+(?:\.\d+)?)?([a-z]+)", str(rate).replace(" ", "").lower())
    unit = match and (_UNITS.get(match[3]) or _UNITS.get(match[3].removesuffix("s")))
    if not match or not unit or int(match[1]) < 1 or float(match[2] or 1) <= 0:
        raise ConfigurationError(f'a rate looks like "60/min", "5/s" or "60/6s", got {rate!r}')
    return int(match[1]), float(match[2] or 1) * unit


def render_rate(limit: Limit) -> str:
    """Return a limit as a rate such as ``60/min`` or ``60 in 6 s``; an odd one is rounded."""
    count, seconds = limit
    if seconds in _SHORT:
        return f"{count:,}/{_SHORT[seconds]}"
    if seconds == round(seconds, 1):
        return f"{count:,} in {seconds:g} s"
    unit = 1.0 if count > seconds else 60.0 if 60 * count > seconds else 3600.0
    return f"about {count / seconds * unit:,.3g}/{_SHORT[unit]}"


@dataclass(frozen=True)
class Window:
    """Keep to a number of requests in any so many seconds.

    Attributes
    ----------
    count : int
        Requests that may go in any `seconds`.
    seconds : float
        The length of the window.
    owner : str
        The process that has given the limit; empty for a learned one.
    log : Counts
        The requests of the last `seconds`, in steps of a part of them.
    """

    count: int
    seconds: float
    owner: str = ""
    log: Counts = ()

    @property
    def limit(self) -> Limit:
        """The number of requests, and the seconds."""
        return self.count, self.seconds

    @property
    def step(self) -> float:
        """The seconds in which requests are counted together."""
        return self.seconds * SLACK / _STEPS

    def wait(self, now: float, requests: int = 1) -> float:
        """Return the seconds until so many more requests have gone, from one on."""
        windows, requests = divmod(requests - 1, self.count)
        return windows * self.seconds * SLACK + self._wait(now, requests + 1)

    def _wait(self, now: float, requests: int) -> float:
        first = now / self.step - _STEPS  # Steps up to here are out of the window.
        free = self.count - sum(n for number, n in self.log if number > first)
        for number, n in self.log:
            if free >= requests:
                break
            if number > first:
                free += n
                if free >= requests:
                    return (number + _STEPS) * self.step - now
        return 0.0

    def add(self, now: float, requests: int = 1) -> Self:
        """Count requests that go now."""
        number = math.ceil(now / self.step)
        log = [entry for entry in self.log if entry[0] > number - _STEPS - 1]
        if log and log[-1][0] >= number:
            log[-1] = log[-1][0], log[-1][1] + requests
        else:
            log.append((number, requests))
        return replace(self, log=tuple(log))

    def resize(self, count: int, seconds: float) -> Self:
        """Return the window of another limit, with the requests of this one."""
        other = replace(self, count=count, seconds=seconds)
        return (
            other if seconds == self.seconds else replace(other, log=()).load(self.log, self.step)
        )

    def load(self, counts: Counts, step: float) -> Self:
        """Count requests that went before, by steps of so many seconds."""
        window = self
        for number, requests in counts:
            window = window.add(number * step, requests)
        return window

    def shift(self, seconds: float) -> Self:
        """Return the window on a clock that shows so much more."""
        return replace(self, log=shift(self.log, seconds, self.step))


def shift(counts: Counts, seconds: float, step: float) -> Counts:
    """Move counts by so many seconds."""
    steps = round(seconds / step)
    return tuple((number + steps, requests) for number, requests in counts)
