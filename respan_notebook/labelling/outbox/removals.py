"""Remove scores in Respan."""

from __future__ import annotations

from collections.abc import Callable

from respan_notebook.errors import HTTPError, NotFoundError, UnexpectedAnswerError
from respan_notebook.labelling.outbox.label import Label
from respan_notebook.labelling.outbox.lookups import find_owner
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.requests import Requests
from respan_notebook.labelling.outbox.verdict import Verdict, judge


class Removals:
    """Remove the scores of removed labels.

    Parameters
    ----------
    outbox : Outbox
        Has the labels.
    requests : Requests
        Sends the requests.
    learn_scorer : Callable
        Called after an answer that may name the owner of the key.
    """

    def __init__(
        self, outbox: Outbox, requests: Requests, learn_scorer: Callable[[], object]
    ) -> None:
        self._outbox, self._requests, self._learn_scorer = outbox, requests, learn_scorer

    def remove(self, label: Label) -> bool:
        """Remove the score of a label, if there may be one.

        False is returned, and nothing removed, when the label was changed meanwhile.
        """
        score_id = label.score_id
        if score_id is None:
            if not self._outbox.delivery.may_have_score(label):
                return True
            if not self._outbox.delivery.mark_tried([label]):
                return False
            score_id = self._find_id(label)
        while score_id is not None:
            try:
                self._requests.delete_score(label.log_id, score_id)
                return True
            except NotFoundError:
                # The score may have been made anew elsewhere, or a gateway has answered.
                found = self._find_id(label)
                if found == score_id:
                    raise UnexpectedAnswerError(
                        f"the score {score_id} of log {label.log_id!r} is there and can't be found"
                    ) from None
                score_id = found
        return True

    def _find_id(self, label: Label) -> str | None:
        """Return Respan's id of a label's score, None when it has none."""
        try:
            listed = self._requests.list_scores(label.log_id)
        except HTTPError as error:
            if judge(error, has_arrived=True) is not Verdict.REFUSED:
                raise
            return self._learn_id(label)  # This server lists no scores of a log.
        scores = [score for score in listed if label.evaluator in score.evaluator_names]
        owner = find_owner(self._outbox, self._requests)
        if owner is None and scores:
            return self._learn_id(label)
        return next((score.id for score in scores if score.scorer == owner), None)

    def _learn_id(self, label: Label) -> str | None:
        """Return the id from the answer to a write, which names the owner as well."""
        try:
            score = self._requests.send_upsert(label.upsert)
        except HTTPError as error:
            if judge(error, has_arrived=True) is Verdict.REFUSED:
                return None  # It was refused before as well, so there is no score.
            raise
        self._learn_scorer()
        return score.id
