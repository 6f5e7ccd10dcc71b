"""Show the progress of a push: a bar with rate, time left and the reason of every wait."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from respan_notebook.client.gate import Gate
from respan_notebook.client.rate import Limit
from respan_notebook.client.retry import RetryBudget
from respan_notebook.wording import render_duration

_REASON: Final = 100  # Characters of a reason that the bar shows.
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
    return f"keeping to {limit[0]} in {limit[1]:.3g} s" if limit else ""


class ProgressBar:
    """Draw a bar of the scores that are done, from the thread that opened it."""

    def __init__(self, bar: Any, note: str) -> None:
        self._bar, self._note = bar, note

    def show(self, done: int, reason: str) -> None:
        """Show the number of scores that are done, and the reason why the others wait."""
        note = "" if done else self._note
        self._bar.set_postfix_str((reason or note)[:_REASON], refresh=False)
        # Where nothing moves, tqdm draws nothing by itself.
        if not self._bar.update(done - self._bar.n) and reason:
            self._bar.refresh()

    def advance(self, more: int) -> None:
        """Show that some more scores are done."""
        self._bar.set_postfix_str("", refresh=False)
        self._bar.update(min(more, self._bar.total - self._bar.n))

    def announce(self, reason: str, seconds: float) -> None:
        """Show the reason of a wait that begins."""
        self._bar.set_postfix_str(f"{reason[:_REASON]}; waiting {seconds:.1f} s")


@contextmanager
def progress_bar(
    total: int, *, shown: bool, title: str | None = None, note: str = ""
) -> Iterator[ProgressBar]:
    """Open a bar of so many scores."""
    from tqdm.auto import tqdm  # Slow to import, and a dry run needs none.

    is_off = not (shown and total) or sys.stderr is None  # As in a program without a console.
    with tqdm(total=total, unit=" scores", desc=title, disable=is_off) as bar:
        bar.set_postfix_str(note)
        yield ProgressBar(bar, note)
