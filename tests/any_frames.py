"""Frames of every library, made from one Arrow table; and one that has only the Arrow C stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")


class Streamed:
    """Offers the Arrow C stream and nothing else."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


def to_polars(table: pa.Table) -> Any:
    return pytest.importorskip("polars", reason="Polars is not installed").from_arrow(table)


def to_duckdb(table: pa.Table) -> Any:
    return pytest.importorskip("duckdb", reason="DuckDB is not installed").from_arrow(table)


ENGINES: Mapping[str, Callable[[pa.Table], Any]] = MappingProxyType(
    {
        "table": lambda table: table,
        "reader": lambda table: table.to_reader(max_chunksize=2),
        "stream": Streamed,
        "polars": to_polars,
        "polars-lazy": lambda table: to_polars(table).lazy(),
        "duckdb": to_duckdb,
    }
)
each_engine = pytest.mark.parametrize("make", ENGINES.values(), ids=ENGINES)
