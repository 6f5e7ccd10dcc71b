"""Several scores of one log and evaluator in a frame: which one counts."""

from __future__ import annotations

import pandas as pd
import pytest
from dry import dry, statuses

from respan_notebook import DuplicateScoreError

TWICE = pd.DataFrame(
    {"log_id": ["a", "b", "a", "a"], "stars": [1, 2, 3, None]}, index=["r1", "r2", "r3", "r4"]
)


def test_duplicates__last_counts() -> None:
    report = dry(TWICE)
    assert statuses(report) == ["duplicate", "not_sent", "not_sent", "skipped"]
    assert report.frame["error"]["r1"] == "same log and evaluator as row 'r3', which counts"
    assert report.ok


def test_duplicates__first_counts() -> None:
    report = dry(TWICE, on_duplicate="first")
    assert statuses(report) == ["not_sent", "not_sent", "duplicate", "skipped"]


def test_duplicates__error() -> None:
    with pytest.raises(
        DuplicateScoreError, match=r"row 'r1'.*log 'a'.*'stars'.*row 'r3'"
    ) as caught:
        dry(TWICE, on_duplicate="error")
    assert caught.value.rows == ("r1",)
    assert dry(TWICE.iloc[:2], on_duplicate="error").ok


def test_duplicates__an_invalid_row_does_not_count() -> None:
    frame = TWICE.assign(stars=[1, 2, "three", None])
    assert statuses(dry(frame)) == ["not_sent", "not_sent", "invalid", "skipped"]


def test_duplicates__same_evaluator_by_slug_and_id() -> None:
    tidy = pd.DataFrame(
        {
            "log_id": ["a", "a"],
            "evaluator_id": ["ev_1", None],
            "evaluator_slug": [None, "stars"],
            "value": [1, 2],
        }
    )
    assert statuses(dry(tidy, None)) == ["duplicate", "not_sent"]


def test_duplicates__int_and_text_of_one_log_id() -> None:
    frame = pd.DataFrame({"log_id": pd.Series([7, "7"], dtype=object), "stars": [1, 2]})
    assert statuses(dry(frame)) == ["duplicate", "not_sent"]
