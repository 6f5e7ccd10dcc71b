"""Settle the scores of several people to one gold value per log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from respan_notebook.agreement.matrix import Codes, ScoreMatrix, read_matrices
from respan_notebook.errors import ConfigurationError, FrameError
from respan_notebook.frames.arrow import as_pandas
from respan_notebook.models import Evaluator
from respan_notebook.wording import render_count, render_value

Method = Literal["majority", "dawid-skene"]
Floats = npt.NDArray[np.float64]

FEWEST_SCORERS: Final = 3
FEWEST_LOGS: Final = 50

_MOST_ROUNDS: Final = 2000
_TOLERANCE: Final = 1e-9
_SMALLEST: Final = 1e-10  # In place of a probability of 0, whose logarithm is infinite.


def settle_scores(
    frame: Any,
    method: Method = "majority",
    *,
    evaluators: Evaluator | Iterable[Evaluator] | None = None,
    scorers: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Settle scores to gold values; see :meth:`respan_notebook.RespanAccessor.gold`.

    Examples
    --------
    >>> scores = pd.DataFrame({"log_id": ["a", "b"] * 2, "evaluator_slug": "good",
    ...                        "scorer": ["ann", "ann", "bob", "bob"],
    ...                        "value": [True, True, True, False]})
    >>> settle_scores(scores)[["log_id", "value", "source"]]
      log_id value      source
    0      a  True   unanimous
    1      b  None  unresolved
    """
    if method not in get_args(Method):
        raise ConfigurationError(
            f"method is 'majority' or 'dawid-skene', got {render_value(method)}"
        )
    matrices, _ = read_matrices(as_pandas(frame), evaluators, scorers)
    rows: list[tuple[Any, ...]] = []
    for matrix in matrices:
        chosen = choose_by_majority(matrix.codes)
        if method == "dawid-skene":
            _refuse_few(matrix)
            found = estimate_truth(matrix.codes, len(matrix.categories)).argmax(axis=1)
            chosen = [(code, _source(some, method)) for code, some in _with_given(matrix, found)]
        rows += [
            (log_id, matrix.evaluator, as_given(matrix, i, code), source)
            for i, (log_id, (code, source)) in enumerate(zip(matrix.log_ids, chosen, strict=True))
        ]
    names = ["log_id", "evaluator_slug", "value", "source"]
    return pd.DataFrame(rows, columns=names, dtype=object)


def estimate_truth(codes: Codes, categories: int) -> Floats:
    """Return the probability of each category by log, after Dawid and Skene (1979).

    Each log has one true category; each scorer has, by true category, the probabilities of the
    categories that they give. Both are estimated in turn (EM), from the shares of the scores on.

    Examples
    --------
    >>> estimate_truth(np.array([[0, 0, 0], [1, 1, 1], [1, 1, -1]]), 2).round(3).tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    """
    given = (codes[:, :, np.newaxis] == np.arange(categories)).astype(np.float64)
    truth: Floats = given.sum(axis=1) / given.sum(axis=(1, 2))[:, np.newaxis]
    for _ in range(_MOST_ROUNDS):
        errors = np.maximum(np.einsum("lsg,lt->sgt", given, truth), _SMALLEST)
        errors /= errors.sum(axis=1, keepdims=True)
        prior = np.maximum(truth.mean(axis=0), _SMALLEST)
        likelihood = np.log(prior) + np.einsum("lsg,sgt->lt", given, np.log(errors))
        previous, truth = truth, np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
        truth /= truth.sum(axis=1, keepdims=True)
        if np.abs(truth - previous).max() < _TOLERANCE:
            break
    return truth


def choose_by_majority(codes: Codes) -> list[tuple[int, str]]:
    """Return code and source by log: -1 for a tie, and with the source "" where nobody scored."""
    chosen = []
    for row in codes.tolist():
        ranked = Counter(code for code in row if code >= 0).most_common(2)
        if not ranked:
            chosen.append((-1, ""))
        elif len(ranked) == 1:
            chosen.append((ranked[0][0], "unanimous"))
        elif ranked[0][1] > ranked[1][1]:
            chosen.append((ranked[0][0], "majority"))
        else:
            chosen.append((-1, "unresolved"))
    return chosen


def _with_given(matrix: ScoreMatrix, found: Codes) -> list[tuple[int, set[int]]]:
    given = [{code for code in row if code >= 0} for row in matrix.codes.tolist()]
    return list(zip(found.tolist(), given, strict=True))


def _source(given: set[int], method: str) -> str:
    return "unanimous" if len(given) == 1 else method


def as_given(matrix: ScoreMatrix, log: int, code: int) -> Any:
    """Return a category as the first scorer of the log wrote it."""
    if code < 0:
        return None
    given = [
        cell for cell, one in zip(matrix.cells[log], matrix.codes[log], strict=True) if one == code
    ]
    return given[0] if given else matrix.labels[code]


def _refuse_few(matrix: ScoreMatrix) -> None:
    shared, scorers = int(matrix.paired.sum()), len(matrix.scorers)
    if matrix.level not in ("nominal", "ordinal"):
        raise FrameError(
            f"{matrix.evaluator!r} ({matrix.type}) has no categories that dawid-skene could tell "
            "apart; use method='majority'"
        )
    if scorers < FEWEST_SCORERS or shared < FEWEST_LOGS:
        raise FrameError(
            f"dawid-skene needs {FEWEST_SCORERS} scorers and {FEWEST_LOGS} shared logs, and "
            f"{matrix.evaluator!r} has {render_count(scorers, 'scorer')} and "
            f"{render_count(shared, 'shared log')}; use method='majority'"
        )
