"""Recognize missing cells, numbers and lists, of any library."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd

from respan_notebook.errors import InvalidValueError
from respan_notebook.wording import render_value

RowErrors = dict[int, str]
"""Row position -> the error of the row, in words."""


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
    """Return whether a cell is a number; neither a bool nor a timedelta64 is one here."""
    return isinstance(raw, int | float | Decimal | np.integer | np.floating) and not isinstance(
        raw, bool | np.timedelta64
    )


def id_text(raw: object) -> str | None:
    """Return the text of an id: a str, a whole number or a UUID; None for any other cell."""
    if isinstance(raw, str):
        return str.__str__(raw)
    if isinstance(raw, UUID):
        return str(raw)
    if not isinstance(raw, int | np.integer) or not is_number(raw):
        return None
    try:
        return str(int(raw))
    except ValueError:  # Python writes no whole number of over 4,300 digits.
        return None


def list_members(raw: Any) -> list[Any] | None:
    """Return the members of a list-like cell (of a set, sorted by repr), None for a scalar."""
    if isinstance(raw, np.ndarray):
        return list(np.atleast_1d(raw).tolist())
    if isinstance(raw, list | tuple):
        return list(raw)
    if isinstance(raw, set | frozenset):
        return sorted(raw, key=repr)
    return None


def read_each(cells: Iterable[Any], read: Callable[[Any], Any]) -> tuple[list[Any], RowErrors]:
    """Read cells one by one; a refused one is an error and stays as it is, and stops no other.

    A cell whose object raises when it is read becomes None, with an error.
    """
    values, errors = [], {}
    for row, raw in enumerate(cells):
        try:
            values.append(read(raw))
        except InvalidValueError as error:
            values.append(raw)
            errors[row] = str(error)
        except Exception as error:  # noqa: BLE001 - an odd object in a cell stops no other row.
            values.append(None)
            errors[row] = f"can't be read, {type(error).__name__}: {error}; got {render_value(raw)}"
    return values, errors
