"""Hold the rows that are labelled: their logs, and which are scored, skipped or refused."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from respan_notebook.errors import FrameError, InvalidValueError
from respan_notebook.frames.context import CONTEXT_COLUMNS, ContextNames, choose_context
from respan_notebook.frames.log_ids import read_log_ids
from respan_notebook.labelling.contents import Contents
from respan_notebook.values.cells import RowErrors

SHOWN: Final = ("all", "unscored", "refused")
"""The filters of rows: the values of :attr:`Queue.shown`."""

_LONGEST_NUMBER: Final = 20  # Characters of a row's number; of very many Python reads none.

CHUNK: Final = 100
"""Rows whose scores are looked up at once."""


class Queue:
    """Hold the rows of a frame of logs, in their order, and the position of the annotator.

    Parameters
    ----------
    frame : DataFrame
        A row per log.
    context : bool, str, sequence of str or None
        Which columns travel along with a score.

    Attributes
    ----------
    position : int
        The row that is shown, from 0.
    shown : {"all", "unscored", "refused"}
        The rows that :meth:`move` stops at.
    scored, partly, skipped, drafted, refused : bool arrays
        One per row: all required scores are there; some; it was skipped; it has a draft; one of its
        scores was refused.

    Raises
    ------
    FrameError
        The frame has no rows, or its columns of log ids can't be used.
    """

    def __init__(self, frame: pd.DataFrame, context: ContextNames = None) -> None:
        if not len(frame):
            raise FrameError("there is nothing to annotate: the frame has no rows")
        self._frame = frame.copy()  # It may be changed in place while it is labelled.
        self._context = choose_context(frame, context)
        self._chunks: dict[int, tuple[list[Any], RowErrors]] = {}
        self._places: dict[str, list[int]] = {}  # Log id -> its rows in these chunks.
        read_log_ids(frame.head(1))  # Columns that can't be used are an error at once.
        self.position = 0
        self.shown = "all"
        self._contents = Contents(self._frame)
        size = len(frame)
        self.scored: npt.NDArray[np.bool_] = np.zeros(size, bool)
        self.partly: npt.NDArray[np.bool_] = np.zeros(size, bool)
        self.skipped: npt.NDArray[np.bool_] = np.zeros(size, bool)
        self.drafted: npt.NDArray[np.bool_] = np.zeros(size, bool)
        self.refused: npt.NDArray[np.bool_] = np.zeros(size, bool)

    def __len__(self) -> int:
        return len(self._frame)

    def close(self) -> None:
        """End what goes on in the background."""
        self._contents.close()

    @cached_property
    def rows(self) -> Mapping[str, Sequence[int]]:
        """Log id -> its rows; read when first needed, since that is slow for a large frame."""
        try:
            log_ids, errors = read_log_ids(self._frame)
        except FrameError:  # Somewhere two columns could be the id, and differ.
            log_ids = [log_id for n in range(0, len(self), CHUNK) for log_id in self._ids(n)[0]]
            errors = {}
        for row in errors:
            log_ids[row] = ""  # The cell may not even be hashable.
        found = dict(zip(log_ids, zip(range(len(self)), strict=False), strict=True))
        if len(found) < len(self):
            found = dict.fromkeys(found, ())
            for row, log_id in enumerate(log_ids):
                found[log_id] += (row,)
        return found

    @property
    def log_id(self) -> str:
        """The id of the log that is shown; InvalidValueError when it can't be scored."""
        problem = self.problem_at(self.position)
        if problem:
            raise InvalidValueError(f"this row can't be scored: {problem}")
        return str(self._ids(self.position)[0][self.position % CHUNK])

    @property
    def log_id_or_none(self) -> str | None:
        """The id of the log that is shown; None when it can't be scored."""
        return self.id_at(self.position)

    def id_at(self, position: int) -> str | None:
        """Return the id of the log of a row; None when it can't be scored."""
        if self.problem_at(position):
            return None
        return str(self._ids(position)[0][position % CHUNK])

    def problem_at(self, position: int) -> str:
        """Return the reason why the log of a row can't be scored; empty when it can."""
        error = self._ids(position)[1].get(position % CHUNK)
        if error is not None:
            return str(error)
        if self._contents.has_changed(position):
            return (
                "a cell of it was changed since the annotator was opened, and it may be another "
                "log now; run annotate(...) again"
            )
        return ""

    def cells(self, position: int | None = None) -> dict[Hashable, Any]:
        """Return the cells of the row that is shown, or of another one, by column.

        Of several columns of one name the second is called ``name (2)``, and so on.
        """
        row = self.position if position is None else position
        found: dict[Hashable, Any] = {}
        for place, name in enumerate(self._frame.columns):
            number = 1
            unique: Hashable = name
            while unique in found:
                number += 1
                unique = f"{name} ({number})"
            found[unique] = self._frame.iat[row, place]
        return found

    def context(self) -> dict[str, Any]:
        """Return the context of the scores of the log that is shown: fields of the API."""
        cells, found = self.cells(), {}
        for name in self._context:
            if name != "explanation":
                try:
                    found[name] = CONTEXT_COLUMNS[name](cells[name])
                except Exception:  # noqa: BLE001, S112 - it would only save the server a look-up.
                    continue
        return {name: value for name, value in found.items() if value is not None}

    def chunk(self, position: int) -> list[str]:
        """Return the log ids of the chunk of :data:`CHUNK` rows that holds a position."""
        log_ids, errors = self._ids(position)
        return [log_id for row, log_id in enumerate(log_ids) if row not in errors]

    def _ids(self, position: int) -> tuple[list[Any], RowErrors]:
        """Return the log ids of the chunk of rows that holds a position, and the errors."""
        start = position // CHUNK * CHUNK
        if start not in self._chunks:
            part = self._frame.iloc[start : start + CHUNK]
            try:
                log_ids, errors = read_log_ids(part)
            except FrameError as error:  # Two columns could be the id, and differ in this chunk.
                log_ids, errors = [""] * len(part), dict.fromkeys(range(len(part)), str(error))
            for row in errors:
                log_ids[row] = ""  # The cell may not even be hashable.
            self._chunks[start] = log_ids, errors
            for row, log_id in enumerate(log_ids):
                self._places.setdefault(log_id, []).append(start + row)
        return self._chunks[start]

    def mark(self, kind: npt.NDArray[np.bool_], log_id: str, *, on: bool) -> None:
        """Mark all rows of a log as scored, skipped or refused, or not."""
        kind[list(self.rows.get(log_id, ()))] = on

    def mark_here(self, kind: npt.NDArray[np.bool_], log_id: str, *, on: bool) -> None:
        """Mark the rows of a log in the chunks read so far; quick also in a large frame."""
        kind[self._places.get(log_id, [])] = on

    def mark_only(self, kind: npt.NDArray[np.bool_], log_ids: Collection[str]) -> None:
        """Mark the rows of these logs and no others."""
        kind[:] = False
        for log_id in log_ids:
            self.mark(kind, log_id, on=True)

    def move(self, direction: int) -> bool:
        """Move to the next (1) or previous (-1) row of those shown; return whether there is one."""
        rows = np.flatnonzero(self._wanted())
        ahead = rows[rows > self.position] if direction > 0 else rows[rows < self.position]
        if not len(ahead):
            return False
        self.position = int(ahead[0] if direction > 0 else ahead[-1])
        return True

    def neighbours(self) -> list[int]:
        """Return the previous row and the next two of those that :meth:`move` stops at."""
        rows = np.flatnonzero(self._wanted())
        before, after = rows[rows < self.position], rows[rows > self.position]
        return [int(row) for row in (*before[-1:], *after[:2])]

    def place(self) -> tuple[int, int]:
        """Return the number of the row among those that :meth:`move` stops at, and theirs.

        The number counts from 1; it is 0 for a row that is none of them.
        """
        wanted = self._wanted()
        number = int(wanted[: self.position + 1].sum()) if wanted[self.position] else 0
        return number, int(wanted.sum())

    def first_unscored(self) -> int | None:
        """Return the first row without a score, None when all have one."""
        rows = np.flatnonzero(~self.scored)
        return int(rows[0]) if len(rows) else None

    def find(self, target: str) -> int | None:
        """Return the row with this log id, else with this number, counted from 1."""
        if target in self.rows:
            return self.rows[target][0]
        is_number = target.isdecimal() and len(target) < _LONGEST_NUMBER
        return int(target) - 1 if is_number else None

    def _wanted(self) -> npt.NDArray[np.bool_]:
        if self.shown == "unscored":
            return ~self.scored
        return self.refused if self.shown == "refused" else np.ones(len(self), bool)
