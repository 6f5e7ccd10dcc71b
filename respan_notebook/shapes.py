"""Scores out of a DataFrame: a column per evaluator (wide), or a row per score (tidy)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from respan_notebook.batch import Batch, Target
from respan_notebook.checks import is_missing, shown
from respan_notebook.columns import CONTEXT_COLUMNS, Cells, RowErrors, read_context, read_log_ids
from respan_notebook.errors import FrameError
from respan_notebook.evaluators import SEVERAL, Catalogue, choose, listed, tidy_target, wide_target
from respan_notebook.models import VALUE_FIELDS, Evaluator

LOG_ID_COLUMNS: Final = ("log_id", "unique_id", "id")
_EVALUATOR_COLUMNS: Final = ("evaluator_id", "evaluator_slug")

Scores = Mapping[str, Hashable] | Sequence[str | Evaluator] | str | Evaluator
"""Evaluator -> column, or evaluators whose columns bear their slugs."""


def read_scores(
    frame: pd.DataFrame, scores: Scores | None, known: Catalogue
) -> tuple[Batch, RowErrors, list[str]]:
    """Return the scores in a frame, not checked yet.

    Parameters
    ----------
    frame, scores
        As ``push_scores`` takes them.
    known : Catalogue
        Where evaluators are found.

    Returns
    -------
    tuple of (batch, errors, warnings)
        ``errors``: what is wrong with a row, whatever its values.

    Raises
    ------
    FrameError, UnknownEvaluatorError, UnsupportedEvaluatorError
        As ``push_scores``.
    """
    log_ids, errors = read_row_ids(frame)
    if scores is None:
        batch, used = _tidy(frame, log_ids, known), set[Hashable]()
    else:
        columns = _columns_by_evaluator(frame, scores, known)
        batch, used = _wide(frame, log_ids, columns, known), set(columns.values())
    context: dict[str, Cells] = {}
    warnings: list[str] = []
    for name in CONTEXT_COLUMNS:
        if _has(frame, name) and name not in used:
            context[name], faults, notes = read_context(name, _column(frame, name))
            warnings += notes
            errors = faults | errors
    batch.context = context
    return batch, errors, warnings


def _has(frame: pd.DataFrame, name: Hashable) -> bool:
    return any(_is_label(column, name) for column in frame.columns)


def _is_label(column: Hashable, name: Hashable) -> bool:
    # 0 is not False, and comparing with pd.NA gives pd.NA.
    return column is name or (type(column) is type(name) and bool(column == name))


def _column(frame: pd.DataFrame, name: Hashable) -> pd.Series[Any]:
    found = [i for i, column in enumerate(frame.columns) if _is_label(column, name)]
    if not found:
        raise FrameError(f"no column {name!r}; {choose(name, frame.columns)}")
    if len(found) > 1:
        raise FrameError(f"column {name!r} is there {len(found)} times; rename or drop one")
    return frame.iloc[:, found[0]]


def read_row_ids(frame: pd.DataFrame) -> tuple[list[Any], RowErrors]:
    """Return the log id of each row of a frame, and what is wrong with those that can't be."""
    levels = [name for name in frame.index.names if name in LOG_ID_COLUMNS]
    if len(set(levels)) < len(levels):
        raise FrameError(f"an index level is there more than once: {listed(levels)}")
    found = {name: _column(frame, name).tolist() for name in LOG_ID_COLUMNS if _has(frame, name)}
    for level in levels:
        found.setdefault(level, frame.index.get_level_values(level).tolist())
    if not found:
        raise FrameError(
            f"no log id: the frame needs a column {', '.join(LOG_ID_COLUMNS[:-1])} or "
            f"{LOG_ID_COLUMNS[-1]}; its columns are {listed(frame.columns)}"
        )
    (first, cells), *others = found.items()
    for name, other in others:
        # `unique_id` and `id` of a log are the same thing; then there is nothing to ask.
        if not all(map(_is_same_id, cells, other)):
            raise FrameError(
                f"two columns could be the log id, {first!r} and {name!r}, and they differ; "
                "rename or drop the one that is not"
            )
    return read_log_ids(cells)


def _is_same_id(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    if is_missing(one) or is_missing(other):
        return is_missing(one) and is_missing(other)
    return shown(one) == shown(other)


def _wide(
    frame: pd.DataFrame, log_ids: list[Any], columns: dict[str, Hashable], known: Catalogue
) -> Batch:
    targets = [wide_target(name, known[name]) for name in columns]
    _refuse_twins(columns, targets)
    width, size = len(targets), len(frame)
    values: list[Any] = [None] * (width * size)
    for i, column in enumerate(columns.values()):
        values[i::width] = _column(frame, column).tolist()
    codes = list(range(width)) * size
    return Batch(frame.index, log_ids, targets, codes, values, width=width)


def _tidy(frame: pd.DataFrame, log_ids: list[Any], known: Catalogue) -> Batch:
    names = [name for name in _EVALUATOR_COLUMNS if _has(frame, name)]
    raw = [name for name in VALUE_FIELDS if _has(frame, name)]
    if not names or not (_has(frame, "value") or raw):
        raise FrameError(
            "without a first argument, push_scores needs a row per score, with a column "
            "evaluator_id or evaluator_slug and a column value (or the API's value fields); "
            f"the columns are {listed(frame.columns)}. For a column per evaluator, "
            'say which is which: push_scores({"evaluator": "column"})'
        )
    if _has(frame, "value") and raw:
        raise FrameError(f"both a column 'value' and {listed(raw)}; drop one or the other")
    empty: list[Any] = [None] * len(frame)
    ids, slugs = (
        _column(frame, name).tolist() if name in names else empty for name in _EVALUATOR_COLUMNS
    )
    if raw:
        fields, values = _one_field(raw, [_column(frame, name).tolist() for name in raw])
    else:
        fields, values = empty, _column(frame, "value").tolist()
    targets: dict[tuple[Any, ...], Target] = {}
    positions: dict[tuple[Any, ...], int] = {}
    codes = []
    for cells in zip(ids, slugs, fields, strict=True):
        key = (_name(cells[0]), _name(cells[1]), cells[2])
        if key not in targets:
            positions[key], targets[key] = len(targets), tidy_target(*key, known)
        codes.append(positions[key])
    return Batch(frame.index, log_ids, list(targets.values()), codes, values)


def _columns_by_evaluator(
    frame: pd.DataFrame, scores: Scores, known: Catalogue
) -> dict[str, Hashable]:
    if isinstance(scores, Mapping):
        columns = dict(scores)
    elif isinstance(scores, str | Evaluator):
        columns = same_names([scores], known)
    elif isinstance(scores, Sequence):
        columns = same_names(scores, known)
    else:
        raise FrameError(f"scores is a mapping of evaluator to column or a list, not {scores!r}")
    if not columns:
        raise FrameError("no evaluator given: pass a mapping of evaluator to column, or a list")
    for name, column in columns.items():
        if not isinstance(name, str):
            raise FrameError(f"an evaluator is named by its slug or id, not by {shown(name)}")
        if not isinstance(column, Hashable):
            raise FrameError(f"{name!r} needs the name of a column, not {shown(column)}")
        if _has(frame, name) and known.get(name) is None and known.get(str(column)) is not None:
            raise FrameError(
                f"{name!r} is a column and {column!r} an evaluator; the mapping goes from "
                "evaluator to column: swap them"
            )
    return columns


def same_names(scores: Sequence[str | Evaluator], known: Catalogue) -> dict[str, Hashable]:
    """Return evaluator -> column where the columns bear the evaluators' slugs."""
    for one in scores:
        if not isinstance(one, str | Evaluator):
            raise FrameError(f"an evaluator is a slug, an id or an Evaluator, not {shown(one)}")
    known.add(one for one in scores if isinstance(one, Evaluator))
    names = [one.key if isinstance(one, Evaluator) else one for one in scores]
    return {name: name for name in names}


def _refuse_twins(columns: Mapping[str, Hashable], targets: Sequence[Target]) -> None:
    seen: dict[str, str] = {}
    for name, target in zip(columns, targets, strict=True):
        if target.identity in seen:
            raise FrameError(f"{seen[target.identity]!r} and {name!r} are the same evaluator")
        seen[target.identity] = name


def _one_field(names: list[str], columns: list[list[Any]]) -> tuple[list[str | None], list[Any]]:
    """Return, row by row, which raw value field is set, and its value."""
    fields: list[str | None] = []
    values: list[Any] = []
    for cells in zip(*columns, strict=True):
        given = [i for i, cell in enumerate(cells) if not is_missing(cell)]
        fields.append(SEVERAL if len(given) > 1 else names[given[0]] if given else None)
        values.append(cells[given[0]] if given else None)
    return fields, values


def _name(cell: Any) -> str | None:
    if is_missing(cell):
        return None
    if isinstance(cell, str):
        return str.__str__(cell) or None
    return shown(cell)
