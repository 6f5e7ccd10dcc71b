"""Dry runs of a push: what a frame is taken for, and nothing sent."""

from __future__ import annotations

from typing import Any

import pandas as pd

from respan_notebook import Evaluator, PushReport

STARS = Evaluator(id="ev_1", evaluator_slug="stars", score_value_type="numerical")
GOOD = Evaluator(evaluator_slug="good", score_value_type="boolean")
BOTH = [STARS, GOOD]
FRAME = pd.DataFrame({"log_id": ["a", "b"], "stars": [1, 2], "ok": [True, None]})


def dry(frame: pd.DataFrame, scores: Any = ("stars",), **options: Any) -> PushReport:
    options = {"context": True, **options}
    return frame.respan.push_scores(scores, evaluators=BOTH, dry_run=True, **options)


def statuses(report: PushReport) -> list[str]:
    return report.frame["status"].astype(str).tolist()
