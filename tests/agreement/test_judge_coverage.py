"""How often the intervals of a judge's check hold the truth, by simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from respan_notebook import JudgeCheck
from respan_notebook.agreement.estimates import (
    Rates,
    count_labels,
    estimate_mean,
    estimate_rates,
)


def draw_rates(seed: int, *, equal: bool) -> tuple[Rates, pd.DataFrame]:
    """Rates of 100 labels of 2,000 logs; truth about 0.80, TPR 0.90 and TNR 0.70."""
    random = np.random.default_rng(seed)
    truth = random.random(2000) < 0.80
    verdict = np.where(truth, random.random(2000) < 0.90, random.random(2000) > 0.70)
    order = random.permutation(2000)
    if equal:
        drawn = np.concatenate([order[verdict[order]][:50], order[~verdict[order]][:50]])
    else:
        drawn = order[:100]
    cells = {}
    for value in (True, False):
        rows = drawn[verdict[drawn] == value]
        share = float((verdict == value).mean())
        weights = np.full(len(rows), 2000 * share / max(len(rows), 1))
        cells[value] = count_labels(truth[rows], weights, share)
    return estimate_rates(cells), pd.DataFrame({"truth": truth, "verdict": verdict})


@pytest.mark.parametrize("equal", [False, True], ids=["at-random", "50+50"])
def test_interval__holds_the_rate_of_the_population(equal: bool) -> None:
    held = []
    for seed in range(200):
        rates, logs = draw_rates(seed, equal=equal)
        low, high = rates.rate.interval
        held.append(low <= logs["truth"].mean() <= high)
    assert 0.89 <= np.mean(held) <= 0.99


def test_tpr__is_that_of_the_population_where_labels_were_drawn_by_verdict() -> None:
    found = [draw_rates(seed, equal=True) for seed in range(200)]
    true = np.mean([logs.loc[logs["truth"], "verdict"].mean() for _, logs in found])
    # The share among the labels drawn half by half would be about 0.72.
    assert np.mean([rates.tpr.value for rates, _ in found]) == pytest.approx(true, abs=0.01)
    # Of 50 passes about 4 are bad: a ratio of so few is a little too high on average (0.73), which
    # the interval makes up for.
    assert np.mean([rates.tnr.value for rates, _ in found]) == pytest.approx(0.70, abs=0.04)
    held = [rates.tnr.interval[0] <= 0.70 <= rates.tnr.interval[1] for rates, _ in found]
    assert np.mean(held) >= 0.89


def test_mean__covers_and_is_narrower_than_the_labels_alone() -> None:
    held, narrower = [], []
    for seed in range(200):
        random = np.random.default_rng(seed)
        verdicts = random.normal(60, 15, 2000)
        truth = 0.8 * verdicts + random.normal(5, 6, 2000)
        order = random.permutation(2000)
        drawn, rest = order[:100], order[100:]
        found, power = estimate_mean(
            truth[drawn], verdicts[drawn], np.ones(100), verdicts, verdicts[rest]
        )
        alone = 2 * 1.984 * truth[drawn].std(ddof=1) / 10
        held.append(found.interval[0] <= truth.mean() <= found.interval[1])
        narrower.append(found.width < alone)
        assert 0 < power <= 1
    assert 0.89 <= np.mean(held) <= 0.99
    assert all(narrower)


def draw_by_model(seed: int) -> tuple[JudgeCheck, float]:
    """Check a judge by 100 labels, 50 each of two models of which one is rare and bad."""
    random = np.random.default_rng(seed)
    model = np.where(random.random(500) < 0.1, "small", "large")
    truth = random.random(500) < np.where(model == "small", 0.3, 0.85)
    verdict = np.where(truth, random.random(500) < 0.90, random.random(500) > 0.70)
    logs = pd.DataFrame({"log_id": range(500), "model": model, "value": verdict, "truth": truth})
    drawn = logs.respan.sample(100, by="model", allocation="equal", seed=seed)
    people = pd.DataFrame({"log_id": drawn["log_id"], "evaluator_slug": "good", "scorer": "ann"})
    check = people.assign(value=drawn["truth"]).respan.judge("bot", population=logs, sample=drawn)
    return check, float(truth.mean())


def test_interval__holds_where_strata_are_not_the_verdict() -> None:
    held, rates, true = [], [], []
    for seed in range(60):
        check, rate = draw_by_model(seed)
        held.append(check.interval[0] <= rate <= check.interval[1])
        rates.append(check.rate)
        true.append(rate)
    assert 0.87 <= np.mean(held) <= 1
    # Without weights half of the labels would be of the rare model: about 0.58 instead of 0.80.
    assert np.mean(rates) == pytest.approx(np.mean(true), abs=0.02)


def test_correct__holds_the_rate_of_other_logs() -> None:
    held, values = [], []
    for seed in range(40):
        random = np.random.default_rng(seed)
        frames = {}
        for name, share in (("may", 0.8), ("june", 0.5)):
            truth = random.random(800) < share
            verdict = np.where(truth, random.random(800) < 0.90, random.random(800) > 0.70)
            ids = [f"{name}_{i}" for i in range(800)]
            frames[name] = pd.DataFrame({"log_id": ids, "value": verdict, "truth": truth})
        may = frames["may"]
        drawn = may.respan.sample(200, by="value", allocation="equal", seed=seed)
        people = drawn[["log_id"]].assign(evaluator_slug="good", scorer="ann", value=drawn["truth"])
        check = people.respan.judge("bot", population=may, sample=drawn)
        found = check.correct(frames["june"])
        true = frames["june"]["truth"].mean()
        held.append(found.interval[0] <= true <= found.interval[1])
        values.append(found.value - true)
    assert np.mean(held) >= 0.85
    # The verdicts alone would be 0.10 too high.
    assert abs(np.mean(values)) < 0.04
