"""Read the scores of a frame: a column per evaluator (wide), or a row per score (tidy)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from respan_notebook.catalogue import Catalogue
from respan_notebook.errors import FrameError, InvalidValueError, UnsupportedEvaluatorError
from respan_notebook.frames.columns import find_column, has_column, read_cells
from respan_notebook.frames.context import CONTEXT_COLUMNS, Cells, read_context
from respan_notebook.frames.log_ids import read_log_ids
from respan_notebook.models import VALUE_FIELDS, Evaluator
from respan_notebook.push.plan import Plan
from respan_notebook.values.cells import RowErrors, is_missing
from respan_notebook.values.encoding import encode_cells
from respan_notebook.values.types import implied_type, value_type
from respan_notebook.wording import make_printable, render_names, render_value

_EVALUATOR_COLUMNS: Final = ("evaluator_id", "evaluator_slug")
_SEVERAL: Final = "several"  # In the place of a value field: the row has more than one.

Scores = Mapping[str, Hashable] | Sequence[str | Evaluator] | str | Evaluator
"""Evaluator -> column, or evaluators whose columns bear their slugs."""


class ReadFrame(NamedTuple):
    """Hold a plan, the errors by score and by row, and warnings about whole columns."""

    plan: Plan
    errors: dict[int, str]
    row_errors: RowErrors
    warnings: list[str]


def read_frame(frame: pd.DataFrame, scores: Scores | None, catalogue: Catalogue) -> ReadFrame:
    """Read and encode the scores of a frame; raises as ``push_scores``."""
    log_ids, row_errors = read_log_ids(frame)
    columns = None if scores is None else _columns_by_evaluator(frame, scores, catalogue)
    context: dict[str, Cells] = {}
    warnings: list[str] = []
    for name in CONTEXT_COLUMNS:
        if has_column(frame, name) and name not in (columns or {}).values():
            context[name], errors, notes = read_context(name, find_column(frame, name))
            warnings += notes
            row_errors = errors | row_errors
    if columns is None:
        plan, value_errors = _read_tidy(frame, log_ids, context, catalogue)
    else:
        plan, value_errors = _read_wide(frame, log_ids, context, columns, catalogue)
    return ReadFrame(plan, value_errors, row_errors, warnings)


# -- wide ---------------------------------------------------------------------------------------


def _read_wide(
    frame: pd.DataFrame,
    log_ids: list[Any],
    context: Mapping[str, Cells],
    columns: Mapping[str, Hashable],
    catalogue: Catalogue,
) -> tuple[Plan, dict[int, str]]:
    evaluators = [catalogue[name] for name in columns]
    _refuse_twins(columns, evaluators)
    width, size = len(evaluators), len(frame)
    values: list[Any] = [None] * (width * size)
    errors: dict[int, str] = {}
    for code, (evaluator, column) in enumerate(zip(evaluators, columns.values(), strict=True)):
        values[code::width], faults = encode_cells(evaluator, read_cells(frame, column))
        errors |= {row * width + code: fault for row, fault in faults.items()}
    codes = np.tile(np.arange(width), size)
    return Plan(frame.index, log_ids, evaluators, codes, values, context, width), errors


def _columns_by_evaluator(
    frame: pd.DataFrame, scores: Scores, catalogue: Catalogue
) -> dict[str, Hashable]:
    if isinstance(scores, Mapping):
        columns = dict(scores)
    elif isinstance(scores, str | Evaluator | Sequence):
        listed = [scores] if isinstance(scores, str | Evaluator) else scores
        columns = {name: name for name in catalogue.names_of(listed)}
    else:
        raise FrameError(f"scores is a mapping of evaluator to column or a list, not {scores!r}")
    if not columns:
        raise FrameError("no evaluator given: pass a mapping of evaluator to column, or a list")
    for name, column in columns.items():
        if not isinstance(name, str):
            raise FrameError(
                f"an evaluator is named by its slug or id, not by {render_value(name)}"
            )
        if not isinstance(column, Hashable):
            raise FrameError(f"{name!r} needs the name of a column, not {render_value(column)}")
        if has_column(frame, name) and catalogue.get(name) is None and catalogue.get(str(column)):
            raise FrameError(
                f"{name!r} is a column and {column!r} an evaluator; the mapping goes from "
                "evaluator to column: swap them"
            )
    return columns


def _refuse_twins(columns: Mapping[str, Hashable], evaluators: Sequence[Evaluator]) -> None:
    seen: dict[str, str] = {}
    for name, evaluator in zip(columns, evaluators, strict=True):
        twin = seen.setdefault(f"{evaluator.reference}", name)
        if twin != name:
            raise FrameError(f"{twin!r} and {name!r} are the same evaluator")


# -- tidy ---------------------------------------------------------------------------------------


def _read_tidy(
    frame: pd.DataFrame, log_ids: list[Any], context: Mapping[str, Cells], catalogue: Catalogue
) -> tuple[Plan, dict[int, str]]:
    names = [name for name in _EVALUATOR_COLUMNS if has_column(frame, name)]
    raw = [name for name in VALUE_FIELDS if has_column(frame, name)]
    if not names or not (has_column(frame, "value") or raw):
        raise FrameError(
            "without a first argument, push_scores needs a row per score, with a column "
            "evaluator_id or evaluator_slug and a column value (or the API's value fields); "
            f"the columns are {render_names(frame.columns)}. For a column per evaluator, "
            'say which is which: push_scores({"evaluator": "column"})'
        )
    if has_column(frame, "value") and raw:
        raise FrameError(f"both a column 'value' and {render_names(raw)}; drop one or the other")
    empty: list[Any] = [None] * len(frame)
    ids, slugs = (
        find_column(frame, name).tolist() if name in names else empty for name in _EVALUATOR_COLUMNS
    )
    if raw:
        fields, cells = _one_field(raw, [find_column(frame, name).tolist() for name in raw])
    else:
        fields, cells = empty, find_column(frame, "value").tolist()
    rows_of: dict[tuple[str | None, str | None, str | None], list[int]] = {}
    for row, (id_, slug, field) in enumerate(zip(ids, slugs, fields, strict=True)):
        rows_of.setdefault((_name(id_), _name(slug), field), []).append(row)
    evaluators: list[Evaluator] = []
    codes, values = np.zeros(len(frame), np.int64), list[Any](empty)
    errors: dict[int, str] = {}
    for code, (named, rows) in enumerate(rows_of.items()):
        given = [cells[row] for row in rows]
        evaluator, encoded, faults = _encode_tidy(named, given, catalogue)
        evaluators.append(evaluator)
        codes[rows] = code
        for row, value in zip(rows, encoded, strict=True):
            values[row] = value
        errors |= {rows[place]: fault for place, fault in faults.items()}
    return Plan(frame.index, log_ids, evaluators, codes, values, context), errors


def _encode_tidy(
    named: tuple[str | None, str | None, str | None], cells: Sequence[Any], catalogue: Catalogue
) -> tuple[Evaluator, list[Any], RowErrors]:
    """Return the evaluator of some rows, and their values and errors.

    When the evaluator can't be used, every row that has a value has its error.
    """
    id_, slug, field = named
    try:
        evaluator = _tidy_evaluator(id_, slug, field, catalogue)
        kind = value_type(evaluator)
        if field is not None and field != kind.field:
            raise InvalidValueError(
                f"{evaluator.slug_or_id!r} ({kind.name}) takes its value in {kind.field}, not in "
                f"{field}"
            )
        return evaluator, *encode_cells(evaluator, cells)
    except (InvalidValueError, UnsupportedEvaluatorError) as refusal:
        stand_in = Evaluator(evaluator_slug=make_printable(slug or id_ or ""))
        faults = {i: str(refusal) for i, cell in enumerate(cells) if not is_missing(cell)}
        return stand_in, [None] * len(cells), faults


def _tidy_evaluator(
    id_: str | None, slug: str | None, field: str | None, catalogue: Catalogue
) -> Evaluator:
    if field == _SEVERAL:
        raise InvalidValueError("more than one value field is set; a score has one")
    if id_ is None and slug is None:
        raise InvalidValueError("no evaluator: evaluator_id and evaluator_slug are missing")
    for given in (id_, slug):
        if given is not None and given != make_printable(given):
            raise InvalidValueError(f"{make_printable(given)!r} is no valid Unicode")
    found = [catalogue.get(name) for name in (id_, slug) if name is not None]
    if len(found) == 2 and found[0] != found[1]:
        raise InvalidValueError(f"evaluator_id {id_!r} and evaluator_slug {slug!r} differ")
    if found[0] is not None:
        return found[0]
    if field is not None and slug is not None and id_ is None:
        # A slug that the platform does not know is legal; the field says what it holds.
        return Evaluator(evaluator_slug=slug, score_value_type=implied_type(field).name)
    raise InvalidValueError(catalogue.render_unknown(slug or id_ or ""))


def _one_field(names: list[str], columns: list[list[Any]]) -> tuple[list[str | None], list[Any]]:
    """Return for each row the name of the raw value field that is set, and its value."""
    fields: list[str | None] = []
    values: list[Any] = []
    for cells in zip(*columns, strict=True):
        given = [i for i, cell in enumerate(cells) if not is_missing(cell)]
        fields.append(_SEVERAL if len(given) > 1 else names[given[0]] if given else None)
        values.append(cells[given[0]] if given else None)
    return fields, values


def _name(cell: Any) -> str | None:
    if is_missing(cell):
        return None
    if isinstance(cell, str):
        return str.__str__(cell) or None
    return render_value(cell)
