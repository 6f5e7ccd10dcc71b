"""Read a source in chunks: frames in memory, Parquet datasets, and whatever streams Arrow.

Each source gives its columns before any row is read, says whether its rows have an order of their
own, and checks its chunks with a :class:`ChunkReader`.
"""

from __future__ import annotations

import glob
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from respan_notebook.errors import FrameError
from respan_notebook.frames.arrow import (
    as_pandas,
    frame_from_arrow,
    import_pyarrow,
    is_arrow_frame,
    name_library_type,
)
from respan_notebook.push.jobs.chunk import ChunkReader
from respan_notebook.wording import render_foreign

if TYPE_CHECKING:
    import pyarrow as pa


class Source(ABC):
    """Give the checked lines of all chunks of a source.

    Attributes
    ----------
    name : str
        Its kind, for people.
    is_ordered : bool
        Whether "the last row" means something.
    rows : int or None
        Their number, None when it is not known before they are read.
    """

    name: str
    is_ordered: bool = True
    rows: int | None = None
    is_of_dask: bool = False

    @abstractmethod
    def empty(self) -> pd.DataFrame:
        """Return a frame without rows that has the columns of the source."""

    @abstractmethod
    def read(self, reader: ChunkReader) -> Generator[pa.Table, None, None]:
        """Check all chunks, in the order of their lines."""


class FrameSource(Source):
    """Read a pandas frame."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame, self.name, self.rows = frame, "pandas DataFrame", len(frame)

    def empty(self) -> pd.DataFrame:
        """Return a frame without rows that has the columns of the source."""
        return self._frame.head(0)

    def read(self, reader: ChunkReader) -> Generator[pa.Table, None, None]:
        """Check all chunks, in the order of their lines."""
        size = reader.rows
        for start in range(0, len(self._frame), size):
            yield reader.read(self._frame.iloc[start : start + size], 0, start)


class ArrowSource(Source):
    """Read record batches one after the other; all are one partition."""

    def __init__(
        self,
        name: str,
        schema: pa.Schema,
        batches: Callable[[Sequence[Hashable]], Iterable[pa.RecordBatch]],
        *,
        is_ordered: bool = True,
    ) -> None:
        self.name, self.is_ordered = name, is_ordered
        self._schema, self._batches = schema, batches

    def empty(self) -> pd.DataFrame:
        """Return a frame without rows that has the columns of the source."""
        return frame_from_arrow(self._schema.empty_table())

    def read(self, reader: ChunkReader) -> Generator[pa.Table, None, None]:
        """Check all chunks, in the order of their lines."""
        columns = reader.columns(self._schema.names)
        yield from read_batches(reader, self._batches(columns), columns=columns)


def read_batches(
    reader: ChunkReader,
    batches: Iterable[pa.RecordBatch],
    *,
    partition: int = 0,
    columns: Sequence[Hashable] | None = None,
) -> Iterator[pa.Table]:
    """Check the batches of one partition, gathered or cut to chunks of a useful size.

    Of the columns only those named are read, if any are.
    """
    import pyarrow as pa

    start, size = 0, reader.rows
    for table in _gather(batches, size):
        if columns is not None:
            table = table.select([i for i, n in enumerate(table.column_names) if n in columns])
        for first in range(0, len(table), size):
            part = table.slice(first, size)
            try:
                frame = frame_from_arrow(part, start)
            except pa.ArrowException as error:
                raise FrameError(f"the source can't be read: {error}") from None
            yield reader.read(frame, partition, start)
            start += len(part)


def _gather(batches: Iterable[pa.RecordBatch], size: int) -> Iterator[pa.Table]:
    """Put small batches together, up to so many rows."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += len(batch)
        if rows >= size:
            yield pa.Table.from_batches(waiting)
            waiting, rows = [], 0
    if rows:
        yield pa.Table.from_batches(waiting)


class DatasetSource(Source):
    """Read a dataset file by file, in the order of their names; each file is a partition."""

    def __init__(self, dataset: Any) -> None:
        self._dataset, self.name = dataset, "dataset"
        # Other files than Parquet don't say how many rows they have.
        is_parquet = "Parquet" in type(getattr(dataset, "format", None)).__name__
        self.rows = dataset.count_rows() if is_parquet else None

    def empty(self) -> pd.DataFrame:
        """Return a frame without rows that has the columns of the source."""
        return frame_from_arrow(self._dataset.schema.empty_table())

    def read(self, reader: ChunkReader) -> Generator[pa.Table, None, None]:
        """Check all chunks, in the order of their lines."""
        columns = reader.columns(self._dataset.schema.names)
        fragments = sorted(self._dataset.get_fragments(), key=lambda one: getattr(one, "path", ""))
        for partition, fragment in enumerate(fragments):
            batches = fragment.to_batches(
                schema=self._dataset.schema,
                columns=columns,
                batch_size=reader.rows,
                batch_readahead=2,
            )
            yield from read_batches(reader, batches, partition=partition)


def find_source(frame: Any, scratch: Path) -> Source:
    """Return the source of a push; ``scratch`` is a folder for files that go with it.

    FrameError is raised when it is no frame, dataset or path of Parquet files.
    """
    if isinstance(frame, pd.DataFrame):
        return FrameSource(frame)
    library = name_library_type(frame).partition(" ")[0]
    if isinstance(frame, str | Path):
        return _open_parquet(frame)
    if library in ("dask", "dask_expr"):
        from respan_notebook.push.jobs.dask import DaskSource

        return DaskSource(frame)
    if library == "pyspark":
        from respan_notebook.push.jobs.spark import SparkSource

        return SparkSource(frame)
    if name_library_type(frame) == "polars LazyFrame":
        return _sink_polars(frame, scratch)
    if name_library_type(frame) == "polars DataFrame":
        return FrameSource(as_pandas(frame))
    if library == "pyarrow" and hasattr(frame, "get_fragments"):
        return DatasetSource(frame)
    if not is_arrow_frame(frame):
        as_pandas(frame)  # Says what was wrong.
    return _open_stream(frame, is_ordered=not library.startswith(("duckdb", "_duckdb")))


def _open_stream(frame: Any, *, is_ordered: bool) -> Source:
    pyarrow = import_pyarrow("a frame of another library than pandas")
    try:
        stream = frame  # Through the C stream, Ctrl-C in its Python code would be an ArrowInvalid.
        if not isinstance(frame, pyarrow.RecordBatchReader):
            stream = pyarrow.RecordBatchReader.from_stream(frame)
    except (pyarrow.ArrowException, TypeError, ValueError, AttributeError) as error:
        raise FrameError(
            f"this {name_library_type(frame)} can't be read through Arrow: "
            f"{render_foreign(str(error), 300)}"
        ) from None
    return ArrowSource(
        name_library_type(frame), stream.schema, lambda _: stream, is_ordered=is_ordered
    )


def _open_parquet(path: str | Path) -> Source:
    """Return the dataset of a Parquet file, of a folder of them, or of a pattern."""
    pyarrow = import_pyarrow("a Parquet dataset")
    from pyarrow import dataset

    text = str(path)
    found: Any = text
    if "://" not in text and glob.has_magic(text):
        found = sorted(glob.glob(text, recursive=True))  # noqa: PTH207 - the pattern may be absolute.
        if not found:
            raise FrameError(f"no file is named like {text!r}")
    try:
        files = dataset.dataset(found, format="parquet")
        source = DatasetSource(files)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise FrameError(f"{text!r} can't be read as Parquet: {error}") from None
    if not files.files:
        raise FrameError(f"there is no Parquet file in {text!r}")
    return source


def _sink_polars(frame: Any, scratch: Path) -> Source:
    """Write a lazy frame as Parquet, in the memory that a stream takes, and read that."""
    from pyarrow import dataset

    scratch.mkdir(parents=True, exist_ok=True)
    path = scratch / "lazy.parquet"
    with suppress(FileNotFoundError):
        path.unlink()
    frame.sink_parquet(path)
    return DatasetSource(dataset.dataset(str(path), format="parquet"))
