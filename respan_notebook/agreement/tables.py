"""Build the tables of an ``Agreement``, with notes on missing numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
import pandas as pd

from respan_notebook.agreement.coefficients import WEIGHTS, alpha, kappa, percent
from respan_notebook.agreement.matrix import ScoreMatrix
from respan_notebook.errors import FrameError
from respan_notebook.wording import render_names, suggest_name

_TABLE: Final = {
    "type": "object",
    "level": "object",
    "weights": "object",
    "logs": "int64",
    "scorers": "int64",
    "percent": "float64",
    "kappa": "float64",
    "alpha": "float64",
    "notes": "object",
}
_PAIRS: Final = {
    "first": "object",
    "second": "object",
    "logs": "int64",
    "percent": "float64",
    "kappa": "float64",
    "notes": "object",
}
_NO_KAPPA: Final = {
    "interval": "no kappa: it is for categories, and this scale is continuous",
    "set": "no kappa: it is for one category per log, and these are sets of choices",
    "exact": "neither kappa nor alpha: such values are equal or not, nothing between",
}


def summary_table(matrices: Sequence[ScoreMatrix]) -> pd.DataFrame:
    """Return ``Agreement.table``: a row per evaluator."""
    index = pd.Index([one.evaluator for one in matrices], name="evaluator", dtype=object)
    rows = [_summary(one) for one in matrices]
    return pd.DataFrame(rows, index=index, columns=list(_TABLE), dtype=object).astype(_TABLE)


def pair_table(matrix: ScoreMatrix) -> pd.DataFrame:
    """Return ``Agreement.pairs``: a row per pair of scorers."""
    rows = [_pair(matrix, *pair) for pair in combinations(range(len(matrix.scorers)), 2)]
    return pd.DataFrame(rows, columns=list(_PAIRS), dtype=object).astype(_PAIRS)


def confusion_table(matrix: ScoreMatrix, first: str | None, second: str | None) -> pd.DataFrame:
    """Return ``Agreement.confusion``: numbers of logs, by the scores of two scorers."""
    columns = [matrix.scorers.index(name) for name in _two(matrix, first, second)]
    codes = matrix.codes[:, columns]
    codes = codes[(codes >= 0).all(axis=1)]
    whole = matrix.level in ("nominal", "ordinal")
    used = np.arange(len(matrix.categories)) if whole else np.unique(codes)
    counts = np.zeros((len(used), len(used)), np.int64)
    np.add.at(counts, tuple(np.searchsorted(used, codes.T)), 1)
    labels = matrix.labels
    shown_labels = [labels[i] for i in used]
    names = [matrix.scorers[i] for i in columns]
    return pd.DataFrame(counts, *(pd.Index(shown_labels, name=name) for name in names))


def _summary(matrix: ScoreMatrix) -> dict[str, Any]:
    two = len(matrix.scorers) == 2
    percents = [percent(*pair) for pair in combinations(matrix.codes.T, 2)]
    known = [number for number in percents if number == number]
    return {
        "type": matrix.type,
        "level": matrix.level,
        "weights": WEIGHTS.get(matrix.level),
        "logs": int(matrix.paired.sum()),
        "scorers": len(matrix.scorers),
        "percent": np.mean(known) if known else np.nan,
        "kappa": kappa(matrix, 0, 1) if two else np.nan,
        "alpha": alpha(matrix),
        "notes": _why_missing(matrix),
    }


def _why_missing(matrix: ScoreMatrix) -> str:
    if len(matrix.scorers) < 2:
        return f"one scorer only, {matrix.scorers[0]}"
    if not matrix.paired.any():
        return "no log is scored by two scorers"
    if matrix.level == "exact":
        return _NO_KAPPA["exact"]
    same = _same_value(matrix, range(len(matrix.scorers)))
    notes = [same] if same else []
    if matrix.level in _NO_KAPPA:
        notes.append(_NO_KAPPA[matrix.level])
    elif len(matrix.scorers) > 2:
        notes.append(f"kappa is of two scorers, and there are {len(matrix.scorers)}: see pairs()")
    return "; ".join(notes)


def _same_value(matrix: ScoreMatrix, columns: Iterable[int]) -> str:
    """Return a note when all scores of the logs that two of these scorers scored are equal."""
    codes = matrix.codes[:, list(columns)]
    codes = codes[(codes >= 0).sum(axis=1) >= 2]
    used = np.unique(codes[codes >= 0])
    if len(used) != 1:
        return ""
    return f"no variation, all scores are {matrix.labels[used[0]]!r}: chance can't be told apart"


def _pair(matrix: ScoreMatrix, first: int, second: int) -> dict[str, Any]:
    codes = matrix.codes[:, [first, second]]
    logs = int((codes >= 0).all(axis=1).sum())
    reason = _NO_KAPPA.get(matrix.level) or _same_value(matrix, [first, second])
    return {
        "first": matrix.scorers[first],
        "second": matrix.scorers[second],
        "logs": logs,
        "percent": percent(*codes.T),
        "kappa": kappa(matrix, first, second),
        "notes": reason if logs else "no log in common",
    }


def _two(matrix: ScoreMatrix, first: str | None, second: str | None) -> list[str]:
    for name in (first, second):
        if name is not None and name not in matrix.scorers:
            raise FrameError(
                f"no scores by {name!r} of {matrix.evaluator!r}; "
                f"{suggest_name(name, matrix.scorers)}"
            )
    rest = [name for name in matrix.scorers if name not in (first, second)]
    left_out = [first, second].count(None)
    if first == second and left_out == 0:
        raise FrameError(f"a confusion table is of two scorers, and both are {first!r}")
    if left_out and len(rest) != left_out:
        raise FrameError(
            f"say which two scorers, as in confusion({matrix.evaluator!r}, first, second); "
            f"{matrix.evaluator!r} has {render_names(matrix.scorers)}"
        )
    return [rest.pop(0) if name is None else name for name in (first, second)]
