"""Call the routes of scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from respan_notebook.client.retry import Call, RetryBudget
from respan_notebook.client.routes import PAGE, Filters, Routes, read_model
from respan_notebook.client.server import path_segment
from respan_notebook.errors import ConfigurationError, InvalidValueError, UnexpectedAnswerError
from respan_notebook.models import VALUE_FIELDS, Score, ScoreWrite, Upsert

_SHORTEST_KEY: Final = 8  # Characters; a shorter text is no secret, and part of many names.


class ScoreRoutes(Routes):
    """Write, read and delete scores.

    Attributes
    ----------
    scorer : str or None
        The owner of the key, as the answer to a write named it; None before the first write.
    """

    scorer: str | None = None

    def upsert_score(self, log_id: str, score: ScoreWrite | Mapping[str, Any]) -> Score:
        """Create the score, or update the one that this scorer has given this log already.

        The server has one score per log (its ``unique_id``), evaluator and scorer; the scorer is
        the owner of the key. A repeated call is safe.

        Raises
        ------
        NotFoundError
            There is no such log.
        HTTPError, TransportError
            Any other failure.
        """
        upsert = Upsert(log_id, ScoreWrite.model_validate(score).body())
        return self.send_upsert(upsert)[0]

    def send_upsert(self, upsert: Upsert, call: Call | None = None) -> tuple[Score, int]:
        """Send an upsert unchanged, within the budget of a call.

        Returns
        -------
        tuple of (Score, int)
            The score as the server has it, and the status: 201 created, 200 updated.
        """
        call = call or self._requester.one_call().call()
        answer = self._write("POST", _scores(upsert.log_id), upsert.body, call=call)
        try:
            written = self._read_score(answer.body, answer.status)
        except UnexpectedAnswerError as error:
            error.attempts = call.attempts
            raise
        self.scorer = written.scorer or self.scorer
        return written, answer.status

    def list_scores(self, log_id: str, *, budget: RetryBudget | None = None) -> list[Score]:
        """Return all scores of a log, by every evaluator and scorer."""
        return [*map(self._hide_key, self._all(Score, "GET", _scores(log_id), budget=budget))]

    def get_score(self, log_id: str, score_id: str) -> Score:
        """Return one score of a log."""
        return self._read_score(self._requester.send("GET", _scores(log_id, score_id)).body)

    def replace_score(
        self, log_id: str, score_id: str, score: ScoreWrite | Mapping[str, Any]
    ) -> Score:
        """Replace a score; fields that ``score`` does not set are emptied."""
        body = ScoreWrite.model_validate(score).body()
        answer = self._write("PUT", _scores(log_id, score_id), body)
        return self._read_score(answer.body)

    def patch_score(self, log_id: str, score_id: str, **changes: Any) -> Score:
        """Change value fields of a score; None empties a field.

        Any other field is a TypeError: the API documents no other one for PATCH. An explanation is
        written by :meth:`upsert_score` or :meth:`replace_score`.
        """
        unknown = sorted(changes.keys() - {*VALUE_FIELDS})
        if unknown:
            raise TypeError(f"patch_score changes value fields, not {unknown}")
        if not changes:
            raise ConfigurationError(f"nothing to change: give one of {', '.join(VALUE_FIELDS)}")
        return self._read_score(self._write("PATCH", _scores(log_id, score_id), changes).body)

    def delete_score(
        self, log_id: str, score_id: str, *, budget: RetryBudget | None = None
    ) -> None:
        """Delete a score of a log."""
        call = budget.call() if budget else None
        self._write("DELETE", _scores(log_id, score_id), call=call)

    def create_score(
        self, log_id: str, score: ScoreWrite | Mapping[str, Any], *, scorer: str
    ) -> Score:
        """Create a score under another scorer's name; your own go through :meth:`upsert_score`.

        The API does not promise that this updates a score that is there, so that it is sent once
        and tried again only after a 429: look with :meth:`filter_scores` first.
        ``push_scores(..., as_scorer=True)`` does that for a frame.

        Parameters
        ----------
        log_id : str
            The log's ``unique_id``.
        score : ScoreWrite or Mapping
            The evaluator, the value, and what travels along.
        scorer : str
            Whose score it is: a person's email, or the name of a judge.

        Raises
        ------
        NotFoundError
            There is no such log.
        HTTPError, TransportError
            Any other failure; after a TransportError the score may be there.
        """
        upsert = Upsert(log_id, ScoreWrite.model_validate(score).body())
        return self.send_created(upsert, scorer)[0]

    def send_created(
        self, upsert: Upsert, scorer: str, call: Call | None = None
    ) -> tuple[Score, int]:
        """Send a score to be created under a scorer's name, once; return it and the status."""
        if not isinstance(scorer, str) or not scorer.strip():
            raise InvalidValueError(f"a scorer is a name or an email, not {scorer!r}", value=scorer)
        body = {**upsert.body, "log_id": upsert.log_id, "scorer": scorer}
        call = call or self._requester.one_call().call()
        call.tries, call.is_repeatable = 1, False
        answer = self._write("POST", "/scores/", body, call=call)
        return self._read_score(answer.body, answer.status), answer.status

    def send_replaced(
        self, score_id: str, upsert: Upsert, scorer: str, call: Call | None = None
    ) -> tuple[Score, int]:
        """Send the score that replaces one, of any log and scorer; return it and the status."""
        body = {**upsert.body, "log_id": upsert.log_id, "scorer": scorer}
        path = f"/scores/{path_segment(score_id, 'score id')}/"
        answer = self._write("PUT", path, body, call=call)
        return self._read_score(answer.body, answer.status), answer.status

    def filter_scores(self, filters: Filters | None = None, **params: Any) -> list[Score]:
        """Return all scores, of any log, that match.

        Parameters
        ----------
        filters : Mapping, optional
            ``{"field": {"operator": OP, "value": [...]}}``. The documentation does not list the
            fields that can be filtered; ``log_id``, ``evaluator_id``, ``evaluator_slug`` and
            ``scorer`` are the natural ones.
        **params
            Further query parameters, such as ``sort_by``.

        Raises
        ------
        BadRequestError
            The server does not filter on a field.
        """
        return [score for page in self.score_pages(filters, **params) for score in page]

    def score_pages(
        self, filters: Filters | None = None, *, budget: RetryBudget | None = None, **params: Any
    ) -> Iterator[list[Score]]:
        """Iterate over the scores of :meth:`filter_scores`, by pages of up to 100."""
        body = {"filters": dict(filters or {})}
        params = {"page_size": PAGE, **params}
        for page in self._requester.pages("POST", "/scores/list/", body, params, budget=budget):
            yield [self._read_score(result) for result in page]

    def _read_score(self, body: Any, status: int = 0) -> Score:
        return self._hide_key(read_model(Score, body, status))

    def _hide_key(self, score: Score) -> Score:
        """Return a score whose scorer is not named by the key, which nobody may read."""
        server = self._requester.server
        key = server.bearer.get_secret_value()
        if len(key) < _SHORTEST_KEY or score.scorer is None or key not in score.scorer:
            return score
        return score.model_copy(update={"scorer": f"key {server.fingerprint[:8]}"})


def _scores(log_id: str, score_id: str | None = None) -> str:
    path = f"/logs/{path_segment(log_id, 'log id')}/scores/"
    return path if score_id is None else f"{path}{path_segment(score_id, 'score id')}/"
