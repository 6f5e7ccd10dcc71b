"""Find the current score of a log by an evaluator: a label of the outbox, or a score in Respan.

The outbox has the labels entered on this machine; a look-up finds the scores that Respan had when
it began. A label that was changed or answered after that is newer than the look-up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from respan_notebook.client.client import RespanClient
from respan_notebook.labelling.outbox.label import DELIVERED, QUEUED, Label, encode_previous
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.models import Evaluator, Score
from respan_notebook.values.encoding import decode_value
from respan_notebook.values.types import find_type

NOWHERE: Final = ""
KEPT: Final = "kept"
IN_RESPAN: Final = "in Respan"


@dataclass(frozen=True)
class CurrentScore:
    """Hold the score that a log has by one evaluator.

    Attributes
    ----------
    fields : dict or None
        The fields of the score: value, explanation and context. None for no score.
    place : str
        ``"in Respan"`` for one that a look-up found, else the state of the label: ``"queued"``,
        ``"delivered"`` or ``"refused"``; ``"kept"`` where labels are not sent. Empty for no score.
    scorer : str or None
        The scorer of one that a look-up found.
    is_certain : bool
        Whether this is surely the person's own score, or surely none. It is not while the owner of
        the key is unknown, or the log was not looked up.
    score_id : str or None
        Respan's id of the score.
    version : int
        The version of the label in the outbox, 0 for none: see :attr:`Change.seen`.
    previous : dict or None
        The body that writes the score again. None for no score, or one that can't be written.
    """

    fields: Mapping[str, Any] | None = None
    place: str = NOWHERE
    scorer: str | None = None
    is_certain: bool = False
    score_id: str | None = None
    version: int = 0
    previous: Mapping[str, Any] | None = None

    @property
    def is_scored(self) -> bool:
        """Tell whether the person has scored the log; another's score does not count."""
        return self.fields is not None and self.is_certain

    @property
    def is_known(self) -> bool:
        """Tell whether a save can put it back; the sender looks up one that is not known."""
        return self.is_certain and (self.fields is None or self.previous is not None)

    @property
    def explanation(self) -> str:
        """The person's own explanation; empty for another's, and for a score of unknown owner."""
        return str((self.fields or {}).get("explanation") or "") if self.is_certain else ""


class CurrentScores:
    """Find the current score of a log; the only place that decides which score that is.

    Parameters
    ----------
    evaluators : iterable of Evaluator
        The evaluators of the annotator.
    client : RespanClient or None
        Has the owner of the key after its first write. None: no scores but the outbox's count.
    outbox : Outbox
        Has the owner of the key from earlier sessions.
    """

    def __init__(
        self, evaluators: Iterable[Evaluator], client: RespanClient | None, outbox: Outbox
    ) -> None:
        self._evaluators = {one.id_or_slug: one for one in evaluators}
        self._client, self._outbox = client, outbox
        self._stored_scorer: str | None = None
        self._scores: dict[str, dict[str, list[Score]]] = {}  # Log -> evaluator -> scores.
        self._began: dict[str, int] = {}  # Log -> the order number when its look-up began.

    @property
    def scorer(self) -> str | None:
        """The owner of the key; None before the first write with it on this machine."""
        if self._client is not None and self._client.scorer is not None:
            return self._client.scorer
        if self._stored_scorer is None:
            self._stored_scorer = self._outbox.accounts.scorer
        return self._stored_scorer

    @property
    def log_ids(self) -> list[str]:
        """The logs that were looked up."""
        return list(self._scores)

    def store_found(self, log_ids: Sequence[str], scores: Sequence[Score], began: int) -> None:
        """Store the scores that a look-up found; ``began`` is the order number at its begin."""
        for log_id in log_ids:
            self._scores[log_id], self._began[log_id] = {}, began
        for score in scores:
            of_log = self._scores.get(score.log_id or "", {})
            for name, evaluator in self._evaluators.items():
                if _is_by(score, evaluator):
                    of_log.setdefault(name, []).append(score)

    def find(self, log_id: str, evaluator: Evaluator, label: Label | None) -> CurrentScore:
        """Return the current score of a log; ``label`` is the outbox's, None when it has none."""
        version = label.version if label is not None else 0
        if label is not None and not self._is_lookup_newer(log_id, label):
            if label.removed:
                return CurrentScore(is_certain=True, score_id=label.score_id, version=version)
            return CurrentScore(
                label.body,
                KEPT if self._client is None and label.state == QUEUED else label.state,
                is_certain=True,
                score_id=label.score_id,
                version=version,
                previous=label.body,
            )
        is_certain = self._client is None or (self.scorer is not None and log_id in self._began)
        score = self._looked_up(log_id, evaluator)
        if score is None:
            return CurrentScore(is_certain=is_certain, version=version)
        kind = find_type(evaluator.score_value_type)
        previous = encode_previous(score, evaluator.reference, kind.field) if kind else None
        return CurrentScore(
            score.model_dump(),
            IN_RESPAN,
            score.scorer,
            is_certain,
            score.id if is_certain else None,
            version,
            previous if is_certain else None,
        )

    def _is_lookup_newer(self, log_id: str, label: Label) -> bool:
        return (
            label.state == DELIVERED
            and self.scorer is not None
            and self._began.get(log_id, -1) >= max(label.answered_at, label.version)
        )

    def _looked_up(self, log_id: str, evaluator: Evaluator) -> Score | None:
        """Return the owner's score in Respan; while the owner is unknown, the only score."""
        scores = self._scores.get(log_id, {}).get(evaluator.id_or_slug, [])
        if self.scorer is not None:
            mine = [score for score in scores if score.scorer == self.scorer]
            return mine[0] if mine else None
        return scores[0] if len(scores) == 1 else None


def _is_by(score: Score, evaluator: Evaluator) -> bool:
    """Return whether a score is by an evaluator: by id, or by slug where one has no id."""
    if score.evaluator_id and evaluator.id:
        return evaluator.id in score.evaluator_names
    return evaluator.slug_or_id in score.evaluator_names


def entered_value(fields: Mapping[str, Any], evaluator: Evaluator) -> Any:
    """Return the value in a score's fields as an editor has it; None when there is none.

    JSON stays text, which the editor shows as it was written.
    """
    kind = find_type(evaluator.score_value_type)
    value = fields.get(kind.field) if kind else None
    if kind is None or value is None or kind.field == "json_value":
        return value
    return decode_value(value, kind, evaluator)
