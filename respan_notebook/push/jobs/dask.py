"""Check the partitions of a Dask DataFrame where they are; their lines stream to this process.

A task has no effect and knows neither client nor key, so that it may run twice, or be lost with its
worker and run again. With a cluster all partitions are checked at once, and their lines fetched one
partition after the other; without one, as many at a time as there are processors.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from respan_notebook.errors import FrameError
from respan_notebook.push.jobs.chunk import ChunkReader, pack_chunk, unpack_chunk
from respan_notebook.push.jobs.sources import Source

if TYPE_CHECKING:
    import pyarrow as pa


class DaskSource(Source):
    """Read a Dask DataFrame; the number of a partition is Dask's."""

    name = "Dask DataFrame"
    is_of_dask = True

    def __init__(self, frame: Any) -> None:
        if type(frame).__name__ != "DataFrame":
            raise FrameError(f"a Dask DataFrame is needed, not a {type(frame).__name__}")
        self._frame = frame

    def empty(self) -> pd.DataFrame:
        """Return a frame without rows that has the columns of the source."""
        empty: pd.DataFrame = self._frame._meta.head(0)
        return empty

    def read(self, reader: ChunkReader) -> Generator[pa.Table, None, None]:
        """Check all chunks, in the order of their lines."""
        from dask.delayed import delayed

        columns = reader.columns(list(self._frame.columns))
        check = delayed(check_partition, pure=False)
        parts = self._frame[columns].to_delayed()
        tasks = [check(part, reader, number) for number, part in enumerate(parts)]
        for chunks in _run(tasks):
            yield from map(unpack_chunk, chunks)


def check_partition(frame: pd.DataFrame, reader: ChunkReader, number: int) -> list[bytes]:
    """Return the checked lines of one partition, packed."""
    size = reader.rows
    return [
        pack_chunk(reader.read(frame.iloc[start : start + size], number, start))
        for start in range(0, len(frame), size)
    ]


def _run(tasks: list[Any]) -> Iterator[list[bytes]]:
    """Run tasks on the cluster of this process, if it has one; give the results in order."""
    from dask.base import compute

    client = _find_cluster()
    if client is None:
        at_once = os.cpu_count() or 1
        for start in range(0, len(tasks), at_once):
            yield from compute(*tasks[start : start + at_once])
        return
    futures = client.compute(tasks)
    try:
        for place, future in enumerate(futures):
            yield future.result()
            futures[place] = None  # The worker may forget it.
            del future
    finally:
        client.cancel([one for one in futures if one is not None])


def _find_cluster() -> Any:
    """Return the distributed client that Dask would use, None when there is none."""
    import dask

    if dask.config.get("scheduler", None) not in (None, "dask.distributed", "distributed"):
        return None  # The user chose another one.
    try:
        from distributed import default_client
    except ImportError:
        return None
    try:
        return default_client()
    except ValueError:
        return None
