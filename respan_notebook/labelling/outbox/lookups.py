"""Look up the previous scores of labels, before the first write replaces them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from respan_notebook.errors import RespanError
from respan_notebook.labelling.outbox.label import Label, encode_previous, value_field_of
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.requests import Requests
from respan_notebook.labelling.outbox.verdict import Verdict, judge
from respan_notebook.models import Score


def find_owner(outbox: Outbox, requests: Requests) -> str | None:
    """Return the owner of the key in use, None while no answer has named one."""
    return requests.client.scorer or outbox.accounts.scorer


class Lookups:
    """Look up the previous scores of labels that were never sent."""

    def __init__(
        self, outbox: Outbox, requests: Requests, set_status: Callable[[str], object]
    ) -> None:
        self._outbox, self._requests, self._set_status = outbox, requests, set_status
        # Log and evaluator -> the label, and the scores of which one may be its previous score.
        self._previous: dict[tuple[str, str], tuple[Label, list[Score]]] = {}

    def look_up(self, labels: Sequence[Label], *, has_arrived: bool) -> tuple[list[Label], str]:
        """Look up the previous scores that are not known; return the labels that can be sent.

        A label whose log can't be looked up now is left out, and the reason is returned. When the
        server refuses the look-up, the previous score stays unknown: that write can't be undone.
        """
        postponed: dict[str, str] = {}
        unknown = self._outbox.delivery.with_unknown_previous(labels)
        for log_id in dict.fromkeys(label.log_id for label in unknown):
            try:
                listed = self._requests.list_scores(log_id)
            except RespanError as error:
                verdict = judge(error, has_arrived=has_arrived)
                if verdict in (Verdict.REFUSED, Verdict.SUSPECT):
                    continue
                if verdict is Verdict.HALTED or postponed:
                    raise  # After a second failure the log is not the cause.
                postponed[log_id] = str(error)
                self._set_status(str(error))
                continue
            self._set_status(next(iter(postponed.values()), ""))  # A wait is over.
            for label in unknown:
                if label.log_id == log_id:
                    scores = [one for one in listed if label.evaluator in one.evaluator_names]
                    self._previous[log_id, label.evaluator] = label, scores
                    self._store_previous(label, scores)
        ready = [label for label in labels if label.log_id not in postponed or label.tried]
        return ready, next(iter(postponed.values()), "")

    def store_all(self) -> None:
        """Store the previous scores that waited for the owner of the key."""
        for label, scores in list(self._previous.values()):
            self._store_previous(label, scores)

    def _store_previous(self, label: Label, scores: Sequence[Score]) -> None:
        """Store the previous score, once the owner of the key is known.

        The first answer to a write names the owner; until then the scores stay in this object.
        """
        scorer = find_owner(self._outbox, self._requests)
        if scores and not scorer:
            return
        del self._previous[label.log_id, label.evaluator]
        mine = [score for score in scores if score.scorer == scorer]
        field = value_field_of(label.body) if mine else ""
        previous = encode_previous(mine[0], label.body, field) if mine else None
        if previous is not None or not mine:
            self._outbox.delivery.store_previous(label, previous)
