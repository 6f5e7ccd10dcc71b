"""Find the current score of a log by an evaluator: a label of the outbox, or a score in Respan.

The outbox has the labels entered on this machine; a look-up finds the scores that Respan had when
it began. A label that was changed after that is newer than the look-up.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from respan_notebook.client.client import RespanClient
from respan_notebook.labelling.outbox.label import SENT, Label
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.sender import encode_previous
from respan_notebook.models import Evaluator, Score
from respan_notebook.values.encoding import decode_value
from respan_notebook.values.types import find_type, value_type

Previous = tuple[Mapping[str, Any] | None, bool, str | None]
"""The body of the score that a save replaces, whether it is known, and Respan's id of the score."""


class CurrentScores:
    """Find the current score of a log; the only place that decides which score that is.

    Parameters
    ----------
    evaluators : iterable of Evaluator
        The evaluators of the annotator.
    client : RespanClient
        Has the owner of the key after its first write.
    outbox : Outbox
        Has the owner of the key from earlier sessions.
    """

    def __init__(
        self, evaluators: Iterable[Evaluator], client: RespanClient, outbox: Outbox
    ) -> None:
        self._identities = {one.id_or_slug for one in evaluators}
        self._client, self._outbox = client, outbox
        self._scores: dict[str, dict[str, list[Score]]] = {}  # Log -> evaluator -> scores.
        self._began: dict[str, int] = {}  # Log -> when its look-up began.
        self._changed: dict[tuple[str, str], int] = {}  # When a save or undo changed a score.

    @property
    def scorer(self) -> str | None:
        """The owner of the key; None before the first write with it on this machine."""
        return self._client.scorer or self._outbox.accounts.scorer

    @property
    def log_ids(self) -> list[str]:
        """The logs that were looked up."""
        return list(self._scores)

    def store_found(self, log_ids: Sequence[str], scores: Sequence[Score], began: int) -> None:
        """Store the scores that a look-up found; ``began`` is in nanoseconds since 1970."""
        for log_id in log_ids:
            self._scores[log_id], self._began[log_id] = {}, began
        for score in scores:
            of_log = self._scores.get(score.log_id or "", {})
            for name in self._identities.intersection(score.evaluator_names):
                of_log.setdefault(name, []).append(score)

    def mark_changed(self, log_id: str, identities: Iterable[str]) -> None:
        """Mark scores as changed by a save or undo, so that earlier look-ups no longer count."""
        self._changed |= {(log_id, one): time.time_ns() for one in identities}

    def is_scored(self, log_id: str, evaluator: Evaluator, label: Label | None) -> bool:
        """Return whether a log has a score by this person."""
        if not self._is_lookup_newer(log_id, evaluator, label):
            return label is not None and not label.removed
        # Before the owner of the key is known, a score may be somebody else's.
        return self.scorer is not None and self._looked_up(log_id, evaluator) is not None

    def fields(
        self, log_id: str, evaluator: Evaluator, label: Label | None
    ) -> tuple[Mapping[str, Any] | None, str]:
        """Return the fields of the current score, None for no score, and its place in words."""
        if self._is_lookup_newer(log_id, evaluator, label):
            score = self._looked_up(log_id, evaluator)
            by = f", by {score.scorer}" if score is not None and score.scorer else ""
            return (None, "") if score is None else (score.model_dump(), f"in Respan{by}")
        assert label is not None, "without a label, the look-up counts"
        if label.removed:
            return None, ""
        return label.body, "in Respan" if label.state == SENT else "saved, on its way"

    def previous(self, log_id: str, evaluator: Evaluator, label: Label | None) -> Previous:
        """Return the score that a save replaces; the sender looks up one that is not known."""
        if not self._is_lookup_newer(log_id, evaluator, label):
            assert label is not None, "without a label, the look-up counts"
            return (None if label.removed else label.body), True, label.score_id
        if self.scorer is None or not self._is_fresh(log_id, evaluator):
            return None, False, None
        score = self._looked_up(log_id, evaluator)
        if score is None:
            return None, True, None
        body = encode_previous(score, evaluator.reference, value_type(evaluator).field)
        return body, body is not None, score.id

    def _is_lookup_newer(self, log_id: str, evaluator: Evaluator, label: Label | None) -> bool:
        """Return whether the look-up is newer than the label, or there is no label."""
        if label is None:
            return True
        return (
            label.state == SENT
            and self.scorer is not None
            and self._is_fresh(log_id, evaluator)
            and self._began[log_id] > label.answered_at
        )

    def _is_fresh(self, log_id: str, evaluator: Evaluator) -> bool:
        """Return whether the log was looked up after the last save or undo of its score."""
        changed = self._changed.get((log_id, evaluator.id_or_slug), 0)
        return self._began.get(log_id, -1) > changed

    def _looked_up(self, log_id: str, evaluator: Evaluator) -> Score | None:
        """Return the owner's score in Respan; while the owner is unknown, the only score."""
        if not self._is_fresh(log_id, evaluator):
            return None
        scores = self._scores[log_id].get(evaluator.id_or_slug, [])
        if self.scorer is not None:
            mine = [score for score in scores if score.scorer == self.scorer]
            return mine[0] if mine else None
        return scores[0] if len(scores) == 1 else None


def entered_value(fields: Mapping[str, Any], evaluator: Evaluator) -> Any:
    """Return the value in a score's fields as an editor has it; None when there is none.

    JSON stays text, which the editor shows as it was written.
    """
    kind = find_type(evaluator.score_value_type)
    value = fields.get(kind.field) if kind else None
    if kind is None or value is None or kind.field == "json_value":
        return value
    return decode_value(value, kind, evaluator)
