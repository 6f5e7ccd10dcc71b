"""Share the state of gates between the processes of this user on this machine, by SQLite.

A row holds the state of one server and key. As long as nothing is limited, requests only read eight
bytes of a file in memory. The key is not stored, but a hash of it.
"""

from __future__ import annotations

import mmap
import os
import platform
import shutil
import sqlite3
import stat
import struct
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from filelock import FileLock
from pydantic import TypeAdapter, ValidationError

from respan_notebook.client.gate_state import GateState
from respan_notebook.client.gate_store import Transition, Word
from respan_notebook.client.owner_lock import OwnerLock

_SCHEMA: Final = """
create table if not exists gates (
    base_url text not null,
    fingerprint text not null,
    slot integer not null unique,
    state text not null,
    used real not null,
    primary key (base_url, fingerprint)
)"""
_SLOTS: Final = 4096
_WORD: Final = struct.Struct("<Q")
_TIMEOUT: Final = 5.0  # Seconds to wait for another process's transaction.
_LOOK: Final = 0.25  # Seconds until it is looked again which processes live, and for the file.
_OLD: Final = 7 * 86400.0  # Seconds after which rows and folders that are not used are deleted.
_BATCH: Final = 0.05
STATES: Final = TypeAdapter(GateState)


def gate_folder() -> Path:
    """Return the folder of the gates of this user on this machine; it need not exist."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or tempfile.gettempdir()) / "respan-notebook"
    return Path(tempfile.gettempdir()) / f"respan-notebook-{os.getuid()}" / _machine()


def _machine() -> str:
    """Name this start of this machine: several, each with its own clock, may share a folder."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # No Linux.
        return platform.node() or "machine"


class GateFile:
    """Hold the one connection of a process to the file of all its gates.

    Parameters
    ----------
    folder : Path
        Made where it is missing. OSError is raised when it can't be, or when others may write to
        it; sqlite3.Error when the file in it can't be used.
    owner : OwnerLock, optional
        The lock of this process, when it had the file open before.
    """

    def __init__(self, folder: Path, owner: OwnerLock | None = None) -> None:
        _make_private(folder)
        self.lock = threading.Lock()
        self._path, self._words_path = folder / "gates.sqlite", folder / "words"
        with FileLock(folder / "create.lock", timeout=2 * _TIMEOUT):
            self.connection = self._open()
            self.words = _map_words(self._words_path)
            self._inodes = self._read_inodes()
            if owner is None:
                owner = OwnerLock(folder)
                owner.remove_ended()
            owner.hold()
            self.owner = owner

    @property
    def is_current(self) -> bool:
        """Tell whether other processes still find the same files."""
        try:
            return self._read_inodes() == self._inodes and self.owner.is_held()
        except OSError:
            return False

    def _read_inodes(self) -> tuple[int, int]:
        return self._path.stat().st_ino, self._words_path.stat().st_ino

    def _open(self) -> sqlite3.Connection:
        try:
            return _connect(self._path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            for suffix in ("", "-wal", "-shm"):  # It is damaged, and holds nothing of worth.
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            return _connect(self._path)


def _make_private(folder: Path) -> None:
    """Make a folder within one of this user alone, or raise OSError."""
    if sys.platform == "win32":  # What lies below LOCALAPPDATA is the user's own.
        folder.mkdir(parents=True, exist_ok=True)
        return
    users = folder.parent
    users.mkdir(mode=0o700, exist_ok=True)
    found = users.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{users} is not a folder of this user alone (mode 700)")
    folder.mkdir(mode=0o700, exist_ok=True)
    for other in users.iterdir():
        with suppress(FileNotFoundError):  # Another process may be removing it.
            if other != folder and other.stat().st_mtime < time.time() - _OLD:
                shutil.rmtree(other, ignore_errors=True)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_TIMEOUT, isolation_level=None, check_same_thread=False
    )
    try:
        # The file is of use until the machine stops, so it need not survive that.
        connection.execute("pragma synchronous = off")
        connection.execute("pragma journal_mode = wal")
        connection.execute(_SCHEMA)
        connection.execute("delete from gates where used < ?", [time.time() - _OLD])
    except BaseException:
        connection.close()
        raise
    return connection


def _map_words(path: Path) -> mmap.mmap:
    size = _SLOTS * _WORD.size
    with path.open("a+b") as file:
        missing = size - file.seek(0, os.SEEK_END)
        if missing > 0:  # Written, not left sparse: a full disk shows here and not in the memory.
            file.write(bytes(missing))
            file.flush()
        return mmap.mmap(file.fileno(), size)


# By process: a child must not use, nor close, what its parent has opened.
_FILES: Final[dict[tuple[int, Path], GateFile]] = {}
_LOCKS: Final[dict[int, threading.Lock]] = {}


def open_gate_file(folder: Path) -> GateFile:
    """Return the file of all gates that this process has open in a folder; see GateFile."""
    process = os.getpid()
    with _LOCKS.setdefault(process, threading.Lock()):
        former = _FILES.get((process, folder))
        if former is None or not former.is_current:
            owner = former.owner if former else None
            _FILES[process, folder] = GateFile(folder, owner)
        return _FILES[process, folder]


class SharedStore:
    """Keep the state of the gate of one server and key in the file of all gates.

    OSError or sqlite3.Error is raised where the file can't be used.

    Attributes
    ----------
    owner : str
        This process, as the state names it.
    known : GateState
        The state when it was last read or changed.
    """

    batch = _BATCH

    def __init__(self, folder: Path, base_url: str, fingerprint: str) -> None:
        self._folder = folder
        self._names = base_url, fingerprint
        self._offset, self._is_stored = 0, False
        self.known = GateState()  # Goes on where the file or its row is deleted.
        self._open()
        self.change(lambda state: state)

    def look(self) -> Word:
        """Return what is told at a glance."""
        word: int = _WORD.unpack_from(self._file.words, self._offset)[0]
        return Word(bool(word & 1), word >> 1 & 2**31 - 1, word >> 32)

    def read(self) -> GateState:
        """Return the state."""
        if not self._looked:
            self._open()
        with self._file.lock:
            return self._load()

    def change(self, transition: Transition) -> None:
        """Change the state in a transaction; sqlite3.Error or OSError when that is impossible."""
        is_due = time.monotonic() - self._looked > _LOOK
        if is_due:
            self._open()
        with self._file.lock:
            connection = self._file.connection
            try:
                connection.execute("begin immediate")
                former = self._load()
                state = self._bury(former) if is_due else former
                state = transition(state) or state
                if state is not former or not self._is_stored:
                    self._save(former, state)
                connection.execute("commit")
                self.known = state
            except BaseException:
                if connection.in_transaction:
                    connection.execute("rollback")
                raise

    def renew(self) -> None:
        """Open the file anew in the child of a process, which is another owner."""
        self._looked = 0.0  # Opened before the next use.

    def _open(self) -> None:
        self._file = open_gate_file(self._folder)
        self.owner = self._file.owner.name
        self._looked = time.monotonic()

    def _load(self) -> GateState:
        row = self._file.connection.execute(
            "select slot, state from gates where base_url = ? and fingerprint = ?", self._names
        ).fetchone()
        self._is_stored = row is not None
        if row is not None:
            self._offset = row[0] * _WORD.size
            try:
                self.known = STATES.validate_json(row[1])
            except ValidationError:  # Of another version of this package.
                self.known = GateState()
        return self.known

    def _bury(self, state: GateState) -> GateState:
        """Forget what processes that have ended had asked for."""
        dead = {owner for owner in state.owners if not self._file.owner.is_alive(owner)}
        return state.without(dead) if dead else state

    def _save(self, former: GateState, state: GateState) -> None:
        connection = self._file.connection
        text, used = STATES.dump_json(state).decode(), time.time()
        if self._is_stored:
            connection.execute(
                "update gates set state = ?, used = ? where base_url = ? and fingerprint = ?",
                [text, used, *self._names],
            )
        else:
            slot = self._find_slot()
            connection.execute(
                "insert into gates values (?, ?, ?, ?, ?)", [*self._names, slot, text, used]
            )
            self._offset = slot * _WORD.size
        # Before the commit: a process that reads it early waits for this transaction.
        word = self.look().following(former, state)
        number = word.is_open | word.holds << 1 | word.version << 32
        _WORD.pack_into(self._file.words, self._offset, number)

    def _find_slot(self) -> int:
        """Return a slot for the word of a new row; the row used longest ago may lose its own."""
        connection = self._file.connection
        used = [slot for (slot,) in connection.execute("select slot from gates order by used")]
        free = set(range(_SLOTS)) - set(used)
        if not free:
            connection.execute("delete from gates where slot = ?", [used[0]])
        return min(free, default=used[0] if used else 0)
