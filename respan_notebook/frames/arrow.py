"""Read frames of every library in memory, through Arrow, and write frames as Arrow.

A library is known by the Arrow C stream that its frames offer, so that none is imported here. The
conversion is pandas' own only where it keeps every value: whole numbers stay whole beside missing
ones, and lists, structs and maps become Python lists and dicts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from respan_notebook.errors import ConfigurationError, FrameError
from respan_notebook.wording import render_foreign

if TYPE_CHECKING:
    import pyarrow as pa

ROW: Final = "row"
"""The name of the index that a frame without one gets: the number of the row, from 0."""
_STREAMS: Final = ("__arrow_c_stream__", "__arrow_c_array__")
_NOT_IN_ARROW: Final = ("Object", "Int128", "UInt128")  # Types of Polars.
_LARGER: Final = ("dask", "dask_expr", "pyspark")


def is_arrow_frame(frame: object) -> bool:
    """Return whether an object is a frame that can be read through Arrow."""
    return _is_lazy_polars(frame) or any(hasattr(frame, name) for name in _STREAMS)


def as_pandas(frame: Any) -> pd.DataFrame:
    """Return a frame of any library in memory as pandas; a pandas one is returned as it is.

    Taken are Polars DataFrames and LazyFrames, PyArrow Tables and RecordBatchReaders, DuckDB
    relations, and whatever else offers the Arrow C stream. The rows are numbered from 0, by an
    index named ``row``.

    Raises
    ------
    FrameError
        It is no such frame, or can't be read through Arrow.
    ConfigurationError
        pyarrow is missing.
    """
    if isinstance(frame, pd.DataFrame):
        return frame
    if _is_lazy_polars(frame):
        frame = frame.collect()
    odd = {}
    if name_library_type(frame) == "polars DataFrame":
        odd = {name: frame[name].to_list() for name in frame.columns if _is_odd(frame, name)}
        frame = frame.drop(list(odd)) if odd else frame
    read = frame_from_arrow(_as_arrow(frame))
    for name, cells in odd.items():
        index = read.index if len(read.columns) else pd.RangeIndex(len(cells), name=ROW)
        read = read.reindex(index).assign(**{name: pd.Series(cells, index, dtype=object)})
    return read


def _as_arrow(frame: Any) -> pa.Table:
    """Return a frame of another library than pandas as an Arrow table; raises as as_pandas."""
    pyarrow = import_pyarrow("a frame of another library than pandas")
    name = name_library_type(frame)
    if name.partition(" ")[0] in _LARGER or not is_arrow_frame(frame):
        raise FrameError(_render_refused(name))
    try:
        return pyarrow.table(frame)
    except (pyarrow.ArrowException, NotImplementedError, ValueError, TypeError) as error:
        raise FrameError(
            f"this {name} can't be read through Arrow: "
            f"{render_foreign(str(error), 300)}; cast or drop the column at fault"
        ) from None


def frame_from_arrow(table: pa.Table, start: int = 0) -> pd.DataFrame:
    """Return an Arrow table as pandas; its rows are numbered from ``start``."""
    index = pd.RangeIndex(start, start + table.num_rows, name=ROW)
    columns = {i: _read_column(column, index) for i, column in enumerate(table.columns)}
    frame = pd.DataFrame(columns, index=index)
    frame.columns = pd.Index(table.column_names, dtype=object)
    frame.attrs.update(_read_attrs(table.schema.metadata or {}))
    return frame


def import_pyarrow(purpose: str) -> Any:
    """Return pyarrow; raise ConfigurationError when it is missing."""
    try:
        import pyarrow
    except ImportError:
        raise ConfigurationError(
            f'{purpose} needs pyarrow: pip install "respan-notebook[parquet]"'
        ) from None
    return pyarrow


def name_library_type(frame: object) -> str:
    """Return the library and the class of an object, such as ``polars LazyFrame``."""
    kind = type(frame)
    return f"{kind.__module__.partition('.')[0]} {kind.__name__}"


def _is_odd(frame: Any, name: str) -> bool:
    """Return whether Arrow has no type for a column of a Polars frame, or pyarrow reads none."""
    return str(frame.schema[name]) in _NOT_IN_ARROW


def _is_lazy_polars(frame: object) -> bool:
    return name_library_type(frame) == "polars LazyFrame"


def _render_refused(name: str) -> str:
    if name.partition(" ")[0] in _LARGER:
        return (
            f'a {name} may be larger than memory: push it with to="folder", or bring it into memory'
        )
    return (
        "a frame is needed: a pandas or Polars DataFrame, a PyArrow Table, a DuckDB relation or "
        f"anything else with the Arrow C stream, not a {name.removeprefix('builtins ')}"
    )


# -- from Arrow ---------------------------------------------------------------------------------


def _read_column(column: pa.ChunkedArray, index: pd.Index[Any]) -> pd.Series[Any]:
    from pyarrow import types

    kind = column.type
    if any(holds(kind) for holds in (types.is_floating, types.is_timestamp, types.is_decimal)):
        return _keep_cells(column, index)
    is_whole = types.is_integer(kind) or types.is_boolean(kind)
    if types.is_string(kind) or types.is_large_string(kind) or (is_whole and not column.null_count):
        return _keep_cells(column, index)
    read = _plain_reader(kind)
    cells = column.to_pylist()
    return pd.Series(cells if read is None else [read(cell) for cell in cells], index, dtype=object)


def _keep_cells(column: pa.ChunkedArray, index: pd.Index[Any]) -> pd.Series[Any]:
    series: pd.Series[Any] = column.to_pandas()
    return series.set_axis(index)


def _plain_reader(kind: pa.DataType) -> Callable[[Any], Any] | None:
    """Return a function that turns the maps in a cell into dicts, None when it can hold none."""
    from pyarrow import types

    if types.is_map(kind):
        read = _plain_reader(kind.item_type) or (lambda value: value)
        return lambda cell: None if cell is None else {key: read(value) for key, value in cell}
    if types.is_struct(kind):
        readers = {field.name: _plain_reader(field.type) for field in kind}
        found = {name: read for name, read in readers.items() if read is not None}
        if found:
            return lambda cell: None if cell is None else _apply_readers(found, cell)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        member = _plain_reader(kind.value_type)
        if member is not None:
            return lambda cell: None if cell is None else [member(value) for value in cell]
    return None


def _apply_readers(
    readers: Mapping[str, Callable[[Any], Any]], cell: Mapping[str, Any]
) -> dict[str, Any]:
    return {name: readers[name](v) if name in readers else v for name, v in cell.items()}


def _read_attrs(metadata: Mapping[bytes, bytes]) -> dict[str, Any]:
    """Return ``df.attrs`` of the pandas frame that a table was made from, as pandas notes them."""
    try:
        attributes = json.loads(metadata[b"pandas"])["attributes"]
    except (LookupError, ValueError, TypeError):
        return {}
    return attributes if isinstance(attributes, dict) else {}


# -- to Arrow -----------------------------------------------------------------------------------


def arrow_from_frame(frame: pd.DataFrame) -> pa.Table:
    """Return a frame as an Arrow table, the levels of its index first.

    A level without a name of its own is ``row``. Of a column of objects that are not of one type,
    the cells become their text.
    """
    pyarrow = import_pyarrow("Arrow")
    index, several = frame.index, frame.index.nlevels > 1
    taken = {str(name) for name in frame.columns}
    columns: dict[str, Any] = {}
    for n, name in enumerate(index.names):
        named = f"{ROW}_{n}" if several else ROW
        if name is not None and str(name) not in taken:
            named = str(name)
        columns[named] = _encode_column(pyarrow, pd.Series(index.get_level_values(n)))
    for place, name in enumerate(frame.columns):
        columns[str(name)] = _encode_column(pyarrow, frame.iloc[:, place])
    return pyarrow.table(columns)


def _encode_column(pyarrow: Any, column: pd.Series[Any]) -> Any:
    if column.isna().all() and column.dtype == object:
        return pyarrow.nulls(len(column), pyarrow.string())
    try:
        return pyarrow.Array.from_pandas(column)
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError):
        cells = zip(column, column.isna(), strict=True)
        texts = [None if missing else str(cell) for cell, missing in cells]
        return pyarrow.array(texts, pyarrow.string())
