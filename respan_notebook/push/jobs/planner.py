"""Plan a job: check every chunk of a source, settle duplicates over all of it, write the parts."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from respan_notebook.catalogue import Catalogue
from respan_notebook.errors import ConfigurationError
from respan_notebook.frames.columns import find_column, has_column
from respan_notebook.frames.context import choose_context
from respan_notebook.frames.scorers import SCORER_COLUMN
from respan_notebook.models import Evaluator
from respan_notebook.push.jobs.chunk import ChunkFacts, ChunkReader, find_chunk_facts
from respan_notebook.push.jobs.folder import JobFacts
from respan_notebook.push.jobs.lines import plan_schema
from respan_notebook.push.jobs.settle import Duplicates
from respan_notebook.push.jobs.sources import Source
from respan_notebook.push.jobs.spill import PART, Spill
from respan_notebook.push.options import PushOptions
from respan_notebook.push.origin import Origin
from respan_notebook.push.plan import goes_beyond_one, render_shares
from respan_notebook.push.progress import counting_bar
from respan_notebook.push.read_frame import Scores, columns_by_evaluator, render_custom

if TYPE_CHECKING:
    import pyarrow as pa

_DIGEST: Final = 16  # Bytes.
_HASHED: Final = 8192  # Lines at once.
_BOUNDS: Final = ("evaluator_code", "numerical_value_min", "numerical_value_max")


@dataclass(frozen=True)
class Planner:
    """Plan the scores of one source.

    Attributes
    ----------
    source : Source
        Where the rows are.
    reader : ChunkReader
        Checks its chunks.
    catalogue : Catalogue
        The evaluators.
    origin : Origin or None
        Server and key that the plan is for.
    part : int
        Lines from which on a part is full.
    """

    source: Source
    reader: ChunkReader
    catalogue: Catalogue
    origin: Origin | None
    part: int = PART

    def plan(self, scratch: Path, write: Callable[[int, pa.Table], object]) -> JobFacts:
        """Write every part of the plan, and return what the job is about.

        Raises as :meth:`respan_notebook.RespanAccessor.push_scores`.
        """
        found = _Found()
        scratch.mkdir(parents=True, exist_ok=True)
        options = self.reader.options
        with _lean_memory(), Spill(scratch, self.part) as spill:
            self._check_all(found, spill)
            duplicates = Duplicates(
                options.on_duplicate,
                self.reader.owner,
                self.source.is_ordered,
                self.reader.order_by,
                found.width,
                learns_owner=self.reader.owner is None and not options.as_scorer,
            )
            with counting_bar("planning", "scores", len(spill), shown=options.progress) as count:
                for number, part in enumerate(spill.parts()):
                    settled = duplicates.settle(part).select(plan_schema().names)
                    found.count(settled)
                    write(number, settled)
                    count(len(settled))
        duplicates.raise_for_errors()
        scores, context = self.reader.scores, options.context
        return JobFacts(
            columns=None if scores is None else {k: str(v) for k, v in scores.items()},
            order_by=self.reader.order_by,
            evaluators=found.evaluators,
            options=replace(options, context=context),
            origin=self.origin,
            width=found.width,
            counts=found.counts,
            digest=found.digest.hexdigest(),
            owner=self.reader.owner,
            warnings=found.all_warnings(self.catalogue, may_be_custom=scores is None),
            notes=list(found.notes),
            names_scorers=found.names_scorers,
        )

    def _check_all(self, found: _Found, spill: Spill) -> None:
        """Check all chunks of the source, and spread their lines."""
        shown = self.reader.options.progress
        with (
            counting_bar("checking", "rows", self.source.rows, shown=shown) as count,
            closing(self.source.read(self.reader)) as tables,  # Ends what runs on a cluster.
        ):
            for table in tables:
                spill.add(found.take(table))
                count(len(table) // found.width)


@contextmanager
def _lean_memory() -> Iterator[None]:
    """Let Arrow give back to the system what it frees; its own allocator keeps some 40 MB."""
    import pyarrow as pa

    usual = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(usual)


def make_reader(
    source: Source,
    scores: Scores | None,
    catalogue: Catalogue,
    options: PushOptions,
    *,
    find_owner: Callable[[], str | None],
    order_by: str | Iterable[str] | None,
) -> ChunkReader:
    """Return the reader of a source's chunks, once its columns and evaluators are found.

    ``find_owner`` returns the owner of the key, and is called when rows may be another scorer's.
    """
    empty = source.empty()
    columns = None if scores is None else columns_by_evaluator(empty, scores, catalogue)
    ordering = (order_by,) if isinstance(order_by, str) else tuple(order_by or ())
    for name in ordering:
        if not isinstance(name, str):
            raise ConfigurationError(f"order_by takes a column or a list of them, not {name!r}")
        find_column(empty, name)
    owner = find_owner() if has_column(empty, SCORER_COLUMN) else None
    context = [n for n in choose_context(empty, options.context) if n != "explanation"]
    options = replace(options, context=context or False)
    reader = ChunkReader(columns, catalogue, options, owner, ordering, source.is_of_dask)
    if columns is None:
        catalogue.load()  # The rows name them, and are read where no server is asked.
    reader.read(empty, 0, 0)  # What is wrong with the columns is said before any row is read.
    return replace(reader, catalogue=catalogue.detach())


class _Hashed(io.RawIOBase):
    """Hash what is written."""

    def __init__(self, digest: Any) -> None:
        super().__init__()
        self._digest = digest

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._digest.update(data)
        return len(data)


@dataclass
class _Found:
    """Gather what is found out about a source while its chunks go by."""

    evaluators: list[Evaluator] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)  # By definition.
    warnings: dict[str, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    counts: list[dict[str, int]] = field(default_factory=list)
    rows_of: Counter[int] = field(default_factory=Counter)
    shares: dict[int, bool] = field(default_factory=dict)  # Whether all values are from 0 to 1.
    width: int = 1
    names_scorers: bool = False
    digest: Any = field(default_factory=lambda: hashlib.blake2b(digest_size=_DIGEST))

    def take(self, table: pa.Table) -> pa.Table:
        """Take the facts of a chunk, and return its lines with the codes of the whole job."""
        import pyarrow as pa

        facts = find_chunk_facts(table)
        self._add_facts(facts)
        codes = np.array([self._code_of(one) for one in facts.evaluators], np.int32)
        place = table.column_names.index("evaluator_code")
        own = table["evaluator_code"].to_numpy()
        column = pa.array(codes[own] if len(own) else own, pa.int32())
        return table.set_column(place, "evaluator_code", column).replace_schema_metadata(None)

    def _add_facts(self, facts: ChunkFacts) -> None:
        self.width = facts.width
        self.warnings.update(dict.fromkeys(facts.warnings))
        self.notes.update(dict.fromkeys(facts.notes))

    def _code_of(self, evaluator: Evaluator) -> int:
        definition = evaluator.model_dump_json(exclude_none=True)
        code = self.codes.setdefault(definition, len(self.codes))
        if code == len(self.evaluators):
            self.evaluators.append(evaluator)
        return code

    def count(self, part: pa.Table) -> None:
        """Count the lines of a part, and look at its values."""
        import pyarrow as pa
        from pyarrow import compute

        found = compute.value_counts(part["status"]).to_pylist()
        self.counts.append({one["values"]: one["counts"] for one in found})
        ready = part.filter(compute.equal(part["status"], "not_sent"))
        for one in compute.value_counts(ready["evaluator_code"]).to_pylist():
            self.rows_of[one["values"]] += one["counts"]
        self._look_for_shares(ready)
        self.names_scorers |= ready["scorer"].null_count < len(ready)
        with pa.ipc.new_stream(pa.PythonFile(_Hashed(self.digest), "w"), part.schema) as writer:
            writer.write_table(part, max_chunksize=_HASHED)

    def _look_for_shares(self, ready: pa.Table) -> None:
        from pyarrow import compute

        numbers = ready.select(["evaluator_code", "numerical_value"])
        numbers = numbers.filter(compute.not_equal(numbers["numerical_value"], 0.0))
        grouped = numbers.group_by("evaluator_code", use_threads=False)
        bounds = grouped.aggregate([("numerical_value", "min"), ("numerical_value", "max")])
        for code, least, most in zip(*(bounds[name].to_pylist() for name in _BOUNDS), strict=True):
            if goes_beyond_one(self.evaluators[code]):
                self.shares[code] = self.shares.get(code, True) and least >= 0 and most <= 1

    def all_warnings(self, catalogue: Catalogue, *, may_be_custom: bool) -> list[str]:
        """Return the warnings about the whole source."""
        likely = [code for code, is_share in self.shares.items() if is_share]
        customs: list[str] = []
        if may_be_custom:
            counts = [(self.evaluators[code], n) for code, n in sorted(self.rows_of.items())]
            customs = render_custom(counts, catalogue)
        return [*self.warnings, *customs, *(render_shares(self.evaluators[n]) for n in likely)]


def describe_difference(one: JobFacts, other: JobFacts) -> str:
    """Return in which respect two jobs differ, "" when they are the same."""
    for name in ("columns", "order_by", "digest"):
        if getattr(one, name) != getattr(other, name):
            return {"digest": "the scores"}.get(name, name)
    definitions = [[e.model_dump(mode="json") for e in job.evaluators] for job in (one, other)]
    if json.dumps(definitions[0], sort_keys=True) != json.dumps(definitions[1], sort_keys=True):
        return "the definitions of the evaluators"
    return "as_scorer" if one.options.as_scorer != other.options.as_scorer else ""
