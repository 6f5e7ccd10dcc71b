"""Check the scores of one chunk of a source, wherever that runs; no client and no key is here."""

from __future__ import annotations

import ast
import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from respan_notebook.catalogue import Catalogue
from respan_notebook.errors import FrameError
from respan_notebook.frames.columns import find_column, has_column
from respan_notebook.frames.context import CONTEXT_COLUMNS
from respan_notebook.frames.log_ids import LOG_ID_COLUMNS
from respan_notebook.frames.scorers import SCORER_COLUMN
from respan_notebook.models import VALUE_FIELDS, Evaluator
from respan_notebook.push.duplicates import mark_checked
from respan_notebook.push.jobs.lines import encode_plan, number_lines
from respan_notebook.push.options import PushOptions
from respan_notebook.push.plan import Plan
from respan_notebook.push.read_frame import read_frame

if TYPE_CHECKING:
    import pyarrow as pa

_FIXED: Final = (
    *LOG_ID_COLUMNS,
    *("evaluator_id", "evaluator_slug", "value"),
    *VALUE_FIELDS,
    SCORER_COLUMN,
    *CONTEXT_COLUMNS,
)
_FACTS: Final = b"respan"
_ROWS: Final = 50_000  # The most that are checked at once, in one process.
_LINES: Final = 200_000
_LOOKED_AT: Final = 5  # Refused cells that are looked at for lists as text.
ORDERS: Final = ("int64", "float64", "string")
"""The types of a column by which rows are ordered; times are int64."""


@dataclass(frozen=True)
class ChunkReader:
    """Check chunks of one source; it is pickled and goes where the chunks are.

    Attributes
    ----------
    scores : mapping or None
        Evaluator -> column; None when each row is a score.
    catalogue : Catalogue
        The evaluators; it asks no server.
    options : PushOptions
        What the push was asked.
    owner : str or None
        The owner of the key, None when that is not known.
    order_by : tuple of column names
        The columns that say which of several rows is the last.
    is_of_dask : bool
        Whether the chunks are partitions of Dask, which may have made text of lists.
    """

    scores: Mapping[str, Hashable] | None
    catalogue: Catalogue
    options: PushOptions
    owner: str | None = None
    order_by: tuple[str, ...] = ()
    is_of_dask: bool = False

    @property
    def rows(self) -> int:
        """The number of rows of a chunk, which are fewer the more scores each of them has."""
        width = 1 if self.scores is None else len(self.scores)
        return max(1, min(_ROWS, _LINES // max(1, width)))

    def columns(self, there: Sequence[Hashable]) -> list[Hashable]:
        """Return those columns of a source that are read."""
        chosen: set[Hashable] = {*self.order_by}
        if self.scores is not None:
            chosen |= set(self.scores.values())
        return [name for name in there if name in chosen or name in _FIXED]

    def read(self, frame: pd.DataFrame, partition: int, first_row: int) -> pa.Table:
        """Return the lines of a chunk, each with its hash; its facts are in the metadata.

        FrameError is raised when a column is missing.
        """
        plan, errors, row_errors, warnings = read_frame(
            frame, self.scores, self.catalogue, options=self.options
        )
        outcomes = mark_checked(plan, errors, row_errors, self.owner)
        lines = number_lines(partition, first_row, len(frame), plan.width)
        table = encode_plan(plan, outcomes, lines)
        table = table.append_column("hash", [_hash_lines(plan)])
        rows = np.arange(len(plan)) // plan.width
        for n, name in enumerate(self.order_by):
            for kind, order in _encode_order(find_column(frame, name), name).items():
                table = table.append_column(f"order_{n}_{kind}", order.take(rows))
        facts = {
            "evaluators": [
                one.model_dump(mode="json", exclude_none=True) for one in plan.evaluators
            ],
            "warnings": [*warnings, *self._warn_of_lists(frame)],
            "notes": plan.notes,
            "width": plan.width,
        }
        return table.replace_schema_metadata({_FACTS: json.dumps(facts)})

    def _warn_of_lists(self, frame: pd.DataFrame) -> list[str]:
        if not self.is_of_dask:
            return []
        if self.scores is None:
            return _warn_of_lists(frame, ["value"] if has_column(frame, "value") else [])
        return _warn_of_lists(frame, [*self.scores.values()])


@dataclass(frozen=True)
class ChunkFacts:
    """Hold what the lines of a chunk have in common."""

    evaluators: list[Evaluator]
    warnings: list[str]
    notes: list[str]
    width: int


def find_chunk_facts(table: pa.Table) -> ChunkFacts:
    """Return what the lines of a chunk have in common."""
    facts = json.loads(table.schema.metadata[_FACTS])
    facts["evaluators"] = [Evaluator(**fields) for fields in facts["evaluators"]]
    return ChunkFacts(**facts)


def pack_chunk(table: pa.Table) -> bytes:
    """Return a chunk as bytes, which go between processes of different versions of Arrow."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def unpack_chunk(packed: bytes) -> pa.Table:
    """Return the chunk that :func:`pack_chunk` made bytes of."""
    import pyarrow as pa

    return pa.ipc.open_stream(packed).read_all()


def _hash_lines(plan: Plan) -> npt.NDArray[np.uint32]:
    """Return a number per line, equal for scores of one log by one evaluator.

    Others may have the same one by chance. It has 32 bits, since it can't be compressed.
    """
    ids = np.empty(len(plan.log_ids), object)
    ids[:] = [one if isinstance(one, str) else "" for one in plan.log_ids]
    names = np.array([f"{one.reference}" for one in plan.evaluators], object)
    logs = pd.util.hash_array(ids, categorize=False).repeat(plan.width)
    if not len(names):
        return logs.astype(np.uint32)
    # Multiplied by a large odd number, the evaluators of one log are spread over all buckets.
    mixed = logs ^ pd.util.hash_array(names, categorize=False)[plan.codes]
    return (mixed * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(32)).astype(np.uint32)


def _encode_order(column: pd.Series[Any], name: str) -> dict[str, pa.Array]:
    """Return a column by which rows are ordered, in the one of three types that it has."""
    import pyarrow as pa
    from pyarrow import types

    try:
        cells = pa.Array.from_pandas(column)
        kind = cells.type
        if types.is_date(kind) or types.is_timestamp(kind):
            cells = cells.cast(pa.timestamp("ns", getattr(kind, "tz", None)))
        if types.is_dictionary(kind):
            cells = cells.dictionary_decode()
        is_text = types.is_string(cells.type) or types.is_large_string(cells.type)
        is_number = types.is_floating(kind) or types.is_decimal(kind)
        used = "string" if is_text else "float64" if is_number else "int64"
        found = cells.cast(used)
    except (pa.ArrowException, TypeError, ValueError):
        raise FrameError(
            f"order_by={name!r} takes a column of numbers, times or text, and not of "
            f"{column.dtype} with several kinds of values"
        ) from None
    return {one: found if one == used else pa.nulls(len(column), one) for one in ORDERS}


def _warn_of_lists(frame: pd.DataFrame, columns: Sequence[Hashable]) -> list[str]:
    """Return a warning for each column in which Dask seems to have made text of lists."""
    warnings = []
    for name in columns:
        column = find_column(frame, name)
        if not isinstance(column.dtype, pd.StringDtype):
            continue
        for cell in column.dropna().head(_LOOKED_AT).tolist():
            if _is_list_as_text(cell):
                warnings.append(
                    f"column {name!r} holds lists or dicts as text: "
                    "dask.dataframe.from_pandas makes text of objects, unless "
                    "dask.config.set({'dataframe.convert-string': False}) comes before it"
                )
                break
    return warnings


def _is_list_as_text(cell: str) -> bool:
    """Return whether text is a Python list, tuple, set or dict, and no JSON."""
    if cell[:1] not in ("[", "(", "{"):
        return False
    try:
        json.loads(cell)
    except ValueError:
        pass
    else:
        return False
    try:
        return isinstance(ast.literal_eval(cell), list | tuple | set | dict)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
