"""Explanations of a push: a missing one leaves the server's, a blank one clears it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from dry import statuses
from stars import STARS, push

from respan_notebook import RespanClient

NO_COLUMN: Any = object()


def explained(text: Any) -> pd.DataFrame:
    frame = pd.DataFrame({"log_id": ["demo_01"], "stars": [3]})
    return frame if text is NO_COLUMN else frame.assign(explanation=pd.Series([text], dtype=object))


def stored(client: RespanClient) -> str | None:
    (score,) = client.list_scores("demo_01")
    return score.explanation


@pytest.mark.parametrize(
    ("text", "sent", "after"),
    [
        (None, {}, "why"),
        (np.nan, {}, "why"),
        (pd.NA, {}, "why"),
        (NO_COLUMN, {}, "why"),
        ("", {"explanation": ""}, ""),
        (" \n", {"explanation": ""}, ""),
        ("because", {"explanation": "because"}, "because"),
    ],
    ids=["None", "NaN", "NA", "no column", "empty", "blank", "text"],
)
def test_push_scores__clears_an_explanation_that_is_blank(
    client: RespanClient, text: Any, sent: dict[str, str], after: str
) -> None:
    assert push(explained("why"), client).counts == {"created": 1}
    dry = push(explained(text), client, dry_run=True)
    assert dry.payloads["body"].tolist() == [
        {"evaluator_slug": "stars", "numerical_value": 3.0, **sent}
    ]
    assert push(explained(text), client).counts == {"updated": 1}
    assert stored(client) == after


@pytest.mark.parametrize(
    ("before", "text", "status"),
    [
        ("why", "", "updated"),
        ("why", None, "unchanged"),
        ("", "", "unchanged"),
        (None, "", "unchanged"),
        (None, " ", "unchanged"),
        ("", "why", "updated"),
    ],
)
def test_skip_unchanged__a_cleared_explanation_is_none(
    client: RespanClient, before: Any, text: Any, status: str
) -> None:
    push(explained(before), client).raise_for_errors()
    assert statuses(push(explained(text), client, skip_unchanged=True)) == [status]
    assert stored(client) == (text if status == "updated" else before)


def test_push_scores__a_tidy_frame_clears_row_by_row(client: RespanClient) -> None:
    frame = pd.DataFrame(
        {"log_id": ["demo_01", "demo_02"], "evaluator_slug": "stars", "value": 3}
    ).assign(explanation=["why", "why"])
    for texts in (["why", "why"], ["", None]):
        report = frame.assign(explanation=texts).respan.push_scores(
            client=client, evaluators=STARS, progress=False
        )
        assert report.ok
    found = [client.list_scores(log_id)[0].explanation for log_id in frame["log_id"]]
    assert found == ["", "why"]
