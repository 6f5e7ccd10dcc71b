"""Mark the logs that have scores, and count logs and scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import pandas as pd

from respan_notebook.labelling.current_scores import CurrentScores, entered_value
from respan_notebook.labelling.outbox.label import REFUSED, WAITING, Label
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.queue import Queue
from respan_notebook.models import Evaluator

_COLUMNS: Final = (
    "log_id",
    "evaluator_id",
    "evaluator_slug",
    "value",
    "explanation",
    "state",
    "reason",
)
_STATES: Final = {WAITING: "on its way", REFUSED: "refused"}


class Progress:
    """Mark the rows of a queue as ``scored`` and ``refused``, and count logs and scores.

    ``evaluators`` are by :attr:`Evaluator.id_or_slug`.
    """

    def __init__(
        self,
        queue: Queue,
        evaluators: Mapping[str, Evaluator],
        outbox: Outbox,
        current_scores: CurrentScores,
    ) -> None:
        self._queue, self._evaluators = queue, evaluators
        self._outbox, self._current_scores = outbox, current_scores
        self._labelled: set[tuple[str, str]] = set()  # Log and evaluator.
        self._known_scorer = current_scores.scorer
        self._adopted = 0

    def mark_labelled(self) -> None:
        """Mark the logs that have labels in the outbox."""
        self._labelled |= self._pairs_here()
        for log_id in {log_id for log_id, _ in self._labelled}:
            self._queue.mark(self._queue.scored, log_id, on=True)
        self._refresh_refused()

    def mark(self, log_id: str) -> None:
        """Mark whether a log has scores, after a save or undo."""
        self._mark(log_id, self._queue.mark)
        self._refresh_refused()

    def mark_shown(self, log_id: str) -> None:
        """Mark whether the log on screen has scores, which another notebook may have changed."""
        self._mark(log_id, self._queue.mark_here)

    def _mark(self, log_id: str, mark: Callable[..., None]) -> None:
        labels = self.labels(log_id)
        for name in self._evaluators:
            label = labels.get(name)
            has = label is not None and not label.removed
            (self._labelled.add if has else self._labelled.discard)((log_id, name))
        mark(self._queue.scored, log_id, on=self._is_scored(log_id, labels))

    def mark_found(self, log_ids: Iterable[str]) -> None:
        """Mark whether these logs have scores, after a look-up."""
        for log_id in log_ids:
            on = self._is_scored(log_id, self.labels(log_id))
            self._queue.mark_here(self._queue.scored, log_id, on=on)

    def refresh(self, adopted: int) -> None:
        """Update all marks after the work of the sender; ``adopted`` is :attr:`Sender.adopted`."""
        if self._adopted != adopted:
            self._adopted = adopted
            self.mark_labelled()
        if self._current_scores.scorer != self._known_scorer:
            self._known_scorer = self._current_scores.scorer
            for log_id in self._current_scores.log_ids:
                self._mark(log_id, self._queue.mark)
        self._refresh_refused()

    def labels(self, log_id: str) -> dict[str, Label]:
        """Return the labels of a log, by evaluator."""
        return {label.evaluator: label for label in self._outbox.labels(log_id)}

    def _is_scored(self, log_id: str, labels: Mapping[str, Label]) -> bool:
        return any(
            self._current_scores.is_scored(log_id, evaluator, labels.get(name))
            for name, evaluator in self._evaluators.items()
        )

    def _refresh_refused(self) -> None:
        refused = self._pairs_here(REFUSED)
        self._labelled |= refused  # A score that could not be removed is a label again.
        log_ids = {log_id for log_id, _ in refused}
        self._queue.mark_only(self._queue.refused, log_ids)
        for log_id in log_ids:
            self._queue.mark(self._queue.scored, log_id, on=True)

    def _pairs_here(self, state: str | None = None) -> set[tuple[str, str]]:
        """Return log and evaluator of the labels that are scores of these logs."""
        return {
            (log_id, name)
            for log_id, name in self._outbox.scored_pairs(state)
            if name in self._evaluators and log_id in self._queue.rows
        }

    def counts(self) -> dict[str, int]:
        """Return the counts of :attr:`Annotator.progress`."""
        queue = self._queue
        skipped = int((queue.skipped & ~queue.scored).sum())
        scored = int(queue.scored.sum())
        waiting = self._outbox.scored_pairs(WAITING)
        refused = len(self._outbox.scored_pairs(REFUSED) & self._labelled)
        return {
            "scored": scored,
            "skipped": skipped,
            "left": len(queue) - scored - skipped,
            "saved": len(self._labelled - waiting) - refused,
            "on_their_way": self._outbox.waiting(),
            "refused": refused,
        }

    def scores(self) -> pd.DataFrame:
        """Return the frame of :attr:`Annotator.scores`."""
        order = list(self._evaluators)
        labels = [
            label
            for label in self._outbox.labels()
            if label.evaluator in self._evaluators
            and label.log_id in self._queue.rows
            and not label.removed
        ]
        labels.sort(key=lambda one: (self._queue.rows[one.log_id], order.index(one.evaluator)))
        rows = [
            (
                label.log_id,
                evaluator.id,
                evaluator.evaluator_slug,
                entered_value(label.body, evaluator),
                label.body.get("explanation") or None,
                _STATES.get(label.state, "saved"),
                label.reason,
            )
            for label in labels
            for evaluator in [self._evaluators[label.evaluator]]
        ]
        return pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object)

    def no_scores(self) -> pd.DataFrame:
        """Return :meth:`scores` without a row."""
        return pd.DataFrame(columns=list(_COLUMNS), dtype=object)
