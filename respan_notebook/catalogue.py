"""Find evaluators by slug or id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from respan_notebook.client.client import RespanClient
from respan_notebook.client.retry import RetryBudget
from respan_notebook.errors import (
    ConfigurationError,
    FrameError,
    RequestTimeoutError,
    StoppedError,
    TransportError,
    UnknownEvaluatorError,
)
from respan_notebook.models import Evaluator
from respan_notebook.wording import render_value, suggest_name


class Catalogue:
    """Find evaluators by slug or id: those given, else the server's, listed once when needed."""

    def __init__(
        self,
        given: Evaluator | Iterable[Evaluator] | None,
        client: RespanClient | None,
        budget: RetryBudget | None = None,
    ) -> None:
        self._client, self._budget = client, budget
        self._known: dict[str, Evaluator] = {}
        self._may_list = given is None
        if given is not None:
            self.add([given] if isinstance(given, Evaluator) else given)

    def add(self, evaluators: Iterable[Evaluator]) -> None:
        """Add definitions by slug and by id.

        An id that is there already stays; a second definition of a slug is a ConfigurationError.
        """
        added = list(evaluators)
        for one in added:
            if not isinstance(one, Evaluator):
                raise ConfigurationError(
                    f"evaluators takes Evaluator objects, not {render_value(one)}"
                )
            if self._known.setdefault(one.slug_or_id, one) != one:
                raise ConfigurationError(f"two definitions of the evaluator {one.slug_or_id!r}")
        for one in added:
            if one.id:
                self._known.setdefault(one.id, one)

    def names_of(self, listed: Sequence[str | Evaluator]) -> list[str]:
        """Return the distinct names of evaluators, and add those that are definitions."""
        for one in listed:
            if not isinstance(one, str | Evaluator):
                raise FrameError(
                    f"an evaluator is a slug, an id or an Evaluator, not {render_value(one)}"
                )
        self.add(one for one in listed if isinstance(one, Evaluator))
        names = (one.slug_or_id if isinstance(one, Evaluator) else one for one in listed)
        return list(dict.fromkeys(names))

    def get(self, name: str) -> Evaluator | None:
        """Return the evaluator with this slug, else with this id, else None."""
        if name not in self._known and self._may_list:
            self._may_list = False
            listed = self._list()
            own = set(self._known)
            self.add(one for one in listed if one.slug_or_id.strip() and one.slug_or_id not in own)
        return self._known.get(name)

    def _list(self) -> list[Evaluator]:
        client = self._client or RespanClient()
        try:
            return client.list_evaluators(budget=self._budget)
        except (StoppedError, TransportError):
            if not (self._budget and self._budget.cancelled):
                raise
            reason = self._budget.cancelled
        raise RequestTimeoutError(
            f"the server's evaluators did not arrive within {reason}; nothing was sent"
        )

    def __getitem__(self, name: str) -> Evaluator:
        evaluator = self.get(name)
        if evaluator is None:
            raise UnknownEvaluatorError(self.render_unknown(name), evaluator=name)
        return evaluator

    def render_unknown(self, name: str) -> str:
        """Return the message for a slug or id that no evaluator has."""
        names = dict.fromkeys(one.slug_or_id for one in self._known.values())
        return (
            f"no evaluator has the slug or id {name!r}; {suggest_name(name, names)} For one of "
            "your own, pass evaluators=[Evaluator(evaluator_slug=..., score_value_type=...)]"
        )
