"""Settle which of several lines of one log and evaluator counts, within a part of a plan."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from respan_notebook.errors import DuplicateScoreError, FrameError
from respan_notebook.frames.context import CONTEXT_COLUMNS
from respan_notebook.models import VALUE_FIELDS
from respan_notebook.push.jobs.lines import render_line, with_all_columns
from respan_notebook.push.options import OnDuplicate

if TYPE_CHECKING:
    import pyarrow as pa

_SENT: Final = (*VALUE_FIELDS, *CONTEXT_COLUMNS)
_MOST_ROWS: Final = 1_000  # Lines that an error about duplicates names.


@dataclass
class Duplicates:
    """Settle the duplicates of a plan, part by part.

    Attributes
    ----------
    on_duplicate : {"last", "first", "error"}
        The line that counts.
    owner : str or None
        The owner of the key; his scores are the same with and without his name.
    is_ordered : bool
        Whether the source has an order of its own.
    order_by : tuple of str
        The columns that order the lines.
    width : int
        Scores per row.
    learns_owner : bool
        Whether the owner is learned when the lines are sent, and their duplicates settled by him.
    """

    on_duplicate: OnDuplicate
    owner: str | None
    is_ordered: bool
    order_by: tuple[str, ...]
    width: int = 1
    learns_owner: bool = False
    _lines: list[int] = field(default_factory=list)
    _count: int = 0
    _example: str = ""

    def settle(self, table: pa.Table) -> pa.Table:
        """Sort the lines of a part, mark duplicates among them, and add the columns left out.

        They are sorted by their numbers; or, where lines name a scorer who may turn out to be the
        owner of the key, in the order by which the last or the first one counts.
        """
        import pyarrow as pa

        table = table.take(np.argsort(table["line"].to_numpy(), kind="stable"))
        table = with_all_columns(table)
        rows = _find_suspects(table)
        others = self._settle_suspects(table.take(rows)) if len(rows) else {}
        if others:
            status, errors = table["status"].to_pylist(), table["error"].to_pylist()
            of = "log, evaluator and scorer"
            if table["scorer"].null_count == len(table):
                of = "log and evaluator"
            for place, other in others.items():
                row = int(rows[place])
                status[row] = "duplicate"
                errors[row] = f"same {of} as row {render_line(other, self.width)}, which counts"
            for name, cells in (("status", status), ("error", errors)):
                place = table.column_names.index(name)
                table = table.set_column(place, name, pa.array(cells, pa.string()))
        if self.learns_owner and table["scorer"].null_count < len(table):
            if not self.is_ordered and self.on_duplicate != "error":
                _refuse_rivals(table)
            table = table.take(np.argsort(self._rank(table)))
        return table

    def _settle_suspects(self, table: pa.Table) -> dict[int, int]:
        """Return the places of those that don't count, each with the line that does."""
        groups = self._group(table)
        sizes = np.bincount(groups)
        if sizes.max(initial=0) < 2:
            return {}
        members = np.flatnonzero(sizes[groups] > 1)
        table, groups = table.take(members), groups[members]
        ranked = self._rank(table)
        lines = table["line"].to_numpy()
        if self.on_duplicate == "error":
            self._count_errors(table, groups, lines)
            return {}
        if not self.is_ordered:
            self._refuse_unordered(table, groups, ranked)
        order = np.argsort(ranked, kind="stable")
        if self.on_duplicate == "first":
            order = order[::-1]
        winner = dict(zip(groups[order].tolist(), lines[order].tolist(), strict=True))
        return {
            int(members[place]): winner[group]
            for place, (group, line) in enumerate(zip(groups.tolist(), lines.tolist(), strict=True))
            if winner[group] != line
        }

    def _group(self, table: pa.Table) -> npt.NDArray[np.int64]:
        """Return a number per line, equal for those with log, evaluator and scorer in common."""
        whose = table["scorer"].to_pylist()
        frame = pd.DataFrame(
            {
                "log_id": table["log_id"].to_pylist(),
                "evaluator": table["evaluator_code"].to_numpy(),
                "scorer": ["" if one in (None, self.owner) else one for one in whose],
            }
        )
        groups = frame.groupby(["log_id", "evaluator", "scorer"], sort=False).ngroup()
        return np.asarray(groups, np.int64)

    def _rank(self, table: pa.Table) -> npt.NDArray[np.int64]:
        """Return the place of each line in the order that counts; those without value are first."""
        from pyarrow import compute

        names = [name for name in table.column_names if name.startswith("order_")]
        for n, name in enumerate(self.order_by):
            used = [one for one in names if one.startswith(f"order_{n}_")]
            if sum(table[one].null_count < len(table) for one in used) > 1:
                raise FrameError(f"order_by={name!r} has values of several kinds; make them one")
        keys = ["line"]
        for name in reversed(names):
            table = table.append_column(f"has_{name}", compute.is_valid(table[name]).cast("int8"))
            keys = [f"has_{name}", name, *keys]
        order = compute.sort_indices(table, sort_keys=[(key, "ascending") for key in keys])
        ranked = np.empty(len(table), np.int64)
        ranked[order.to_numpy()] = np.arange(len(table))
        return ranked

    def _refuse_unordered(
        self, table: pa.Table, groups: npt.NDArray[np.int64], ranked: npt.NDArray[np.int64]
    ) -> None:
        """Raise DuplicateScoreError when only chance says which of two values counts."""
        names, rows = _list_compared(table)
        order = np.argsort(ranked, kind="stable")
        counting: dict[int, dict[str, Any]] = {}
        for place in order[::-1] if self.on_duplicate == "last" else order:
            row = rows[place]
            winner = counting.setdefault(int(groups[place]), row)
            if _is_contested(row, winner, names):
                lines = winner["line"], row["line"]
                raise DuplicateScoreError(self._render_unordered(row), rows=lines)

    def _render_unordered(self, row: Mapping[str, Any]) -> str:
        problem = (
            f"the rows with order_by={self.order_by!r} are equal there"
            if self.order_by
            else "the source has no order; pass order_by= with the column that says which is last"
        )
        return (
            f"several rows score log {row['log_id']!r} by {row['evaluator']!r} differently, and "
            f"{problem}"
        )

    def _count_errors(
        self, table: pa.Table, groups: npt.NDArray[np.int64], lines: npt.NDArray[np.int64]
    ) -> None:
        repeated = pd.Series(groups).duplicated(keep="last").to_numpy()
        self._count += int(repeated.sum())
        self._lines += lines[repeated].tolist()[: _MOST_ROWS - len(self._lines)]
        if not self._example:
            place = int(np.flatnonzero(repeated)[0])
            log_id, name = table["log_id"][place].as_py(), table["evaluator"][place].as_py()
            row = render_line(int(lines[place]), self.width)
            self._example = f"row {row}, which has log {log_id!r} and evaluator {name!r} in common"

    def raise_for_errors(self) -> None:
        """Raise DuplicateScoreError when there are duplicates and ``on_duplicate`` is "error"."""
        if self._count:
            raise DuplicateScoreError(
                f"{self._count} rows score a log that another row scores by the same evaluator; "
                f"one is {self._example} with another. Drop one of them, or say which counts with "
                'on_duplicate="first" or "last"',
                rows=tuple(self._lines),
            )


def _refuse_rivals(table: pa.Table) -> None:
    """Raise DuplicateScoreError when only chance would say which of two values counts.

    One has no scorer and the other names one, who may be the owner of the key.
    """
    names, rows = _list_compared(table.take(_find_suspects(table)))
    own = {(row["log_id"], row["evaluator_code"]): row for row in rows if row["scorer"] is None}
    for row in rows:
        other = own.get((row["log_id"], row["evaluator_code"]))
        if row["scorer"] is not None and other and _is_contested(row, other, names):
            raise DuplicateScoreError(
                f"log {row['log_id']!r} is scored by {row['evaluator']!r} differently in a row "
                f"without a scorer and in one of {row['scorer']!r}, who may be the owner of the "
                "key, and nothing says which is last; pass order_by= with the column that does, or "
                "name the scorer in both",
                rows=(other["line"], row["line"]),
            )


def _list_compared(table: pa.Table) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the names of the columns that order lines, and what is compared of each line."""
    names = [name for name in table.column_names if name.startswith("order_")]
    others = ["log_id", "evaluator", "evaluator_code", "scorer", "line"]
    return names, table.select([*names, *_SENT, *others]).to_pylist()


def _is_contested(one: Mapping[str, Any], other: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Return whether two lines are equal in the order that counts, and send different values."""
    is_tie = all(one[name] == other[name] for name in names)
    return is_tie and _render_sent(one) != _render_sent(other)


def _find_suspects(table: pa.Table) -> npt.NDArray[np.int64]:
    """Return the rows that are to be sent and whose hash another such row has."""
    from pyarrow import compute

    ready = np.flatnonzero(compute.equal(table["status"], "not_sent").to_numpy())
    hashes = pd.Series(table["hash"].to_numpy()[ready])
    return ready[hashes.duplicated(keep=False).to_numpy()]


def _render_sent(row: Mapping[str, Any]) -> str:
    return json.dumps([row[name] for name in _SENT])
