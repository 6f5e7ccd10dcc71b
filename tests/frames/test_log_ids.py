"""Which log a row is about: the columns and the ids that are taken, and those that are not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from dry import dry, statuses

from respan_notebook import FrameError


@pytest.mark.parametrize("name", ["log_id", "unique_id", "id"])
def test_log_id__column(name: str) -> None:
    assert dry(pd.DataFrame({name: ["a"], "stars": [1]})).frame["log_id"].tolist() == ["a"]


def test_log_id__index_level() -> None:
    frame = pd.DataFrame({"stars": [1, 2]}, index=pd.Index(["a", "b"], name="log_id"))
    report = dry(frame)
    assert report.frame["log_id"].tolist() == ["a", "b"]
    assert report.frame.index.equals(frame.index)


def test_log_id__none() -> None:
    with pytest.raises(FrameError, match=r"no log id.*log_id, unique_id or id.*'stars'"):
        dry(pd.DataFrame({"stars": [1]}))
    with pytest.raises(FrameError, match=r"its columns are none"):
        dry(pd.DataFrame())


def test_log_id__two_candidates() -> None:
    frame = pd.DataFrame({"log_id": ["a"], "id": ["b"], "stars": [1]})
    with pytest.raises(FrameError, match="'log_id' and 'id', and they differ"):
        dry(frame)
    # The API's alias: both say the same.
    same = pd.DataFrame({"unique_id": ["a", None], "id": ["a", np.nan], "stars": [1, None]})
    assert statuses(dry(same)) == ["not_sent", "skipped"]


def test_log_id__a_uuid_and_its_text_are_one() -> None:
    ids = [UUID(int=1), None]
    same = pd.DataFrame({"unique_id": ids, "id": [str(UUID(int=1)), None], "stars": [1, None]})
    assert statuses(dry(same)) == ["not_sent", "skipped"]
    with pytest.raises(FrameError, match="they differ"):
        dry(same.assign(id=[str(UUID(int=2)), None]))


@pytest.mark.parametrize(
    ("log_id", "shown", "reason"),
    [
        (None, None, "no log id"),
        (np.nan, np.nan, "no log id"),
        (pd.NA, pd.NA, "no log id"),
        (pd.NaT, pd.NaT, "no log id"),
        ("", "", "'' can't be a log id"),
        (".", ".", "'.' can't be a log id"),
        ("..", "..", "'..' can't be a log id"),
        ("\ud83d", "\\ud83d", "half of a surrogate pair"),
        (1.5, 1.5, "read the column as text"),
        (True, True, "a log id is text, got True (bool)"),
        (["a"], ["a"], "a log id is text"),
    ],
    ids=repr,
)
def test_log_id__refused_row(log_id: Any, shown: Any, reason: str) -> None:
    frame = pd.DataFrame({"log_id": pd.Series([log_id, "ok"], dtype=object), "stars": [1, 2]})
    report = dry(frame)
    assert statuses(report) == ["invalid", "not_sent"]
    assert reason in report.frame["error"][0]
    assert repr(report.frame["log_id"][0]) == repr(shown)
    report.frame.to_string().encode()


@pytest.mark.parametrize(
    ("column", "sent"),
    [
        (pd.Series([12, 13]), "12"),
        (pd.Series([12, 13], dtype="Int64"), "12"),
        (pd.Series(["a/b ?#%", "b"]), "a/b ?#%"),
        (pd.Series(["é🎉", "b"], dtype="string[pyarrow]"), "é🎉"),
        (pd.Series(["a", "b"], dtype="category"), "a"),
        (pd.Series([UUID(int=1), UUID(int=2)]), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_log_id__accepted(column: pd.Series, sent: str) -> None:
    report = dry(pd.DataFrame({"log_id": column, "stars": [1, 2]}))
    assert report.frame["log_id"][0] == sent
    assert statuses(report) == ["not_sent"] * 2
