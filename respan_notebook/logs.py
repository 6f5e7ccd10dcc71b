"""Logs as the API sends them, as a DataFrame."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd


def iso_time(moment: datetime | str | None) -> str | None:
    """Return a time as the API takes it; UTC when it has no time zone."""
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
    return moment


def log_frame(logs: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return a row per log, RangeIndex, ``unique_id`` first; ``timestamp`` in UTC."""
    for log in logs:
        # `id` is an alias; one column for one thing.
        log["unique_id"] = log.get("unique_id") or log.get("id")
    columns = dict.fromkeys(["unique_id", *(name for log in logs for name in log)])
    columns.pop("id", None)
    frame = pd.DataFrame(logs, columns=list(columns))
    if "timestamp" in frame:
        frame["timestamp"] = pd.to_datetime(frame["timestamp"], utc=True, format="ISO8601")
    return frame
