"""Find evaluators by slug or id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from respan_notebook.client.client import RespanClient, default_client
from respan_notebook.client.evaluator_routes import render_ambiguous
from respan_notebook.client.evaluator_versions import newest_versions
from respan_notebook.client.retry import RetryBudget
from respan_notebook.errors import (
    ConfigurationError,
    FrameError,
    RequestTimeoutError,
    StoppedError,
    TransportError,
    UnknownEvaluatorError,
)
from respan_notebook.models import Evaluator, strip_version
from respan_notebook.wording import render_value, suggest_name

EvaluatorNames = str | Evaluator | Iterable[str | Evaluator]
"""Slugs, ids or definitions of evaluators: one, or a list, Index, array or other iterable."""


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
        self._twins: dict[str, list[Evaluator]] = {}  # By the slug that they share.
        self._may_list = given is None
        if given is not None:
            self.add([given] if isinstance(given, Evaluator) else given)

    def add(self, evaluators: Iterable[Evaluator]) -> None:
        """Add definitions by slug and by id.

        Of several versions of one evaluator the newest committed one counts. A definition that is
        there already stays. A slug that evaluators with different ids have names none of them; two
        different definitions of one evaluator are a ConfigurationError.
        """
        given = list(evaluators)
        for one in given:
            if not isinstance(one, Evaluator):
                raise ConfigurationError(
                    f"evaluators takes Evaluator objects, not {render_value(one)}"
                )
        entries: dict[object, Evaluator] = {}
        for one in given:
            if one.id and entries.setdefault((one.id, one.version), one) != one:
                raise ConfigurationError(f"two definitions of the evaluator {one.slug_or_id!r}")
        self._add_evaluators(newest_versions(given))

    def _add_evaluators(self, added: list[Evaluator]) -> None:
        for one in added:
            known = self._known.setdefault(one.slug_or_id, one)
            if known == one:
                continue
            if not (known.id and one.id) or known.id == one.id:
                raise ConfigurationError(f"two definitions of the evaluator {one.slug_or_id!r}")
            self._twins.setdefault(one.slug_or_id, [known]).append(one)
        for one in added:
            if one.id:
                self._known.setdefault(one.id, one)

    def names_of(self, given: EvaluatorNames) -> list[str]:
        """Return the distinct names of evaluators, and add those that are definitions.

        The names of a set are sorted. FrameError is raised for anything but slugs, ids and
        definitions, alone or in an iterable that is no mapping.
        """
        listed = _list_names(given)
        names = [_name_of(one) for one in listed]
        self.add(one for one in listed if isinstance(one, Evaluator))
        for place, one in enumerate(listed):
            if isinstance(one, Evaluator) and self.is_ambiguous(names[place]):
                names[place] = strip_version(one.id) or names[place]
        distinct = list(dict.fromkeys(names))
        return sorted(distinct) if isinstance(given, set | frozenset) else distinct

    def get(self, name: str) -> Evaluator | None:
        """Return the evaluator with this slug, else with this id, else None.

        None is returned for a slug that several evaluators have, too.
        """
        if name not in self._known:
            self.load()
        if name in self._twins:
            return None
        return self._known.get(name) or self._known.get(strip_version(name) or name)

    def load(self) -> None:
        """List the server's evaluators, unless that was done, or definitions were given."""
        if not self._may_list:
            return
        self._may_list = False
        listed = self._list()
        own = set(self._known)
        named = [one for one in newest_versions(listed) if one.slug_or_id.strip()]
        self._add_evaluators([one for one in named if one.slug_or_id not in own])

    def is_ambiguous(self, name: str) -> bool:
        """Return whether several evaluators have this slug."""
        return name in self._twins

    def detach(self) -> Catalogue:
        """Return a copy that asks no server: it can be pickled and holds no client."""
        copy = Catalogue((), None)
        copy._known, copy._twins = dict(self._known), dict(self._twins)
        return copy

    @property
    def names(self) -> list[str]:
        """The slugs (ids where there is none) of the evaluators known so far."""
        return list(dict.fromkeys(one.slug_or_id for one in self._known.values()))

    def _list(self) -> list[Evaluator]:
        client = self._client or default_client()
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
        """Return the message for a slug or id that no evaluator has, or several."""
        if name in self._twins:
            return render_ambiguous(self._twins[name])
        return (
            f"no evaluator has the slug or id {name!r}; {suggest_name(name, self.names)} For one "
            "of your own, pass evaluators=[Evaluator(evaluator_slug=..., score_value_type=...)]"
        )


def _list_names(given: object) -> list[object]:
    if isinstance(given, str | Evaluator):
        return [given]
    if isinstance(given, pd.DataFrame):
        raise FrameError("evaluators are slugs, ids or Evaluator objects, not a whole DataFrame")
    if isinstance(given, Mapping) or not isinstance(given, Iterable):
        raise FrameError(
            "evaluators are slugs, ids or Evaluator objects, one or a list of them, not "
            f"{render_value(given)}"
        )
    return list(given)


def _name_of(one: object) -> str:
    if isinstance(one, Evaluator):
        return one.slug_or_id
    if not isinstance(one, str):
        raise FrameError(f"an evaluator is a slug, an id or an Evaluator, not {render_value(one)}")
    return str.__str__(one)
