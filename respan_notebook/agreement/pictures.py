"""Prepare what a picture of agreement shows: rows with intervals, and a confusion table."""

from __future__ import annotations

from itertools import combinations

import pandas as pd

from respan_notebook.agreement.matrix import ScoreMatrix
from respan_notebook.agreement.tables import confusion_table
from respan_notebook.plots import MOST_VALUES, Measured


def measured_rows(table: pd.DataFrame, intervals: pd.DataFrame, coefficient: str) -> list[Measured]:
    """Return alpha or kappa by evaluator; beside alpha its verdict, or why it is undefined."""
    ends = (intervals[f"{coefficient}_{end}"] for end in ("low", "high"))
    columns = (table[coefficient], *ends, intervals["verdict"], table["notes"])
    return [
        Measured(str(name), value, (low, high), _note(value, verdict, notes, coefficient))
        for name, value, low, high, verdict, notes in zip(
            table.index, *(column.tolist() for column in columns), strict=True
        )
    ]


def pick_counts(
    matrix: ScoreMatrix, first: str | None, second: str | None
) -> tuple[pd.DataFrame | None, str]:
    """Return a confusion table, None if none can be drawn, and its title or the reason.

    Without names it is of the two scorers who share most logs.
    """
    name = matrix.evaluator
    if first is None and second is None:
        if len(matrix.scorers) < 2:
            return None, f"no confusion table of {name}: one scorer only"
        pairs = combinations(matrix.scorers, 2)
        first, second = max(pairs, key=lambda pair: _count_shared(matrix, *pair))
    counts = confusion_table(matrix, first, second)
    if not counts.to_numpy().any():
        return None, f"no confusion table of {name}: no log in common"
    if len(counts) > MOST_VALUES:
        return None, f"no confusion table of {name}: {len(counts)} values are too many"
    return counts, f"{name}: logs by score"


def _note(value: float, verdict: str, notes: str, coefficient: str) -> str:
    if value != value:
        return notes
    return verdict if coefficient == "alpha" else ""


def _count_shared(matrix: ScoreMatrix, first: str, second: str) -> int:
    columns = [matrix.scorers.index(name) for name in (first, second)]
    return int((matrix.codes[:, columns] >= 0).all(axis=1).sum())
