"""Hold a job's folder: what it is about, its plan, its report, its journals and its lock.

::

    job.json               columns, evaluators, server, hash of the key, counts; never the key
    plan/part-00000.parquet
    report/part-00000.parquet
    report/part-00000.journal   of a part that is being sent
    lock                   held by the one sender
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from filelock import FileLock, Timeout

from respan_notebook.errors import ConfigurationError, FrameError
from respan_notebook.models import Evaluator
from respan_notebook.push.jobs.lines import plan_schema
from respan_notebook.push.jobs.storage import Storage, find_storage
from respan_notebook.push.options import PushOptions
from respan_notebook.push.origin import Origin

if TYPE_CHECKING:
    import pyarrow as pa

_FORMAT: Final = 1
_JOB: Final = "job.json"
_REPEATED: Final = ("evaluator", "evaluator_code", "status", "error")  # Few values, many times.
_OWN: Final = frozenset({_JOB, "plan", "report", "lock"})
_DIGEST: Final = 16  # Bytes.
_REMEDIES: Final = {
    "plan": "bring it back from a copy, or push the frame to another folder",
    "report": "delete it, and the scores of that part are sent again",
}


@dataclass(frozen=True)
class JobFacts:
    """Hold what a job is about.

    Attributes
    ----------
    columns : mapping of str to str, or None
        Evaluator -> column; None when each row was a score.
    order_by : tuple of str
        The columns that say which of several rows is the last.
    evaluators : sequence of Evaluator
        Their definitions, in the order of ``evaluator_code``.
    options : PushOptions
        What the push was asked.
    origin : Origin or None
        Server and key; None until there is a client.
    width : int
        Scores per row.
    counts : list of dict
        The number of lines by status, by part of the plan.
    digest : str
        A hash of the whole plan.
    owner : str or None
        The owner of the key, as far as it was known to the plan.
    warnings, notes : list of str
        Remarks about the scores.
    stopped : str
        The reason why the last sender did not come to the end.
    names_scorers : bool
        Whether there are lines that name a scorer.
    """

    columns: Mapping[str, str] | None
    order_by: tuple[str, ...]
    evaluators: Sequence[Evaluator]
    options: PushOptions
    origin: Origin | None
    width: int
    counts: list[dict[str, int]]
    digest: str
    owner: str | None
    warnings: list[str]
    notes: list[str]
    stopped: str = ""
    names_scorers: bool = False


@dataclass(frozen=True)
class JobFolder:
    """Read and write the files of one job."""

    storage: Storage = field(repr=False)

    @classmethod
    def at(cls, folder: str | Path) -> JobFolder:
        """Return the folder at a path or URL."""
        return cls(find_storage(folder))

    @property
    def name(self) -> str:
        """The path or URL."""
        return self.storage.name

    def has_job(self) -> bool:
        """Return whether there is a job with a whole plan.

        ConfigurationError is raised when the folder holds something else.
        """
        names = set(self.storage.names())
        foreign = sorted(name for name in names - _OWN if not name.startswith("."))
        if foreign:
            raise ConfigurationError(
                f"to={self.name!r} holds something else than a push, such as {foreign[0]!r}; name "
                "a new or an empty folder"
            )
        return _JOB in names

    def read_facts(self) -> JobFacts:
        """Return what the job is about.

        FrameError is raised when there is no job, or when its description can't be read.
        """
        try:
            with self.storage.open(_JOB) as file:
                facts = json.load(file)
            version = int(facts.pop("format"))
        except FileNotFoundError:
            raise FrameError(
                f"{self.name!r} holds no push: there is no {_JOB}. If its plan was interrupted, "
                "push the frame to this folder again"
            ) from None
        except (ValueError, LookupError, AttributeError, TypeError):
            raise FrameError(f"{_JOB} in {self.name!r} was cut short or changed") from None
        if version > _FORMAT:
            raise FrameError(
                f"{self.name!r} was made by a newer version of respan-notebook (format {version}, "
                f"this version reads {_FORMAT}); upgrade it"
            )
        try:
            return _decode_facts(facts)
        except (ValueError, LookupError, TypeError) as error:
            raise FrameError(f"{_JOB} in {self.name!r} was changed: {error}") from None

    def write_facts(self, facts: JobFacts) -> None:
        """Write what the job is about; with that, its plan is whole."""
        text = json.dumps({"format": _FORMAT, **_encode_facts(facts)}, indent=1, ensure_ascii=False)
        with self.storage.replacing(_JOB) as file:
            file.write(text.encode())

    def clear(self) -> None:
        """Remove what an interrupted planning left."""
        for folder in ("plan", "report"):
            for name in self.storage.names(folder):
                self.storage.remove(f"{folder}/{name}")
        for path in (self.storage.local / "report").glob("*.journal"):
            path.unlink()

    def sweep(self) -> None:
        """Remove files that a sender had not written to the end when it was killed."""
        for name in self.storage.names("report"):
            if name.startswith("."):
                self.storage.remove(f"report/{name}")

    def write_part(self, kind: str, number: int, table: pa.Table) -> None:
        """Write a part of the plan or the report, whole or not at all."""
        from pyarrow import parquet

        with self.storage.replacing(_part(kind, number)) as file:
            parquet.write_table(
                table,
                file,
                compression="zstd",
                use_dictionary=[*_REPEATED],
                write_page_checksum=True,
            )

    def read_plan(self, number: int) -> pa.Table:
        """Return a part of the plan."""
        table = self._read_part("plan", number)
        if table is None or not plan_schema().equals(table.schema):
            raise FrameError(
                f"{_part('plan', number)} in {self.name!r} is gone or was changed, and so the push "
                "can't go on"
            )
        return table

    def find_base(self, number: int, digest: str) -> str:
        """Return what a part's journal goes on from: a hash of the plan, and of its report."""
        found = hashlib.blake2b(digest.encode(), digest_size=_DIGEST)
        with suppress(FileNotFoundError), self.storage.open(_part("report", number)) as file:
            found.update(file.read())
        return found.hexdigest()

    def read_report(self, number: int) -> pa.Table | None:
        """Return a part of the report, None when there is none yet."""
        return self._read_part("report", number)

    def read_statuses(self, number: int) -> pa.Table | None:
        """Return ``status`` and ``http_status`` of a report's part, None when there is none yet."""
        return self._read_part("report", number, ["status", "http_status"])

    def _read_part(
        self, kind: str, number: int, columns: list[str] | None = None
    ) -> pa.Table | None:
        import pyarrow as pa
        from pyarrow import parquet

        try:
            with self.storage.open(_part(kind, number)) as source:
                content = source.read()
            # A Python file, or threads of Arrow's, may abort the process at its end.
            file = parquet.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
            return file.read(columns, use_threads=False)
        except FileNotFoundError:
            return None
        except (pa.ArrowException, OSError) as error:
            raise FrameError(
                f"{_part(kind, number)} in {self.name!r} can't be read, perhaps it was cut short "
                f"or damaged ({error}); {_REMEDIES[kind]}"
            ) from None

    def reported(self) -> set[int]:
        """Return the numbers of the parts that have a report."""
        found = (re.fullmatch(r"part-(\d+)\.parquet", one) for one in self.storage.names("report"))
        return {int(one[1]) for one in found if one}

    def journal_path(self, number: int) -> Path:
        """Return the path of a part's journal, on this machine."""
        return self.storage.local / "report" / f"part-{number:05d}.journal"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of the one planner or sender.

        ConfigurationError is raised when another process holds it, here or on another machine.
        """
        try:
            self.storage.local.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise ConfigurationError(f"{self.name!r} is a file, and a folder is needed") from None
        except OSError as error:
            raise ConfigurationError(f"the folder {self.name!r} can't be made: {error}") from None
        lock = FileLock(self.storage.local / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise ConfigurationError(
                f"another process is at work on the push in {self.name!r}; wait for it to end"
            ) from None
        try:
            with self.storage.claimed():
                yield
        finally:
            lock.release()


def _part(kind: str, number: int) -> str:
    return f"{kind}/part-{number:05d}.parquet"


def part_paths(kind: str, numbers: Sequence[int]) -> list[str]:
    """Return the names of parts below the folder."""
    return [_part(kind, number) for number in numbers]


def _encode_facts(facts: JobFacts) -> dict[str, Any]:
    return {
        **{name: getattr(facts, name) for name in facts.__dataclass_fields__},
        "evaluators": [one.model_dump(mode="json", exclude_none=True) for one in facts.evaluators],
        "options": asdict(facts.options),
        "origin": facts.origin and asdict(facts.origin),
    }


def _decode_facts(facts: dict[str, Any]) -> JobFacts:
    options = facts["options"]
    limit = options["rate_limit"]
    read = JobFacts(**facts)
    return replace(
        read,
        order_by=tuple(read.order_by),
        evaluators=[Evaluator(**fields) for fields in facts["evaluators"]],
        options=PushOptions(**{**options, "rate_limit": None if limit is None else tuple(limit)}),
        origin=None if facts["origin"] is None else Origin(**facts["origin"]),
    )
