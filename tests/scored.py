"""Scores of several scorers, and evaluators, for the tests of agreement."""

from __future__ import annotations

from typing import Any

import pandas as pd

from respan_notebook import Evaluator
from respan_notebook.agreement.agreement import Agreement

NAN = float("nan")


def scores(evaluator: str = "e", **by_scorer: Any) -> pd.DataFrame:
    """Tidy scores of logs 0, 1, ...: a value per log for each scorer; None is no score."""
    rows = [
        (f"{log}", evaluator, scorer, value)
        for scorer, values in by_scorer.items()
        for log, value in enumerate(values)
    ]
    frame = pd.DataFrame(rows, columns=["log_id", "evaluator_slug", "scorer", "value"])
    return frame.astype({"value": object})


def defined(kind: str, slug: str = "e", **fields: Any) -> Evaluator:
    return Evaluator(evaluator_slug=slug, score_value_type=kind, **fields)


def choices(*values: Any) -> dict[str, Any]:
    return {"score_config": {"choices": [{"name": f"is {one}", "value": one} for one in values]}}


def row_of(result: Agreement) -> dict[str, Any]:
    (row,) = result.table.to_dict("records")
    return row


def spelled(*lines: str) -> dict[str, list[str | None]]:
    """Scores as papers print them: a line per scorer, a full stop where there is none."""
    return {
        f"scorer {i}": [None if cell == "." else cell for cell in line.split()]
        for i, line in enumerate(lines)
    }


def numbers(*lines: str) -> dict[str, list[float | None]]:
    return {
        scorer: [None if cell is None else float(cell) for cell in cells]
        for scorer, cells in spelled(*lines).items()
    }


def table_of(counts: list[list[int]], values: list[Any]) -> dict[str, list[Any]]:
    """The scores of two scorers that have this confusion table."""
    cells = [
        (values[i], values[j])
        for i, row in enumerate(counts)
        for j, count in enumerate(row)
        for _ in range(count)
    ]
    return {"ann": [one for one, _ in cells], "bob": [other for _, other in cells]}


NO_VARIATION = "no variation, all scores are {}: chance can't be told apart"
