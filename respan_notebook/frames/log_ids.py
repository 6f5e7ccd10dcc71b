"""Read the log id of each row of a frame."""

from __future__ import annotations

import re
from typing import Any, Final
from uuid import UUID

import numpy as np
import pandas as pd

from respan_notebook.client.server import path_segment
from respan_notebook.errors import FrameError, InvalidValueError
from respan_notebook.frames.columns import find_column, has_column
from respan_notebook.values.cells import RowErrors, id_text, is_missing, read_each
from respan_notebook.wording import make_printable, render_names, render_value

LOG_ID_COLUMNS: Final = ("log_id", "unique_id", "id")

_is_plain = re.compile(r"[A-Za-z0-9_-]+").fullmatch  # Most log ids; there is nothing to check.


def read_log_ids(frame: pd.DataFrame) -> tuple[list[Any], RowErrors]:
    """Return the log id of each row as str (whole numbers and UUIDs too), refused ones unchanged.

    FrameError is raised when no column or index level holds them, or when two do and differ.
    """
    levels = [name for name in frame.index.names if name in LOG_ID_COLUMNS]
    if len(set(levels)) < len(levels):
        raise FrameError(f"an index level is there more than once: {render_names(levels)}")
    columns = [name for name in LOG_ID_COLUMNS if has_column(frame, name)]
    found = {name: find_column(frame, name).tolist() for name in columns}
    for level in levels:
        found.setdefault(level, frame.index.get_level_values(level).tolist())
    if not found:
        raise FrameError(
            f"no log id: the frame needs a column {', '.join(LOG_ID_COLUMNS[:-1])} or "
            f"{LOG_ID_COLUMNS[-1]}; its columns are {render_names(frame.columns)}"
        )
    (first, cells), *others = found.items()
    for name, other in others:
        # A frame of logs may have both `unique_id` and its alias `id`.
        if not all(map(_is_same_id, cells, other)):
            raise FrameError(
                f"two columns could be the log id, {first!r} and {name!r}, and they differ; "
                "rename or drop the one that is not"
            )
    log_ids, errors = read_each(cells, _read_log_id)
    for row in errors:
        if isinstance(log_ids[row], str):
            log_ids[row] = make_printable(log_ids[row])
    return log_ids, errors


def _is_same_id(one: Any, other: Any) -> bool:
    one, other = (str(raw) if isinstance(raw, UUID) else raw for raw in (one, other))
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    if is_missing(one) or is_missing(other):
        return is_missing(one) and is_missing(other)
    return render_value(one) == render_value(other)


def _read_log_id(raw: Any) -> str:
    if type(raw) is str and _is_plain(raw):
        return raw
    if is_missing(raw):
        raise InvalidValueError("no log id")
    text = id_text(raw)
    if text is None:
        is_float = isinstance(raw, float | np.floating)
        hint = "; read the column as text, for instance with dtype=str" if is_float else ""
        raise InvalidValueError(f"a log id is text, got {render_value(raw)}{hint}", value=raw)
    path_segment(text, "log id")
    return text
