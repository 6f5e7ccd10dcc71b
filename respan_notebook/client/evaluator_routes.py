"""Call the routes of evaluators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from respan_notebook.client.retry import RetryBudget
from respan_notebook.client.routes import Filters, Routes, read_model
from respan_notebook.client.server import path_segment
from respan_notebook.errors import NotFoundError, UnknownEvaluatorError
from respan_notebook.models import Evaluator


class EvaluatorRoutes(Routes):
    """Read, create, change and run evaluators."""

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
        return read_model(Evaluator, answer.body)

    def create_evaluator(self, evaluator: Evaluator | Mapping[str, Any]) -> Evaluator:
        """Create an evaluator, with ``name`` and ``score_value_type``; the server gives the id."""
        fields = evaluator if isinstance(evaluator, Mapping) else evaluator.model_dump(mode="json")
        body = {name: v for name, v in fields.items() if v is not None and name != "id"}
        return read_model(Evaluator, self._create("/evaluators/", body))
