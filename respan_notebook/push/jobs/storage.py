"""Read and write the files of a job folder, on this machine or wherever fsspec reaches."""

from __future__ import annotations

import hashlib
import os
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, Any, Final

from respan_notebook.errors import ConfigurationError
from respan_notebook.push.jobs.claim import Claim

_LOCK: Final = "lock"
_MACHINE: Final = "machine"


class Storage(ABC):
    """Hold the files of one job folder, by their names below it.

    Attributes
    ----------
    name : str
        The folder, for people.
    local : Path
        Where the lock and the journals lie: on this machine.
    """

    name: str
    local: Path

    @abstractmethod
    def names(self, folder: str = "") -> list[str]:
        """Return the names of what lies in the folder, or in one below it, sorted."""

    @abstractmethod
    def open(self, name: str) -> IO[bytes]:
        """Open a file to be read; raise FileNotFoundError when there is none."""

    @abstractmethod
    def replacing(self, name: str) -> Any:
        """Return a context manager that gives a file, which takes its name when all is written."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    @abstractmethod
    def claimed(self) -> AbstractContextManager[None]:
        """Return a context manager that keeps other machines from the job.

        The caller holds the lock on this machine. ConfigurationError is raised when another machine
        is at work.
        """

    @abstractmethod
    def dataset_source(self, names: list[str]) -> tuple[list[str], Any]:
        """Return paths and filesystem for ``pyarrow.dataset.dataset``."""


class LocalStorage(Storage):
    """Hold the files of a job folder on this machine."""

    def __init__(self, path: Path) -> None:
        self.local = path.expanduser().absolute()
        self.name = str(path)

    def names(self, folder: str = "") -> list[str]:
        """Return the names of what lies in the folder, or in one below it, sorted."""
        try:
            return sorted(one.name for one in (self.local / folder).iterdir())
        except FileNotFoundError:
            return []
        except NotADirectoryError:
            raise ConfigurationError(
                f"to={self.name!r} is a file, and a folder is needed"
            ) from None

    def open(self, name: str) -> IO[bytes]:
        """Open a file to be read; raise FileNotFoundError when there is none."""
        return (self.local / name).open("rb")

    @contextmanager
    def replacing(self, name: str) -> Iterator[IO[bytes]]:
        """Give a file that takes its name when all is written and on the disk."""
        target = self.local / name
        if target.parent != self.local:  # That one is there, unless the job was moved meanwhile.
            target.parent.mkdir(exist_ok=True)
        temporary = target.with_name(f".{uuid.uuid4().hex}.tmp")
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        (self.local / name).unlink(missing_ok=True)

    def claimed(self) -> AbstractContextManager[None]:
        """Return a context manager without effect: all see the lock in the folder."""
        return nullcontext()

    def dataset_source(self, names: list[str]) -> tuple[list[str], Any]:
        """Return paths and filesystem for ``pyarrow.dataset.dataset``."""
        return [str(self.local / name) for name in names], None


class RemoteStorage(Storage):
    """Hold the files of a job folder where fsspec reaches: ``s3://...``, ``memory://...``."""

    def __init__(self, url: str) -> None:
        import platformdirs

        try:
            import fsspec
        except ImportError:
            raise ConfigurationError(
                f'to={url!r} needs fsspec: pip install "respan-notebook[dask]"'
            ) from None
        try:
            self._fs, self._root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise ConfigurationError(f"to={url!r} can't be reached: {error}") from None
        self.name = url
        identity = hashlib.blake2b(self._fs.unstrip_protocol(self._root).encode(), digest_size=12)
        state = platformdirs.user_state_path("respan_notebook", appauthor=False)
        self.local = state / "jobs" / identity.hexdigest()

    def names(self, folder: str = "") -> list[str]:
        """Return the names of what lies in the folder, or in one below it, sorted."""
        self._fs.invalidate_cache()
        try:
            found = self._fs.ls(f"{self._root}/{folder}".rstrip("/"), detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(str(one).rstrip("/").rpartition("/")[2] for one in found)

    def open(self, name: str) -> IO[bytes]:
        """Open a file to be read; raise FileNotFoundError when there is none."""
        file: IO[bytes] = self._fs.open(f"{self._root}/{name}", "rb")
        return file

    @contextmanager
    def replacing(self, name: str) -> Iterator[IO[bytes]]:
        """Give a file that takes its name when all is written."""
        folder, _, last = f"{self._root}/{name}".rpartition("/")
        temporary = f"{folder}/.{uuid.uuid4().hex}.tmp"
        self._fs.makedirs(folder, exist_ok=True)
        try:
            with self._fs.open(temporary, "wb") as file:
                yield file
            self._fs.mv(temporary, f"{folder}/{last}")
        finally:
            if self._fs.exists(temporary):
                self._fs.rm(temporary)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        if self._fs.exists(f"{self._root}/{name}"):
            self._fs.rm(f"{self._root}/{name}")

    def claimed(self) -> AbstractContextManager[None]:
        """Return a context manager that keeps other machines from the job, by a file there."""
        machine = self._name_machine()
        return Claim(self._fs, f"{self._root}/{_LOCK}", machine=machine, name=self.name).held()

    def _name_machine(self) -> str:
        """Return a name of this machine that it keeps beside its journals."""
        beside = LocalStorage(self.local)
        with suppress(FileNotFoundError), beside.open(_MACHINE) as file:
            if name := file.read().decode():
                return name
        name = uuid.uuid4().hex
        with beside.replacing(_MACHINE) as file:  # Cut short, it could be another's name, too.
            file.write(name.encode())
        return name

    def dataset_source(self, names: list[str]) -> tuple[list[str], Any]:
        """Return paths and filesystem for ``pyarrow.dataset.dataset``."""
        return [f"{self._root}/{name}" for name in names], self._fs


def find_storage(folder: str | Path) -> Storage:
    """Return the storage of a job folder, which may be a path or a URL."""
    if not isinstance(folder, str | Path) or not str(folder).strip():
        raise ConfigurationError(f"a job folder is a path or a URL, not {folder!r}")
    if isinstance(folder, str) and "://" in folder:
        return RemoteStorage(folder)
    return LocalStorage(Path(folder))
