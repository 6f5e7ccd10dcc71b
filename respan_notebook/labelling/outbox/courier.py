"""Deliver the queued labels of an outbox once: validate, look up, write and remove."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Final

from respan_notebook.errors import HTTPError, RespanError, StoppedError
from respan_notebook.labelling.outbox.delivery import Delivered
from respan_notebook.labelling.outbox.label import Label
from respan_notebook.labelling.outbox.lookups import Lookups
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.removals import Removals
from respan_notebook.labelling.outbox.requests import Requests, Sent
from respan_notebook.labelling.outbox.verdict import Suspects, Verdict, judge
from respan_notebook.models import Score
from respan_notebook.values.encoding import is_same_score

_WRONG_ANSWER: Final = "the answer to the score of log {!r} was about another log"


class Outcome(Enum):
    """Say how a round ended: all was dealt with, some labels wait, or none can be sent."""

    DONE = "done"
    WAITING = "waiting"
    HALTED = "halted"


class Courier:
    """Deliver the labels of an outbox, a round at a time.

    Parameters
    ----------
    outbox : Outbox
        Has the labels.
    requests : Requests
        Sends them.
    set_status : Callable
        Called with the reason why labels wait.
    changed : Callable
        Called when labels have changed.
    wake : Callable
        Called when more labels were queued meanwhile, so that another round is due.

    Attributes
    ----------
    adopted : int
        The number of other keys of the same owner whose labels this one has taken over.
    """

    def __init__(
        self,
        outbox: Outbox,
        requests: Requests,
        set_status: Callable[[str], object],
        changed: Callable[[], object],
        wake: Callable[[], object],
    ) -> None:
        self.adopted = 0
        self._outbox, self._requests = outbox, requests
        self._set_status, self._changed, self._wake = set_status, changed, wake
        self._has_arrived = self._is_stored = False
        self._suspects = Suspects()
        self._lookups = Lookups(outbox, requests, set_status)
        self._removals = Removals(outbox, requests, self._learn_scorer)

    def deliver(self) -> Outcome:
        """Send what is queued."""
        labels = self._validate(self._outbox.delivery.queued())
        if self._requests.closed:
            return Outcome.WAITING
        try:
            labels, reason = self._lookups.look_up(labels, has_arrived=self._has_arrived)
            outcome = self._write([one for one in labels if not one.removed], reason)
        except RespanError as error:
            outcome = self._fail(error)
            # The scores of the others may not have been looked up.
            labels = [label for label in labels if label.tried]
        for label in labels:
            if label.removed and outcome is not Outcome.HALTED and not self._requests.closed:
                try:
                    self._remove(label)
                except RespanError as error:
                    outcome = self._fail(error)
        if outcome is Outcome.DONE:
            self._set_status("")
        return outcome

    def _fail(self, error: RespanError) -> Outcome:
        if not isinstance(error, StoppedError):
            self._set_status(str(error))
        if judge(error, has_arrived=self._has_arrived) is not Verdict.HALTED:
            return Outcome.WAITING
        self._outbox.accounts.mark_refused()
        return Outcome.HALTED

    def _validate(self, labels: Sequence[Label]) -> list[Label]:
        """Refuse labels that no longer fit their evaluators; return the others."""
        refused = self._outbox.delivery.refuse_misfits()
        if refused:
            self._changed()
        return [label for label in labels if label.version not in refused]

    # -- writing --------------------------------------------------------------------------------

    def _write(self, labels: Sequence[Label], postponed: str) -> Outcome:
        labels = self._outbox.delivery.mark_tried(labels)
        if not labels:
            self._set_status(postponed)
            return Outcome.WAITING if postponed else Outcome.DONE
        sent = self._requests.send_all(labels)
        answers = self._find_arrived(sent)
        if answers:
            self._learn_scorer()
        arrived = {answer.label.version for answer in answers}
        missing = [one for one in sent if one.label.version not in arrived]
        outcome, status = self._judge_all(missing, answers)
        self._set_status(status or postponed)
        self._changed()
        return Outcome.WAITING if outcome is Outcome.DONE and postponed else outcome

    def _find_arrived(self, sent: Iterable[Sent]) -> list[Delivered]:
        """Return the answers to the labels that have arrived."""
        found = [
            Delivered(one.label, score_id)
            for one in sent
            if one.result.score is not None
            and (score_id := self._confirm(one.label, one.result.score))
        ]
        if found:
            self._has_arrived = True
            self._suspects.clear()
        return found

    def _confirm(self, label: Label, score: Score) -> str | None:
        """Return Respan's id of a score that was answered; None when the answer is another's."""
        if score.log_id is None or score.log_id.casefold() == label.log_id.casefold():
            return score.id
        # The answer is about another log, or the server has another name for this one: look.
        with contextlib.suppress(RespanError):
            for one in self._requests.list_scores(label.log_id):
                is_own = label.evaluator in one.evaluator_names and one.scorer == score.scorer
                if is_own and is_same_score(label.body, one.model_dump()):
                    return one.id
        return None

    def _judge_all(self, missing: Iterable[Sent], answers: list[Delivered]) -> tuple[Outcome, str]:
        """Store all answers and refusals; return how the round ends, and why labels wait."""
        outcome, status, suspects = Outcome.DONE, "", list[tuple[Label, HTTPError]]()
        anew = bool(answers)
        for one in missing:
            verdict = judge(one.error, has_arrived=self._has_arrived)
            if verdict in (Verdict.REFUSED, Verdict.SUSPECT):
                answers.append(Delivered(one.label, reason=one.result.error))
                if verdict is Verdict.SUSPECT and isinstance(one.error, HTTPError):
                    suspects.append((one.label, one.error))
                continue
            status = status or one.result.error or _WRONG_ANSWER.format(one.label.log_id)
            if verdict is Verdict.HALTED:
                self._outbox.accounts.mark_refused()
                outcome = Outcome.HALTED
            elif outcome is Outcome.DONE:
                outcome = Outcome.WAITING
        self._outbox.delivery.mark_answers(answers)
        again = [] if anew else self._suspects.add(suspects)
        if again:
            self._outbox.delivery.requeue(again)
            outcome, status = Outcome.HALTED, str(suspects[0][1])
        return outcome, status

    def _learn_scorer(self) -> None:
        """Store the owner of the key from an answer, with previous scores; adopt labels."""
        self._lookups.store_all()
        scorer, accounts = self._requests.client.scorer, self._outbox.accounts
        if scorer is None or (self._is_stored and scorer == accounts.scorer):
            return
        self._is_stored = True
        accounts.store_scorer(scorer)
        adopted = accounts.adopt_own(refused=True)
        if adopted:
            self.adopted += adopted
            self._wake()

    # -- removing -------------------------------------------------------------------------------

    def _remove(self, label: Label) -> None:
        """Remove a score in Respan, if there may be one."""
        try:
            if not self._removals.remove(label):
                return  # The label was changed meanwhile.
        except HTTPError as error:
            verdict = judge(error, has_arrived=self._has_arrived)
            is_refused = verdict is Verdict.REFUSED or (
                verdict is Verdict.SUSPECT and self._has_arrived
            )
            if not is_refused:
                raise
            reason = f"it could not be taken away: {error}"
            self._outbox.delivery.mark_removal_refused(label, reason)
        else:
            self._outbox.delivery.mark_removed(label)
        self._changed()
