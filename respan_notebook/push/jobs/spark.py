"""Check the partitions of a Spark DataFrame where they are; their lines stream to this process.

What Spark runs has no effect and knows neither client nor key. The checked lines are persisted on
the executors' disks, so that all partitions are checked in parallel and each is fetched once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from respan_notebook.frames.arrow import frame_from_arrow
from respan_notebook.push.jobs.chunk import ChunkReader, pack_chunk, unpack_chunk
from respan_notebook.push.jobs.sources import Source, read_batches

if TYPE_CHECKING:
    import pyarrow as pa


class SparkSource(Source):
    """Read a Spark DataFrame; the number of a partition is Spark's."""

    name = "Spark DataFrame"
    is_ordered = False

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def empty(self) -> pd.DataFrame:
        """Return a frame without rows that has the columns of the source."""
        return frame_from_arrow(self._frame.limit(0).toArrow())

    def read(self, reader: ChunkReader) -> Generator[pa.Table, None, None]:
        """Check all chunks, in the order of their lines."""
        from pyspark import StorageLevel

        names = [str(name) for name in reader.columns(self._frame.columns)]
        frame = self._frame.select(*(f"`{name}`" for name in names))
        # mapInArrow takes no column whose name has a dot.
        frame = frame.toDF(*(f"c{number}" for number in range(len(names))))
        checked = frame.mapInArrow(make_checker(reader, names), "chunk binary")
        checked = checked.persist(StorageLevel.DISK_ONLY)
        try:
            checked.count()
            for row in checked.toLocalIterator(prefetchPartitions=True):
                yield unpack_chunk(bytes(row.chunk))
        finally:
            checked.unpersist()


def make_checker(
    reader: ChunkReader, names: Sequence[str]
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the function that checks the batches of one partition, on an executor.

    ``names`` are those of the columns.
    """

    def check(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        from pyspark import TaskContext

        context = TaskContext.get()
        number = context.partitionId() if context else 0
        named = (pa.RecordBatch.from_arrays(one.columns, names) for one in batches)
        for chunk in read_batches(reader, named, partition=number):
            yield pa.RecordBatch.from_arrays(
                [pa.array([pack_chunk(chunk)], pa.binary())], ["chunk"]
            )

    return check
