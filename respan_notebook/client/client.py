"""Offer the routes of the Respan API that this package uses, as methods of a client.

Source of every route, field and limit: Respan's API documentation.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Self, TypeVar

import pandas as pd
from pydantic import BaseModel, SecretStr, ValidationError

from respan_notebook.client.answers import Answer
from respan_notebook.client.gate import Gate
from respan_notebook.client.log_frame import iso_time, log_frame
from respan_notebook.client.requester import Requester
from respan_notebook.client.retry import Call, RetryBudget
from respan_notebook.client.server import hide_key, path_segment, read_server
from respan_notebook.client.settings import RequestSettings
from respan_notebook.errors import (
    ConfigurationError,
    NotFoundError,
    UnexpectedAnswerError,
    UnknownEvaluatorError,
)
from respan_notebook.models import VALUE_FIELDS, Evaluator, Score, ScoreWrite, Upsert
from respan_notebook.wording import render_foreign

DEFAULT_BASE_URL: Final = "https://api.respan.ai"
_PAGE: Final = 100  # The largest page of the score and evaluator routes.
_LOG_PAGE: Final = 1000

Model = TypeVar("Model", bound=BaseModel)
Filters = Mapping[str, Mapping[str, Any]]
"""``{"field": {"operator": ..., "value": [...]}}``, ANDed, as the API takes them."""


class RespanClient:
    """Call the routes of one Respan server, from any number of threads.

    Parameters
    ----------
    api_key : str or pydantic.SecretStr, optional
        A Respan API key or a dashboard JWT; else ``RESPAN_API_KEY``.
    base_url : str, optional
        With or without ``/api``; else ``RESPAN_BASE_URL``, else ``https://api.respan.ai``. http is
        allowed to this machine only.
    timeout : float
        Seconds to wait for a connection, and then for each part of an answer.
        ``settings.longest_request`` bounds the whole of it. Looking up the server's name is bounded
        by the operating system only.
    settings : RequestSettings, optional
        Attempts, pauses and limits; else those of the class.

    Attributes
    ----------
    base_url : str
        The server, without ``/api``.
    scorer : str or None
        The owner of the key, as the answer to a write named it; None before the first write.

    Raises
    ------
    ConfigurationError
        There is no key, or key, base URL or timeout can't be used.

    Examples
    --------
    >>> from respan_notebook import Sandbox
    >>> with Sandbox(demo=True) as sandbox:
    ...     client = RespanClient(sandbox.api_key, sandbox.base_url)
    ...     score = client.upsert_score(
    ...         "demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=4))
    >>> score.numerical_value, score.scorer
    (4.0, 'annotator@example.com')
    """

    base_url: str = ""
    scorer: str | None = None
    settings: RequestSettings = RequestSettings()

    def __init__(
        self,
        api_key: str | SecretStr | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 30.0,
        settings: RequestSettings | None = None,
    ) -> None:
        bearer = hide_key(api_key or os.environ.get("RESPAN_API_KEY"))
        del api_key  # A verbose traceback shows arguments.
        base_url = base_url or os.environ.get("RESPAN_BASE_URL") or DEFAULT_BASE_URL
        server = read_server(bearer, base_url, timeout)
        self.base_url, self.settings = server.base_url, settings or self.settings
        self._requester = Requester(server, self.settings)

    @property
    def gate(self) -> Gate:
        """The gate that paces and holds the requests of this server and key."""
        return self._requester.gate

    @property
    def fingerprint(self) -> str:
        """A hash that identifies the key and gives nothing of it away."""
        return self._requester.server.fingerprint

    def __repr__(self) -> str:
        return f"RespanClient(base_url={self.base_url!r})"

    def __reduce__(self) -> str:
        raise TypeError("a RespanClient holds an API key and is not pickled; make a new one")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are open; the next call opens a new one."""
        self._requester.close()

    # -- scores of a log ------------------------------------------------------------------------

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
            written = _model(Score, answer.body, answer.status)
        except UnexpectedAnswerError as error:
            error.attempts = call.attempts
            raise
        self.scorer = written.scorer or self.scorer
        return written, answer.status

    def list_scores(self, log_id: str, *, budget: RetryBudget | None = None) -> list[Score]:
        """Return all scores of a log, by every evaluator and scorer."""
        return self._all(Score, "GET", _scores(log_id), budget=budget)

    def get_score(self, log_id: str, score_id: str) -> Score:
        """Return one score of a log."""
        return _model(Score, self._requester.send("GET", _scores(log_id, score_id)).body)

    def replace_score(
        self, log_id: str, score_id: str, score: ScoreWrite | Mapping[str, Any]
    ) -> Score:
        """Replace a score; fields that ``score`` does not set are emptied."""
        body = ScoreWrite.model_validate(score).body()
        answer = self._write("PUT", _scores(log_id, score_id), body)
        return _model(Score, answer.body)

    def patch_score(self, log_id: str, score_id: str, **changes: Any) -> Score:
        """Change value fields and ``explanation`` of a score; None empties a field.

        Any other field is a TypeError.
        """
        unknown = sorted(changes.keys() - {*VALUE_FIELDS, "explanation"})
        if unknown:
            raise TypeError(f"patch_score changes value fields and explanation, not {unknown}")
        return _model(Score, self._write("PATCH", _scores(log_id, score_id), changes).body)

    def delete_score(
        self, log_id: str, score_id: str, *, budget: RetryBudget | None = None
    ) -> None:
        """Delete a score of a log."""
        call = budget.call() if budget else None
        self._write("DELETE", _scores(log_id, score_id), call=call)

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
        params = {"page_size": _PAGE, **params}
        for page in self._requester.pages("POST", "/scores/list/", body, params, budget=budget):
            yield [_model(Score, result) for result in page]

    # -- evaluators -----------------------------------------------------------------------------

    def list_evaluators(
        self, filters: Filters | None = None, *, budget: RetryBudget | None = None, **params: Any
    ) -> list[Evaluator]:
        """Return all evaluators that match; parameters as for :meth:`filter_scores`."""
        body = {"filters": dict(filters or {})}
        return self._all(Evaluator, "POST", "/evaluators/list/", body, budget=budget, **params)

    def get_evaluator(self, id_or_slug: str) -> Evaluator:
        """Return the evaluator with this id, else the one with this slug.

        Raises
        ------
        UnknownEvaluatorError
            There is neither.
        """
        segment = path_segment(id_or_slug, "evaluator id")
        try:
            answer = self._requester.send("GET", f"/evaluators/{segment}/")
        except NotFoundError:
            found = [e for e in self.list_evaluators() if e.evaluator_slug == id_or_slug]
            if found:
                return found[0]
            raise UnknownEvaluatorError(
                f"no evaluator has the id or slug {id_or_slug!r}", evaluator=id_or_slug
            ) from None
        return _model(Evaluator, answer.body)

    def create_evaluator(self, evaluator: Evaluator | Mapping[str, Any]) -> Evaluator:
        """Create an evaluator, with ``name`` and ``score_value_type``; the server gives the id."""
        fields = evaluator if isinstance(evaluator, Mapping) else evaluator.model_dump(mode="json")
        body = {name: v for name, v in fields.items() if v is not None and name != "id"}
        return _model(Evaluator, self._create("/evaluators/", body))

    # -- logs -----------------------------------------------------------------------------------

    def log_pages(
        self,
        filters: Filters | None = None,
        *,
        start_time: datetime | str | None = None,
        end_time: datetime | str | None = None,
        environment: str | None = None,
        include_fields: Sequence[str] | None = None,
        sort_by: str | None = None,
        page_size: int = _LOG_PAGE,
    ) -> Iterator[list[dict[str, Any]]]:
        """Iterate over pages of logs, each a list of logs as the API sends them.

        Parameters
        ----------
        filters : Mapping, optional
            ``{"field": {"operator": OP, "value": [...]}}``; custom metadata is
            ``metadata__<key>``, a score ``scores__<evaluator_id>``.
        start_time, end_time : datetime or str, optional
            ISO 8601 when text; a time without a time zone is UTC. Without ``start_time`` the server
            searches the last hour only.
        environment : str, optional
            Such as ``"prod"``.
        include_fields : sequence of str, optional
            Only these fields of each log.
        sort_by : str, optional
            A field; with ``-`` before it, in descending order.
        page_size : int
            Logs per request, 1000 at most.
        """
        fields = [include_fields] if isinstance(include_fields, str) else include_fields or ()
        params = {
            "start_time": iso_time(start_time),
            "end_time": iso_time(end_time),
            "environment": environment,
            "include_fields": ",".join(fields) or None,
            "sort_by": sort_by,
            "page_size": page_size,
        }
        body = {"filters": dict(filters or {})}
        return self._requester.pages("POST", "/request-logs/list/", body, params)

    def logs(
        self, filters: Filters | None = None, *, limit: int | None = None, **options: Any
    ) -> pd.DataFrame:
        """Return logs as a DataFrame.

        Parameters
        ----------
        filters, **options
            As for :meth:`log_pages`.
        limit : int, optional
            The most logs to return; None for all that match.

        Returns
        -------
        DataFrame
            A row per log in the server's order, RangeIndex; ``unique_id`` first, then the other
            fields of the logs. ``timestamp`` is datetime64 in UTC, objects and lists stay Python
            objects, and a field that a log lacks is missing.

        Warns
        -----
        UserWarning
            Nothing was found and no ``start_time`` was given: only the last hour was searched.
        """
        if limit is not None and limit < 0:
            raise ConfigurationError(f"limit must be 0 or more, got {limit!r}")
        if limit is not None:
            options.setdefault("page_size", max(1, min(limit, _LOG_PAGE)))
        logs: list[dict[str, Any]] = []
        for page in self.log_pages(filters, **options):
            logs += page
            if limit is not None and len(logs) >= limit:
                break
        if not logs and options.get("start_time") is None:
            warnings.warn(
                "no log found: without start_time the server searches the last hour only",
                stacklevel=2,
            )
        return log_frame(logs[:limit])

    def get_log(self, log_id: str) -> dict[str, Any]:
        """Return one log with all its fields."""
        segment = path_segment(log_id, "log id")
        return _object(self._requester.send("GET", f"/request-logs/{segment}/").body)

    def create_log(self, log: Mapping[str, Any]) -> dict[str, Any]:
        """Create a log and return it with the ``unique_id`` that the server gave it."""
        return _object(self._create("/request-logs/", log))

    # -- requests -------------------------------------------------------------------------------

    def _create(self, path: str, body: Mapping[str, Any]) -> Any:
        # Sent again, it might create twice; only after a 429 it is certain that it did not.
        once = RetryBudget(self.settings, attempts=1).call()
        return self._requester.send("POST", path, body, call=once).body

    def _write(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        call: Call | None = None,
    ) -> Answer:
        longest = self.settings.longest_answer
        return self._requester.send(method, path, body, call=call, longest=longest)

    def _all(
        self,
        model: type[Model],
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        budget: RetryBudget | None = None,
        **params: Any,
    ) -> list[Model]:
        params = {"page_size": _PAGE, **params}
        pages = self._requester.pages(method, path, body, params, budget=budget)
        return [_model(model, result) for page in pages for result in page]


def _scores(log_id: str, score_id: str | None = None) -> str:
    path = f"/logs/{path_segment(log_id, 'log id')}/scores/"
    return path if score_id is None else f"{path}{path_segment(score_id, 'score id')}/"


def _object(body: Any, status: int = 0) -> dict[str, Any]:
    if isinstance(body, dict):
        return body
    raise UnexpectedAnswerError(
        f"the server's answer is no JSON object{_arrived(status)}; is the base URL a Respan?",
        status=status,
    )


def _model(model: type[Model], body: Any, status: int = 0) -> Model:
    try:
        return model.model_validate(_object(body, status))
    except ValidationError as error:
        problem = error.errors(include_input=False)[0]
    place = ".".join(map(str, problem["loc"]))
    raise UnexpectedAnswerError(
        f"the server's answer is no {model.__name__}{_arrived(status)}: "
        + render_foreign(f"{place} {problem['msg']}", 200),
        status=status,
    )


def _arrived(status: int) -> str:
    return f", although it answered {status} and so may have stored it" if status else ""


def default_client() -> RespanClient:
    """Return a client made from the environment, for a call that was given none."""
    try:
        return RespanClient()
    except ConfigurationError as error:
        raise ConfigurationError(
            "no client was given: pass client=client to this call, if you have one. If not: "
            f"{error}"
        ) from None
