"""A column that a CSV file made text: one line for what could be read, one for what could not."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import pytest
from dry import statuses
from stars import FIVE_STARS

from respan_notebook import Evaluator, RespanClient

OK = Evaluator(evaluator_slug="ok", score_value_type="boolean")
TONE = Evaluator(
    evaluator_slug="tone",
    score_value_type="single_select",
    score_config={"choices": [{"name": "warm"}, {"name": "cold"}]},
)
ADVICE = "and this is one as text: pass parse_text=True"


@pytest.fixture
def csv() -> pd.DataFrame:
    """A frame of 500 rows from a CSV file; rows 40 and 77 make all the numbers text."""
    cells = [str(n % 5 + 1) for n in range(500)]
    cells[40], cells[77] = "n.a.", "12"
    lines = [f"log_{n},{cell}" for n, cell in enumerate(cells)]
    return pd.read_csv(io.StringIO("\n".join(["log_id,stars", *lines])))


@pytest.mark.parametrize("dtype", [object, "string", "string[pyarrow]", "category"])
def test_push_scores__the_report_tells_bad_cells_from_text(csv: pd.DataFrame, dtype: Any) -> None:
    frame = csv.astype({"stars": dtype})
    report = frame.respan.push_scores([FIVE_STARS], dry_run=True)
    assert report.counts == {"invalid": 500}
    takes = "'stars' (numerical) takes a number from 1 to 5"
    assert report.reasons[["rows", "reason"]].values.tolist() == [
        [498, f"{takes}, {ADVICE}, got '1' (str)"],
        [2, f"{takes}, got 'n.a.' (str)"],
    ]
    assert f"rows 0, 1, 2 and 495 more invalid: {takes}, {ADVICE}, got '1'" in repr(report)
    assert f"rows 40, 77 invalid: {takes}, got 'n.a.' (str)" in repr(report)


def test_push_scores__parse_text_leaves_the_bad_cells(csv: pd.DataFrame) -> None:
    report = csv.respan.push_scores([FIVE_STARS], dry_run=True, parse_text=True)
    assert report.counts == {"invalid": 2, "not_sent": 498}
    assert report.errors.index.tolist() == [40, 77]
    assert report.payloads["body"][3] == {"evaluator_slug": "stars", "numerical_value": 4.0}


def test_push_scores__parse_text_in_a_tidy_frame_goes_by_evaluator(client: RespanClient) -> None:
    frame = pd.DataFrame(
        {
            "log_id": ["demo_01", "demo_01", "demo_01", "demo_02", "demo_03"],
            "evaluator_slug": ["stars", "ok", "tone", "ok", "stars"],
            "value": ["3", "No", '["warm"]', "", None],
        }
    )
    options: dict[str, Any] = {"evaluators": [FIVE_STARS, OK, TONE], "progress": False}
    report = frame.respan.push_scores(client=client, parse_text=True, **options)
    assert statuses(report) == ["created", "created", "created", "invalid", "skipped"]
    stored = {score.evaluator_slug: score for score in client.list_scores("demo_01")}
    assert stored["stars"].numerical_value == 3.0
    assert stored["ok"].boolean_value is False
    assert stored["tone"].categorical_value == ["warm"]
    assert frame.respan.push_scores(dry_run=True, **options).counts == {"invalid": 4, "skipped": 1}


def test_push_scores__parse_text_in_raw_fields() -> None:
    frame = pd.DataFrame(
        {
            "log_id": ["a", "b"],
            "evaluator_slug": ["stars", "ok"],
            "numerical_value": ["3", None],
            "boolean_value": [None, "yes"],
        }
    )
    report = frame.respan.push_scores(evaluators=[FIVE_STARS, OK], dry_run=True, parse_text=True)
    assert report.payloads["body"].tolist() == [
        {"evaluator_slug": "stars", "numerical_value": 3.0},
        {"evaluator_slug": "ok", "boolean_value": True},
    ]
