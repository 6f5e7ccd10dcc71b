"""Call the routes of evaluators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from respan_notebook.client.evaluator_versions import newest_versions
from respan_notebook.client.retry import RetryBudget
from respan_notebook.client.routes import Filters, Routes, read_model, read_object
from respan_notebook.client.server import path_segment
from respan_notebook.errors import ConfigurationError, NotFoundError, UnknownEvaluatorError
from respan_notebook.models import Evaluator
from respan_notebook.wording import render_names


class EvaluatorRoutes(Routes):
    """Read, create, change and run evaluators."""

    def list_evaluators(
        self, filters: Filters | None = None, *, budget: RetryBudget | None = None, **params: Any
    ) -> list[Evaluator]:
        """Return all evaluators that match; parameters as for :meth:`filter_scores`.

        A server may list several versions of one evaluator. ``push_scores`` and ``annotate`` take
        the newest committed one.
        """
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
            listed = newest_versions(self.list_evaluators())
            found = [one for one in listed if one.evaluator_slug == id_or_slug]
            if len(found) > 1:
                raise UnknownEvaluatorError(render_ambiguous(found), evaluator=id_or_slug) from None
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

    def update_evaluator(self, evaluator_id: str, **changes: Any) -> Evaluator:
        """Change fields of an evaluator, such as ``description`` or ``score_config``.

        A committed version is read-only: the server may refuse, or make a draft.
        """
        if not changes:
            raise ConfigurationError("nothing to change: give a field, such as description=")
        segment = path_segment(evaluator_id, "evaluator id")
        return read_model(Evaluator, self._write("PATCH", f"/evaluators/{segment}/", changes).body)

    def run_evaluator(
        self,
        evaluator_id: str,
        *,
        input: Any = None,  # noqa: A002 - the API's names.
        output: Any = None,
        expected_output: Any = None,
        **inputs: Any,
    ) -> dict[str, Any]:
        """Return an LLM evaluator's verdict on these inputs; it is stored nowhere.

        A run costs money: it is sent once, and tried again only after a 429.

        Parameters
        ----------
        evaluator_id : str
            The evaluator's id.
        input, output, expected_output
            What the application was given, what it gave, and what it should have given.
        **inputs
            Further variables of the evaluator's prompt.

        Returns
        -------
        dict
            The answer as the server gives it; its form is not documented.
        """
        given = {"input": input, "output": output, "expected_output": expected_output, **inputs}
        body = {"inputs": {name: value for name, value in given.items() if value is not None}}
        segment = path_segment(evaluator_id, "evaluator id")
        return read_object(self._create(f"/evaluators/{segment}/run/", body))


def render_ambiguous(evaluators: Sequence[Evaluator]) -> str:
    """Return the message for a slug that several evaluators have."""
    ids = render_names([one.id for one in evaluators])
    return (
        f"{len(evaluators)} evaluators have the slug {evaluators[0].evaluator_slug!r}: {ids}; name "
        "the one that you mean by its id"
    )
