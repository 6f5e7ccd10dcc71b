"""Find the columns of a frame by name."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from respan_notebook.errors import FrameError
from respan_notebook.wording import suggest_name


def has_column(frame: pd.DataFrame, name: Hashable) -> bool:
    """Return whether a frame has a column of this name."""
    return bool(_find_places(frame.columns, name))


def find_column(frame: pd.DataFrame, name: Hashable) -> pd.Series[Any]:
    """Return the column of this name; raise FrameError unless there is exactly one."""
    found = _find_places(frame.columns, name)
    if not found:
        raise FrameError(f"no column {name!r}; {suggest_name(name, frame.columns)}")
    if len(found) > 1:
        raise FrameError(f"column {name!r} is there {len(found)} times; rename or drop one")
    return frame.iloc[:, found[0]]


def read_cells(frame: pd.DataFrame, name: Hashable) -> list[Any] | npt.NDArray[Any]:
    """Return the cells of a column: an array of numbers as it is, anything else as a list."""
    column = find_column(frame, name)
    is_plain = isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiu"
    return column.to_numpy() if is_plain else column.tolist()


def _find_places(columns: pd.Index[Any], name: Hashable) -> list[int]:
    is_text = columns.dtype == object or isinstance(columns.dtype, pd.StringDtype)
    if type(name) is str and is_text and columns.nlevels == 1:
        # By hash: to compare all of them for each of some thousands would take minutes.
        try:
            place = columns.get_loc(name)
        except KeyError:
            return []
        if isinstance(place, int):
            return [place] if _is_same_label(columns[place], name) else []
    return [i for i, column in enumerate(columns) if _is_same_label(column, name)]


def _is_same_label(column: Hashable, name: Hashable) -> bool:
    # 0 is not False, and comparing with pd.NA gives pd.NA.
    return column is name or (type(column) is type(name) and bool(column == name))
