"""Measure how often the corrected interval of a judge holds the true pass rate, and its width.

``python judge.py [runs]`` simulates a judge (truth 0.80, TPR 0.90, TNR 0.70, 2,000 logs, 100
labels). ``python judge.py runs LOGS`` takes logs with a known ``metadata.is_correct`` from a file
of JSON lines, and a rule as the judge: the answer is shorter than 250 characters.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import respan_notebook

LABELS = 100
LONGEST = 250

Draw = Callable[[int], pd.DataFrame]
"""Seed -> a population: ``log_id``, the judge's ``value``, the ``truth``."""


def simulate(seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    truth = random.random(2000) < 0.80
    verdict = np.where(truth, random.random(2000) < 0.90, random.random(2000) > 0.70)
    return pd.DataFrame({"log_id": [f"{i}" for i in range(2000)], "value": verdict, "truth": truth})


def read_logs(path: Path) -> pd.DataFrame:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        logs = [json.loads(line) for line in lines]
    return pd.DataFrame(
        {
            "log_id": [log["unique_id"] for log in logs],
            "value": [len(log["output"]) < LONGEST for log in logs],
            "truth": [bool(log["metadata"]["is_correct"]) for log in logs],
        }
    )


def check_once(logs: pd.DataFrame, seed: int, by: str | None) -> respan_notebook.JudgeCheck:
    drawn = logs.respan.sample(LABELS, by=by, allocation="equal", seed=seed)
    labels = pd.DataFrame(
        {"log_id": drawn["log_id"], "evaluator_slug": "correct", "scorer": "ann"}
    ).assign(value=drawn["truth"])
    return labels.respan.judge("rule", population=logs, sample=drawn)


def measure(name: str, draw: Draw, runs: int, by: str | None) -> dict[str, float]:
    """Return the coverage, the mean width and the mean errors, in points."""
    rows = []
    for seed in range(runs):
        logs = draw(seed)
        check, true = check_once(logs, seed, by), logs["truth"].mean()
        low, high = check.interval
        tpr = logs.loc[logs["truth"], "value"].mean()
        rows.append(
            (
                low <= true <= high,
                high - low,
                abs(check.claimed - true),
                abs(check.rate - true),
                check.tpr_interval[0] <= tpr <= check.tpr_interval[1],
            )
        )
    names = ["coverage", "width", "claimed is off by", "corrected is off by", "coverage of TPR"]
    means = dict(zip(names, 100 * np.mean(rows, axis=0), strict=True))
    print(name, *(f"{key} {value:.1f}" for key, value in means.items()), sep="; ", flush=True)
    return means


def main(runs: int = 200, path: str | None = None) -> None:
    logs = read_logs(Path(path)) if path else None
    draw: Draw = simulate if logs is None else lambda _seed: logs
    measure("at random", draw, runs, None)
    measure("50+50", draw, runs, "value")


if __name__ == "__main__":
    main(int((sys.argv[1:] or ["200"])[0]), *sys.argv[2:3])
