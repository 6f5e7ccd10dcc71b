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
    log_ids, errors = _log_ids(frame)
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
    return any(column == name for column in frame.columns)


def _column(frame: pd.DataFrame, name: Hashable) -> pd.Series[Any]:
    found = [i for i, column in enumerate(frame.columns) if column == name]
    if not found and name in frame.index.names:
        return frame.index.get_level_values(name).to_series()  # type: ignore[arg-type]
    if not found:
        raise FrameError(f"no column {name!r}; {choose(name, frame.columns)}")
    if len(found) > 1:
        raise FrameError(f"column {name!r} is there {len(found)} times; rename or drop one")
    return frame.iloc[:, found[0]]


def _log_ids(frame: pd.DataFrame) -> tuple[list[Any], RowErrors]:
    names = [n for n in LOG_ID_COLUMNS if _has(frame, n) or n in frame.index.names]
    if not names:
        raise FrameError(
            f"no log id: the frame needs a column {', '.join(LOG_ID_COLUMNS[:-1])} or "
            f"{LOG_ID_COLUMNS[-1]}; its columns are {listed(frame.columns)}"
        )
    columns = [_column(frame, name).tolist() for name in names]
    for name, cells in zip(names[1:], columns[1:], strict=True):
        # `unique_id` and `id` of a log are the same thing; then there is nothing to ask.
        if not all(
            a is b or a == b or (is_missing(a) and is_missing(b))
            for a, b in zip(columns[0], cells, strict=True)
        ):
            raise FrameError(
                f"two columns could be the log id, {names[0]!r} and {name!r}, and they "
                "differ; rename or drop the one that is not"
            )
    return read_log_ids(columns[0])


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
    else:
        listed = [scores] if isinstance(scores, str | Evaluator) else list(scores)
        objects = [one for one in listed if isinstance(one, Evaluator)]
        if objects:
            known.add(objects)
        names = [one.key if isinstance(one, Evaluator) else one for one in listed]
        columns = {name: name for name in names}
    if not columns:
        raise FrameError("no evaluator given: pass a mapping of evaluator to column, or a list")
    for name, column in columns.items():
        if not isinstance(name, str):
            raise FrameError(f"an evaluator is named by its slug or id, not by {shown(name)}")
        if _has(frame, name) and known.get(name) is None and known.get(str(column)) is not None:
            raise FrameError(
                f"{name!r} is a column and {column!r} an evaluator; the mapping goes from "
                "evaluator to column: swap them"
            )
    return columns


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
    if is_missing(cell) or cell == "":
        return None
    return cell if isinstance(cell, str) else str(cell)
