"""Arrange tidy scores in a matrix per evaluator: a row per log, a column per scorer."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from respan_notebook.agreement.scale import category_reader, order_categories, width_of
from respan_notebook.catalogue import Catalogue
from respan_notebook.errors import ConfigurationError, FrameError, InvalidValueError
from respan_notebook.frames.columns import find_column, has_column
from respan_notebook.frames.log_ids import read_log_ids
from respan_notebook.models import Evaluator
from respan_notebook.values.cells import is_missing, is_number
from respan_notebook.wording import render_names, render_value, suggest_name

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ScoreMatrix:
    """Hold the scores of one evaluator: a row per log, a column per scorer.

    Attributes
    ----------
    evaluator : str
        Slug, else id.
    type : str
        ``score_value_type``.
    level : str
        Level of measurement: ``nominal``, ``ordinal``, ``interval``, ``set`` or ``exact`` (values
        are equal or not, with no order or distance).
    log_ids, scorers : tuple of str
        Rows and columns, in the order in which the frame first names them.
    codes : array of int64, logs × scorers
        Position in ``categories``; -1 where there is no score.
    categories : tuple
        The values that occur, and for ``nominal`` and ``ordinal`` those of the whole scale; in the
        order of the choices or of the scale, else sorted.
    cells : list of list
        The values as the frame has them, None where there is no score.
    width : float
        Width of an ``interval`` scale: between its bounds, else between the scores; else 0.
    units : array of int64
        By log, the number (from 0) of what is drawn as a whole for intervals: its thread, or the
        log itself.
    """

    evaluator: str
    type: str
    level: str
    log_ids: tuple[str, ...]
    scorers: tuple[str, ...]
    codes: Codes
    categories: tuple[Any, ...]
    cells: list[list[Any]]
    width: float
    units: Codes

    @property
    def labels(self) -> list[Any]:
        """The categories as labels of a table: sets as JSON text, whole numbers as int."""
        if self.level == "set":
            return [json.dumps(list(one), ensure_ascii=False) for one in self.categories]
        if self.level in ("ordinal", "interval") and all(n.is_integer() for n in self.categories):
            return [int(number) for number in self.categories]
        return list(self.categories)

    @property
    def paired(self) -> npt.NDArray[np.bool_]:
        """A mask of the logs that two or more scorers scored."""
        return np.asarray((self.codes >= 0).sum(axis=1) >= 2)


class _Row(NamedTuple):
    label: Hashable
    log_id: str
    scorer: str
    value: Any
    thread: str | None


def read_matrices(
    frame: pd.DataFrame,
    evaluators: Evaluator | Iterable[Evaluator] | None,
    scorers: Sequence[str] | None,
    threads: Hashable | None = None,
) -> tuple[list[ScoreMatrix], list[str]]:
    """Return a matrix per evaluator, in the order of the frame, and warnings of guessed types."""
    catalogue = Catalogue(() if evaluators is None else evaluators, None)
    by_evaluator = _rows(frame, catalogue, threads)
    wanted = None if scorers is None else _checked_scorers(scorers, by_evaluator)
    matrices, warnings = [], []
    for name, rows in by_evaluator.items():
        counted = [row for row in rows if wanted is None or row.scorer in wanted]
        if not counted:
            continue
        definition = catalogue.get(name)
        if definition is None:
            definition = _guess_evaluator(name, counted)
            warnings.append(_guess_warning(definition))
        matrices.append(_matrix(definition, counted, wanted))
    return matrices, warnings


def _rows(
    frame: pd.DataFrame, catalogue: Catalogue, threads: Hashable | None
) -> dict[str, list[_Row]]:
    """Return the rows that hold a score, by evaluator; one whose value is missing holds none."""
    names = [name for name in ("evaluator_slug", "evaluator_id") if has_column(frame, name)]
    if not names:
        raise FrameError(
            "agreement needs a row per score, with a column evaluator_slug or evaluator_id; the "
            f"columns are {render_names(frame.columns)}. "
            'pull_scores(..., scorer="all") gives such rows'
        )
    values, scorers = find_column(frame, "value").tolist(), find_column(frame, "scorer").tolist()
    log_ids, errors = read_log_ids(frame)
    slugs, ids = (
        find_column(frame, name).tolist() if name in names else [None] * len(frame)
        for name in ("evaluator_slug", "evaluator_id")
    )
    in_threads = [None] * len(frame) if threads is None else find_column(frame, threads).tolist()
    aliases = {id_: slug for slug, id_ in zip(slugs, ids, strict=True) if _is_name(id_, slug)}
    rows: dict[str, list[_Row]] = {}
    for i, label in enumerate(frame.index.tolist()):
        if is_missing(values[i]):
            continue
        if i in errors:
            raise FrameError(f"row {label!r}: {errors[i]}")
        if not _is_name(scorers[i]):
            raise FrameError(
                f"row {label!r} has a score, and its scorer is {render_value(scorers[i])}; say in "
                "column 'scorer', as text, who gave it, or drop the row"
            )
        name = _evaluator_name(label, slugs[i], ids[i], catalogue, aliases)
        thread = None if is_missing(in_threads[i]) else str(in_threads[i])
        rows.setdefault(name, []).append(_Row(label, log_ids[i], scorers[i], values[i], thread))
    return rows


def _is_name(*cells: Any) -> bool:
    return all(isinstance(cell, str) and cell.strip() for cell in cells)


def _evaluator_name(
    label: Hashable, slug: Any, id_: Any, catalogue: Catalogue, aliases: Mapping[str, str]
) -> str:
    given = [name for name in (slug, id_) if _is_name(name)]
    if not given:
        raise FrameError(
            f"row {label!r} has a score and no evaluator; fill in evaluator_slug or evaluator_id"
        )
    found = list(dict.fromkeys(one.slug_or_id for name in given if (one := catalogue.get(name))))
    if len(found) > 1:
        raise FrameError(f"row {label!r}: evaluator_id {id_!r} and evaluator_slug {slug!r} differ")
    return found[0] if found else aliases.get(given[0], given[0])


def _checked_scorers(scorers: Sequence[str], rows: Mapping[str, list[_Row]]) -> list[str]:
    if isinstance(scorers, str):
        raise ConfigurationError(f"scorers takes a list, as in [{scorers!r}, ...]")
    there = dict.fromkeys(row.scorer for some in rows.values() for row in some)
    for name in scorers:
        if not isinstance(name, str):
            raise ConfigurationError(
                f"scorers takes the names of scorers, not {render_value(name)}"
            )
        if name not in there:
            raise FrameError(f"no scores by {name!r}; {suggest_name(name, there)}")
    return list(dict.fromkeys(scorers))


# -- the type of an evaluator that is not defined -----------------------------------------------


def _guess_evaluator(name: str, rows: Sequence[_Row]) -> Evaluator:
    kinds = {_kind(row.value): row for row in reversed(rows)}
    if kinds.keys() == {"multi_select", "json"}:
        kinds = {"json": rows[0]}
    if len(kinds) > 1:
        one, other = (kinds[kind] for kind in sorted(kinds, key=str)[:2])
        raise FrameError(
            f"the scores of {name!r} are of several types: row {one.label!r} has "
            f"{render_value(one.value)}, row {other.label!r} {render_value(other.value)}; pass "
            "evaluators=[...] with its definition, or split them"
        )
    (kind,) = kinds
    if kind is None:
        row = rows[0]
        raise FrameError(
            f"row {row.label!r}: {name!r} has {render_value(row.value)}, and a score is a bool, a "
            "number, text, a list or a dict"
        )
    return Evaluator(evaluator_slug=name, score_value_type=kind)


def _kind(raw: Any) -> str | None:
    """Return the ``score_value_type`` that a value looks like, None when it looks like none."""
    if isinstance(raw, bool | np.bool_):
        return "boolean"
    if is_number(raw):
        return "numerical"
    if isinstance(raw, list | tuple | set | frozenset | np.ndarray):
        return "multi_select" if all(isinstance(one, str) for one in raw) else "json"
    return "text" if isinstance(raw, str) else "json" if isinstance(raw, dict) else None


def _guess_warning(evaluator: Evaluator) -> str:
    taken = (
        f"{evaluator.slug_or_id!r} has no definition and was taken for {evaluator.score_value_type}"
    )
    hint = ", with choices when it has any" if evaluator.score_value_type == "text" else ""
    return f"{taken}, as its values look; pass evaluators=[Evaluator(...)] to say what it is{hint}"


# -- the matrix ---------------------------------------------------------------------------------


def _matrix(
    evaluator: Evaluator, rows: Sequence[_Row], wanted: Sequence[str] | None
) -> ScoreMatrix:
    _refuse_twice(evaluator, rows)
    found = _read_categories(evaluator, rows)
    level, categories = order_categories(evaluator, found)
    code_of = {category: i for i, category in enumerate(categories)}
    there = dict.fromkeys(row.scorer for row in rows)
    scorers = {name: i for i, name in enumerate(n for n in wanted or there if n in there)}
    logs = {name: i for i, name in enumerate(dict.fromkeys(row.log_id for row in rows))}
    codes = np.full((len(logs), len(scorers)), -1, np.int64)
    cells: list[list[Any]] = [[None] * len(scorers) for _ in logs]
    for row, category in zip(rows, found, strict=True):
        i, j = logs[row.log_id], scorers[row.scorer]
        codes[i, j], cells[i][j] = code_of[category], row.value
    return ScoreMatrix(
        evaluator=evaluator.slug_or_id,
        type=evaluator.score_value_type or "",
        level=level,
        log_ids=tuple(logs),
        scorers=tuple(scorers),
        codes=codes,
        categories=tuple(categories),
        cells=cells,
        width=width_of(evaluator, categories) if level == "interval" else 0.0,
        units=_number_units(rows, logs),
    )


def _number_units(rows: Sequence[_Row], logs: Iterable[str]) -> Codes:
    """Return the unit of each log: that of its thread, or one of its own."""
    threads: dict[str, str] = {}
    for row in rows:
        if row.thread is None:
            continue
        if threads.setdefault(row.log_id, row.thread) != row.thread:
            raise FrameError(
                f"log {row.log_id!r} is in two threads, {threads[row.log_id]!r} and {row.thread!r}"
            )
    names = [("thread", threads[log]) if log in threads else ("log", log) for log in logs]
    numbers = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], np.int64)


def _refuse_twice(evaluator: Evaluator, rows: Sequence[_Row]) -> None:
    first: dict[tuple[str, str], _Row] = {}
    for row in rows:
        earlier = first.setdefault((row.log_id, row.scorer), row)
        if earlier is not row:
            raise FrameError(
                f"rows {earlier.label!r} and {row.label!r}: {row.scorer!r} scores log "
                f"{row.log_id!r} twice by {evaluator.slug_or_id!r}; keep one of them"
            )


def _read_categories(evaluator: Evaluator, rows: Sequence[_Row]) -> list[Any]:
    read = category_reader(evaluator)
    categories, errors = [], []
    for row in rows:
        try:
            categories.append(read(row.value))
        except InvalidValueError as error:
            errors.append(f"row {row.label!r}: {error}")
    if errors:
        more = f" ({len(errors) - 1} more like it)" if len(errors) > 1 else ""
        raise FrameError(f"{errors[0]}{more}; correct the value or drop the row")
    return categories
