"""Hold a label: one score as a person entered it, and whether Respan has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WAITING, SENT, REFUSED = "waiting", "sent", "refused"


@dataclass(frozen=True)
class Label:
    """A label as the outbox has it.

    Attributes
    ----------
    log_id, evaluator : str
        What it is about; the evaluator by id, else by slug.
    body : dict
        The score as it is sent. Of a removed one, the last that it had.
    removed : bool
        Whether the person took the score back.
    version : int
        Another one after every change.
    state : {"waiting", "sent", "refused"}
        Whether Respan has this version.
    tried : bool
        Whether Respan may have a score, of whatever version.
    settled : int
        When Respan last answered, in nanoseconds since 1970; 0 before.
    score_id : str or None
        Respan's id of the score, once it is known.
    reason : str or None
        Why it was refused.
    """

    log_id: str
    evaluator: str
    body: Mapping[str, Any]
    removed: bool = False
    version: int = 1
    state: str = WAITING
    tried: bool = False
    settled: int = 0
    score_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Change:
    """What a save does to one score of a log.

    Attributes
    ----------
    evaluator : str
        Its id, else its slug.
    body : dict
        The score to send; with ``removed``, the one to take away.
    removed : bool
        Whether there is to be no score any more.
    known : bool
        Whether it is known what was there before.
    previous : dict or None
        The score that was there before, None for none.
    score_id : str or None
        Respan's id of the score that was there before.
    """

    evaluator: str
    body: Mapping[str, Any]
    removed: bool = False
    known: bool = True
    previous: Mapping[str, Any] | None = None
    score_id: str | None = None
