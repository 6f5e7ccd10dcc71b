"""Hold a label: a score that a person entered, and its state of delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WAITING, SENT, REFUSED = "waiting", "sent", "refused"


@dataclass(frozen=True)
class Label:
    """Hold a label as it is in the outbox.

    Attributes
    ----------
    log_id, evaluator : str
        The log, and the evaluator by id, else by slug.
    body : dict
        The body of the score; for a removed score, its last one.
    removed : bool
        Whether the person removed the score.
    version : int
        A number that is new after every change.
    state : {"waiting", "sent", "refused"}
        Whether this version is queued, delivered or refused.
    tried : bool
        Whether Respan may have the score, in any version.
    answered_at : int
        Time of Respan's last answer, in nanoseconds since 1970; 0 before the first.
    score_id : str or None
        Respan's id of the score; None while it is not known.
    reason : str or None
        The reason of a refusal.
    """

    log_id: str
    evaluator: str
    body: Mapping[str, Any]
    removed: bool = False
    version: int = 1
    state: str = WAITING
    tried: bool = False
    answered_at: int = 0
    score_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Change:
    """Hold the change that a save makes to one score of a log.

    Attributes
    ----------
    evaluator : str
        Its id, else its slug.
    body : dict
        The body to send; with ``removed``, that of the score to remove.
    removed : bool
        Whether the score is to be removed.
    known : bool
        Whether the previous score is known.
    previous : dict or None
        The body of the previous score, None for no score.
    score_id : str or None
        Respan's id of the previous score.
    """

    evaluator: str
    body: Mapping[str, Any]
    removed: bool = False
    known: bool = True
    previous: Mapping[str, Any] | None = None
    score_id: str | None = None
