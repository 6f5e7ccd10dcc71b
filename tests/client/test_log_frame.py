"""Frames of logs, whatever names their ids have."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from respan_notebook.client.log_frame import log_frame


@pytest.mark.parametrize(
    ("logs", "columns", "ids"),
    [
        ([{"id": "a", "input": "x"}], ["unique_id", "input"], ["a"]),
        ([{"input": "x", "unique_id": "b", "id": "a"}], ["unique_id", "input"], ["b"]),
        ([], ["unique_id"], []),
    ],
    ids=["id alone", "both", "no log"],
)
def test_log_frame__unique_id_comes_first_and_alone(
    logs: list[dict[str, Any]], columns: list[str], ids: list[str]
) -> None:
    frame = log_frame(logs)
    assert (list(frame), list(frame["unique_id"])) == (columns, ids)


def test_log_frame__times_are_utc() -> None:
    frame = log_frame([{"id": "a", "timestamp": "2026-01-01T02:00:00+02:00"}, {"id": "b"}])
    assert list(frame["timestamp"]) == [pd.Timestamp("2026-01-01", tz="UTC"), pd.NaT]
