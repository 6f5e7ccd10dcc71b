"""Mark the logs that have scores, and count logs and scores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict
from typing import Final

import pandas as pd

from respan_notebook.labelling.current_scores import CurrentScores, entered_value
from respan_notebook.labelling.outbox.label import REFUSED as LABEL_REFUSED
from respan_notebook.labelling.outbox.label import Change, Counts, Label
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.queue import Queue
from respan_notebook.labelling.screen import DRAFT, LEFT, PARTLY, REFUSED, SCORED, SKIPPED
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
_OPTIONAL: Final = ("text", "comment", "json")
"""The types of evaluators that a log needs no score of, unless they are all there is."""


def choose_required(evaluators: Iterable[Evaluator]) -> set[str]:
    """Return the evaluators that a log must have scores of, by id, else slug.

    All but text, comment and json; all where there are no others.
    """
    evaluators = list(evaluators)
    required = [one for one in evaluators if one.score_value_type not in _OPTIONAL]
    return {one.id_or_slug for one in required or evaluators}


class Progress:
    """Mark the rows of a queue, and count logs and scores.

    Parameters
    ----------
    queue : Queue
        The rows.
    evaluators : mapping of str to Evaluator
        By :attr:`Evaluator.id_or_slug`.
    required : set of str
        Those of them that a log must have scores of.
    outbox : Outbox
        Has the labels.
    current_scores : CurrentScores
        Decides which scores there are.
    """

    def __init__(
        self,
        queue: Queue,
        evaluators: Mapping[str, Evaluator],
        required: Collection[str],
        outbox: Outbox,
        current_scores: CurrentScores,
    ) -> None:
        self._queue, self._evaluators, self._required = queue, evaluators, frozenset(required)
        self._outbox, self._current_scores = outbox, current_scores
        self._scored: defaultdict[str, set[str]] = defaultdict(set)  # Log -> evaluators.
        self._known_scorer = current_scores.scorer
        self._adopted = 0
        self._counts, self._elsewhere = Counts(), 0

    # -- marks ----------------------------------------------------------------------------------

    def mark_stored(self) -> None:
        """Mark the logs that the outbox has labels, drafts or skips of."""
        for log_id, name in self._outbox.scored_pairs():
            if name in self._evaluators and log_id in self._queue.rows:
                self._scored[log_id].add(name)
        for log_id in list(self._scored):
            self._mark_rows(log_id, self._queue.mark)
        self._queue.mark_only(self._queue.skipped, self._outbox.skipped())
        drafted = {log_id for log_id, name in self._outbox.drafted() if name in self._evaluators}
        self._queue.mark_only(self._queue.drafted, drafted)
        self.count()

    def mark_saved(self, changes: Iterable[Change]) -> None:
        """Mark the logs of changes that were stored."""
        log_ids = dict.fromkeys(change.log_id for change in changes)
        for change in changes:
            self._set_scored(change.log_id, change.evaluator, on=not change.removed)
            if change.removed:  # It was dealt with, so that it is no skip any more.
                self._queue.mark(self._queue.skipped, change.log_id, on=False)
        for log_id in log_ids:
            self._mark_rows(log_id, self._queue.mark)
            self._queue.mark(self._queue.drafted, log_id, on=False)

    def mark_shown(self, log_id: str, labels: Mapping[str, Label]) -> None:
        """Mark whether the log on screen has scores, which another notebook may have changed."""
        self._mark(log_id, labels, self._queue.mark_here)

    def mark_log(self, log_id: str) -> None:
        """Mark whether a log has scores, after an undo."""
        self._mark(log_id, self._outbox.log(log_id).labels, self._queue.mark)

    def mark_found(self, log_ids: Iterable[str]) -> None:
        """Mark whether these logs have scores, after a look-up."""
        for log_id in log_ids:
            self._mark(log_id, self._outbox.log(log_id).labels, self._queue.mark_here)

    def refresh(self, adopted: int) -> None:
        """Update all marks after the work of the sender; ``adopted`` is :attr:`Sender.adopted`."""
        if self._adopted != adopted:
            self._adopted = adopted
            self.mark_stored()
        if self._current_scores.scorer != self._known_scorer:
            self._known_scorer = self._current_scores.scorer
            self.mark_found(self._current_scores.log_ids)
        self.count()

    def _mark(self, log_id: str, labels: Mapping[str, Label], mark: Callable[..., None]) -> None:
        for name, evaluator in self._evaluators.items():
            score = self._current_scores.find(log_id, evaluator, labels.get(name))
            self._set_scored(log_id, name, on=score.is_scored)
        self._mark_rows(log_id, mark)

    def _set_scored(self, log_id: str, name: str, *, on: bool) -> None:
        (self._scored[log_id].add if on else self._scored[log_id].discard)(name)

    def _mark_rows(self, log_id: str, mark: Callable[..., None]) -> None:
        scored = self._scored[log_id]
        is_whole = bool(scored) and scored >= self._required
        mark(self._queue.scored, log_id, on=is_whole)
        mark(self._queue.partly, log_id, on=bool(scored) and not is_whole)

    # -- counts ---------------------------------------------------------------------------------

    def count(self) -> None:
        """Count the scores of the outbox, and mark the logs with refused ones."""
        self._counts, refused = self._outbox.tally()
        here = [
            (log_id, name)
            for log_id, name in refused
            if name in self._evaluators and log_id in self._queue.rows
        ]
        self._elsewhere = self._counts.refused - len(here)
        log_ids = {log_id for log_id, _ in here}
        self._queue.mark_only(self._queue.refused, log_ids)
        for log_id, name in here:  # A score that could not be removed is a score again.
            self._scored[log_id].add(name)
        for log_id in log_ids:
            self._mark_rows(log_id, self._queue.mark)

    @property
    def elsewhere(self) -> int:
        """The number of refused scores that are not of these logs and evaluators."""
        return self._elsewhere

    def refused_elsewhere(self) -> list[Label]:
        """Return the refused scores that are not of these logs and evaluators."""
        return [
            label
            for label in self._outbox.labels(LABEL_REFUSED)
            if not (label.evaluator in self._evaluators and label.log_id in self._queue.rows)
        ]

    def counts(self) -> dict[str, int]:
        """Return the counts of :attr:`Annotator.progress`, as of the last :meth:`count`."""
        queue = self._queue
        has_scores = queue.scored | queue.partly
        counts = {
            "scored": int(queue.scored.sum()),
            "partly": int(queue.partly.sum()),
            "skipped": int((queue.skipped & ~has_scores).sum()),
        }
        left = len(queue) - sum(counts.values())
        return {**counts, "left": left, **asdict(self._counts)}

    def marks(self, start: int, stop: int) -> tuple[str, ...]:
        """Return the marks of rows."""
        queue, rows = self._queue, slice(start, stop)
        marks = [LEFT] * len(queue.scored[rows])
        for mark, on in (
            (SKIPPED, queue.skipped),
            (SCORED, queue.scored),
            (PARTLY, queue.partly),
            (DRAFT, queue.drafted),
            (REFUSED, queue.refused),
        ):
            for place in on[rows].nonzero()[0]:
                marks[place] = mark
        return tuple(marks)

    # -- scores ---------------------------------------------------------------------------------

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
                label.state,
                label.reason,
            )
            for label in labels
            for evaluator in [self._evaluators[label.evaluator]]
        ]
        return pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object)

    def no_scores(self) -> pd.DataFrame:
        """Return :meth:`scores` without a row."""
        return pd.DataFrame(columns=list(_COLUMNS), dtype=object)
