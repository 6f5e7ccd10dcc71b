"""Read whose score each row of a frame is."""

from __future__ import annotations

from typing import Any

import pandas as pd

from respan_notebook.errors import InvalidValueError
from respan_notebook.frames.columns import find_column, has_column
from respan_notebook.values.cells import RowErrors, is_missing, read_each
from respan_notebook.wording import find_surrogate, render_value

SCORER_COLUMN = "scorer"


def read_scorers(frame: pd.DataFrame) -> tuple[list[str | None], RowErrors]:
    """Return the scorer of each row, and the errors; an empty list without a column ``scorer``.

    None where the cell is missing or blank: then the score is the key's owner's.
    """
    if not has_column(frame, SCORER_COLUMN):
        return [], {}
    scorers, errors = read_each(find_column(frame, SCORER_COLUMN).tolist(), _read_scorer)
    faults = {row: f"column {SCORER_COLUMN!r} {error}" for row, error in errors.items()}
    return [None if row in errors else one for row, one in enumerate(scorers)], faults


def _read_scorer(raw: Any) -> str | None:
    if is_missing(raw):
        return None
    if not isinstance(raw, str):
        raise InvalidValueError(f"takes a name or an email, got {render_value(raw)}", value=raw)
    if problem := find_surrogate(raw):
        raise InvalidValueError(f"takes valid Unicode; {problem}", value=raw)
    return str.__str__(raw).strip() or None
