"""Measure how long a person takes for a log."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Final

import pandas as pd

LONGEST_PAUSE: Final = 120.0
"""Seconds; what a log takes beyond them is taken for a pause, and cut."""
_LATEST: Final = 20


class Pace:
    """Measure the seconds from the showing of a log to its saving or skipping.

    ``clock`` returns seconds, as ``time.monotonic`` does.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._shown: tuple[str | None, float] = (None, 0.0)
        self._taken: list[tuple[str, float]] = []

    def show(self, log_id: str | None) -> None:
        """Note that a log is shown from now on."""
        self._shown = log_id, self._clock()

    def finish(self) -> None:
        """Note that the log that is shown was saved or skipped."""
        log_id, since = self._shown
        if log_id is not None:
            self._taken.append((log_id, min(self._clock() - since, LONGEST_PAUSE)))

    def seconds_for(self, logs: int) -> float | None:
        """Return the seconds that so many logs will take: by the median of the last 20.

        None before the first log is finished. Logs that took two minutes or longer do not count.
        """
        latest = [s for _, s in self._taken if s < LONGEST_PAUSE][-_LATEST:]
        return statistics.median(latest) * logs if latest else None

    def frame(self) -> pd.DataFrame:
        """Return a row per finished log: ``log_id`` (object) and ``seconds`` (float64)."""
        log_ids = pd.Series([log_id for log_id, _ in self._taken], dtype=object)
        seconds = pd.Series([seconds for _, seconds in self._taken], dtype=float)
        return pd.DataFrame({"log_id": log_ids, "seconds": seconds})
