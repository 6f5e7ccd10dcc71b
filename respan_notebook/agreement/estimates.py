"""Estimate rates and means with intervals, from labels and the verdicts of a judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from respan_notebook.errors import ConfigurationError

Floats = npt.NDArray[np.float64]
Interval = tuple[float, float]

CONFIDENCE: Final = 0.95
FEW_LABELS: Final = 30
"""With fewer labels of a verdict than this, intervals are those of Beta draws."""

_DRAWS: Final = 20_000


@dataclass(frozen=True)
class Estimate:
    """Hold a number with its 95% interval."""

    value: float
    interval: Interval

    @property
    def width(self) -> float:
        """The upper end minus the lower end."""
        return self.interval[1] - self.interval[0]


@dataclass(frozen=True)
class Rates:
    """Hold what labels say of a judge: the true pass rate, and how often the judge is right."""

    rate: Estimate
    tpr: Estimate
    tnr: Estimate
    method: str


@dataclass(frozen=True)
class VerdictLabels:
    """Hold the labels of the logs with one verdict.

    Attributes
    ----------
    share : float
        Share of the population that has this verdict, 0 to 1.
    passes, count : float
        The labels that pass, and all of them: where weights differ, the weighted share of passes
        and the number of equally weighted labels that would be as uncertain (Kish).
    """

    share: float
    passes: float
    count: float

    @property
    def rate(self) -> float:
        """Share of the labels that pass; 1/2 without any."""
        return self.passes / self.count if self.count else 0.5


def count_labels(passes: npt.NDArray[np.bool_], weights: Floats, share: float) -> VerdictLabels:
    """Return the labels of one verdict as counts.

    Examples
    --------
    >>> count_labels(np.array([True, True, False]), np.array([2.0, 2.0, 2.0]), 0.5)
    VerdictLabels(share=0.5, passes=2.0, count=3.0)
    """
    if not len(passes):
        return VerdictLabels(share, 0.0, 0.0)
    weights = weights / weights.max()  # Equal weights give whole numbers.
    count = effective_count(weights)
    return VerdictLabels(share, float(count * (weights @ passes) / weights.sum()), count)


def effective_count(weights: Floats) -> float:
    """Return the number of equally weighted rows that would be as uncertain (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights @ weights))


def proportion_interval(passes: float, count: float) -> Interval:
    """Return Wilson's interval of a proportion, from scipy where the counts are whole numbers.

    Examples
    --------
    >>> [round(end, 3) for end in proportion_interval(8, 10)]
    [0.49, 0.943]
    """
    whole = round(passes), round(count)
    if np.allclose((passes, count), whole):
        test = _stats().binomtest(*whole).proportion_ci(CONFIDENCE, method="wilson")
        return float(test.low), float(test.high)
    z, p = _normal_quantile(), passes / count
    middle = (p + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(p * (1 - p) / count + z**2 / (4 * count**2))
    return float(middle - half), float(middle + half)


def estimate_rates(by_verdict: Mapping[bool, VerdictLabels]) -> Rates:
    """Estimate the pass rate of a population, post-stratified on the judge's verdict.

    θ = Σ w_v ȳ_v, with w_v the share of the population with verdict v, and ȳ_v that of its labels
    that pass. SE² = Σ w_v² p_v (1 − p_v) / n_v with p_v = (k_v + 1/2) / (n_v + 1). With fewer than
    30 labels of a verdict the interval is of draws of p_v from Beta(k_v + 1/2, n_v − k_v + 1/2).

    TPR = w_1 ȳ_1 / θ and TNR = w_0 (1 − ȳ_0) / (1 − θ): right as well where labels were drawn by
    verdict. Their intervals are of the same draws.

    Examples
    --------
    >>> passing, failing = VerdictLabels(0.8, 45, 50), VerdictLabels(0.2, 20, 50)
    >>> rates = estimate_rates({True: passing, False: failing})
    >>> round(rates.rate.value, 2), [round(end, 2) for end in rates.rate.interval]
    (0.8, [0.73, 0.87])
    """
    cells = [one for one in by_verdict.values() if one.share > 0]
    draws = _draw_rates(by_verdict)
    value = sum(one.share * one.rate for one in cells)
    if min(one.count for one in cells) < FEW_LABELS:
        drawn = sum(one.share * draws[verdict] for verdict, one in by_verdict.items())
        rate = _of_draws(value, drawn)
        method = "post-stratified on the verdict, interval of Beta draws"
    else:
        smooth = [(one.passes + 0.5) / (one.count + 1) for one in cells]
        square = sum(
            one.share**2 * p * (1 - p) / one.count for one, p in zip(cells, smooth, strict=True)
        )
        half = _normal_quantile() * np.sqrt(square)
        rate = Estimate(value, (max(0.0, float(value - half)), min(1.0, float(value + half))))
        method = "post-stratified on the verdict"
    rates = {verdict: one.rate for verdict, one in by_verdict.items()}
    shares = {verdict: one.share for verdict, one in by_verdict.items()}
    return Rates(
        rate,
        _of_draws(float(_tpr(shares, rates)), _tpr(shares, draws)),
        _of_draws(float(_tnr(shares, rates)), _tnr(shares, draws)),
        method,
    )


def estimate_elsewhere(
    by_verdict: Mapping[bool, VerdictLabels], passes: int, count: int
) -> Estimate:
    """Estimate the pass rate of another set of logs, of which only the judge's verdicts are known.

    θ = (p + TNR − 1) / (TPR + TNR − 1), with p = passes/count of the other set (Rogan and Gladen
    1978). The interval is of draws of TPR and TNR as in :func:`estimate_rates`, and of p from
    Beta(passes + 1/2, count − passes + 1/2). NaN where TPR + TNR is not surely above 1.

    Examples
    --------
    >>> labels = {True: VerdictLabels(0.8, 45, 50), False: VerdictLabels(0.2, 10, 50)}
    >>> found = estimate_elsewhere(labels, 600, 1000)
    >>> round(found.value, 2), [round(end, 2) for end in found.interval]
    (0.43, [0.2, 0.56])
    """
    shares = {verdict: one.share for verdict, one in by_verdict.items()}
    rates = {verdict: one.rate for verdict, one in by_verdict.items()}
    draws = _draw_rates(by_verdict)
    drawn = np.random.default_rng(1).beta(passes + 0.5, count - passes + 0.5, _DRAWS)
    tpr, tnr = _tpr(shares, draws), _tnr(shares, draws)
    if not np.nanquantile(tpr + tnr, (1 - CONFIDENCE) / 2) > 1:
        return Estimate(np.nan, (np.nan, np.nan))
    value = _rogan_gladen(passes / count, _tpr(shares, rates), _tnr(shares, rates))
    return _of_draws(float(value), _rogan_gladen(drawn, tpr, tnr))


def estimate_mean(
    labels: Floats, verdicts: Floats, weights: Floats, population: Floats, unlabelled: Floats
) -> tuple[Estimate, float]:
    """Estimate the mean of a population by prediction-powered inference; return λ as well.

    θ = λ mean_U(f) + mean_L(Y − λ f), SE² = λ² Var_U(f) / N + Var_L(Y − λ f) / n, with
    λ = Cov(Y, f) / ((1 + n/N) Var f), kept within 0 and 1 (PPI++, arXiv:2311.01453);
    f are the verdicts, U the N rows without a label, L the n labels. Cov is that of the labels,
    divided by n, and Var f that of all verdicts, as in the authors' ``ppi_py``. Unlike there, the
    variances of SE² are divided by n − 1, and quantiles are Student's: labels may be few.

    Where weights differ, the rows without a label are no random part of the population. Means are
    weighted then, n is Kish's, and mean_U is the known mean of the whole population.

    Examples
    --------
    >>> f = np.arange(40.0)
    >>> found, power = estimate_mean(f[::4] + 1, f[::4], np.ones(10), f, f[f % 4 > 0])
    >>> round(found.value, 1), round(power, 2)
    (20.4, 0.72)
    """
    n = effective_count(weights)
    shares = weights / weights.sum()
    equal = bool(np.allclose(weights, weights[0]))
    rest = unlabelled if equal and len(unlabelled) > 1 else population
    known = rest is population
    covariance = float(shares @ ((verdicts - shares @ verdicts) * (labels - shares @ labels)))
    spread = float(np.var(population, ddof=1)) if len(population) > 1 else 0.0
    ratio = 0.0 if known else n / len(rest)
    power = float(np.clip(covariance / ((1 + ratio) * spread), 0, 1)) if spread > 0 else 0.0
    value = float(power * rest.mean() + shares @ (labels - power * verdicts))
    square = _variance(labels - power * verdicts, shares, n) / n
    square += 0.0 if known else power**2 * float(np.var(rest, ddof=1)) / len(rest)
    half = float(_stats().t.ppf((1 + CONFIDENCE) / 2, n - 1) * np.sqrt(square))
    return Estimate(value, (value - half, value + half)), power


def labels_alone(passes: float, count: float) -> Estimate:
    """Return the rate of labels without the judge's verdicts, with Wilson's interval."""
    return Estimate(passes / count, proportion_interval(passes, count))


def _variance(numbers: Floats, shares: Floats, n: float) -> float:
    return float(shares @ (numbers - shares @ numbers) ** 2 * n / (n - 1))


def _draw_rates(by_verdict: Mapping[bool, VerdictLabels]) -> dict[bool, Floats]:
    """Return draws of the share of good answers among the logs of each verdict."""
    random = np.random.default_rng(0)
    return {
        verdict: random.beta(one.passes + 0.5, one.count - one.passes + 0.5, _DRAWS)
        for verdict, one in by_verdict.items()
    }


def _rogan_gladen(passed: Any, tpr: Any, tnr: Any) -> Any:
    return np.clip(_ratio(passed + tnr - 1, tpr + tnr - 1), 0, 1)


def _tpr(shares: Mapping[bool, float], rates: Mapping[bool, Any]) -> Any:
    good = {verdict: shares[verdict] * rates[verdict] for verdict in shares}
    return _ratio(good[True], good[True] + good[False])


def _tnr(shares: Mapping[bool, float], rates: Mapping[bool, Any]) -> Any:
    bad = {verdict: shares[verdict] * (1 - rates[verdict]) for verdict in shares}
    return _ratio(bad[False], bad[True] + bad[False])


def _ratio(part: Any, whole: Any) -> Any:
    """Return a ratio, NaN where it is 0/0."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def _of_draws(value: float, draws: Any) -> Estimate:
    if np.isnan(value):
        return Estimate(value, (np.nan, np.nan))
    low, high = np.nanquantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]).tolist()
    return Estimate(value, (min(low, value), max(high, value)))


def _normal_quantile() -> float:
    return float(_stats().norm.ppf((1 + CONFIDENCE) / 2))


def _stats() -> Any:
    try:
        return import_module("scipy.stats")
    except ImportError as error:
        raise ConfigurationError(
            'intervals need scipy: pip install "respan-notebook[agreement]"'
        ) from error
