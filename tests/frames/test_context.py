"""What travels along with a score: its time, environment, prompt and explanation."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from dry import FRAME, dry, statuses

from respan_notebook import Evaluator

TOKYO = timezone(timedelta(hours=9))
NOON = datetime(2026, 1, 5, 12)


@pytest.mark.parametrize(
    ("times", "sent", "warned"),
    [
        (pd.Series(pd.to_datetime([NOON, None])), "2026-01-05T12:00:00Z", True),
        (pd.Series(pd.to_datetime([NOON, None]).tz_localize(TOKYO)), "2026-01-05T03:00:00Z", False),
        (
            pd.Series(["2026-01-05T12:00:00.5+09:00", None]),
            "2026-01-05T03:00:00.500000Z",
            False,
        ),
        (pd.Series(["2026-01-05", None]), "2026-01-05T00:00:00Z", True),
        (
            pd.Series([NOON.replace(tzinfo=UTC), pd.NaT], dtype=object),
            "2026-01-05T12:00:00Z",
            False,
        ),
        (pd.Series([np.datetime64(NOON), None], dtype=object), "2026-01-05T12:00:00Z", True),
        (pd.Series([NOON, None], dtype="timestamp[us][pyarrow]"), "2026-01-05T12:00:00Z", True),
        (pd.Series([NOON.date(), None], dtype=object), "2026-01-05T00:00:00Z", True),
        (pd.Series([NOON.date(), None], dtype="date32[pyarrow]"), "2026-01-05T00:00:00Z", True),
        (pd.Series([pd.Period("2026-01"), None], dtype=object), "2026-01-01T00:00:00Z", True),
        (pd.Series(["2026-01-05 12", None], dtype="period[h]"), "2026-01-05T12:00:00Z", True),
        (pd.Series(["2026", None], dtype="period[Y]"), "2026-01-01T00:00:00Z", True),
    ],
)
def test_timestamp__naive_is_utc_and_said(times: pd.Series, sent: str, warned: bool) -> None:
    report = dry(FRAME.assign(timestamp=times))
    assert [body.get("timestamp") for body in report.payloads["body"]] == [sent, None]
    assert bool(report.warnings) is warned
    if warned:
        assert "taken as UTC" in repr(report)


@pytest.mark.parametrize(
    ("name", "cell", "reason"),
    [
        ("timestamp", "soon", "column 'timestamp' takes an ISO 8601 time, got 'soon' (str)"),
        ("timestamp", 1_700_000_000, "takes an ISO 8601 time"),
        ("prompt_version_number", "v2", "takes a whole number"),
        ("prompt_version_number", 1.5, "takes a whole number"),
        ("prompt_version_number", True, "takes a whole number"),
        ("prompt_version_number", float("inf"), "takes a whole number"),
        ("environment", ["prod"], "column 'environment' takes text"),
        ("explanation", "\ud83d", "takes valid Unicode"),
    ],
)
def test_context__refused_row(name: str, cell: Any, reason: str) -> None:
    frame = FRAME.assign(**{name: pd.Series([cell, None], dtype=object)})
    report = dry(frame, {"stars": "stars", "good": "ok"})
    assert statuses(report) == ["invalid", "invalid", "not_sent", "skipped"]
    assert reason in report.frame["error"].iloc[0]


def test_context__whole_numbers_as_floats_and_ids_as_numbers() -> None:
    report = dry(FRAME.assign(prompt_version_number=[3.0, np.nan], prompt_id=[7, 8]))
    assert [(b.get("prompt_version_number"), b["prompt_id"]) for b in report.payloads["body"]] == [
        (3, "7"),
        (None, "8"),
    ]


@pytest.mark.parametrize("name", ["environment", "prompt_id", "dataset_id", "automation_id"])
def test_context__a_uuid_is_its_text(name: str) -> None:
    report = dry(FRAME.assign(**{name: [UUID(int=1), None]}))
    assert [body.get(name) for body in report.payloads["body"]] == [str(UUID(int=1)), None]


def test_context__a_date_beyond_datetime_stops_no_other_row() -> None:
    times = pd.Series([pd.Period(ordinal=10**7, freq="D"), date(9999, 12, 31)], dtype=object)
    report = dry(FRAME.assign(timestamp=times))
    assert statuses(report) == ["invalid", "not_sent"]
    assert report.payloads["body"][1]["timestamp"] == "9999-12-31T00:00:00Z"


def test_context__a_column_that_holds_the_score_is_not_sent_twice() -> None:
    note = Evaluator(evaluator_slug="note", score_value_type="text")
    frame = pd.DataFrame({"log_id": ["a"], "explanation": ["why"]})
    report = frame.respan.push_scores({"note": "explanation"}, evaluators=[note], dry_run=True)
    assert report.payloads["body"].tolist() == [{"evaluator_slug": "note", "string_value": "why"}]


def test_push_scores__what_passes_the_check_can_be_sent() -> None:
    times = np.array(["20000-01-01", "-5000-01-01", "2026-01-01", "NaT"], "datetime64[s]")
    frame = pd.DataFrame({"log_id": list("abcd"), "stars": 1, "timestamp": times})
    report = dry(frame)
    assert statuses(report) == ["invalid", "invalid", "not_sent", "not_sent"]
    assert [body.get("timestamp") for body in report.payloads["body"]] == [
        "2026-01-01T00:00:00Z",
        None,
    ]
    assert "years 1 to 9999, got 20000-01-01" in report.frame["error"][0]
