"""Open the file of the outbox: SQLite in WAL mode, which many notebooks may have open at once."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final

from filelock import FileLock

from respan_notebook.errors import ConfigurationError, OutboxError

_VERSION: Final = 1  # A kernel of the first release opens no file with a higher one.
_PATIENCE: Final = 10.0  # Seconds to wait for another notebook that writes.
_SCHEMA: Final = files("respan_notebook.labelling.outbox").joinpath("schema.sql").read_text("utf-8")
_KEPT: Final = (
    *("people", "labels", "saves", "drafts", "evaluators"),
    *("batches", "definitions", "checked", "current_definitions", "slugs", "skips"),
)
"""The tables whose rows go into a file that is made anew."""
_FIRST: Final = {"people", "labels", "saves", "drafts", "evaluators"}  # Of the first release.
_COLUMNS: Final = (
    *("server", "person", "log_id", "evaluator", "body", "removed", "version", "state", "tried"),
    *("settled", "score_id", "reason"),
)
"""The columns of ``labels``, by which a file of ours is known."""

_Place = tuple[int, int]
"""Device and inode of the file."""


class Database:
    """Read and write the file from any number of threads, over one connection.

    File and folder are created when they are missing. When the file was deleted, moved or replaced
    since it was opened, the next transaction makes it anew, with all that it held.

    Parameters
    ----------
    path : Path
        The file.
    trace : Callable, optional
        Called with each SQL statement that is run, as by ``sqlite3``'s trace callback.

    Raises
    ------
    ConfigurationError
        Labels can't be stored there: the disk is full or read-only, the file is damaged, is of
        another program, or of a newer version of this one.
    OutboxError
        By :meth:`read` and :meth:`write`, when the file can't be used any more.
    """

    def __init__(self, path: Path, *, trace: Callable[[str], object] | None = None) -> None:
        self._lock = threading.RLock()
        self._path, self._trace = path, trace
        try:
            self._db, self._place = self._connect()
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(
                f"labels can't be kept in {path}: {error}; {_advice(error)}"
            ) from error

    def _connect(self) -> tuple[sqlite3.Connection, _Place]:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        db = sqlite3.connect(
            self._path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            db.row_factory = sqlite3.Row
            _open(db)
            place = self._path.stat()
            db.set_trace_callback(self._trace)
        except BaseException:
            db.close()
            raise
        return db, (place.st_dev, place.st_ino)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """Yield the connection for one transaction: all of it is stored, or nothing.

        With ``durable``, at its end all that was ever written has reached the disk, and not only
        the operating system, which takes up to some 50 ms.
        """
        with self._lock, self._naming_errors():
            self._follow_file()
            if durable:
                self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # A full disk has rolled back by itself.
                    self._db.execute("ROLLBACK")
                raise
            finally:
                if durable:
                    self._db.execute("PRAGMA synchronous = NORMAL")
            self._follow_file()  # It may have gone meanwhile, with what was just written.

    def read(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Return the rows of a query."""
        with self._lock, self._naming_errors():
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _naming_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OutboxError(
                f"the outbox {self._path} can't be used: {error}; {_advice(error)}"
            ) from error

    # -- a file that was deleted, moved or replaced ---------------------------------------------

    def _follow_file(self) -> None:
        """Make the file anew, or go over to the one that replaced it, with all that is known."""
        if self._is_in_place():
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(f"{self._path}.restore.lock"):
                if not self._path.exists():
                    # What a deleted file has left behind would be taken for the new one's.
                    for end in ("-wal", "-shm"):
                        Path(f"{self._path}{end}").unlink(missing_ok=True)
                new, place = self._connect()
            with contextlib.closing(self._db) as old:
                _carry_over(old, new)
        except (OSError, sqlite3.Error) as error:
            raise OutboxError(
                f"the outbox {self._path} was deleted or moved, and can't be made anew: {error}; "
                f"{_advice(error)}"
            ) from error
        self._db, self._place = new, place

    def _is_in_place(self) -> bool:
        try:
            found = self._path.stat()
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._place


def _open(db: sqlite3.Connection) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            _prepare(db)
            return
        except sqlite3.OperationalError as error:
            # The switch to WAL does not wait for another notebook's switch at the same time.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def _prepare(db: sqlite3.Connection) -> None:
    _refuse_foreign(db)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    try:
        # The version is written each time, so that a read-only file fails here.
        db.executescript(f"BEGIN IMMEDIATE;{_SCHEMA};PRAGMA user_version = {_VERSION};COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _refuse_foreign(db: sqlite3.Connection) -> None:
    """Raise DatabaseError for the file of another program, or of a newer version of this one."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    columns = tuple(row[1] for row in db.execute("PRAGMA table_info(labels)"))
    if tables and (not tables & _FIRST or columns not in ((), _COLUMNS)):
        raise sqlite3.DatabaseError("it is another program's file")
    if version > _VERSION:
        raise sqlite3.DatabaseError("a newer version of respan_notebook wrote it")


def _carry_over(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Copy the rows of a file into another one; of two versions of a label, the later counts."""
    new.execute("BEGIN IMMEDIATE")
    try:
        for table in _KEPT:
            rows = [tuple(row) for row in old.execute(f"SELECT * FROM {table}")]
            if table == "labels":
                new.executemany(
                    "DELETE FROM labels WHERE server = ? AND person = ? AND log_id = ? "
                    "AND evaluator = ? AND version < ?",
                    [(*row[:4], row[_COLUMNS.index("version")]) for row in rows],
                )
            if rows:
                places = ", ".join("?" * len(rows[0]))
                new.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({places})", rows)
        new.execute("COMMIT")
    except BaseException:
        if new.in_transaction:
            new.execute("ROLLBACK")
        new.close()
        raise


def _advice(error: Exception) -> str:
    """Return what the person can do about a file that can't be used."""
    text = str(error)
    if "malformed" in text:
        return (
            "the file is damaged; labels that arrived are in Respan, and `sqlite3 FILE .recover` "
            "may find the others; move it away, or give another file with outbox=..."
        )
    if "full" in text or "No space" in text:
        return "free some space, or give another file with outbox=..."
    return "give another file with outbox=..."
