"""The check of a judge on real logs whose answers are known to be right or wrong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from respan_notebook import JudgeCheck

DATA = Path(__file__).parents[3] / "shared" / "data" / "gsm8k_logs.jsonl.gz"
SEEDS = range(30)
LONGEST = 250

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"the real logs are not at {DATA.name}")


@pytest.fixture(scope="module")
def logs() -> pd.DataFrame:
    """The judge's verdict is a rule: the answer is shorter than 250 characters."""
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        read = [json.loads(line) for line in lines]
    return pd.DataFrame(
        {
            "log_id": [log["unique_id"] for log in read],
            "value": [len(log["output"]) < LONGEST for log in read],
            "truth": [bool(log["metadata"]["is_correct"]) for log in read],
        }
    )


def check_by(logs: pd.DataFrame, seed: int, by: str | None) -> JudgeCheck:
    drawn = logs.respan.sample(100, by=by, allocation="equal", seed=seed)
    labels = drawn[["log_id"]].assign(evaluator_slug="correct", scorer="ann", value=drawn["truth"])
    return labels.respan.judge("rule", population=logs, sample=drawn)


@pytest.mark.parametrize("by", [None, "value"], ids=["at-random", "50+50"])
def test_judge__of_real_logs_is_corrected(logs: pd.DataFrame, by: str | None) -> None:
    true = logs["truth"].mean()
    checks = [check_by(logs, seed, by) for seed in SEEDS]
    held = [check.interval[0] <= true <= check.interval[1] for check in checks]
    # Of 30 intervals that hold in 95 of 100 cases fewer than 25 do in 1 of 300.
    assert np.sum(held) >= 25
    assert {check.claimed for check in checks} == {logs["value"].mean()}
    assert abs(checks[0].claimed - true) > 0.1
    assert abs(np.mean([check.rate for check in checks]) - true) < 0.03
    assert np.mean([check.interval[1] - check.interval[0] for check in checks]) < 0.2
