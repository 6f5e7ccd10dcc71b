"""Write and read a table of text as CSV or Parquet, whole or not at all."""

from __future__ import annotations

import codecs
import csv
import io
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import pandas as pd

from respan_notebook.errors import ConfigurationError, FrameError

TextTable = Mapping[str, list[str | None]]
"""Column -> cells; a missing cell is None."""


def write_table(path: Path, table: TextTable) -> None:
    """Write a table as CSV or Parquet, by the ending of the path.

    ConfigurationError is raised for another ending, or when pyarrow is missing.
    """
    _, write = _find_format(path)
    with _replacing(path) as file:
        write(file, table)


def read_table(path: Path) -> TextTable:
    """Read a table; every cell as text, None where it is empty.

    FrameError is raised when the file is no such table, ConfigurationError as by
    :func:`write_table`.
    """
    read, _ = _find_format(path)
    content = path.read_bytes()
    try:
        return read(content)
    except ConfigurationError:
        raise
    except (ValueError, OSError) as error:
        raise FrameError(
            f"{str(path)!r} can't be read as a {path.suffix[1:]} file, perhaps it was cut short: "
            f"{error}"
        ) from None


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """Give a file that takes the place of another when all was written."""
    target = path.resolve()  # A link stays one.
    temporary = target.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _write_csv(file: IO[bytes], table: TextTable) -> None:
    writer = csv.writer(codecs.getwriter("utf-8")(file), lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))


def _read_csv(content: bytes) -> TextTable:
    frame = pd.read_csv(io.BytesIO(content), dtype=str, na_filter=False)
    return {str(name): [cell or None for cell in frame[name].tolist()] for name in frame.columns}


def _write_parquet(file: IO[bytes], table: TextTable) -> None:
    pa, parquet = _import_pyarrow()
    columns = {name: pa.array(cells, pa.large_string()) for name, cells in table.items()}
    parquet.write_table(pa.table(columns), file)


def _read_parquet(content: bytes) -> TextTable:
    pa, parquet = _import_pyarrow()
    table = parquet.read_table(pa.BufferReader(content))
    return {
        name: [cell or None for cell in column.cast(pa.large_string()).to_pylist()]
        for name, column in zip(table.column_names, table.columns, strict=True)
    }


def _import_pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ConfigurationError(
            'Parquet needs pyarrow: pip install "respan-notebook[parquet]", or use a .csv file'
        ) from None
    return pyarrow, parquet


Reader = Callable[[bytes], TextTable]
Writer = Callable[[IO[bytes], TextTable], None]
_FORMATS: Final[Mapping[str, tuple[Reader, Writer]]] = {
    ".csv": (_read_csv, _write_csv),
    ".parquet": (_read_parquet, _write_parquet),
}


def _find_format(path: Path) -> tuple[Reader, Writer]:
    try:
        return _FORMATS[path.suffix.lower()]
    except KeyError:
        raise ConfigurationError(
            f"a report is saved as .csv or .parquet, and {str(path)!r} ends with neither"
        ) from None
