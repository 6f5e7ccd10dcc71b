"""Columns beside the values: which log a row is about, and what travels along with its score.

Each function takes a column's cells and gives what is sent, with an error per row that can't be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from respan_notebook.checks import is_missing, is_number, shown
from respan_notebook.errors import InvalidValueError
from respan_notebook.urls import path_segment

Cells = Sequence[Any] | npt.NDArray[np.datetime64]
"""A value per row."""

RowErrors = dict[int, str]
"""Row position -> what is wrong with it."""

_is_plain = re.compile(r"[A-Za-z0-9_-]+").fullmatch  # Most log ids; there is nothing to check.


def read_log_ids(cells: Iterable[Any]) -> tuple[list[Any], RowErrors]:
    """Return log ids as str (whole numbers too), in row order; refused ones as they came."""
    log_ids, errors = _each(cells, _log_id)
    for row in errors:
        if isinstance(log_ids[row], str):
            log_ids[row] = printable(log_ids[row])
    return log_ids, errors


def printable(text: str) -> str:
    """Return text with halves of surrogate pairs, which can't be printed, written out."""
    return text.encode(errors="backslashreplace").decode()


def _log_id(raw: Any) -> str:
    if type(raw) is str and _is_plain(raw):
        return raw
    if is_missing(raw):
        raise InvalidValueError("no log id")
    if isinstance(raw, int | np.integer) and is_number(raw):
        return str(int(raw))
    if not isinstance(raw, str):
        is_float = isinstance(raw, float | np.floating)
        hint = "; read the column as text, for instance with dtype=str" if is_float else ""
        raise InvalidValueError(f"a log id is text, got {shown(raw)}{hint}", value=raw)
    text = str.__str__(raw)
    path_segment(text, "log id")
    return text


def read_context(name: str, column: pd.Series[Any]) -> tuple[Cells, RowErrors, list[str]]:
    """Return what travels along with a score from one of :data:`CONTEXT_COLUMNS`.

    Returns
    -------
    tuple of (cells, errors, warnings)
        ``cells``, one per row, are what :class:`ScoreWrite` takes, None (or NaT) where there is
        nothing to send.
    """
    dtype = column.dtype
    cells: Cells
    if name == "timestamp" and isinstance(dtype, np.dtype) and dtype.kind == "M":
        cells, errors = _in_range(column.to_numpy())
        naive = not column.isna().all()
    elif name == "timestamp" and isinstance(dtype, pd.DatetimeTZDtype):
        utc = column.dt.tz_convert("UTC").dt.tz_localize(None)
        cells, errors = _in_range(utc.to_numpy())
        naive = False
    else:
        raw = column.tolist()
        cells, errors = _each(raw, CONTEXT_COLUMNS[name])
        naive = name == "timestamp" and any(
            _is_naive(cell) for row, cell in enumerate(raw) if row not in errors
        )
    warning = "column 'timestamp' has times without a time zone; they were taken as UTC"
    faults = {row: f"column {name!r} {error}" for row, error in errors.items()}
    return cells, faults, [warning] * naive


def _in_range(times: npt.NDArray[np.datetime64]) -> tuple[npt.NDArray[np.datetime64], RowErrors]:
    """Return times to the microsecond; those that Python's datetime can't hold are errors."""
    years = times.astype("datetime64[Y]")
    first, last = np.datetime64("0001", "Y"), np.datetime64("9999", "Y")
    bad = ~np.isnat(times) & ((years < first) | (years > last))
    errors = {
        int(row): f"takes a time of the years 1 to 9999, got {times[row]}"
        for row in np.flatnonzero(bad)
    }
    return np.where(bad, np.array("NaT", times.dtype), times).astype("datetime64[us]"), errors


def _each(cells: Iterable[Any], read: Callable[[Any], Any]) -> tuple[list[Any], RowErrors]:
    values, errors = [], {}
    for row, raw in enumerate(cells):
        try:
            values.append(read(raw))
        except InvalidValueError as error:
            values.append(raw)
            errors[row] = str(error)
        except Exception as error:  # noqa: BLE001 - an odd object in a cell stops no other row.
            values.append(None)
            errors[row] = unreadable(raw, error)
    return values, errors


def unreadable(raw: object, error: Exception) -> str:
    """Return the message for a cell whose object fails when it is looked at."""
    return f"can't be read, {type(error).__name__}: {error}; got {shown(raw)}"


def _is_naive(raw: Any) -> bool:
    if is_missing(raw) or (isinstance(raw, str) and not raw.strip()):
        return False
    return _moment(raw).tzinfo is None


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
    if is_missing(raw) or (isinstance(raw, str) and not raw.strip()):
        return None
    moment = _moment(raw)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat()


def _text(raw: Any) -> str | None:
    if is_missing(raw):
        return None
    if isinstance(raw, int | np.integer) and is_number(raw):
        return str(int(raw))
    if not isinstance(raw, str):
        raise InvalidValueError(f"takes text, got {shown(raw)}", value=raw)
    try:
        raw.encode()
    except UnicodeEncodeError as error:
        problem = f"character {error.start} is half of a surrogate pair"
        raise InvalidValueError(f"takes valid Unicode; {problem}", value=raw) from None
    return str.__str__(raw) if raw.strip() else None


def _whole_number(raw: Any) -> int | None:
    if is_missing(raw):
        return None
    # pandas turns a column of whole numbers with gaps into floats.
    if not is_number(raw) or raw % 1 != 0 or abs(raw) >= 2**63:
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
