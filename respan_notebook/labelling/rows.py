"""Choose the rows that a person labels, and their order."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, Final

import numpy as np
import pandas as pd

from respan_notebook.agreement.coefficients import score_differences
from respan_notebook.agreement.matrix import read_matrices
from respan_notebook.errors import ConfigurationError, FrameError
from respan_notebook.frames.arrow import as_pandas
from respan_notebook.frames.columns import find_column, has_column
from respan_notebook.frames.log_ids import read_log_ids
from respan_notebook.models import Evaluator
from respan_notebook.sampling import check_seed, hash_order
from respan_notebook.wording import render_value, suggest_name

PERSON: Final = "person"
RANDOM, DISAGREEMENT = "random", "disagreement"


def pick_rows(frame: pd.DataFrame, me: str | None) -> pd.DataFrame:
    """Return the rows that ``assign`` gave to a person; all for None."""
    if me is None:
        return frame
    if not has_column(frame, PERSON):
        raise FrameError(
            f"me= takes the rows of {render_value(me)} by the column {PERSON!r}, which "
            "assign(people) adds, and the frame has none"
        )
    people = find_column(frame, PERSON).tolist()
    rows = [one == me for one in people]
    if not any(rows):
        there = dict.fromkeys(one for one in people if isinstance(one, str))
        raise FrameError(f"no rows are assigned to {me!r}; {suggest_name(me, there)}")
    return frame[rows]


def order_rows(
    frame: pd.DataFrame,
    order: Hashable | None,
    *,
    seed: int = 0,
    scores: Any = None,
    evaluators: Iterable[Evaluator] = (),
) -> pd.DataFrame:
    """Return the rows in another order: by a column, at random, or where scorers differ first."""
    check_seed(seed)
    if not isinstance(order, Hashable):  # Of a frame, or an array, even == is no bool.
        raise ConfigurationError(
            f'order is a column, "random" or "disagreement", not {render_value(order)}'
        )
    if scores is not None and order != DISAGREEMENT:
        raise ConfigurationError('scores= is for order="disagreement" alone')
    if order is None:
        return frame
    if has_column(frame, order):
        return frame.iloc[_sort_column(find_column(frame, order), order)]
    log_ids, errors = read_log_ids(frame)
    if order == RANDOM:
        texts = ["" if i in errors else log_id for i, log_id in enumerate(log_ids)]
        return frame.iloc[hash_order(texts, seed)]
    if order != DISAGREEMENT:
        raise FrameError(
            f'order: a column, "random" or "disagreement", and there is no column {order!r}; '
            f"{suggest_name(order, frame.columns)}"
        )
    if scores is None:
        raise ConfigurationError(
            'order="disagreement" needs the scores of several people: '
            'scores=pull_scores(..., scorer="all")'
        )
    most = _find_differences(as_pandas(scores), list(evaluators))
    keys = [0.0 if i in errors else -most.get(log_id, 0.0) for i, log_id in enumerate(log_ids)]
    return frame.iloc[np.argsort(keys, kind="stable")]


def _sort_column(column: pd.Series[Any], name: Hashable) -> list[int]:
    """Return the positions of the rows in ascending order; missing cells last."""
    try:
        ordered = column.reset_index(drop=True).sort_values(kind="stable")
        return [int(place) for place in ordered.index]
    except (TypeError, ValueError) as error:
        raise FrameError(f"order: the column {name!r} can't be sorted: {error}") from None


def _find_differences(scores: pd.DataFrame, evaluators: list[Evaluator]) -> dict[str, float]:
    """Return by log how far its scores differ, by the evaluator by which they do most."""
    most: dict[str, float] = {}
    names = {one.slug_or_id for one in evaluators}
    for matrix in read_matrices(scores, evaluators, None)[0]:
        if matrix.evaluator in names:
            for log_id, size in zip(matrix.log_ids, score_differences(matrix), strict=True):
                most[log_id] = max(most.get(log_id, 0.0), float(size))
    return most
