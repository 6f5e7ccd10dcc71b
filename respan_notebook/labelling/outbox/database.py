"""The file of the outbox: SQLite in WAL mode, which any number of notebooks may have open."""

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
_PATIENCE: Final = 10.0  # Seconds that another notebook may be writing.
_SCHEMA: Final = files("respan_notebook.labelling.outbox").joinpath("schema.sql").read_text("utf-8")


class Database:
    """A connection for use from any number of threads.

    Parameters
    ----------
    path : Path
        The file; it and its folder are made when they are not there.
    durable : bool
        Whether what is written, with all that was written before, has reached the disk, and not
        only the operating system, when a transaction ends. That takes up to some 50 ms.

    Raises
    ------
    ConfigurationError
        When nothing can be kept in this file.
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
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self._prepare(durable=durable)
                return
            except sqlite3.OperationalError as error:
                # The switch to WAL does not wait for a notebook that makes it at the same time.
                if "locked" not in str(error) or time.monotonic() > end:
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
        # Written each time: a file that can only be read says so here.
        self._db.execute(f"PRAGMA user_version = {_VERSION}")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for a transaction: all of it is kept, or nothing."""
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
        """Return the rows that a query finds."""
        with self._lock:
            return self._db.execute(query, values).fetchall()
