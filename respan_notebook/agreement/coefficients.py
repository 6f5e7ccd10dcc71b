"""Compute coefficients of agreement of the scores of one evaluator.

scikit-learn computes Cohen's kappa and ``krippendorff`` the alpha of categories. Both are imported
when first needed (a ConfigurationError when missing), and not called where the result is undefined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from respan_notebook.agreement.matrix import Codes, ScoreMatrix
from respan_notebook.errors import ConfigurationError

Floats = npt.NDArray[np.float64]

WEIGHTS: Final[Mapping[str, str]] = {"nominal": "unweighted", "ordinal": "quadratic"}
"""The weights of kappa by level of measurement; the other levels have no kappa."""


def percent(first: Codes, second: Codes) -> float:
    """Return the percent of the logs scored by both that have equal scores, NaN without any.

    Of each scorer: the category by log, -1 where there is no score.
    """
    both = (first >= 0) & (second >= 0)
    return float(100 * np.mean(first[both] == second[both])) if both.any() else np.nan


def kappa(matrix: ScoreMatrix, first: int, second: int) -> float:
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
    codes = matrix.codes[:, [first, second]]
    codes = codes[(codes >= 0).all(axis=1)]
    if matrix.level not in WEIGHTS or len(np.unique(codes)) < 2:
        return np.nan
    weights = WEIGHTS[matrix.level]
    score = _library("sklearn.metrics", "scikit-learn").cohen_kappa_score(
        codes[:, 0],
        codes[:, 1],
        # All points of a scale, also those that nobody gave: the weights go by position.
        labels=list(range(len(matrix.categories))),
        weights=None if weights == "unweighted" else weights,
    )
    return float(score)


def alpha(matrix: ScoreMatrix) -> float:
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
    if matrix.level not in _ALPHAS or len(np.unique(codes[codes >= 0])) < 2:
        return np.nan
    return _ALPHAS[matrix.level](matrix, codes)


def _alpha_of_categories(matrix: ScoreMatrix, codes: Codes) -> float:
    used = np.unique(codes[codes >= 0])
    counts = (codes[:, :, np.newaxis] == used).sum(axis=1)  # Logs × categories.
    library = _library("krippendorff", "krippendorff")
    return float(library.alpha(value_counts=counts, level_of_measurement=matrix.level))


# The library allocates logs × values² numbers: 2 GB for 1,000 logs with 300 different values. Sets
# and continuous scores have about as many values as logs, so their alpha is computed here.


def _alpha_of_numbers(matrix: ScoreMatrix, codes: Codes) -> float:
    # Σ (a − b)² over ordered pairs of m numbers is 2 m (m − 1) times their variance, so D_o and D_e
    # are means of variances.
    numbers = np.where(codes >= 0, np.array(matrix.categories, np.float64)[codes], np.nan)
    sizes = (codes >= 0).sum(axis=1)
    within = np.average(np.nanvar(numbers, axis=1, ddof=1), weights=sizes)
    return float(1 - within / np.nanvar(numbers, ddof=1))


def _alpha_of_sets(matrix: ScoreMatrix, codes: Codes) -> float:
    distances = masi_distances(matrix.categories)
    sizes = (codes >= 0).sum(axis=1)
    observed = 0.0
    for first, second in combinations(codes.T, 2):
        both = (first >= 0) & (second >= 0)
        observed += (2 * distances[first[both], second[both]] / (sizes[both] - 1)).sum()
    counts = np.bincount(codes[codes >= 0], minlength=len(distances))
    return float(1 - observed / (counts @ distances @ counts / (counts.sum() - 1)))


_ALPHAS: Final[Mapping[str, Callable[[ScoreMatrix, Codes], float]]] = {
    "nominal": _alpha_of_categories,
    "ordinal": _alpha_of_categories,
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


def _library(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigurationError(
            f'agreement needs {package}: pip install "respan-notebook[agreement]"'
        ) from error
