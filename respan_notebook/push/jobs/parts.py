"""Hold a part that is being sent: its lines, what became of them, and its journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from respan_notebook.push.jobs.folder import JobFacts, JobFolder
from respan_notebook.push.jobs.journal import Journal, read_journal
from respan_notebook.push.jobs.lines import (
    decode_outcomes,
    decode_plan,
    encode_outcomes,
    status_codes,
)
from respan_notebook.push.outcomes import FAILED, NOT_SENT, Outcomes, Result

if TYPE_CHECKING:
    import pyarrow as pa


# Statuses of HTTP that say nothing about the score: no answer, wrong key, too late, too many.
_NOT_ITS_OWN: Final = (0, 401, 408, 429)


class Part:
    """Hold the lines of one part and what became of them; for one sender.

    Attributes
    ----------
    number : int
        Its place in the plan.
    plan : Plan
        Its lines.
    outcomes : Outcomes
        What is known of them: from the report, and from the journal of a sender that was killed.
    in_flight : set of int
        The places of the lines that were given out and have no result yet.
    log_ids : frozenset of str
        Their logs.
    """

    def __init__(self, folder: JobFolder, facts: JobFacts, number: int) -> None:
        self._folder, self.number = folder, number
        self._base = folder.find_base(number, facts.digest)
        self._table = folder.read_plan(number)
        self.plan = decode_plan(self._table, facts.evaluators, as_scorer=facts.options.as_scorer)
        self.outcomes = read_outcomes(folder, facts, number, self._table)
        self.log_ids = frozenset(one for one in self.plan.log_ids if one is not None)
        self.in_flight: set[int] = set()
        self._journal: Journal | None = None

    def record(self, line: int, result: Result) -> None:
        """Record the result of a line, and note it; OSError is raised when that is impossible."""
        self.outcomes.record(line, result)
        self.in_flight.discard(line)
        if self._journal is None:
            self._journal = Journal(self._folder.journal_path(self.number), self._base)
        self._journal.append(line, result)

    def sync(self) -> None:
        """Bring the journal to the disk."""
        if self._journal is not None:
            self._journal.sync()

    def finish(self) -> None:
        """Write the part's report, which takes the place of its journal."""
        self._folder.write_part("report", self.number, encode_outcomes(self._table, self.outcomes))
        if self._journal is not None:
            self._journal.remove()
            self._journal = None
        else:
            self._folder.journal_path(self.number).unlink(missing_ok=True)


def read_outcomes(
    folder: JobFolder, facts: JobFacts, number: int, plan: pa.Table | None = None
) -> Outcomes:
    """Return what is known of the lines of a part."""
    path, noted = folder.journal_path(number), []
    if path.exists():  # Read before the report, which takes its place when a part is finished.
        noted = list(read_journal(path, folder.find_base(number, facts.digest)))
    report = folder.read_report(number)
    if report is None and plan is None:
        plan = folder.read_plan(number)
    outcomes = decode_outcomes(plan, report)
    for line, result in noted:
        if 0 <= line < len(outcomes.status):
            outcomes.record(line, result)
    return outcomes


def read_counts(folder: JobFolder, facts: JobFacts, number: int) -> dict[str, int]:
    """Return the number of lines of a part by status, for the statuses that occur."""
    if folder.journal_path(number).exists():
        return read_outcomes(folder, facts, number).counts()
    from pyarrow import compute

    table = folder.read_statuses(number)
    if table is None:
        return dict(facts.counts[number])
    found = compute.value_counts(table["status"]).to_pylist()
    return {one["values"]: one["counts"] for one in found}


def find_left(outcomes: Outcomes, *, with_failed: bool) -> npt.NDArray[np.int64]:
    """Return the places of the lines that are to be sent.

    Beside those not sent these are the failed ones that the server did not refuse for themselves:
    there was no answer, the key was refused, or it was too busy; ``with_failed``, all of them.
    """
    failed = outcomes.status == FAILED
    if not with_failed:
        failed &= np.isin(outcomes.http_status, _NOT_ITS_OWN) | (outcomes.http_status >= 500)
    return np.flatnonzero(failed | (outcomes.status == NOT_SENT))


def count_left(folder: JobFolder, facts: JobFacts, number: int, *, with_failed: bool) -> int:
    """Return the number of the lines of a part that are to be sent."""
    if folder.journal_path(number).exists():
        return len(find_left(read_outcomes(folder, facts, number), with_failed=with_failed))
    table = folder.read_statuses(number)
    if table is None:
        return facts.counts[number].get("not_sent", 0)
    outcomes = Outcomes(len(table))
    outcomes.status[:] = status_codes(table)
    outcomes.http_status[:] = table["http_status"].fill_null(0).to_numpy()
    return len(find_left(outcomes, with_failed=with_failed))
