"""Compute bootstrap intervals of agreement, and say in words what they allow to conclude."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
import pandas as pd

from respan_notebook.agreement.coefficients import Floats, alpha, kappa, percent
from respan_notebook.agreement.matrix import ScoreMatrix
from respan_notebook.wording import render_short

_DRAWS: Final = 500
_PERFECT: Final = (100.0, 1.0, 1.0)  # Of percent, kappa and alpha.
_FEWEST_UNITS: Final = 10  # Fewer, drawn again, hardly vary: their intervals are too narrow.
_DOMINANT: Final = 0.8  # The share of one answer from which kappa is misleading.
_COLUMNS: Final = (
    *("percent_low", "percent_high", "kappa_low", "kappa_high", "alpha_low", "alpha_high", "ac1"),
    "verdict",
)


def interval_table(matrices: Sequence[ScoreMatrix]) -> pd.DataFrame:
    """Return ``Agreement.intervals()``: a row per evaluator."""
    index = pd.Index([one.evaluator for one in matrices], name="evaluator", dtype=object)
    frame = pd.DataFrame([_row(one) for one in matrices], index=index, columns=list(_COLUMNS))
    return frame.astype(dict.fromkeys(_COLUMNS[:-1], "float64") | {"verdict": "object"})


def first_order_agreement(matrix: ScoreMatrix, first: int, second: int) -> float:
    """Return Gwet's AC1 of two scorers, on the logs that both scored.

    AC1 = (p − e) / (1 − e), with p the share of equal scores, e = Σ π_k (1 − π_k) / (q − 1), and
    π_k the mean of both scorers' shares of the k-th of q categories. Unlike kappa it stays high
    where nearly all scores are equal. NaN where there are no categories, and without a log in
    common.

    References
    ----------
    K. L. Gwet (2008), "Computing Inter-rater Reliability and Its Variance in the Presence of High
    Agreement".
    """
    codes = matrix.codes[:, [first, second]]
    codes = codes[(codes >= 0).all(axis=1)]
    count = len(matrix.categories)
    if matrix.level not in ("nominal", "ordinal") or not len(codes) or count < 2:
        return np.nan
    shares = np.bincount(codes.ravel(), minlength=count) / codes.size
    chance = float((shares * (1 - shares)).sum() / (count - 1))
    return float((np.mean(codes[:, 0] == codes[:, 1]) - chance) / (1 - chance))


def describe_dominance(matrix: ScoreMatrix) -> str:
    """Return AC1 in words where one answer is most scores of two scorers, else ""."""
    codes = matrix.codes[matrix.paired]
    counts = np.bincount(codes[codes >= 0], minlength=1)
    share = counts.max() / max(counts.sum(), 1)
    if len(matrix.scorers) != 2 or share < _DOMINANT:
        return ""
    ac1 = first_order_agreement(matrix, 0, 1)
    if np.isnan(ac1):
        return ""
    answer = render_short(matrix.labels[int(counts.argmax())])
    return f"{answer} is {100 * share:.0f}% of the scores, which makes kappa low: AC1 {ac1:.2f}"


def describe_alpha(low: float, high: float) -> str:
    """Return what an interval of alpha allows to conclude, by Krippendorff's bounds.

    Examples
    --------
    >>> [describe_alpha(*one) for one in [(0.2, 0.5), (0.5, 0.9), (0.7, 0.9), (0.82, 0.95)]]
    ['too low to conclude', 'not enough to conclude', 'tentative', 'reliable']
    """
    if np.isnan(low):
        return "undefined"
    if high < 0.667:
        return "too low to conclude"
    if low < 0.667:
        return "not enough to conclude"
    return "tentative" if low < 0.8 else "reliable"


def _row(matrix: ScoreMatrix) -> list[Any]:
    point = _numbers(matrix, None)
    random = np.random.default_rng(0)
    numbers = np.array([_numbers(matrix, _draw_weights(matrix, random)) for _ in range(_DRAWS)])
    differ = _chance_to_differ(matrix)
    ends: list[Any] = []
    for place, drawn in enumerate(numbers.T):
        # A draw in which all scores are equal has no kappa and no alpha.
        known = drawn[~np.isnan(drawn)]
        if not len(known):
            ends += [np.nan, np.nan]
        elif point[place] == _PERFECT[place]:
            ends += [_lowest_of_equal(matrix, _PERFECT[place], differ[place]), _PERFECT[place]]
        elif place == 0 and point[0] == 0:  # All logs differ, so that draws are alike again.
            ends += [0.0, 100 - _lowest_of_equal(matrix, 100.0, 1.0)]
        else:
            ends += np.quantile(known, [0.025, 0.975]).tolist()
    two = len(matrix.scorers) == 2
    ac1 = first_order_agreement(matrix, 0, 1) if two else np.nan
    verdict = describe_alpha(*ends[-2:])
    if verdict != "undefined" and _count_units(matrix) < _FEWEST_UNITS:
        verdict = describe_alpha(-1.0, 1.0)
    return [*ends, ac1, verdict]


def _count_units(matrix: ScoreMatrix) -> int:
    return len(np.unique(matrix.units[matrix.paired]))


def _draw_weights(matrix: ScoreMatrix, random: np.random.Generator) -> Floats:
    """Return how often each log is drawn, when as many units are drawn as there are."""
    count = int(matrix.units.max()) + 1
    times = np.bincount(random.integers(0, count, count), minlength=count)
    return np.asarray(times[matrix.units], np.float64)


def _lowest_of_equal(matrix: ScoreMatrix, perfect: float, differ: float) -> float:
    """Return the lower end where no two scores of a log differ, so that all draws are alike.

    Of n such units at most the share 1 - 0.025^(1/n) differs (Clopper and Pearson's upper end of 0
    of n). It is set against the share of pairs that differ by chance.
    """
    lowest = 1 - (1 - 0.025 ** (1 / _count_units(matrix))) / differ
    return float(perfect * max(lowest, -1.0))


def _chance_to_differ(matrix: ScoreMatrix) -> tuple[float, float, float]:
    """Return the share of pairs of scores that differ by chance; 1 for percent, which has none."""
    codes = matrix.codes[matrix.paired]
    counts = np.bincount(codes[codes >= 0])
    total = counts.sum()
    by_chance = float(1 - (counts / max(total, 1)) @ (counts / max(total, 1)))
    return 1.0, by_chance, by_chance


def _numbers(matrix: ScoreMatrix, weights: Floats | None) -> list[float]:
    percents = [percent(*pair, weights) for pair in combinations(matrix.codes.T, 2)]
    known = [number for number in percents if number == number]
    two = len(matrix.scorers) == 2
    return [
        float(np.mean(known)) if known else np.nan,
        kappa(matrix, 0, 1, weights) if two else np.nan,
        alpha(matrix, weights),
    ]
