"""Defaults of a push, and evaluators whose names can't be sent."""

from __future__ import annotations

import math

import pandas as pd

from respan_notebook import Evaluator
from respan_notebook.push.options import PushOptions
from respan_notebook.push.outcomes import FAILED, Result

STARS = Evaluator(evaluator_slug="stars", score_value_type="numerical")


def test_push_options__defaults() -> None:
    assert PushOptions() == PushOptions(
        on_duplicate="last",
        dry_run=False,
        concurrency=16,
        rate_limit=None,
        deadline=None,
        skip_unchanged=False,
        progress=True,
    )


def test_result__without_an_answer_has_no_status_and_no_seconds() -> None:
    result = Result(FAILED)
    assert (result.http_status, result.attempts, result.score, result.error) == (0, 0, None, "")
    assert math.isnan(result.seconds)


def test_push_scores__an_evaluator_that_is_no_unicode_is_named_so() -> None:
    frame = pd.DataFrame(
        {"log_id": ["a"], "evaluator_slug": ["st\ud800"], "value": [1.0]}, dtype=object
    )
    report = frame.respan.push_scores(evaluators=[STARS], dry_run=True)
    [(status, error)] = report.frame[["status", "error"]].astype(object).values.tolist()
    assert status == "invalid"
    assert error.endswith("is no valid Unicode")
