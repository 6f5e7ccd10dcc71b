"""Spread the lines of all chunks over buckets by their hash, on disk.

Lines of one log and evaluator are in one bucket, so that duplicates are found bucket by bucket, in
memory that does not grow with the number of lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

_BITS: Final = 7  # Of the hash: 128 buckets.
_MOST: Final = 4  # Times the lines of a full part, from which on it is split.
PART: Final = 16_384
"""Lines from which on a part is full; one of more than four times as many is split."""


class Spill:
    """Take the lines of chunks, and give them back by buckets; for one thread.

    Columns without a value are left out, so that chunks of one kind go into one file.

    Parameters
    ----------
    folder : Path
        Where the files are made; they are removed at the end.
    part : int
        Lines from which on a part is full.
    """

    def __init__(self, folder: Path, part: int = PART) -> None:
        self._folder, self._part = folder, part
        self._schemas: list[pa.Schema] = []
        self._writers: list[Any] = []  # By schema, as the files.
        self._written: list[int] = []  # Batches, by file.
        self._batches: dict[int, list[tuple[int, int]]] = defaultdict(list)  # File and number.
        self._sizes: dict[int, int] = defaultdict(int)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        for number in range(len(self._schemas)):
            self._path(number).unlink(missing_ok=True)

    def __len__(self) -> int:
        return sum(self._sizes.values())

    def add(self, table: pa.Table) -> None:
        """Add lines that have a column ``hash``."""
        if not len(table):
            return
        used = [name for name in table.column_names if table[name].null_count < len(table)]
        buckets = (table["hash"].to_numpy() >> np.uint32(32 - _BITS)).astype(np.int64)
        lines = table.select(used).take(np.argsort(buckets, kind="stable"))
        batch = lines.combine_chunks().to_batches()[0]
        file = self._find_file(batch.schema)
        start = 0
        for bucket, size in enumerate(np.bincount(buckets, minlength=1 << _BITS).tolist()):
            if size:
                self._writers[file].write_batch(batch.slice(start, size))
                self._batches[bucket].append((file, self._written[file]))
                self._written[file] += 1
                self._sizes[bucket] += size
                start += size

    def _find_file(self, schema: pa.Schema) -> int:
        import pyarrow as pa

        if schema not in self._schemas:
            self._schemas.append(schema)
            path = self._path(len(self._schemas) - 1)
            self._writers.append(pa.ipc.new_file(str(path), schema))
            self._written.append(0)
        return self._schemas.index(schema)

    def _path(self, number: int) -> Path:
        return self._folder / f"lines-{number}.arrow"

    def parts(self) -> Iterator[pa.Table]:
        """Iterate over all lines, a table per part; equal hashes are in one part."""
        import pyarrow as pa

        self._close()
        with ExitStack() as stack:
            readers = [
                pa.ipc.open_file(stack.enter_context(pa.OSFile(str(self._path(number)))))
                for number in range(len(self._schemas))
            ]
            waiting: list[int] = []
            for bucket in sorted(self._batches):
                waiting.append(bucket)
                if sum(self._sizes[one] for one in waiting) >= self._part:
                    yield from self._read(readers, waiting)
                    waiting = []
            if waiting:
                yield from self._read(readers, waiting)

    def _read(self, readers: list[Any], buckets: list[int]) -> Iterator[pa.Table]:
        import pyarrow as pa

        found = [one for bucket in buckets for one in self._batches[bucket]]
        tables = [pa.Table.from_batches([readers[file].get_batch(n)]) for file, n in found]
        table = pa.concat_tables(tables, promote_options="default").combine_chunks()
        del tables
        if len(table) <= _MOST * self._part:
            yield table
            return
        table = table.take(np.argsort(table["hash"].to_numpy(), kind="stable"))
        hashes, start = table["hash"].to_numpy(), 0
        while start < len(table):
            last = hashes[min(start + _MOST * self._part, len(table)) - 1]
            end = int(np.searchsorted(hashes, last, side="right"))
            yield table.slice(start, end - start)
            start = end

    def _close(self) -> None:
        for writer in self._writers:
            writer.close()
        self._writers = []
