"""How far one is: which logs have scores, and what became of those entered here."""

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
    """Keeps the queue's marks in step with the outbox, and counts.

    Parameters
    ----------
    queue : Queue
        The logs; its ``scored`` and ``refused`` are written here.
    evaluators : mapping of str to Evaluator
        Those at hand, by what the outbox knows them by.
    outbox : Outbox
        What was entered.
    current_scores : CurrentScores
        Which scores the logs have.
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

    def begin(self) -> None:
        """Take note of what was entered in earlier sessions."""
        self._labelled |= self._at_hand()
        for log_id in {log_id for log_id, _ in self._labelled}:
            self._queue.mark(self._queue.scored, log_id, on=True)
        self._refresh_refused()

    def mark(self, log_id: str) -> None:
        """Take note of which scores a log has, after they were changed from here."""
        self._mark(log_id, self._queue.mark)
        self._refresh_refused()

    def look_again(self, log_id: str) -> None:
        """Take note of which scores a log has that is shown; another notebook may change them."""
        self._mark(log_id, self._queue.mark_here)  # Reads no more rows than are at hand.

    def _mark(self, log_id: str, mark: Callable[..., None]) -> None:
        labels = self.labels(log_id)
        for name in self._evaluators:
            label = labels.get(name)
            has = label is not None and not label.removed
            (self._labelled.add if has else self._labelled.discard)((log_id, name))
        mark(self._queue.scored, log_id, on=self._is_scored(log_id, labels))

    def mark_found(self, log_ids: Iterable[str]) -> None:
        """Take note of what a look-up found, or did not find, of these logs."""
        for log_id in log_ids:
            on = self._is_scored(log_id, self.labels(log_id))
            self._queue.mark_here(self._queue.scored, log_id, on=on)

    def refresh(self, adopted: int) -> None:
        """Take note of what the sender has brought about.

        ``adopted`` is :attr:`Sender.adopted`.
        """
        if self._adopted != adopted:
            self._adopted = adopted
            self.begin()
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
        refused = self._at_hand(REFUSED)
        self._labelled |= refused  # A score that could not be taken away is back.
        log_ids = {log_id for log_id, _ in refused}
        self._queue.mark_only(self._queue.refused, log_ids)
        for log_id in log_ids:
            self._queue.mark(self._queue.scored, log_id, on=True)

    def _at_hand(self, state: str | None = None) -> set[tuple[str, str]]:
        """Return log and evaluator of the scores in the outbox that are of these logs."""
        return {
            (log_id, name)
            for log_id, name in self._outbox.score_keys(state)
            if name in self._evaluators and log_id in self._queue.rows
        }

    def counts(self) -> dict[str, int]:
        """Return what :attr:`Annotator.progress` says."""
        queue = self._queue
        skipped = int((queue.skipped & ~queue.scored).sum())
        scored = int(queue.scored.sum())
        waiting, refused = self._outbox.score_keys(WAITING), self._outbox.score_keys(REFUSED)
        bad = len(refused & self._labelled)
        return {
            "scored": scored,
            "skipped": skipped,
            "left": len(queue) - scored - skipped,
            "saved": len(self._labelled - waiting) - bad,
            "on_their_way": self._outbox.waiting(),
            "refused": bad,
        }

    def scores(self) -> pd.DataFrame:
        """Return what :attr:`Annotator.scores` is."""
        order = list(self._evaluators)
        labels = [label for label in self._outbox.labels() if self._is_score_here(label)]
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

    def _is_score_here(self, label: Label) -> bool:
        known = label.evaluator in self._evaluators and label.log_id in self._queue.rows
        return known and not label.removed
