"""Read the labels of people, the verdicts of a judge, and how the labelled rows were drawn."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from respan_notebook.agreement.coefficients import percent
from respan_notebook.agreement.gold import choose_by_majority
from respan_notebook.agreement.matrix import ScoreMatrix, read_matrices
from respan_notebook.agreement.scale import category_reader
from respan_notebook.catalogue import Catalogue
from respan_notebook.errors import ConfigurationError, FrameError, InvalidValueError
from respan_notebook.frames.columns import find_column, has_column
from respan_notebook.frames.log_ids import read_log_ids
from respan_notebook.models import Evaluator
from respan_notebook.values.cells import is_missing, is_number
from respan_notebook.wording import render_count, render_names, render_short, suggest_name

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class JudgeLabels:
    """Hold the labels of people beside the verdicts of a judge, by one evaluator.

    Attributes
    ----------
    labels, verdicts : dict of str to value
        By log id: what people say of a labelled log, what the judge says of any log.
    weights : dict of str to float
        By labelled log, the number of logs that it stands for; 1 each where drawn at random.
    people_agree : float
        Share of equal labels, the mean over pairs of people; NaN where no two share a log.
    warnings : tuple of str
        What was left out or taken for granted.
    rows : DataFrame
        The row of the population of each labelled log.
    evaluator : Evaluator
        Its definition, else one by the type of its values.
    """

    labels: dict[str, Any]
    verdicts: dict[str, Any]
    weights: dict[str, float]
    people_agree: float
    warnings: tuple[str, ...]
    rows: pd.DataFrame
    evaluator: Evaluator


def read_judge_labels(
    scores: pd.DataFrame,
    judge: str,
    *,
    humans: Sequence[str] | None,
    population: pd.DataFrame,
    evaluator: str | None,
    sample: pd.DataFrame | None,
    gold: pd.DataFrame | None,
    evaluators: Evaluator | Iterable[Evaluator] | None,
) -> JudgeLabels:
    """Return labels, verdicts and weights; raise FrameError for frames that don't fit."""
    matrices, _ = read_matrices(scores, evaluators, None)
    matrix = _choose_matrix(matrices, evaluator)
    columns = _find_people(matrix, judge, humans)
    definition = _definition(matrix, evaluators)
    settled = {} if gold is None else read_values(gold, definition, "gold")[0]
    labels, ties = _settle(matrix, columns, settled)
    if not labels:
        raise FrameError(
            f"no label to check {judge!r} by: people differ on all {render_count(ties, 'log')}"
            if ties
            else f"no label by {render_names(matrix.scorers[i] for i in columns)}"
        )
    verdicts, silent = read_values(population, definition, "population")
    _refuse_unknown(labels, {*verdicts, *silent})
    judged = {log_id: label for log_id, label in labels.items() if log_id in verdicts}
    if not judged:
        raise FrameError(f"{judge!r} has no verdict on any labelled log")
    _refuse_other_verdicts(matrix, judge, verdicts)
    weights, warnings = _read_weights(scores, sample, judged)
    if ties:
        warnings.append(f"{render_count(ties, 'log')} left out: people differ, and no majority")
    if silent:
        warnings.append(f"{render_count(len(silent), 'log')} left out: no verdict of the judge")
    pairs = [percent(*matrix.codes[:, pair].T) for pair in map(list, combinations(columns, 2))]
    known = [one / 100 for one in pairs if one == one]
    agree = float(np.mean(known)) if known else float("nan")
    places = {log_id: row for row, log_id in enumerate(read_log_ids(population)[0])}
    rows = population.iloc[[places[log_id] for log_id in judged]]
    return JudgeLabels(judged, verdicts, weights, agree, tuple(warnings), rows, definition)


def _settle(
    matrix: ScoreMatrix, columns: Sequence[int], gold: dict[str, Any]
) -> tuple[dict[str, Any], int]:
    """Return the value of each log that people agree on, else its gold value, else the majority's.

    The number of logs that stay undecided comes second.
    """
    labels: dict[str, Any] = {}
    ties = 0
    chosen = choose_by_majority(matrix.codes[:, list(columns)])
    for log_id, (code, source) in zip(matrix.log_ids, chosen, strict=True):
        if source in ("majority", "unresolved") and log_id in gold:
            labels[log_id] = gold[log_id]
        elif code >= 0:
            labels[log_id] = matrix.categories[code]
        else:
            ties += source == "unresolved"
    return labels, ties


def _choose_matrix(matrices: Sequence[ScoreMatrix], evaluator: str | None) -> ScoreMatrix:
    by_name = {one.evaluator: one for one in matrices}
    if not by_name:
        raise FrameError("no score in the frame")
    if evaluator is None and len(by_name) == 1:
        return matrices[0]
    if evaluator not in by_name:
        said = "say which evaluator=" if evaluator is None else f"no scores by {evaluator!r}"
        raise FrameError(f"{said}; {suggest_name(evaluator or '', by_name)}")
    return by_name[evaluator]


def _definition(
    matrix: ScoreMatrix, evaluators: Evaluator | Iterable[Evaluator] | None
) -> Evaluator:
    found = Catalogue(() if evaluators is None else evaluators, None).get(matrix.evaluator)
    return found or Evaluator(evaluator_slug=matrix.evaluator, score_value_type=matrix.type)


def _find_people(matrix: ScoreMatrix, judge: str, humans: Sequence[str] | None) -> list[int]:
    if isinstance(humans, str):
        raise ConfigurationError(f"humans takes a list, as in [{humans!r}, ...]")
    names = [one for one in matrix.scorers if one != judge] if humans is None else list(humans)
    if judge in names:
        raise ConfigurationError(f"{judge!r} is the judge, and can't be one of humans")
    for name in names:
        if name not in matrix.scorers:
            raise FrameError(f"no scores by {name!r}; {suggest_name(name, matrix.scorers)}")
    if not names:
        raise FrameError(f"no scores but those by {judge!r}: people's labels are needed")
    return [matrix.scorers.index(name) for name in dict.fromkeys(names)]


def read_values(
    frame: pd.DataFrame, evaluator: Evaluator, name: str
) -> tuple[dict[str, Any], list[str]]:
    """Return the values of a frame by log, and the logs that have none."""
    read = category_reader(evaluator)
    cells = find_column(frame, "value").tolist()
    values: dict[str, Any] = {}
    silent: list[str] = []
    for row, log_id in enumerate(_distinct_ids(frame, name)):
        if is_missing(cells[row]):
            silent.append(log_id)
            continue
        try:
            values[log_id] = read(cells[row])
        except InvalidValueError as error:
            raise FrameError(f"{name}, row {frame.index[row]!r}: {error}") from None
    return values, silent


def _distinct_ids(frame: pd.DataFrame, name: str) -> list[str]:
    log_ids, errors = read_log_ids(frame)
    for row, error in errors.items():
        raise FrameError(f"{name}, row {frame.index[row]!r}: {error}")
    twice = [log_id for log_id, count in Counter(log_ids).items() if count > 1]
    if twice:
        raise FrameError(f"{name} has {render_names(twice)} twice; keep one row per log")
    return log_ids


def _refuse_unknown(labels: dict[str, Any], known: set[str]) -> None:
    unknown = [log_id for log_id in labels if log_id not in known]
    if unknown:
        raise FrameError(
            f"{render_count(len(unknown), 'labelled log')} not in population: "
            f"{render_names(unknown)}; give the verdict on every log, also on labelled ones"
        )


def _refuse_other_verdicts(matrix: ScoreMatrix, judge: str, verdicts: dict[str, Any]) -> None:
    if judge not in matrix.scorers:
        return
    codes = matrix.codes[:, matrix.scorers.index(judge)].tolist()
    for log_id, code in zip(matrix.log_ids, codes, strict=True):
        if code >= 0 and log_id in verdicts and verdicts[log_id] != matrix.categories[code]:
            raise FrameError(
                f"{judge!r} says {matrix.categories[code]!r} of log {render_short(log_id)} in the "
                f"scores and {verdicts[log_id]!r} in population; give the verdicts of one run"
            )


def _read_weights(
    scores: pd.DataFrame, sample: pd.DataFrame | None, labels: dict[str, Any]
) -> tuple[dict[str, float], list[str]]:
    """Return the weight of each labelled log, and warnings.

    The labelled logs of a stratum stand for the whole of it, also where only some of its drawn logs
    were labelled.
    """
    if sample is not None:
        drawn = _Drawn.of_sample(sample)
    elif has_column(scores, "weight"):
        drawn = _Drawn.of_scores(scores)
    else:
        taken = (
            "the labelled logs are taken as drawn at random: neither weight nor sample= is given"
        )
        return dict.fromkeys(labels, 1.0), [taken]
    for log_id in labels:
        if log_id not in drawn.weights:
            raise FrameError(f"log {render_short(log_id)} is labelled and not in sample")
        weight = drawn.weights[log_id]
        if not is_number(weight) or not 0 < float(weight) < float("inf"):
            raise FrameError(
                f"log {render_short(log_id)} has the weight {weight!r}, and a weight is the number "
                "of logs that the row stands for, above 0"
            )
    return drawn.weights_of(labels)


@dataclass(frozen=True)
class _Drawn:
    """Hold how logs were drawn: weight and stratum by log id; no stratum where none is given."""

    weights: dict[str, Any]
    strata: dict[str, str]

    @classmethod
    def of_sample(cls, sample: pd.DataFrame) -> _Drawn:
        log_ids = _distinct_ids(sample, "sample")
        weights = dict(zip(log_ids, find_column(sample, "weight").tolist(), strict=True))
        if not has_column(sample, "stratum"):
            return cls(weights, {})
        strata = map(str, find_column(sample, "stratum").tolist())
        return cls(weights, dict(zip(log_ids, strata, strict=True)))

    @classmethod
    def of_scores(cls, scores: pd.DataFrame) -> _Drawn:
        log_ids, _ = read_log_ids(scores)
        given = find_column(scores, "weight").tolist()
        names = [""] * len(log_ids)
        if has_column(scores, "stratum"):
            names = [str(one) for one in find_column(scores, "stratum").tolist()]
        weights: dict[str, Any] = {}
        strata: dict[str, str] = {}
        for log_id, weight, name in zip(log_ids, given, names, strict=True):
            if is_missing(weight):
                weights.setdefault(log_id, None)
                continue
            if weights.get(log_id) is None:
                weights[log_id] = weight
            if weights[log_id] != weight:
                raise FrameError(f"log {render_short(log_id)} has two weights in the scores")
            strata[log_id] = name
        return cls(weights, strata if has_column(scores, "stratum") else {})

    def weights_of(self, labels: dict[str, Any]) -> tuple[dict[str, float], list[str]]:
        """Return the weights of labelled logs, raised in strata that were labelled in part."""
        if not self.strata:
            return {log_id: float(self.weights[log_id]) for log_id in labels}, []
        whole: defaultdict[str, float] = defaultdict(float)
        labelled: defaultdict[str, float] = defaultdict(float)
        for log_id, name in self.strata.items():
            weight = self.weights[log_id]
            whole[name] += float(weight) if is_number(weight) else 0.0
            labelled[name] += float(weight) if log_id in labels else 0.0
        warnings = [
            f"no label in the stratum {name!r}, which stands for {whole[name]:.0f} logs: label "
            "some of it"
            for name in whole
            if not labelled[name]
        ]
        rest = sum(log_id not in labels for log_id in self.strata)
        if rest:
            warnings.append(
                f"{render_count(rest, 'drawn log')} without a label: taken as like the labelled "
                "ones of the same stratum"
            )
        raised = {
            log_id: float(self.weights[log_id]) * whole[name] / labelled[name]
            for log_id, name in ((log_id, self.strata[log_id]) for log_id in labels)
        }
        return raised, warnings
