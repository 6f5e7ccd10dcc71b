"""Check a judge by the labels of people: its true pass rate, and what it gets wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from respan_notebook.agreement.estimates import (
    Estimate,
    Rates,
    count_labels,
    effective_count,
    estimate_elsewhere,
    estimate_mean,
    estimate_rates,
    labels_alone,
)
from respan_notebook.agreement.judge_labels import JudgeLabels, read_judge_labels, read_values
from respan_notebook.agreement.judge_outcomes import (
    Outcomes,
    count_outcomes,
    pick_wrong,
    read_passes,
)
from respan_notebook.agreement.judge_view import JudgeView, show_rate
from respan_notebook.errors import ConfigurationError, FrameError
from respan_notebook.frames.arrow import as_pandas
from respan_notebook.models import Evaluator
from respan_notebook.plots import Measured
from respan_notebook.values.cells import is_number
from respan_notebook.wording import render_count, render_names

if TYPE_CHECKING:
    from respan_notebook.drawing import Picture

_FEWEST_NUMBERS: Final = 1.5  # Equally weighted labels; with one there is no variance.
_UNDEFINED: Final = Estimate(float("nan"), (float("nan"), float("nan")))


def check_judge(
    scores: Any,
    judge: str,
    *,
    population: Any,
    humans: Sequence[str] | None = None,
    evaluator: str | None = None,
    sample: Any = None,
    gold: Any = None,
    passes: Any = None,
    evaluators: Evaluator | Iterable[Evaluator] | None = None,
) -> JudgeCheck:
    """Check a judge by people's labels; see :meth:`respan_notebook.RespanAccessor.judge`.

    Examples
    --------
    >>> verdicts = pd.DataFrame({"log_id": range(200), "value": [True] * 150 + [False] * 50})
    >>> labels = pd.DataFrame({"log_id": range(0, 200, 2), "evaluator_slug": "good",
    ...                        "scorer": "ann", "value": [True] * 60 + [False] * 40})
    >>> print(check_judge(labels, "bot", population=verdicts))
    judge says 75%; corrected 60% [53-67]; misses 38% of the bad answers; warning: ...
    """
    read = read_judge_labels(
        as_pandas(scores),
        judge,
        humans=humans,
        population=as_pandas(population),
        evaluator=evaluator,
        sample=None if sample is None else as_pandas(sample),
        gold=None if gold is None else as_pandas(gold),
        evaluators=evaluators,
    )
    values = [*read.labels.values(), *read.verdicts.values()]
    if passes is None and all(is_number(one) for one in values):
        return _check_numbers(read)
    return _check_passes(read, passes)


class JudgeCheck:
    """Show what people's labels say of a judge. Made by ``scores.respan.judge(...)``.

    Attributes
    ----------
    claimed : float
        Pass rate by the judge alone, 0 to 1; for numbers its mean.
    rate, interval : float, (float, float)
        Corrected pass rate or mean, and its 95% interval.
    tpr, tnr : float
        Share of the good answers that the judge passes, and of the bad ones that it fails, in the
        population; NaN for numbers, and where there are no such answers.
    tpr_interval, tnr_interval : (float, float)
        Their 95% intervals.
    labels_interval : (float, float)
        95% interval from the labels alone, without the judge's verdicts.
    people_agree : float
        Share of equal labels of two people; NaN where no two share a log.
    confusion : DataFrame or None
        Numbers of labelled logs (int64): people's labels by the judge's verdicts. None for numbers.
    false_passes, false_fails : DataFrame
        The labelled logs that the judge alone passes, or fails: ``log_id`` (object), ``verdict``,
        ``label`` (bool), and the other columns of ``population``, so that
        ``check.false_passes.respan.annotate(...)`` shows these logs. Without rows for numbers.
    method : str
        How ``rate`` and ``interval`` were computed.
    warnings : list of str
        What was left out, taken for granted or can't be said.
    """

    def __init__(
        self,
        read: JudgeLabels,
        claimed: float,
        rates: Rates,
        alone: Estimate,
        outcomes: Outcomes | None,
        warnings: Sequence[str],
    ) -> None:
        self._read, self._outcomes = read, outcomes
        self.claimed = claimed
        self.rate, self.interval = rates.rate.value, rates.rate.interval
        self.tpr, self.tpr_interval = rates.tpr.value, rates.tpr.interval
        self.tnr, self.tnr_interval = rates.tnr.value, rates.tnr.interval
        self.labels_interval = alone.interval
        self._labels_alone = alone.value
        self.people_agree = read.people_agree
        self.method = rates.method
        self.confusion = None if outcomes is None else count_outcomes(outcomes.frame)
        self.false_passes = pick_wrong(outcomes, read.rows, verdict=True)
        self.false_fails = pick_wrong(outcomes, read.rows, verdict=False)
        self.warnings = [*read.warnings, *warnings]
        if alone.width <= rates.rate.width:
            low, high = (show_rate(end, is_share=outcomes is not None) for end in alone.interval)
            self.warnings.append(
                f"the labels alone give as narrow an interval, {low} to {high}: the judge adds "
                "nothing here"
            )

    def plot(self, *, dark: bool = False) -> Picture:
        """Draw what the judge claims, what labels make of it, and what it gets wrong.

        Needs ``pip install "respan-notebook[plots]"``.

        Parameters
        ----------
        dark : bool
            For a dark page.

        Returns
        -------
        Picture
            A ``matplotlib.figure.Figure``.

        Raises
        ------
        ConfigurationError
            matplotlib is missing.

        Examples
        --------
        >>> verdicts = pd.DataFrame({"log_id": range(200), "value": [True] * 150 + [False] * 50})
        >>> labels = pd.DataFrame({"log_id": range(0, 200, 2), "evaluator_slug": "good",
        ...                        "scorer": "ann", "value": [True] * 60 + [False] * 40})
        >>> labels.respan.judge("bot", population=verdicts).plot()
        Picture of a judge: judge says 75%; corrected 60% [53% to 67%]; ...
        """
        from respan_notebook.plots import draw_judge

        return draw_judge(self._rates, self._skills, self.confusion, dark=dark)

    def correct(self, population: Any) -> Estimate:
        """Correct the judge's pass rate on other logs, none of which need a label.

        It is Rogan and Gladen's estimate by the ``tpr`` and ``tnr`` of this check, and right if the
        judge is as good on the other logs as on these. For the logs of this check, ``rate`` says
        more.

        Parameters
        ----------
        population : DataFrame
            The judge's verdict (``value``) on each of the other logs (``log_id``).

        Returns
        -------
        Estimate
            ``value``, 0 to 1, and its 95% ``interval``.

        Raises
        ------
        FrameError
            A log is one of this check, or is there twice; there is no verdict; the judge may be no
            better than chance, so that nothing can be said.
        ConfigurationError
            The check is of numbers.

        Examples
        --------
        >>> verdicts = pd.DataFrame({"log_id": range(200), "value": [True] * 150 + [False] * 50})
        >>> labels = pd.DataFrame({"log_id": range(0, 200, 2), "evaluator_slug": "good",
        ...                        "scorer": "ann", "value": [True] * 60 + [False] * 40})
        >>> check = labels.respan.judge("bot", population=verdicts)
        >>> june = pd.DataFrame({"log_id": range(200, 300), "value": [True] * 70 + [False] * 30})
        >>> print(round(check.correct(june).value, 2))
        0.52
        """
        if self._outcomes is None:
            raise ConfigurationError("verdicts are corrected where they pass or fail, not numbers")
        verdicts, _ = read_values(as_pandas(population), self._read.evaluator, "population")
        shared = [log_id for log_id in verdicts if log_id in self._read.verdicts]
        if shared:
            raise FrameError(
                f"{render_count(len(shared), 'log')} of this check: {render_names(shared)}; tpr "
                "and tnr must come from other logs than those that are corrected. Of these logs, "
                "rate says more"
            )
        if not verdicts:
            raise FrameError("no verdict in population")
        passed = sum(map(self._outcomes.does_pass, verdicts.values()))
        found = estimate_elsewhere(self._outcomes.cells, passed, len(verdicts))
        if found.value != found.value:
            raise FrameError(
                "tpr + tnr is not surely above 1: the judge may be no better than chance, and its "
                "verdicts then say nothing of other logs; label more of them"
            )
        return found

    @property
    def _rates(self) -> list[Measured]:
        return [
            Measured("judge says", self.claimed, _UNDEFINED.interval),
            Measured("corrected", self.rate, self.interval),
            Measured("labels alone", self._labels_alone, self.labels_interval),
        ]

    @property
    def _skills(self) -> list[Measured]:
        """How often the judge is right; nothing for numbers."""
        if self._outcomes is None:
            return []
        rates = [
            ("good answers passed", self.tpr, self.tpr_interval, "no good answers"),
            ("bad answers failed", self.tnr, self.tnr_interval, "no bad answers"),
        ]
        return [
            Measured(name, rate, interval, "" if rate == rate else reason)
            for name, rate, interval, reason in rates
        ]

    def __repr__(self) -> str:
        return JudgeView(self, self._rates + self._skills).render_text()

    def _repr_html_(self) -> str:
        return JudgeView(self, self._rates + self._skills).render_html()


def _check_passes(read: JudgeLabels, passes: Any) -> JudgeCheck:
    values = [*read.labels.values(), *read.verdicts.values()]
    does_pass = read_passes(passes, values, read.evaluator)
    verdicts = {log_id: does_pass(value) for log_id, value in read.verdicts.items()}
    log_ids = list(read.labels)
    frame = pd.DataFrame(
        {
            "log_id": pd.Series(log_ids, dtype=object),
            "verdict": [verdicts[log_id] for log_id in log_ids],
            "label": [does_pass(read.labels[log_id]) for log_id in log_ids],
        }
    )
    weights = np.array([read.weights[log_id] for log_id in log_ids])
    claimed = float(np.mean(list(verdicts.values())))
    given, labels = frame["verdict"].to_numpy(bool), frame["label"].to_numpy(bool)
    cells = {
        verdict: count_labels(labels[given == verdict], weights[given == verdict], share)
        for verdict, share in ((True, claimed), (False, 1 - claimed))
    }
    warnings = [
        f"no label of the logs that the judge {'passes' if verdict else 'fails'}: anything from 0 "
        "to 100% of them may be good; label some of them"
        for verdict, cell in cells.items()
        if cell.share > 0 and not cell.count
    ]
    whole = count_labels(labels, weights, 1.0)
    alone = labels_alone(whole.passes, whole.count)
    outcomes = Outcomes(frame, cells, passes, read.evaluator)
    return JudgeCheck(read, claimed, estimate_rates(cells), alone, outcomes, warnings)


def _check_numbers(read: JudgeLabels) -> JudgeCheck:
    log_ids = list(read.labels)
    labels, verdicts, weights = (
        np.array([values[log_id] for log_id in log_ids], np.float64)
        for values in (read.labels, read.verdicts, read.weights)
    )
    if effective_count(weights) < _FEWEST_NUMBERS:
        raise FrameError(
            "one label gives no interval of a mean, nor do some of which one has nearly all the "
            "weight; label more logs"
        )
    population = np.array(list(read.verdicts.values()), np.float64)
    rest = [value for log_id, value in read.verdicts.items() if log_id not in read.labels]
    unlabelled = np.array(rest, np.float64)
    rate, power = estimate_mean(labels, verdicts, weights, population, unlabelled)
    nothing = np.zeros(len(labels))
    alone, _ = estimate_mean(labels, nothing, weights, nothing, nothing)
    rates = Rates(rate, _UNDEFINED, _UNDEFINED, f"prediction-powered (PPI++), lambda {power:.2f}")
    return JudgeCheck(read, float(population.mean()), rates, alone, None, [])
