"""Record what became of each score of a push, in columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from respan_notebook.models import Score

STATUSES: Final = (
    "created",
    "updated",
    "unchanged",
    "skipped",
    "duplicate",
    "invalid",
    "failed",
    "not_sent",
)
"""What can become of a score; see :class:`respan_notebook.PushReport`."""
CREATED, UPDATED, UNCHANGED, SKIPPED, DUPLICATE, INVALID, FAILED, NOT_SENT = range(len(STATUSES))


@dataclass(frozen=True)
class Result:
    """What became of one score that was sent, or found on the server.

    Attributes
    ----------
    status : int
        Position in :data:`STATUSES`: created, updated, unchanged or failed.
    http_status : int
        0 where there was no answer.
    attempts : int
        Requests sent.
    seconds : float
        From the first attempt to the last answer; NaN where that is not known.
    score : Score or None
        As the server has it; None unless it arrived.
    error : str
        Why it failed; empty when it did not.
    """

    status: int
    http_status: int = 0
    attempts: int = 0
    seconds: float = np.nan
    score: Score | None = None
    error: str = ""


class Outcomes:
    """What became of each score of a plan; :meth:`record` writes what the engine gives.

    Attributes
    ----------
    status : int8 array
        Position in :data:`STATUSES`.
    http_status : int16 array
        0 where there was no answer.
    attempts : int16 array
        Requests sent.
    seconds : float64 array
        From the first attempt to the last answer; NaN where nothing was sent.
    score_ids, is_passed : list
        From the answer; None where there is none.
    errors : dict of int to str
        Score -> why it did not arrive.
    stopped : str
        Why the scores that are left were not sent, empty when all were.
    """

    def __init__(self, size: int) -> None:
        self.status: npt.NDArray[np.int8] = np.full(size, NOT_SENT, np.int8)
        self.http_status: npt.NDArray[np.int16] = np.zeros(size, np.int16)
        self.attempts: npt.NDArray[np.int16] = np.zeros(size, np.int16)
        self.seconds: npt.NDArray[np.float64] = np.full(size, np.nan)
        self.score_ids: list[str | None] = [None] * size
        self.is_passed: list[bool | None] = [None] * size
        self.errors: dict[int, str] = {}
        self.stopped = ""

    def having(self, *statuses: int) -> npt.NDArray[np.int64]:
        """Return the scores that have one of the statuses, in order."""
        return np.flatnonzero(np.isin(self.status, statuses))

    def refuse(self, i: int, status: int, error: str) -> None:
        """Record that a score is not sent, and why."""
        self.status[i], self.errors[i] = status, error

    def record(self, i: int, result: Result) -> None:
        """Record what became of a score."""
        self.status[i] = result.status
        self.attempts[i] += result.attempts
        if not np.isnan(result.seconds):
            self.http_status[i], self.seconds[i] = result.http_status, result.seconds
        if result.error:
            self.errors[i] = result.error
        else:
            self.errors.pop(i, None)
        if result.score is not None:
            passed = result.score.is_passed
            self.score_ids[i] = result.score.id
            self.is_passed[i] = passed if isinstance(passed, bool) else None
