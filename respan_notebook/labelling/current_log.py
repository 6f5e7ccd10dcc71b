"""Hold the log on screen: its scores, and what was entered for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from respan_notebook.errors import UnsupportedEvaluatorError
from respan_notebook.labelling.changes import change_of
from respan_notebook.labelling.current_scores import CurrentScores, entered_value
from respan_notebook.labelling.entry import SET, SHOWN, Check, Entry, check_of, rest
from respan_notebook.labelling.outbox.definition import fit_draft
from respan_notebook.labelling.outbox.label import REFUSED, Change, Label
from respan_notebook.labelling.outbox.outbox import Outbox, StoredLog
from respan_notebook.labelling.queue import Queue
from respan_notebook.models import Evaluator

_SOURCES: Final = {
    "queued": "saved, on its way",
    "kept": "settled",
    "refused": "saved, on its way",
    "delivered": "in Respan",
    "in Respan": "in Respan",
}
_NOTHING: Final = StoredLog({}, {})


class CurrentLog:
    """Hold the entries of the log that a queue is at.

    Parameters
    ----------
    queue : Queue
        The logs.
    evaluators : iterable of Evaluator
        One entry each.
    outbox : Outbox
        Has labels and drafts.
    current_scores : CurrentScores
        Decides which score a log has.

    Attributes
    ----------
    evaluators : dict of str to Evaluator
        By id, else slug.
    entries : dict of str to Entry
        By the same names.
    problems : dict of str to str
        Evaluator -> the reason why it can't be scored here.
    """

    def __init__(
        self,
        queue: Queue,
        evaluators: Iterable[Evaluator],
        outbox: Outbox,
        current_scores: CurrentScores,
    ) -> None:
        self._queue, self._outbox, self._current_scores = queue, outbox, current_scores
        self.evaluators = {one.id_or_slug: one for one in evaluators}
        self.entries: dict[str, Entry] = dict.fromkeys(self.evaluators, Entry())
        self.problems: dict[str, str] = {}
        self._checks: dict[str, Check] = {}
        self._stored = _NOTHING
        self._drafted: dict[str, dict[str, Any] | None] = {}  # What is stored of the entries.
        for name, evaluator in self.evaluators.items():
            try:
                self._checks[name] = check_of(evaluator)
            except UnsupportedEvaluatorError as error:
                self.problems[name] = str(error)
            except (ValueError, TypeError, OverflowError) as error:
                self.problems[name] = f"its bounds or choices make no editor: {error}"

    @property
    def labels(self) -> Mapping[str, Label]:
        """The labels of the log, as the outbox had them when they were last read."""
        return self._stored.labels

    @property
    def is_scored(self) -> bool:
        """Tell whether there is a score: one that was entered, or one that is shown."""
        return any(entry.state in (SHOWN, SET) for entry in self.entries.values())

    def show(self) -> None:
        """Read the log at the position of the queue, and show its scores and drafts."""
        self.entries = dict.fromkeys(self.evaluators, Entry())  # No entry of another log stays.
        log_id = self._queue.log_id_or_none
        self._stored = _NOTHING if log_id is None else self._outbox.log(log_id)
        self.entries = {
            name: self._with_draft(name, self._rest(log_id or "", name, self._stored.labels))
            for name in self.evaluators
        }
        self._drafted = {
            name: entry.draft for name, entry in self.entries.items() if name in self._stored.drafts
        }

    def refresh(self) -> None:
        """Show scores that were found or changed meanwhile, where nothing was entered."""
        log_id = self._queue.log_id_or_none
        if log_id is None:
            return
        self._stored = StoredLog(self._outbox.log(log_id).labels, self._stored.drafts)
        for name, entry in self.entries.items():
            present = self._rest(log_id, name, self._stored.labels)
            if entry.is_at_rest:
                self.entries[name] = present
            else:
                self.entries[name] = entry.with_previous(present.previous, present.source)

    def put(self, name: str, entry: Entry) -> None:
        """Set an entry.

        Raises
        ------
        UnsupportedEvaluatorError
            The evaluator can't be scored here.
        """
        if name in self.problems:
            raise UnsupportedEvaluatorError(self.problems[name])
        self.entries[name] = entry

    def store_drafts(self) -> None:
        """Store the entries that were changed as drafts, so that they outlive the kernel."""
        log_id = self._queue.log_id_or_none
        if log_id is None:
            return
        for name, entry in self.entries.items():
            if name not in self.problems and entry.draft != self._drafted.get(name):
                self._outbox.store_draft(log_id, self.evaluators[name], entry.draft)
                self._drafted[name] = entry.draft

    def read(self, name: str, draft: Mapping[str, Any] | None) -> Entry:
        """Return the entry that a draft makes of the present one; None makes one at rest."""
        if name in self.problems:
            raise UnsupportedEvaluatorError(self.problems[name])
        entry = self.entries[name]
        at_rest = rest(
            entry.previous, entry.previous_explanation, source=entry.source, refusal=entry.refusal
        )
        return at_rest if draft is None else at_rest.restore(draft, self._checks[name])

    def keep(self, log_id: str, name: str, draft: Mapping[str, Any]) -> bool:
        """Store an entry of another log as a draft, and return whether that was needed.

        It is not when the score is there already, or a draft, which is newer.
        """
        stored = self._outbox.log(log_id)
        if name in self.problems or name in stored.drafts:
            return False
        base = self._rest(log_id, name, stored.labels)
        entry = base.restore(draft, self._checks[name])
        said = entry.state, entry.value, entry.explanation
        if entry.draft is None or said == (SET, base.previous, base.previous_explanation):
            return False
        self._outbox.store_draft(log_id, self.evaluators[name], entry.draft)
        return True

    def changes(self) -> list[Change]:
        """Return what a save would change.

        Raises
        ------
        InvalidValueError
            The log can't be scored, or the entry of its ``evaluator`` can't be saved.
        """
        log_id, context = self._queue.log_id, self._queue.context()
        found = []
        for name, evaluator in self.evaluators.items():
            current = self._current_scores.find(log_id, evaluator, self.labels.get(name))
            change = change_of(self.entries[name], evaluator, log_id, current, context)
            if change is not None:
                found.append(change)
        return found

    def _rest(self, log_id: str, name: str, labels: Mapping[str, Label]) -> Entry:
        evaluator, label = self.evaluators[name], labels.get(name)
        current = self._current_scores.find(log_id, evaluator, label)
        source = _SOURCES.get(current.place, "")
        if current.scorer:
            source += f", by {current.scorer}"
        refusal = label.reason if label is not None and label.state == REFUSED else None
        previous = entered_value(current.fields or {}, evaluator)
        return rest(previous, current.explanation, source=source, refusal=refusal or "")

    def _with_draft(self, name: str, entry: Entry) -> Entry:
        draft = self._stored.drafts.get(name)
        if draft is None or name in self.problems:
            return entry
        return entry.restore(fit_draft(draft, self.evaluators[name]), self._checks[name])
