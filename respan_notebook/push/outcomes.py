"""Record the outcome of each score of a push, in columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from respan_notebook.models import Score
from respan_notebook.wording import render_foreign

STATUSES: Final = (
    "created",
    "updated",
    "unchanged",
    "resumed",
    "skipped",
    "duplicate",
    "invalid",
    "failed",
    "not_sent",
)
"""The statuses of a score; :class:`respan_notebook.PushReport` describes them."""
(
    CREATED,
    UPDATED,
    UNCHANGED,
    RESUMED,
    SKIPPED,
    DUPLICATE,
    INVALID,
    FAILED,
    NOT_SENT,
) = range(len(STATUSES))
ARRIVED: Final = (CREATED, UPDATED, UNCHANGED, RESUMED)
"""The statuses of a score that the server has."""


@dataclass(frozen=True)
class Arrived:
    """Hold the parts of an earlier report's line that a resumed push takes over.

    Attributes
    ----------
    http_status : int
        0 where there was no answer.
    is_passed : bool or None
        The evaluator's verdict.
    score_id : str or None
        None where the earlier report does not say.
    """

    http_status: int
    is_passed: bool | None
    score_id: str | None


@dataclass(frozen=True)
class Result:
    """Hold the outcome of one score that was sent, or found on the server.

    Attributes
    ----------
    status : int
        Position in :data:`STATUSES`: created, updated, unchanged or failed.
    http_status : int
        0 where there was no answer.
    attempts : int
        Requests sent.
    seconds : float
        From the first attempt to the last answer; NaN when it was not sent or is in flight still.
    score : Score or None
        The score in the server's answer; None unless it arrived.
    error : str
        The reason why it failed; empty when it did not.
    """

    status: int
    http_status: int = 0
    attempts: int = 0
    seconds: float = np.nan
    score: Score | None = None
    error: str = ""


class Outcomes:
    """Hold the outcome of each score of a plan; the engine writes with :meth:`record`.

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
        Score -> the reason why it did not arrive.
    stopped : str
        The reason why the remaining scores were not sent; empty when all were.
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
        """Return the numbers of the scores with one of these statuses, in order."""
        return np.flatnonzero(np.isin(self.status, statuses))

    def counts(self) -> dict[str, int]:
        """Return the number of scores by status, for the statuses that occur."""
        numbers = np.bincount(self.status, minlength=len(STATUSES)).tolist()
        return {name: n for name, n in zip(STATUSES, numbers, strict=True) if n}

    def refuse(self, i: int, status: int, error: str) -> None:
        """Record the status and error of a score that is not sent."""
        self.status[i], self.errors[i] = status, error

    def take_over(self, i: int, arrived: Arrived) -> None:
        """Record a score that had arrived by an earlier push, as ``resumed``."""
        self.status[i], self.http_status[i] = RESUMED, arrived.http_status
        self.is_passed[i], self.score_ids[i] = arrived.is_passed, arrived.score_id

    def record(self, i: int, result: Result) -> None:
        """Record the result of a score that was sent, or found on the server."""
        self.status[i] = result.status
        self.attempts[i] += result.attempts
        if not np.isnan(result.seconds):
            self.http_status[i], self.seconds[i] = result.http_status, result.seconds
        if result.error:
            self.errors[i] = render_foreign(result.error)
        else:
            self.errors.pop(i, None)
        score = result.score
        passed = score.is_passed if score else None
        self.score_ids[i] = render_foreign(score.id) if score else None
        self.is_passed[i] = passed if isinstance(passed, bool) else None
