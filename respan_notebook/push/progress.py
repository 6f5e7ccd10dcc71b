"""Show the progress of a push: a bar with rate, time left and the reason of every wait."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from respan_notebook.client.gate import Gate
from respan_notebook.client.rate import Limit, render_rate
from respan_notebook.client.retry import RetryBudget
from respan_notebook.wording import render_duration

_REASON: Final = 60  # Characters of a reason that the bar shows; more would hide it in a notebook.
_SPAN: Final = 5.0  # Seconds over which a rate without a limit is measured.
_AS_LIMITED: Final = 0.75  # Part of a limit's rate that is taken for it: requests come in bursts.
_LEAST_WAIT: Final = 0.5  # Seconds of a wait that is shown.
_FORMAT: Final = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"
_MANY: Final = 500  # Scores from which on their number is announced.


def estimate_duration(scores: int, limit: Limit | None) -> str:
    """Return the time that so many scores take under a limit, in words; "" without one."""
    if limit is None or scores == 0:
        return ""
    count, seconds = limit
    duration = render_duration((scores - 1) // count * seconds)
    return f"about {duration} at {count} in {seconds:g} s"


def announce_scores(scores: int, limit: Limit | None) -> str:
    """Return how many scores will be written, and how long a limit makes that; "" for few.

    Respan probably meters the scores that it stores.
    """
    number = f"{scores:,} scores will be written" if scores > _MANY else ""
    return ", ".join(part for part in (number, estimate_duration(scores, limit)) if part)


def wait_reason(gate: Gate, budget: RetryBudget) -> str:
    """Return the reason why requests wait at the moment, "" while none waits."""
    held, limit = gate.held(), gate.limit
    if held:
        return f"the server asks to wait, {math.ceil(held)} s more"
    if budget.status:
        return f"trying again after: {budget.status}"
    return f"limited to {render_rate(limit)}" if limit else ""


class ProgressBar:
    """Draw a bar of the scores that are done.

    Its rate and time left are those of the limit that is kept, or of the last seconds. It is drawn
    anew every second, also where nothing moves.

    Parameters
    ----------
    bar : tqdm.tqdm
        Draws.
    note : str
        What is said until the first score is done.
    clock : Callable
        Returns seconds that never go back.
    """

    def __init__(
        self, bar: Any, note: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._bar, self._note, self._clock = bar, note, clock
        self._drawn = clock()
        self._past = deque([(self._drawn, 0)])  # Times and scores done, a second apart.

    def show(self, done: int, in_flight: int, gate: Gate, budget: RetryBudget) -> None:
        """Show the number of scores that are done, why the others wait, and for how long."""
        now, left, limit = self._clock(), self._bar.total - done, gate.limit
        rate = self._measure(now, done, 2 * limit[1] if limit else _SPAN)
        seconds, waiting = gate.estimate(left - in_flight), 0.0
        if rate and not (limit and rate > _AS_LIMITED * limit[0] / limit[1]):
            seconds = max(seconds, left / rate)  # Slower than the limit, as where others send, too.
        if left > in_flight and not gate.held():
            waiting = gate.estimate(1)
        reason = wait_reason(gate, budget)[:_REASON] or (f"{rate:,.3g} scores/s" if rate else "")
        parts = [
            "" if done or gate.held() else self._note,
            reason,
            f"waiting {math.ceil(waiting)} s" if waiting >= _LEAST_WAIT else "",
            f"about {render_duration(seconds)} left" if left and seconds else "",
        ]
        self._bar.set_postfix_str(", ".join(filter(None, parts)), refresh=False)
        if self._bar.update(done - self._bar.n):
            self._drawn = now
        elif now - self._drawn >= 1:
            self._bar.refresh()
            self._drawn = now

    @contextmanager
    def ticking(self, gate: Gate, budget: RetryBudget) -> Iterator[None]:
        """Show every second why a with block waits, by a thread: the block may wait for answers."""
        ended = threading.Event()

        def tick() -> None:
            while not ended.wait(1):
                self._bar.set_postfix_str(wait_reason(gate, budget)[:_REASON])

        ticker = threading.Thread(target=tick, daemon=True)
        with suppress(RuntimeError):  # The system has no thread left.
            ticker.start()
        try:
            yield
        finally:
            ended.set()
            if ticker.ident:
                ticker.join()

    def advance(self, more: int) -> None:
        """Show that some more scores are done."""
        self._bar.update(min(more, self._bar.total - self._bar.n))

    def _measure(self, now: float, done: int, span: float) -> float:
        """Return the scores per second of the last seconds; 0 when too few have gone by."""
        if now - self._past[-1][0] >= 1:
            self._past.append((now, done))
        while len(self._past) > 1 and self._past[1][0] <= now - span:
            self._past.popleft()
        start, before = self._past[0]
        return (done - before) / (now - start) if now - start >= min(span, _SPAN) / 2 else 0.0


@contextmanager
def progress_bar(
    total: int, *, shown: bool, title: str | None = None, note: str = ""
) -> Iterator[ProgressBar]:
    """Open a bar of so many scores."""
    from tqdm.auto import tqdm  # Slow to import, and a dry run needs none.

    is_off = not (shown and total) or sys.stderr is None  # As in a program without a console.
    with tqdm(total=total, unit=" scores", desc=title, disable=is_off, bar_format=_FORMAT) as bar:
        bar.set_postfix_str(note)
        yield ProgressBar(bar, note)


@contextmanager
def counting_bar(
    title: str, unit: str, total: int | None, *, shown: bool
) -> Iterator[Callable[[int], object]]:
    """Open a bar that counts what was read, of a total that may not be known.

    Given is the function that counts some more.
    """
    from tqdm.auto import tqdm

    is_off = not shown or sys.stderr is None
    with tqdm(total=total, unit=f" {unit}", desc=title, disable=is_off) as bar:
        yield bar.update
