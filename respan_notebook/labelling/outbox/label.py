"""Hold labels, the changes that saves make to them, and their counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from respan_notebook.models import VALUE_FIELDS, Score, ScoreWrite, Upsert

QUEUED, DELIVERED, REFUSED = "queued", "delivered", "refused"
"""The states of a label."""

IN_FILE: Final = {QUEUED: "waiting", DELIVERED: "sent", REFUSED: "refused"}
"""The words of the first release, which stay in the file."""
FROM_FILE: Final = {word: state for state, word in IN_FILE.items()}


@dataclass(frozen=True)
class Label:
    """Hold a label as it is in the outbox: a score that a person entered, and its delivery.

    Attributes
    ----------
    evaluator : str
        The evaluator by id, else by slug.
    upsert : Upsert
        Log and body of the score; for a removed score, its last one.
    removed : bool
        Whether the person removed the score.
    version : int
        The order number of the last change, which no other change has.
    state : {"queued", "delivered", "refused"}
        The state of this version.
    tried : bool
        Whether Respan may have the score, in any version.
    answered_at : int
        The order number of Respan's last answer; 0 before the first.
    score_id : str or None
        Respan's id of the score; None while it is not known.
    reason : str or None
        The reason of a refusal.
    """

    evaluator: str
    upsert: Upsert
    removed: bool = False
    version: int = 1
    state: str = QUEUED
    tried: bool = False
    answered_at: int = 0
    score_id: str | None = None
    reason: str | None = None

    @property
    def log_id(self) -> str:
        """The log's ``unique_id``."""
        return self.upsert.log_id

    @property
    def body(self) -> Mapping[str, Any]:
        """The body of the score."""
        return self.upsert.body


@dataclass(frozen=True)
class Change:
    """Hold the change that a save makes to one score of a log.

    Attributes
    ----------
    evaluator : str
        Its id, else its slug.
    upsert : Upsert
        The log, and the body to send; with ``removed``, that of the score to remove.
    removed : bool
        Whether the score is to be removed.
    known : bool
        Whether the previous score is known; the sender looks up one that is not.
    previous : dict or None
        The body of the previous score, None for no score.
    score_id : str or None
        Respan's id of the previous score, as the last look-up or answer gave it.
    definition : str
        What the value was validated against, by ``definition_of``; empty for nothing.
    seen : int or None
        The version of the label that was seen when the change was made, 0 for none. A label that
        was changed since counts as the previous score. None where that does not matter.
    """

    evaluator: str
    upsert: Upsert
    removed: bool = False
    known: bool = True
    previous: Mapping[str, Any] | None = None
    score_id: str | None = None
    definition: str = ""
    seen: int | None = None

    @property
    def log_id(self) -> str:
        """The log's ``unique_id``."""
        return self.upsert.log_id


@dataclass(frozen=True)
class Counts:
    """Count scores by state; removals that are not delivered yet count as queued."""

    queued: int = 0
    delivered: int = 0
    refused: int = 0


def encode_previous(score: Score, like: Mapping[str, Any], field: str) -> dict[str, Any] | None:
    """Return the body that writes a score again, with evaluator and context of another body.

    None when it can't be written: a score stored by an older version of the server may not fit.
    """
    context = {name: v for name, v in like.items() if name not in (*VALUE_FIELDS, "explanation")}
    body = {**context, field: getattr(score, field)}
    if score.explanation:
        body["explanation"] = score.explanation
    try:
        return ScoreWrite.model_validate(body).body()
    except ValueError:
        return None


def value_field_of(body: Mapping[str, Any]) -> str:
    """Return the field that holds the value of a score's body."""
    return next(name for name in VALUE_FIELDS if body.get(name) is not None)
