"""Write a score under its scorer's name, by the general score routes.

``POST /api/scores/`` does not promise to update a score that is there: look first, update what is
found, and create the rest. Source: Respan's API documentation, "The general score routes".
"""

from __future__ import annotations

from respan_notebook.client.client import RespanClient
from respan_notebook.client.retry import Call
from respan_notebook.errors import HTTPError, RespanError, WrongAnswerError
from respan_notebook.models import SENT_ALONG, Score, Upsert
from respan_notebook.values.encoding import is_same_score

_OK, _UNCHANGED = 200, 0


class NamedRoute:
    """Write each score under the scorer that its upsert names; else as the key's owner's.

    Parameters
    ----------
    client : RespanClient
        Sends the requests.
    skip_unchanged : bool
        Whether a score that is there just so is left as it is.
    """

    def __init__(self, client: RespanClient, *, skip_unchanged: bool) -> None:
        self._client, self._skip_unchanged = client, skip_unchanged

    def write(self, upsert: Upsert, call: Call) -> tuple[Score, int]:
        """Write a score; return it, and 201 created, 200 updated, or 0 when nothing was to do."""
        scorer = upsert.body.get("scorer")
        plain = Upsert(upsert.log_id, {k: v for k, v in upsert.body.items() if k != "scorer"})
        if scorer is None or scorer == self._client.scorer:
            return self._client.send_upsert(plain, call)
        found = self._find(plain, scorer, call)
        if found is None:
            written, status = self._create(plain, scorer, call)
        elif self._skip_unchanged and is_same_score(plain.body, found.model_dump()):
            return found, _UNCHANGED
        else:
            # What a replacement does not name is emptied.
            kept = {name: v for name in SENT_ALONG if (v := getattr(found, name)) is not None}
            whole = Upsert(plain.log_id, {**kept, **plain.body})
            written, status = self._client.send_replaced(found.id, whole, scorer, call)[0], _OK
        if written.scorer not in (None, scorer):
            raise WrongAnswerError(
                f"the server stored it as the score of {written.scorer!r}, not of {scorer!r} "
                f"(score id {written.id})",
                status=status,
            )
        return written, status

    def _find(self, upsert: Upsert, scorer: str, call: Call) -> Score | None:
        """Return the scorer's score by this evaluator; of several, the first that is listed."""
        name = upsert.body.get("evaluator_id") or upsert.body["evaluator_slug"]
        scores = self._client.list_scores(upsert.log_id, budget=call.budget)
        own = (one for one in scores if one.scorer == scorer and name in one.evaluator_names)
        return next(own, None)

    def _create(self, upsert: Upsert, scorer: str, call: Call) -> tuple[Score, int]:
        try:
            return self._client.send_created(upsert, scorer, call)
        except RespanError as error:
            if call.may_have_arrived and not (isinstance(error, HTTPError) and error.status == 429):
                error.args = (f"{error}; it may have been created: {call.advice}",)
            raise
