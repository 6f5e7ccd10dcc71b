"""Choose and read the columns that travel along with a score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from respan_notebook.errors import ConfigurationError, InvalidValueError
from respan_notebook.frames.columns import find_column, has_column
from respan_notebook.models import LOGS_MARK
from respan_notebook.values.cells import RowErrors, id_text, is_missing, is_number, read_each
from respan_notebook.wording import find_surrogate, render_names, render_value

Cells = Sequence[Any] | npt.NDArray[np.datetime64]
"""A value per row."""


ContextNames = bool | str | Sequence[str] | None
"""Names of columns that travel; True for all, False for none, None as the mark of a frame says."""


def choose_context(frame: pd.DataFrame, given: ContextNames) -> list[str]:
    """Return the columns that travel with the scores of a frame, in the order of the API.

    An explanation is part of a score and always travels. Other columns travel when they are
    chosen; without a choice, in a frame that :meth:`RespanClient.logs` made, whose columns are
    fields of the logs (elsewhere a ``timestamp`` may be anything's).

    Raises
    ------
    ConfigurationError
        A name is none of a column that can travel.
    FrameError
        There is no column of a chosen name.
    """
    if given is None:
        given = frame.attrs.get(LOGS_MARK) is True
    if isinstance(given, bool):
        wanted = list(CONTEXT_COLUMNS) if given else ["explanation"]
        return [name for name in wanted if has_column(frame, name)]
    names = [given] if isinstance(given, str) else list(given)
    for name in names:
        if name not in CONTEXT_COLUMNS:
            raise ConfigurationError(
                f"context takes True, False or names out of {render_names(CONTEXT_COLUMNS)}, not "
                f"{render_value(name)}"
            )
        find_column(frame, name)
    chosen = {*names, *(["explanation"] if has_column(frame, "explanation") else [])}
    return [name for name in CONTEXT_COLUMNS if name in chosen]


def describe_context(frame: pd.DataFrame, chosen: Sequence[str]) -> list[str]:
    """Return remarks: which fields of the log travel with a score, and which could."""
    there = [n for n in CONTEXT_COLUMNS if n != "explanation" and has_column(frame, n)]
    travelling = [name for name in there if name in chosen]
    left = [name for name in there if name not in chosen]
    return [
        *([f"of the log travels with each score: {', '.join(travelling)}"] if travelling else []),
        *([f"not sent, since context= does not name it: {', '.join(left)}"] if left else []),
    ]


def read_context(name: str, column: pd.Series[Any]) -> tuple[Cells, RowErrors, list[str]]:
    """Encode one of :data:`CONTEXT_COLUMNS`; return its cells, errors and warnings.

    The cells, one per row, are what :class:`ScoreWrite` takes, None (or NaT) where there is
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
        cells, errors = read_each(raw, CONTEXT_COLUMNS[name])
        naive = name == "timestamp" and any(
            _is_naive(cell) for row, cell in enumerate(raw) if row not in errors
        )
        cells = [None if row in errors else cell for row, cell in enumerate(cells)]
    warning = "column 'timestamp' has times without a time zone; they were taken as UTC"
    faults = {row: f"column {name!r} {error}" for row, error in errors.items()}
    return cells, faults, [warning] * naive


def _in_range(times: npt.NDArray[np.datetime64]) -> tuple[npt.NDArray[np.datetime64], RowErrors]:
    """Cut times to the microsecond; those that Python's datetime can't hold become errors."""
    years = times.astype("datetime64[Y]")
    first, last = np.datetime64("0001", "Y"), np.datetime64("9999", "Y")
    bad = ~np.isnat(times) & ((years < first) | (years > last))
    errors = {
        int(row): f"takes a time of the years 1 to 9999, got {times[row]}"
        for row in np.flatnonzero(bad)
    }
    return np.where(bad, np.array("NaT", times.dtype), times).astype("datetime64[us]"), errors


def _is_naive(raw: Any) -> bool:
    if is_missing(raw) or (isinstance(raw, str) and not raw.strip()):
        return False
    return _read_moment(raw).tzinfo is None


def _read_moment(raw: Any) -> datetime:
    if isinstance(raw, np.datetime64):
        raw = pd.Timestamp(raw)
    if isinstance(raw, pd.Period):
        raw = raw.start_time
    if isinstance(raw, datetime):
        return raw
    if isinstance(raw, date):
        return datetime.combine(raw, time())
    try:
        return datetime.fromisoformat(raw)
    except (TypeError, ValueError):
        raise InvalidValueError(
            f"takes an ISO 8601 time, got {render_value(raw)}", value=raw
        ) from None


def _read_timestamp(raw: Any) -> str | None:
    if is_missing(raw) or (isinstance(raw, str) and not raw.strip()):
        return None
    moment = _read_moment(raw)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read_text(raw: Any) -> str | None:
    if is_missing(raw):
        return None
    text = id_text(raw)
    if text is None:
        raise InvalidValueError(f"takes text, got {render_value(raw)}", value=raw)
    if problem := find_surrogate(text):
        raise InvalidValueError(f"takes valid Unicode; {problem}", value=raw)
    return text if text.strip() else None


def _read_explanation(raw: Any) -> str | None:
    """Return the text of an explanation: "" for a blank one, which clears the server's."""
    return None if is_missing(raw) else _read_text(raw) or ""


def _read_whole_number(raw: Any) -> int | None:
    if is_missing(raw):
        return None
    # pandas turns a column of whole numbers with gaps into floats.
    if not is_number(raw) or raw % 1 != 0 or abs(raw) >= 2**63:
        raise InvalidValueError(f"takes a whole number, got {render_value(raw)}", value=raw)
    return int(raw)


CONTEXT_COLUMNS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "timestamp": _read_timestamp,
    "environment": _read_text,
    "prompt_id": _read_text,
    "prompt_version_number": _read_whole_number,
    "dataset_id": _read_text,
    "automation_id": _read_text,
    "explanation": _read_explanation,
}
"""Column, by the API's name -> the function that encodes a cell. Missing is not sent.

Blank is not sent either, except for an explanation: it is sent as "", which clears the server's.
"""
