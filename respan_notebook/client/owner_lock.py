"""Show to other processes that this one lives, by a lock that the system takes back at its end."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: int) -> None:
        # Unlike those of flock, a forked child has no part in it.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


_SUFFIX = ".alive"


class OwnerLock:
    """Hold a lock on a file of this process's own, for as long as the process lives.

    A process id would not do: one is used again, and a process that nobody has waited for counts
    as alive.

    Parameters
    ----------
    folder : Path
        The folder of the files of all processes.

    Attributes
    ----------
    name : str
        The name of this process.
    """

    def __init__(self, folder: Path) -> None:
        self.name = uuid4().hex
        self._folder = folder
        self._path = folder / (self.name + _SUFFIX)
        self._file: int | None = None  # Open until the process ends.

    def hold(self) -> None:
        """Take the lock, again where the file was deleted."""
        if self.is_held():
            return
        if self._file is not None:
            os.close(self._file)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        _lock(self._file)

    def is_held(self) -> bool:
        """Return whether other processes can still see the lock."""
        if self._file is None:
            return False
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._file))
        except OSError:
            return False

    def is_alive(self, name: str) -> bool:
        """Return whether the process of a name lives; the file of one that has ended is removed."""
        if name == self.name:
            return True  # To open the own file and close it would give up the lock.
        path = self._folder / (name + _SUFFIX)
        try:
            with path.open("r+b") as file:
                _lock(file.fileno())
        except FileNotFoundError:
            return False
        except OSError:
            return True  # The lock is held.
        with suppress(OSError):
            path.unlink()
        return False

    def remove_ended(self) -> None:
        """Remove the files of all processes that have ended."""
        for path in self._folder.glob("*" + _SUFFIX):
            self.is_alive(path.stem)
