"""Columns beside the values: which log a row is about, and what travels along with its score.

Each function takes a column's cells and gives what is sent, with an error per row that can't be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from respan_notebook.checks import is_missing, shown
from respan_notebook.errors import InvalidValueError
from respan_notebook.urls import path_segment

Cells = Sequence[Any] | npt.NDArray[np.datetime64]
"""A value per row."""

RowErrors = dict[int, str]
"""Row position -> what is wrong with it."""


def read_log_ids(cells: Iterable[Any]) -> tuple[list[Any], RowErrors]:
    """Return log ids as str (whole numbers too), in row order; refused ones as they came."""
    log_ids, errors = _each(cells, _log_id)
    for row in errors:
        if isinstance(log_ids[row], str):  # Half a surrogate pair can't be printed.
            log_ids[row] = log_ids[row].encode(errors="backslashreplace").decode()
    return log_ids, errors


def _log_id(raw: Any) -> str:
    if type(raw) is str and raw.isalnum() and raw.isascii():
        return raw
    if is_missing(raw):
        raise InvalidValueError("no log id")
    if isinstance(raw, int | np.integer) and not isinstance(raw, bool):
        return str(int(raw))
    if not isinstance(raw, str):
        hint = "; read the column as text, for instance with dtype=str" if _is_float(raw) else ""
        raise InvalidValueError(f"a log id is text, got {shown(raw)}{hint}", value=raw)
    path_segment(raw, "log id")
    return str(raw)


def _is_float(raw: object) -> bool:
    return isinstance(raw, float | np.floating)


def read_context(name: str, column: pd.Series[Any]) -> tuple[Cells, RowErrors, list[str]]:
    """Return what travels along with a score from one of :data:`CONTEXT_COLUMNS`.

    Returns
    -------
    tuple of (cells, errors, warnings)
        ``cells``, one per row, are what :class:`ScoreWrite` takes, None (or NaT) where there is
        nothing to send.
    """
    warnings = []
    if name == "timestamp":
        naive = _is_naive(column)
        if naive:
            warnings.append(
                "column 'timestamp' has times without a time zone; they were taken as UTC"
            )
        if isinstance(column.dtype, np.dtype) and column.dtype.kind == "M":
            return column.to_numpy("datetime64[us]"), {}, warnings
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            utc = column.dt.tz_convert("UTC").dt.tz_localize(None)
            return utc.to_numpy("datetime64[us]"), {}, warnings
    cells, errors = _each(column.tolist(), CONTEXT_COLUMNS[name])
    return cells, {row: f"column {name!r} {error}" for row, error in errors.items()}, warnings


def _each(cells: Iterable[Any], read: Callable[[Any], Any]) -> tuple[list[Any], RowErrors]:
    values, errors = [], {}
    for row, raw in enumerate(cells):
        try:
            values.append(read(raw))
        except InvalidValueError as error:
            values.append(raw)
            errors[row] = str(error)
    return values, errors


def _is_naive(column: pd.Series[Any]) -> bool:
    """Whether the first time in a column has no time zone."""
    first = column.first_valid_index()
    if first is None:
        return False
    cell = column.dropna().iloc[0]
    try:
        return _moment(cell).tzinfo is None
    except InvalidValueError:
        return False


def _moment(raw: Any) -> datetime:
    if isinstance(raw, np.datetime64):
        raw = pd.Timestamp(raw)
    if isinstance(raw, datetime):
        return raw
    try:
        return datetime.fromisoformat(raw)
    except (TypeError, ValueError):
        raise InvalidValueError(f"takes an ISO 8601 time, got {shown(raw)}", value=raw) from None


def _timestamp(raw: Any) -> str | None:
    if is_missing(raw):
        return None
    moment = _moment(raw)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def _text(raw: Any) -> str | None:
    if is_missing(raw):
        return None
    if isinstance(raw, int | np.integer) and not isinstance(raw, bool):
        return str(int(raw))
    if not isinstance(raw, str):
        raise InvalidValueError(f"takes text, got {shown(raw)}", value=raw)
    try:
        raw.encode()
    except UnicodeEncodeError as error:
        problem = f"character {error.start} is half of a surrogate pair"
        raise InvalidValueError(f"takes valid Unicode; {problem}", value=raw) from None
    return str(raw) if raw.strip() else None


def _whole_number(raw: Any) -> int | None:
    if is_missing(raw):
        return None
    # pandas turns a column of whole numbers with gaps into floats.
    is_number = isinstance(raw, int | float | np.integer | np.floating)
    if not is_number or isinstance(raw, bool) or raw % 1 != 0:
        raise InvalidValueError(f"takes a whole number, got {shown(raw)}", value=raw)
    return int(raw)


CONTEXT_COLUMNS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "timestamp": _timestamp,
    "environment": _text,
    "prompt_id": _text,
    "prompt_version_number": _whole_number,
    "dataset_id": _text,
    "automation_id": _text,
    "explanation": _text,
}
"""Columns that travel along with a score, by the API's names. Missing or blank is not sent."""
