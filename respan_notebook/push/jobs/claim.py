"""Keep other machines from a job whose folder is on storage that several machines reach."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from respan_notebook.errors import ConfigurationError

_ATOMIC: Final = frozenset(
    {"abfs", "abfss", "az", "file", "gcs", "gs", "local", "memory", "s3", "s3a"}
)
"""Protocols of fsspec whose mode "x" has the storage itself refuse a file that is there."""
_TRIES: Final = 10  # Each time the file is gone again when it is read.
_LOOK: Final = 0.05  # Seconds between two looks at a file that is being written.
_UNREADABLE: Final = {"host": "?", "since": "?"}


class Claim:
    """Hold the file that says which machine is at work.

    Of several machines that claim a job in the same moment, one gets it: the one whose file was
    created. Where the storage has no way to create a file only if there is none, each looks again
    after a pause, and the last that wrote goes on; there, a write that takes longer than the pause
    lets two go on.

    Parameters
    ----------
    fs : fsspec.AbstractFileSystem
        The storage.
    path : str
        The file's path there.
    machine : str
        The name of this machine, which no other has.
    name : str
        The job folder, for people.
    pause : float
        Seconds to wait for another's write, where files can't be created only if there is none.
    writing : float
        The most seconds that another takes from creating its file until its content can be read.
    """

    def __init__(
        self,
        fs: Any,
        path: str,
        *,
        machine: str,
        name: str,
        pause: float = 2.0,
        writing: float = 1.0,
    ) -> None:
        self._fs, self._path, self._machine, self._name = fs, path, machine, name
        self._pause, self._writing = pause, writing

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the claim in a with block; one that this machine left when killed is taken over.

        The caller holds the lock on this machine. ConfigurationError is raised when another machine
        has the claim.
        """
        try:
            self._take()
            yield
        finally:
            if self._read().get("machine") == self._machine:
                self._fs.rm(self._path)

    def _take(self) -> None:
        self._fs.makedirs(self._path.rpartition("/")[0], exist_ok=True)
        for _ in range(_TRIES):
            if self._create():
                break
            claim = self._read_whole()
            if claim.get("machine") == self._machine:
                self._write("wb")
                break
            if claim:  # Else it was given up in this moment.
                raise self._refusal(claim)
        claim = self._read_whole()
        if claim.get("machine") != self._machine:
            raise self._refusal(claim or _UNREADABLE)

    def _create(self) -> bool:
        """Create the file, and return whether there was none."""
        if not _ATOMIC.isdisjoint(_protocols(self._fs)):
            try:
                self._write("xb")
            except FileExistsError:
                return False
            except (NotImplementedError, ValueError):  # An older fsspec refuses the mode "xb";
                return self._create_watched()  # so this store is one without exclusive create.
            return True
        return self._create_watched()

    def _create_watched(self) -> bool:
        """Create the file where that is not exclusive, and wait for others who do so, too."""
        if self._fs.exists(self._path):
            return False
        self._write("wb")
        time.sleep(self._pause)
        return True

    def _write(self, mode: str) -> None:
        since = f"{datetime.now(UTC):%F %T} UTC"
        claim = {"machine": self._machine, "host": platform.node(), "since": since}
        with self._fs.open(self._path, mode) as file:
            file.write(json.dumps(claim).encode())

    def _read_whole(self) -> dict[str, Any]:
        """Return what the file says, after a while if it is being written in this moment."""
        latest = time.monotonic() + self._writing
        while (claim := self._read()) == _UNREADABLE and time.monotonic() < latest:
            time.sleep(_LOOK)
        return claim

    def _read(self) -> dict[str, Any]:
        """Return what the file says, nothing when there is none."""
        self._fs.invalidate_cache()
        try:
            claim = json.loads(self._fs.cat_file(self._path))
        except FileNotFoundError:
            return {}
        except ValueError:
            claim = None
        return claim if isinstance(claim, dict) and claim else _UNREADABLE

    def _refusal(self, claim: dict[str, Any]) -> ConfigurationError:
        return ConfigurationError(
            f"the machine {claim.get('host')!r} has been at work on the push in {self._name!r} "
            f"since {claim.get('since')}; wait for it to end, or if it was killed and does not "
            f"come back, delete {self._name}/{self._path.rpartition('/')[2]}"
        )


def _protocols(fs: Any) -> set[str]:
    """Return the names of a filesystem's protocol."""
    return {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)
