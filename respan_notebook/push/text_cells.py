r"""Encode cells and index labels as text that comes back as it was.

Plain text stands as it is. What a spreadsheet or a reader of CSV would change (numbers, ``NA``,
``True``, formulas, control characters) is a backslash and JSON: the text 00123 is ``\"00123"``.
A missing cell is None.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from respan_notebook.values.cells import is_missing

# Words that readers take for missing or for a boolean, numbers and dates are not plain.
_is_plain = re.compile(
    r"(?!(?:n/?a|nan|null|none|true|false|inf(?:inity)?|1\.#(?:ind|qnan)|[\d.,:/eE+ -]*)\Z)"
    r"['\w][^\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]*",
    re.IGNORECASE,
).fullmatch


def encode_cell(cell: object) -> str | None:
    r"""Return a cell as text; an object that is neither text, number nor bool as its ``str``.

    Examples
    --------
    >>> for cell in ("demo_01", "00123", "", 1.5, None):
    ...     print(encode_cell(cell))
    demo_01
    \"00123"
    \""
    \1.5
    None
    """
    if isinstance(cell, np.generic):
        cell = cell.item()
    if isinstance(cell, str):
        return cell if _is_plain(cell) else f"\\{json.dumps(cell)}"
    if isinstance(cell, bool | int | float):
        return f"\\{json.dumps(cell)}"
    return None if is_missing(cell) else encode_cell(str(cell))


def decode_cell(text: str | None) -> Any:
    """Return the cell that :func:`encode_cell` made text of; raise ValueError when it did not."""
    if text and text[0] == "\\":
        return json.loads(text[1:])
    return text or None


def encode_level(level: pd.Index[Any]) -> tuple[str, list[str | None]]:
    """Return a level of an index as text: its dtype, and a text per label.

    Of a dtype that text does not bring back, the labels become their text, and the dtype object.
    """
    dtype = level.dtype
    if isinstance(level, pd.DatetimeIndex):
        utc = level.tz_convert("UTC").tz_localize(None) if level.tz is not None else level
        texts = np.datetime_as_string(utc.to_numpy()).tolist()
        return str(dtype), [None if text == "NaT" else text for text in texts]
    labels = level.tolist()
    if dtype.kind in _READERS and _is_named(dtype):
        return str(dtype), [None if is_missing(label) else repr(label) for label in labels]
    if dtype == np.dtype(object) or (isinstance(dtype, pd.StringDtype) and _is_named(dtype)):
        return str(dtype), [encode_cell(label) for label in labels]
    return "object", [encode_cell(str(label)) for label in labels]


def decode_level(dtype_name: str, texts: list[str | None]) -> pd.Index[Any]:
    """Return the level that :func:`encode_level` made text of; raise ValueError when it did not."""
    dtype = pd.api.types.pandas_dtype(dtype_name)
    if dtype.kind == "M":
        return _decode_times(dtype, texts)
    read = _READERS.get(dtype.kind, decode_cell)
    return pd.Index([read(text) if text else None for text in texts], dtype=dtype)


def _decode_times(dtype: Any, texts: list[str | None]) -> pd.Index[Any]:
    zone = dtype.tz if isinstance(dtype, pd.DatetimeTZDtype) else None
    naive = f"datetime64[{dtype.unit}]" if zone else dtype
    times = pd.DatetimeIndex(np.array([text or "NaT" for text in texts], dtype=naive))
    return times.tz_localize("UTC").tz_convert(zone) if zone else times


def _is_named(dtype: Any) -> bool:
    """Return whether the dtype's name brings it back."""
    return bool(pd.api.types.pandas_dtype(str(dtype)) == dtype)


def read_whole_number(text: str) -> int:
    """Return the number that a text says; ValueError is raised when it is none."""
    return int(text.removesuffix(".0"))  # pandas writes 1.0 where a column has gaps.


def read_truth(text: str) -> bool:
    """Return the bool that a text says; ValueError is raised when it is none."""
    return bool(("false", "true").index(text.lower()))  # Spreadsheets write TRUE.


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "i": read_whole_number,
    "u": read_whole_number,
    "f": float,
    "b": read_truth,
}
"""Kind of a dtype -> the function that reads a label."""
