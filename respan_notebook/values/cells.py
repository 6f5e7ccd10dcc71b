"""Tell missing cells, numbers and lists apart, whatever library they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from respan_notebook.errors import InvalidValueError
from respan_notebook.wording import render_unreadable

RowErrors = dict[int, str]
"""Row position -> what is wrong with it."""


def is_missing(raw: object) -> bool:
    """Return whether a cell means *no score*: None, NaN (float, numpy, Decimal), ``pd.NA`` or NaT.

    Examples
    --------
    >>> [is_missing(cell) for cell in (None, float("nan"), 0, False, "", [])]
    [True, True, False, False, False, False]
    """
    if raw is None or raw is pd.NA or raw is pd.NaT:
        return True
    if isinstance(raw, Decimal):
        return raw.is_nan()
    if isinstance(raw, float | np.floating | np.datetime64 | np.timedelta64):
        return bool(raw != raw)
    return False


def is_number(raw: object) -> bool:
    """Return whether a cell is a number; a bool is none, and a timedelta64 is no integer here."""
    return isinstance(raw, int | float | Decimal | np.integer | np.floating) and not isinstance(
        raw, bool | np.timedelta64
    )


def list_members(raw: Any) -> list[Any] | None:
    """Return the members of a list-like cell, None for a scalar; sets in a stable order."""
    if isinstance(raw, np.ndarray):
        return list(np.atleast_1d(raw).tolist())
    if isinstance(raw, list | tuple):
        return list(raw)
    if isinstance(raw, set | frozenset):
        return sorted(raw, key=repr)
    return None


def read_each(cells: Iterable[Any], read: Callable[[Any], Any]) -> tuple[list[Any], RowErrors]:
    """Read cells one by one; a bad one stops no other and stays as it came."""
    values, errors = [], {}
    for row, raw in enumerate(cells):
        try:
            values.append(read(raw))
        except InvalidValueError as error:
            values.append(raw)
            errors[row] = str(error)
        except Exception as error:  # noqa: BLE001 - an odd object in a cell stops no other row.
            values.append(None)
            errors[row] = render_unreadable(raw, error)
    return values, errors
