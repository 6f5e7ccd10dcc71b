"""Run the statements of the sandbox's store in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from respan_notebook.sandbox.filters import Where


@dataclass(frozen=True)
class Order:
    """Order a list, and select the part of it on one page."""

    by: str
    descending: bool
    offset: int
    limit: int

    @property
    def sql(self) -> str:
        """ORDER BY, with the insertion order to break ties, and LIMIT."""
        direction = "DESC" if self.descending else "ASC"
        order = f"{self.by} {direction}, seq {direction}"
        return f"ORDER BY {order} LIMIT {self.limit} OFFSET {self.offset}"


class Database:
    """Run statements on a file, or in memory.

    Every method that writes has committed when it returns. A file that cannot be opened, or is
    no SQLite database, raises sqlite3.Error.
    """

    def __init__(self, path: str = ":memory:") -> None:
        # Opened by the thread that starts the server, used only by the server's thread after.
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except sqlite3.Error:
            self._db.close()
            raise

    def _prepare(self) -> None:
        self._db.row_factory = sqlite3.Row
        self._db.create_function("casefold", 1, _casefold, deterministic=True)
        self._db.execute("PRAGMA journal_mode = WAL")
        # A commit is written to the WAL but not synced. The operating system has it from then
        # on, so it survives kill -9; only a crash of the whole machine could lose it.
        self._db.execute("PRAGMA synchronous = NORMAL")
        schema = files("respan_notebook.sandbox") / "schema.sql"
        self._db.executescript(schema.read_text(encoding="utf-8"))

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def _rows(
        self, sql: str, bound: Mapping[str, Any] | tuple[Any, ...] = ()
    ) -> list[dict[str, Any]]:
        # fetchall, because a statement with RETURNING commits only once it has run to its end.
        return [dict(row) for row in self._db.execute(sql, bound).fetchall()]

    def _select(self, table: str, where: Where, order: Order) -> list[dict[str, Any]]:
        sql = f"SELECT * FROM {table} WHERE {where.sql} {order.sql}"  # noqa: S608
        return self._rows(sql, where.bound)

    def _insert(
        self, table: str, row: Mapping[str, Any], *, on_conflict: str = "DO NOTHING"
    ) -> list[dict[str, Any]]:
        columns, values = ", ".join(row), ", ".join(f":{column}" for column in row)
        sql = f"INSERT INTO {table} ({columns}) VALUES ({values})"  # noqa: S608
        return self._rows(f"{sql} ON CONFLICT {on_conflict} RETURNING *", row)

    def _document(self, sql: str, *bound: object) -> dict[str, Any] | None:
        documents = read_documents(self._rows(sql, bound))
        return documents[0] if documents else None


def _casefold(value: str | float | None) -> str | float | None:
    return value.casefold() if isinstance(value, str) else value


def write_json(value: object) -> str:
    """Return a value as JSON text."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def read_documents(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the documents of rows."""
    return [json.loads(row["document"]) for row in rows]
