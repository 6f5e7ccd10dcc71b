"""Read the scores of a frame: a column per evaluator (wide), or a row per score (tidy)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from respan_notebook.catalogue import Catalogue, EvaluatorNames
from respan_notebook.errors import FrameError, InvalidValueError, UnsupportedEvaluatorError
from respan_notebook.frames.columns import find_column, has_column, read_cells
from respan_notebook.frames.context import (
    Cells,
    choose_context,
    describe_context,
    read_context,
)
from respan_notebook.frames.log_ids import read_log_ids
from respan_notebook.frames.scorers import SCORER_COLUMN, read_scorers
from respan_notebook.models import VALUE_FIELDS, Evaluator
from respan_notebook.push.options import PushOptions
from respan_notebook.push.plan import Plan
from respan_notebook.values.cells import RowErrors, id_text, is_missing
from respan_notebook.values.encoding import encode_cells
from respan_notebook.values.types import implied_type, value_type
from respan_notebook.wording import (
    find_surrogate,
    make_printable,
    render_count,
    render_names,
    render_value,
    suggest_close,
)

_EVALUATOR_COLUMNS: Final = ("evaluator_id", "evaluator_slug")
# In the place of a value field: the row has more than one; it names an evaluator by no text.
_SEVERAL, _NAMELESS = "several", "nameless"

Scores = Mapping[str, Hashable] | EvaluatorNames
"""Evaluator -> column, or evaluators whose columns bear their slugs."""


class ReadFrame(NamedTuple):
    """Hold a plan, the errors by score and by row, and warnings about whole columns."""

    plan: Plan
    errors: dict[int, str]
    row_errors: RowErrors
    warnings: list[str]


class _Named(NamedTuple):
    """Hold the names that a tidy row gives: of its evaluator, and of its raw value field."""

    id: str | None
    slug: str | None
    field: str | None


def read_frame(
    frame: pd.DataFrame, scores: Scores | None, catalogue: Catalogue, *, options: PushOptions
) -> ReadFrame:
    """Read and encode the scores of a frame; raises as ``push_scores``."""
    log_ids, row_errors = read_log_ids(frame)
    columns = None if scores is None else columns_by_evaluator(frame, scores, catalogue)
    scorers: list[str | None] = []
    if SCORER_COLUMN not in (columns or {}).values():
        scorers, errors = read_scorers(frame)
        row_errors = errors | row_errors
    if options.as_scorer and not scorers and len(frame):
        raise FrameError("as_scorer=True needs a column 'scorer', which says whose each score is")
    context: dict[str, Cells] = {}
    warnings: list[str] = []
    chosen = [
        name
        for name in choose_context(frame, options.context)
        if name not in (columns or {}).values()
    ]
    for name in chosen:
        context[name], errors, found = read_context(name, find_column(frame, name))
        warnings += found
        row_errors = errors | row_errors
    if columns is None:
        plan, value_errors = _read_tidy(frame, log_ids, context, catalogue, options=options)
    else:
        plan, value_errors = _read_wide(
            frame, log_ids, context, columns=columns, catalogue=catalogue, options=options
        )
    notes = tuple(describe_context(frame, chosen))
    plan = replace(plan, notes=notes, scorers=scorers, as_scorer=options.as_scorer)
    return ReadFrame(plan, value_errors, row_errors, warnings)


# -- wide ---------------------------------------------------------------------------------------


def _read_wide(
    frame: pd.DataFrame,
    log_ids: list[Any],
    context: Mapping[str, Cells],
    *,
    columns: Mapping[str, Hashable],
    catalogue: Catalogue,
    options: PushOptions,
) -> tuple[Plan, dict[int, str]]:
    evaluators = [catalogue[name] for name in columns]
    _refuse_twins(columns, evaluators)
    width, size = len(evaluators), len(frame)
    values: list[Any] = [None] * (width * size)
    errors: dict[int, str] = {}
    for code, (evaluator, column) in enumerate(zip(evaluators, columns.values(), strict=True)):
        cells = read_cells(frame, column)
        encoded, faults = encode_cells(evaluator, cells, parse_text=options.parse_text)
        values[code::width] = encoded
        errors |= {row * width + code: fault for row, fault in faults.items()}
    codes = np.tile(np.arange(width), size)
    return Plan(frame.index, log_ids, evaluators, codes, values, context, width), errors


def columns_by_evaluator(
    frame: pd.DataFrame, scores: Scores, catalogue: Catalogue
) -> dict[str, Hashable]:
    """Return evaluator -> column; raise FrameError when that can't be meant."""
    columns: dict[str, Hashable]
    if isinstance(scores, Mapping):
        columns = dict(scores)
    else:
        columns = {name: name for name in catalogue.names_of(scores)}
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
    frame: pd.DataFrame,
    log_ids: list[Any],
    context: Mapping[str, Cells],
    catalogue: Catalogue,
    *,
    options: PushOptions,
) -> tuple[Plan, dict[int, str]]:
    rows_of, cells = _group_tidy(frame)
    evaluators: list[Evaluator] = []
    codes, values = np.zeros(len(frame), np.int64), [None] * len(frame)
    errors: dict[int, str] = {}
    for code, (named, rows) in enumerate(rows_of.items()):
        given = [cells[row] for row in rows]
        evaluator, encoded, faults = _encode_tidy(named, given, catalogue, options=options)
        evaluators.append(evaluator)
        codes[rows] = code
        for row, value in zip(rows, encoded, strict=True):
            values[row] = value
        errors |= {rows[place]: fault for place, fault in faults.items()}
    return Plan(frame.index, log_ids, evaluators, codes, values, context), errors


def _group_tidy(frame: pd.DataFrame) -> tuple[dict[_Named, list[int]], list[Any]]:
    """Return the rows by what they name, and the cell of each row's value."""
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
    rows_of: dict[_Named, list[int]] = {}
    for row, given in enumerate(zip(ids, slugs, fields, strict=True)):
        rows_of.setdefault(_read_named(*given), []).append(row)
    return rows_of, cells


def _encode_tidy(
    named: _Named, cells: Sequence[Any], catalogue: Catalogue, *, options: PushOptions
) -> tuple[Evaluator, list[Any], RowErrors]:
    """Return the evaluator of some rows, and their values and errors.

    When the evaluator can't be used, every row that has a value has its error.
    """
    try:
        evaluator = _tidy_evaluator(named, catalogue, may_be_custom=options.custom_evaluators)
        kind = value_type(evaluator)
        if named.field is not None and named.field != kind.field:
            raise InvalidValueError(
                f"{evaluator.slug_or_id!r} ({kind.name}) takes its value in {kind.field}, not in "
                f"{named.field}"
            )
        return evaluator, *encode_cells(evaluator, cells, parse_text=options.parse_text)
    except (InvalidValueError, UnsupportedEvaluatorError) as refusal:
        stand_in = Evaluator(evaluator_slug=make_printable(named.slug or named.id or ""))
        faults = {i: str(refusal) for i, cell in enumerate(cells) if not is_missing(cell)}
        return stand_in, [None] * len(cells), faults


def _tidy_evaluator(named: _Named, catalogue: Catalogue, *, may_be_custom: bool) -> Evaluator:
    id_, slug, field = named
    if field == _SEVERAL:
        raise InvalidValueError("more than one value field is set; a score has one")
    if field == _NAMELESS:
        raise InvalidValueError(f"an evaluator is named by its slug or id, not by {slug}")
    if id_ is None and slug is None:
        raise InvalidValueError("no evaluator: evaluator_id and evaluator_slug are missing")
    for given in (id_, slug):
        if given is not None and find_surrogate(given):
            raise InvalidValueError(f"{make_printable(given)!r} is no valid Unicode")
    evaluator = _find_evaluator(id_, slug, catalogue)
    if evaluator is not None:
        return evaluator
    if field is None or slug is None or id_ is not None or catalogue.is_ambiguous(slug):
        raise InvalidValueError(catalogue.render_unknown(slug or id_ or ""))
    if not may_be_custom:
        raise InvalidValueError(f"{catalogue.render_unknown(slug)}, or pass custom_evaluators=True")
    # A slug that the platform does not know is legal; the field says what it holds.
    return Evaluator(evaluator_slug=slug, score_value_type=implied_type(field).name)


def _find_evaluator(id_: str | None, slug: str | None, catalogue: Catalogue) -> Evaluator | None:
    by_id = catalogue.get(id_) if id_ is not None else None
    by_slug = catalogue.get(slug) if slug is not None else by_id
    if by_id is not None and by_id.evaluator_slug == slug and catalogue.is_ambiguous(slug or ""):
        return by_id
    if id_ is not None and by_id != by_slug:
        raise InvalidValueError(f"evaluator_id {id_!r} and evaluator_slug {slug!r} differ")
    return by_slug


def warn_of_custom(plan: Plan, row_errors: RowErrors, catalogue: Catalogue) -> list[str]:
    """Return a warning for each evaluator that a push of the rows of a tidy frame makes."""
    rows_of = Counter(
        code
        for row, (code, value) in enumerate(zip(plan.codes.tolist(), plan.values, strict=True))
        if value is not None and row not in row_errors
    )
    counts = [(plan.evaluators[code], rows) for code, rows in sorted(rows_of.items())]
    return render_custom(counts, catalogue)


def render_custom(counts: Iterable[tuple[Evaluator, int]], catalogue: Catalogue) -> list[str]:
    """Return a warning for each evaluator that a push of so many rows makes."""
    warnings = []
    for one, rows in counts:
        slug = one.slug_or_id
        if one.id is None and catalogue.get(slug) is None:
            close = suggest_close(slug, catalogue.names)
            warnings.append(
                f"no evaluator has the slug {slug!r}: it becomes a custom one of type "
                f"{one.score_value_type}, for {render_count(rows, 'row')}"
                + (f"; {close}" if close else "")
            )
    return warnings


def _one_field(names: list[str], columns: list[list[Any]]) -> tuple[list[str | None], list[Any]]:
    """Return for each row the name of the raw value field that is set, and its value."""
    fields: list[str | None] = []
    values: list[Any] = []
    for cells in zip(*columns, strict=True):
        given = [i for i, cell in enumerate(cells) if not is_missing(cell)]
        fields.append(_SEVERAL if len(given) > 1 else names[given[0]] if given else None)
        values.append(cells[given[0]] if given else None)
    return fields, values


def _read_named(id_: Any, slug: Any, field: str | None) -> _Named:
    for cell in (id_, slug):
        if not is_missing(cell) and id_text(cell) is None:
            return _Named(None, render_value(cell), _NAMELESS)
    return _Named(id_text(id_) or None, id_text(slug) or None, field)
