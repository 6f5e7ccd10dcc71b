"""Compute coefficients of agreement of the scores of one evaluator.

They are computed here since intervals need them some hundred times, of logs that count more than
once: ``weights`` says how often each log counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from respan_notebook.agreement.matrix import Codes, ScoreMatrix

Floats = npt.NDArray[np.float64]

WEIGHTS: Final[Mapping[str, str]] = {"nominal": "unweighted", "ordinal": "quadratic"}
"""The weights of kappa by level of measurement; the other levels have no kappa."""


def percent(first: Codes, second: Codes, weights: Floats | None = None) -> float:
    """Return the percent of the logs scored by both that have equal scores, NaN without any.

    Of each scorer: the category by log, -1 where there is no score.
    """
    both = ((first >= 0) & (second >= 0)) * (1.0 if weights is None else weights)
    total = both.sum()
    return float(100 * both[first == second].sum() / total) if total else np.nan


def kappa(matrix: ScoreMatrix, first: int, second: int, weights: Floats | None = None) -> float:
    """Return Cohen's kappa of two scorers (columns of the matrix), on the logs that both scored.

    κ = 1 − Σ w o / Σ w e, with o the share of logs in a cell of the confusion table, e the product
    of the shares of its row and column, and w the weight of a disagreement: 1 for ``nominal``
    (Cohen 1960), (i − j)² for the i-th and j-th point of an ``ordinal`` scale (Cohen 1968).

    Weights are quadratic and not linear because κ is then an intraclass correlation (Fleiss and
    Cohen 1973), and because most reports on graded essays and LLM judges use them.

    NaN for other levels, when no log is scored by both, and when both give one and the same value
    throughout, which makes it 0/0.

    References
    ----------
    J. Cohen (1960), "A Coefficient of Agreement for Nominal Scales". J. Cohen (1968), "Weighted
    Kappa". J. L. Fleiss and J. Cohen (1973), "The Equivalence of Weighted Kappa and the Intraclass
    Correlation Coefficient as Measures of Reliability".
    """
    if matrix.level not in WEIGHTS:
        return np.nan
    size = len(matrix.categories)
    one, other = matrix.codes[:, first], matrix.codes[:, second]
    both = (one >= 0) & (other >= 0)
    cells = one[both] * size + other[both]
    observed = _count(cells, size**2, None if weights is None else weights[both])
    table = observed.reshape(size, size)
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    if np.count_nonzero(rows + columns) < 2:
        return np.nan
    # All points of a scale count, also those that nobody gave: the distances go by position.
    points = np.arange(size)
    apart = np.subtract.outer(points, points)
    distances = apart**2 if WEIGHTS[matrix.level] == "quadratic" else apart != 0
    return float(1 - (distances * table).sum() * table.sum() / (rows @ distances @ columns))


def alpha(matrix: ScoreMatrix, weights: Floats | None = None) -> float:
    """Return Krippendorff's alpha of all scorers, on the logs that two or more scored.

    α = 1 − D_o / D_e: the mean distance of two scores of one log (each log weighted by its number
    of scores), over that of any two of the n scores:

    - D_o = 1/n Σ over logs of 1/(m − 1) Σ over ordered pairs of its m scores of δ²
    - D_e = 1/(n (n − 1)) Σ over ordered pairs of all scores of δ²

    δ² by level: ``nominal`` 0 if equal, else 1; ``ordinal`` (the number of scores from the one
    category to the other, each of the two counted half)²; ``interval`` (a − b)²; ``set`` the MASI
    distance, see :func:`masi_distances`, unsquared, as Passonneau has it.

    NaN for ``exact``, when no log has two scores, and when all scores are equal: D_e is 0 then.

    References
    ----------
    K. Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability".
    R. Passonneau (2006), "Measuring Agreement on Set-valued Items (MASI) for Semantic and Pragmatic
    Annotation".
    """
    codes = matrix.codes[matrix.paired]
    times = np.ones(len(codes)) if weights is None else weights[matrix.paired]
    drawn = times > 0
    codes, times = codes[drawn], times[drawn]
    given = codes[codes >= 0]
    if matrix.level not in _ALPHAS or not len(given) or (given == given[0]).all():
        return np.nan
    return _ALPHAS[matrix.level](matrix, codes, times)


def _alpha_of_choices(matrix: ScoreMatrix, codes: Codes, times: Floats) -> float:
    return _alpha_by_distances(codes, times, 1 - np.eye(len(matrix.categories)))


def _alpha_of_points(matrix: ScoreMatrix, codes: Codes, times: Floats) -> float:
    counts = _count_scores(codes, times, len(matrix.categories))
    # The middle of each point among the sorted scores: between two lie the scores from the one to
    # the other, each of the two counted half.
    middles = np.cumsum(counts) - counts / 2
    return _alpha_by_distances(codes, times, np.subtract.outer(middles, middles) ** 2)


def _alpha_of_sets(matrix: ScoreMatrix, codes: Codes, times: Floats) -> float:
    return _alpha_by_distances(codes, times, _distances_once(matrix.categories))


@lru_cache(maxsize=4)  # A bootstrap asks for them some hundred times.
def _distances_once(sets: tuple[tuple[str, ...], ...]) -> Floats:
    return masi_distances(sets)


def _alpha_by_distances(codes: Codes, times: Floats, distances: Floats) -> float:
    shares = times / ((codes >= 0).sum(axis=1) - 1)
    observed = 0.0
    for first, second in combinations(codes.T, 2):
        both = (first >= 0) & (second >= 0)
        observed += 2 * float(shares[both] @ distances[first[both], second[both]])
    counts = _count_scores(codes, times, len(distances))
    return float(1 - observed / (counts @ distances @ counts / (counts.sum() - 1)))


# There may be as many numbers as logs, and a distance of each two of them would fill the memory.


def _alpha_of_numbers(matrix: ScoreMatrix, codes: Codes, times: Floats) -> float:
    # Σ (a − b)² over ordered pairs of m numbers is 2 m (m − 1) times their variance, so D_o and D_e
    # are means of variances.
    given = codes >= 0
    numbers = np.where(given, np.array(matrix.categories, np.float64)[codes], 0.0)
    sizes = given.sum(axis=1)
    means = numbers.sum(axis=1) / sizes
    squares = (given * (numbers - means[:, np.newaxis]) ** 2).sum(axis=1)
    total = times @ sizes
    within = times @ (sizes / (sizes - 1) * squares) / total
    mean = times @ numbers.sum(axis=1) / total
    between = times @ (given * (numbers - mean) ** 2).sum(axis=1) / (total - 1)
    return float(1 - within / between)


def _count_scores(codes: Codes, times: Floats, size: int) -> Floats:
    """Return how often each category was given."""
    given = codes >= 0
    return _count(codes[given], size, np.broadcast_to(times[:, np.newaxis], codes.shape)[given])


def _count(codes: Codes, size: int, weights: Floats | None) -> Floats:
    return np.bincount(codes, weights, minlength=size).astype(np.float64)


_ALPHAS: Final[Mapping[str, Callable[[ScoreMatrix, Codes, Floats], float]]] = {
    "nominal": _alpha_of_choices,
    "ordinal": _alpha_of_points,
    "interval": _alpha_of_numbers,
    "set": _alpha_of_sets,
}


def masi_distances(sets: Sequence[Sequence[str]]) -> Floats:
    """Return the MASI distance of each two sets, 0 to 1.

    1 − J M, with J = |A ∩ B| / |A ∪ B| (Jaccard) and M = 1 if A = B, 2/3 if one contains the other,
    1/3 if they overlap, 0 if they are disjoint (Passonneau 2006).
    """
    members = sorted({member for one in sets for member in one})
    has = np.array([[member in one for member in members] for one in sets], np.int64)
    shared, sizes = has @ has.T, has.sum(axis=1)
    larger, smaller = np.maximum.outer(sizes, sizes), np.minimum.outer(sizes, sizes)
    union = larger + smaller - shared
    monotonicity = np.select(
        [shared == larger, shared == smaller, shared > 0], [1.0, 2 / 3, 1 / 3], default=0.0
    )
    jaccard = np.where(union > 0, shared / np.maximum(union, 1), 1.0)
    return np.asarray(1 - jaccard * monotonicity)


def score_differences(matrix: ScoreMatrix) -> Floats:
    """Return the mean distance of the scores of each log, 0 to 1; 0 for fewer than two scores.

    The distance of two scores, by level: ``nominal``, ``exact`` 0 if equal, else 1; ``ordinal`` the
    steps between their points over the steps of the whole scale; ``interval`` the difference over
    the width of the scale; ``set`` the MASI distance.
    """
    distance = _DISTANCES[matrix.level](matrix)
    sums, pairs = np.zeros(len(matrix.log_ids)), np.zeros(len(matrix.log_ids))
    for first, second in combinations(matrix.codes.T, 2):
        both = (first >= 0) & (second >= 0)
        sums[both] += distance(first[both], second[both])
        pairs += both
    return np.asarray(sums / np.maximum(pairs, 1))


_Distance = Callable[[Codes, Codes], Floats]


def _unequal(_matrix: ScoreMatrix) -> _Distance:
    return lambda first, second: np.asarray(first != second, np.float64)


def _steps(matrix: ScoreMatrix) -> _Distance:
    most = max(len(matrix.categories) - 1, 1)
    return lambda first, second: np.asarray(abs(first - second) / most)


def _apart(matrix: ScoreMatrix) -> _Distance:
    numbers = np.array(matrix.categories, np.float64)
    width = matrix.width or 1.0  # Without a width all scores are equal.
    return lambda first, second: np.asarray(abs(numbers[first] - numbers[second]) / width)


def _masi(matrix: ScoreMatrix) -> _Distance:
    distances = masi_distances(matrix.categories)
    return lambda first, second: distances[first, second]


_DISTANCES: Final[Mapping[str, Callable[[ScoreMatrix], _Distance]]] = {
    "nominal": _unequal,
    "exact": _unequal,
    "ordinal": _steps,
    "interval": _apart,
    "set": _masi,
}
