"""Share what the routes of the API have in common: one requester, and models of its answers.

Source of every route, field and limit: Respan's API documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from respan_notebook.client.answers import Answer
from respan_notebook.client.requester import Requester
from respan_notebook.client.retry import Call, RetryBudget
from respan_notebook.client.settings import RequestSettings
from respan_notebook.errors import UnexpectedAnswerError
from respan_notebook.wording import render_foreign

PAGE: Final = 100  # The largest page of the score and evaluator routes.

Model = TypeVar("Model", bound=BaseModel)
Filters = Mapping[str, Mapping[str, Any]]
"""``{"field": {"operator": ..., "value": [...]}}``, ANDed, as the API takes them."""


class Routes:
    """Send the requests of a family of routes."""

    settings: RequestSettings = RequestSettings()
    _requester: Requester

    def _create(self, path: str, body: Mapping[str, Any]) -> Any:
        # Sent again, it might create twice; only after a 429 it is certain that it did not.
        call = self._requester.one_call().call()
        call.tries = 1
        return self._requester.send("POST", path, body, call=call).body

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
        params = {"page_size": PAGE, **params}
        pages = self._requester.pages(method, path, body, params, budget=budget)
        return [read_model(model, result) for page in pages for result in page]


def read_object(body: Any, status: int = 0) -> dict[str, Any]:
    """Return a body that is a JSON object; with a status, the answer is one to a write."""
    if isinstance(body, dict):
        return body
    raise UnexpectedAnswerError(
        f"the server's answer is no JSON object{_arrived(status)}; is the base URL a Respan?",
        status=status,
    )


def read_model(model: type[Model], body: Any, status: int = 0) -> Model:
    """Return the object that a body describes; with a status, the answer is one to a write."""
    try:
        return model.model_validate(read_object(body, status))
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
