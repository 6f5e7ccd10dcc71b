"""Which evaluator a column or row is scored by."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterable
from functools import partial
from typing import Any, Final

from respan_notebook.batch import Target
from respan_notebook.checks import is_missing, shown
from respan_notebook.client import RespanClient
from respan_notebook.columns import printable
from respan_notebook.errors import (
    ConfigurationError,
    InvalidValueError,
    UnknownEvaluatorError,
    UnsupportedEvaluatorError,
)
from respan_notebook.models import Evaluator
from respan_notebook.values import TYPE_OF_FIELD, encoder, value_type

SEVERAL: Final = "several"
"""In the place of a value field: the row has more than one."""


class Catalogue:
    """Evaluators by slug or id: those given, else the server's, asked for once when needed."""

    def __init__(
        self, given: Evaluator | Iterable[Evaluator] | None, client: RespanClient | None
    ) -> None:
        self._client = client
        self._known: dict[str, Evaluator] = {}
        self._may_ask = given is None
        if given is not None:
            self.add([given] if isinstance(given, Evaluator) else given)

    def add(self, evaluators: Iterable[Evaluator]) -> None:
        """Add definitions by slug and by id; what is known already stays."""
        added = list(evaluators)
        for one in added:
            if not isinstance(one, Evaluator):
                raise ConfigurationError(f"evaluators takes Evaluator objects, not {shown(one)}")
            if self._known.setdefault(one.key, one) != one:
                raise ConfigurationError(f"two definitions of the evaluator {one.key!r}")
        for one in added:
            if one.id:
                self._known.setdefault(one.id, one)

    def get(self, name: str) -> Evaluator | None:
        """Return the evaluator with this slug, else with this id, else None."""
        if name not in self._known and self._may_ask:
            self._may_ask = False
            listed = (self._client or RespanClient()).list_evaluators()
            own = set(self._known)
            self.add(one for one in listed if one.key.strip() and one.key not in own)
        return self._known.get(name)

    def _keys(self) -> list[str]:
        return list(dict.fromkeys(one.key for one in self._known.values()))

    def __getitem__(self, name: str) -> Evaluator:
        evaluator = self.get(name)
        if evaluator is None:
            raise UnknownEvaluatorError(self.unknown(name), evaluator=name)
        return evaluator

    def unknown(self, name: str) -> str:
        """Return the message for an evaluator that there is not."""
        return (
            f"no evaluator has the slug or id {name!r}; {choose(name, self._keys())} For one of "
            "your own, pass evaluators=[Evaluator(evaluator_slug=..., score_value_type=...)]"
        )


def wide_target(name: str, evaluator: Evaluator) -> Target:
    """Return where the scores of a column go."""
    return Target(evaluator.key or name, encoder(evaluator), evaluator)


def tidy_target(id_: str | None, slug: str | None, field: str | None, known: Catalogue) -> Target:
    """Return where a tidy row goes, by its evaluator and, for raw fields, the one that is set."""
    name = printable(slug or id_ or "")
    try:
        evaluator = _tidy_evaluator(id_, slug, field, known)
        if field is not None and field != value_type(evaluator).field:
            raise InvalidValueError(
                f"{evaluator.key!r} ({evaluator.score_value_type}) takes its value in "
                f"{value_type(evaluator).field}, not in {field}"
            )
        return wide_target(name, evaluator)
    except (InvalidValueError, UnsupportedEvaluatorError) as refusal:
        return Target(name, partial(_refuse, str(refusal)))


def _tidy_evaluator(
    id_: str | None, slug: str | None, field: str | None, known: Catalogue
) -> Evaluator:
    if field == SEVERAL:
        raise InvalidValueError("more than one value field is set; a score has one")
    if id_ is None and slug is None:
        raise InvalidValueError("no evaluator: evaluator_id and evaluator_slug are missing")
    for given in (id_, slug):
        if given is not None and given != printable(given):
            raise InvalidValueError(f"{printable(given)!r} is no valid Unicode")
    found = [known.get(name) for name in (id_, slug) if name is not None]
    if len(found) == 2 and found[0] != found[1]:
        raise InvalidValueError(f"evaluator_id {id_!r} and evaluator_slug {slug!r} differ")
    if found[0] is not None:
        return found[0]
    if field is not None and slug is not None and id_ is None:
        # A slug that the platform does not know is legal; the field says what it holds.
        return Evaluator(evaluator_slug=slug, score_value_type=TYPE_OF_FIELD[field])
    raise InvalidValueError(known.unknown(slug or id_ or ""))


def _refuse(reason: str, raw: Any) -> None:
    if not is_missing(raw):
        raise InvalidValueError(reason, value=raw)


def choose(name: Hashable, options: Iterable[Hashable]) -> str:
    """Return the name that was likely meant, else what there is."""
    texts = [str(option) for option in options]
    close = difflib.get_close_matches(str(name), texts, n=1, cutoff=0.7)
    return f"did you mean {close[0]!r}?" if close else f"there are {listed(texts)}."


def listed(names: Iterable[Hashable]) -> str:
    """Return names for a message, ten at most."""
    texts = [repr(name) for name in names]
    more = f" and {len(texts) - 10} more" if len(texts) > 10 else ""
    return (", ".join(texts[:10]) or "none") + more
