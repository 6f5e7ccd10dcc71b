"""Reduce the entries of a list of evaluators to one per evaluator: its newest committed version.

An id may carry ``:version``, and a list may hold several versions of one evaluator. Source:
Respan's API documentation, "Evaluators": version 0 is a draft, and a committed one is read-only.
"""

from __future__ import annotations

from collections.abc import Iterable

from respan_notebook.models import Evaluator, strip_version


def newest_versions(evaluators: Iterable[Evaluator]) -> list[Evaluator]:
    """Return one entry per evaluator, with its id without ``:version``, in their order.

    Of several entries of one id the newest committed version counts, a draft only where no version
    is committed.
    """
    entries: dict[object, list[Evaluator]] = {}
    for place, one in enumerate(evaluators):
        entries.setdefault(strip_version(one.id) or place, []).append(one)
    return [_newest(found) for found in entries.values()]


def _newest(entries: list[Evaluator]) -> Evaluator:
    newest = max(entries, key=lambda one: (_is_committed(one), _version_of(one)))
    identity = strip_version(newest.id)
    return newest if newest.id == identity else newest.model_copy(update={"id": identity})


def _is_committed(evaluator: Evaluator) -> bool:
    return evaluator.is_read_only is True or _version_of(evaluator) > 0


def _version_of(evaluator: Evaluator) -> int:
    """Return the number of an entry's version, -1 when it has none."""
    for given in (evaluator.version, (evaluator.id or "").partition(":")[2]):
        if isinstance(given, int) and not isinstance(given, bool):
            return given
        if isinstance(given, str) and given.isascii() and given.isdecimal():
            return int(given)
    return -1
