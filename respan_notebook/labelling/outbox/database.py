"""Open the file of the outbox: SQLite in WAL mode, which many notebooks may have open at once."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final

from respan_notebook.errors import ConfigurationError

_VERSION: Final = 1
_PATIENCE: Final = 10.0  # Seconds to wait for another notebook that writes.
_SCHEMA: Final = files("respan_notebook.labelling.outbox").joinpath("schema.sql").read_text("utf-8")


class Database:
    """Read and write the file from any number of threads, over one connection.

    File and folder are created when they are missing; ConfigurationError is raised when labels
    can't be stored there. With ``durable``, at the end of a transaction all that was ever written
    has reached the disk, and not only the operating system, which takes up to some 50 ms.
    """

    def __init__(self, path: Path, *, durable: bool) -> None:
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = sqlite3.connect(
                path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
            )
            try:
                self._open(durable=durable)
            except sqlite3.Error:
                self._db.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(
                f"labels can't be kept in {path}: {error}; give another file with outbox=..."
            ) from error

    def _open(self, *, durable: bool) -> None:
        self._db.row_factory = sqlite3.Row
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self._prepare(durable=durable)
                return
            except sqlite3.OperationalError as error:
                # The switch to WAL does not wait for another notebook's switch at the same time.
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
            time.sleep(0.02)

    def _prepare(self, *, durable: bool) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise sqlite3.DatabaseError("a newer version of respan_notebook wrote it")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        if version < _VERSION:
            self._db.executescript(_SCHEMA)
        # Written each time, so that a read-only file fails here.
        self._db.execute(f"PRAGMA user_version = {_VERSION}")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection for one transaction: all of it is stored, or nothing."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                if self._db.in_transaction:  # A full disk has rolled back by itself.
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def read(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Return the rows of a query."""
        with self._lock:
            return self._db.execute(query, values).fetchall()
