"""Build a DataFrame from logs as the API sends them, and mark it as such."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from respan_notebook.errors import ConfigurationError
from respan_notebook.models import LOGS_MARK


def iso_time(moment: Any) -> Any:
    """Return a datetime as ISO 8601 text, in UTC when it has no time zone; text as it is."""
    if moment is pd.NaT:
        raise ConfigurationError("a time to search from or to is missing: NaT")
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
    return moment


def log_frame(logs: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return a row per log, RangeIndex, ``unique_id`` first; ``timestamp`` in UTC.

    Its ``attrs`` hold the mark :data:`LOGS_MARK`, which survives selecting, assigning, sorting,
    melting and Parquet, but not merge, most concats and CSV.
    """
    for log in logs:
        # `id` is an alias; one column for one thing.
        log["unique_id"] = log.get("unique_id") or log.get("id")
    columns = dict.fromkeys(["unique_id", *(name for log in logs for name in log)])
    columns.pop("id", None)
    frame = pd.DataFrame(logs, columns=list(columns))
    if "timestamp" in frame:
        # A log with an odd timestamp costs the column its dtype, not the frame.
        with contextlib.suppress(ValueError):
            frame["timestamp"] = pd.to_datetime(frame["timestamp"], utc=True, format="ISO8601")
    frame.attrs[LOGS_MARK] = True
    return frame
