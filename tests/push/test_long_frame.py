"""Long frames whose columns do not say what they hold."""

from __future__ import annotations

import pandas as pd
import pytest

from respan_notebook import Evaluator, FrameError

STARS = Evaluator(evaluator_slug="stars", score_value_type="numerical")


@pytest.mark.parametrize(
    "columns",
    [{"value": [1.0]}, {"numerical_value": [1.0]}, {"evaluator_slug": ["stars"]}],
    ids=["no evaluator", "raw field alone", "no value"],
)
def test_push_scores__needs_evaluator_and_value(columns: dict[str, list[object]]) -> None:
    frame = pd.DataFrame({"log_id": ["a"], **columns})
    with pytest.raises(FrameError, match="push_scores needs a row per score"):
        frame.respan.push_scores(evaluators=[STARS], dry_run=True)
