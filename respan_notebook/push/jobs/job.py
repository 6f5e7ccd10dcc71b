"""Show a push whose plan and report are files, and go on with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from respan_notebook.client.client import RespanClient, default_client
from respan_notebook.errors import PushError
from respan_notebook.push.jobs.folder import JobFolder, part_paths
from respan_notebook.push.jobs.interrupt import describe_unsent, noted_interrupt
from respan_notebook.push.jobs.lines import (
    encode_outcomes,
    error_frame,
    render_line,
    report_schema,
)
from respan_notebook.push.jobs.parts import read_counts, read_outcomes
from respan_notebook.push.jobs.sender import begin_job, find_work, send_job
from respan_notebook.push.outcomes import FAILED, INVALID, NOT_SENT, STATUSES
from respan_notebook.push.owner import UNKNOWN_OWNER
from respan_notebook.push.progress import announce_scores
from respan_notebook.push.reasons import group_errors
from respan_notebook.push.report_view import Summary, render_counts, render_html, render_text

if TYPE_CHECKING:
    from pyarrow.dataset import Dataset

_SHOWN: Final = 10  # The most reasons that are shown.
_WITH_REASON: Final = (INVALID, FAILED, STATUSES.index("duplicate"))


class PushJob:
    """Show a push whose plan and report are files in a folder, and go on with it.

    Made by ``push_scores(..., to="folder")`` and :func:`respan_notebook.resume_push`. Each score
    has a line, with a status as in :class:`respan_notebook.PushReport`; ``resumed`` and
    ``unchanged`` don't occur. It reads the files when it is asked, and so shows what a sender in
    another process has done.

    Attributes
    ----------
    path : str
        The folder, as a path or URL.

    Examples
    --------
    >>> import tempfile
    >>> from respan_notebook import Evaluator, push_scores
    >>> stars = Evaluator(evaluator_slug="stars", score_value_type="numerical")
    >>> frame = pd.DataFrame({"log_id": ["demo_01", "demo_02", None], "stars": [4, 5, 6]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     job = push_scores(frame, [stars], to=folder, dry_run=True)
    ...     print(job.counts, job.ok, job.dataset().count_rows())
    ...     job.errors()[["partition", "row", "error"]]
    {'invalid': 1, 'not_sent': 2} False 3
          partition  row      error
    line
    2             0    2  no log id
    """

    def __init__(self, folder: JobFolder, client: RespanClient | None) -> None:
        self._folder, self._client = folder, client
        self._facts = folder.read_facts()
        self.path = folder.name

    def __getstate__(self) -> dict[str, Any]:
        # The client holds a key.
        return {**self.__dict__, "_client": None}

    def __len__(self) -> int:
        return sum(sum(found.values()) for found in self._facts.counts)

    @property
    def warnings(self) -> list[str]:
        """Warnings about whole columns, and about the server's answers."""
        facts = self._facts
        is_unchecked = facts.names_scorers and facts.owner is None and not facts.options.as_scorer
        unchecked = [UNKNOWN_OWNER] if is_unchecked and facts.options.dry_run else []
        return [*facts.warnings, *unchecked]

    @property
    def stopped(self) -> str:
        """The reason why the last sender did not come to the end; empty when it did."""
        return self._facts.stopped

    @property
    def counts(self) -> dict[str, int]:
        """The number of lines by status, for the statuses that occur."""
        total: Counter[str] = Counter()
        for number in range(len(self._facts.counts)):
            total.update(read_counts(self._folder, self._facts, number))
        return {name: total[name] for name in STATUSES if total[name]}

    @property
    def ok(self) -> bool:
        """Tell whether no line is among the :meth:`errors`."""
        return not self.counts.keys() & {STATUSES[one] for one in self._bad}

    @property
    def _bad(self) -> tuple[int, ...]:
        is_planned = self._facts.options.dry_run
        return (INVALID,) if is_planned else (INVALID, FAILED, NOT_SENT)

    def errors(self, limit: int = 1000) -> pd.DataFrame:
        """Return the lines that did not arrive: ``invalid``, ``failed`` or ``not_sent``.

        Of a dry run that was not sent yet, only the ``invalid`` ones.

        Parameters
        ----------
        limit : int
            The most lines that are returned.

        Returns
        -------
        DataFrame
            In the order of the files, on an index ``line`` (int64, the line's number): the number
            of its ``partition`` and of its ``row`` there (int64), ``log_id``, ``evaluator``,
            ``status`` and ``error`` (object), ``http_status`` (Int16), ``attempts`` (int16).
        """
        frames: list[pd.DataFrame] = []
        left = limit
        for number in self._parts_with(*self._bad):
            frames.append(self._read_errors(number).head(left))
            left -= len(frames[-1])
            if left <= 0:
                break
        return pd.concat(frames) if frames else error_frame(report_schema().empty_table(), 1)

    @property
    def reasons(self) -> pd.DataFrame:
        """The errors of all lines, grouped where they are alike.

        Columns: ``status`` (object), ``rows`` (int64, the number of lines) and ``reason`` (object,
        the error of the first line). The index, ``line``, has the number of that line.
        """
        return self._find_reasons(*_WITH_REASON, NOT_SENT)

    def _find_reasons(self, *statuses: int) -> pd.DataFrame:
        """Return the reasons of all parts that have lines of some statuses."""
        groups: dict[tuple[str, str], list[Any]] = {}
        for number in self._parts_with(*statuses):
            self._add_reasons(number, groups)
        rows = [
            [line, status, count, error] for (status, _), (line, count, error) in groups.items()
        ]
        frame = pd.DataFrame(rows, columns=["line", "status", "rows", "reason"])
        return frame.astype({"line": "int64", "rows": "int64"}).set_index("line")

    def _add_reasons(self, number: int, groups: dict[tuple[str, str], list[Any]]) -> None:
        outcomes = read_outcomes(self._folder, self._facts, number)
        errors: list[str | None] = [None] * len(outcomes.status)
        if self._facts.stopped:
            for i in outcomes.having(NOT_SENT):
                errors[i] = self._facts.stopped
        for i, error in outcomes.errors.items():
            errors[i] = error
        lines = self._folder.read_plan(number)["line"].to_numpy()
        for (status, reason), found in group_errors(outcomes.status, errors).items():
            first = [int(lines[found[0]]), 0, errors[found[0]]]
            groups.setdefault((STATUSES[status], reason), first)[1] += len(found)

    def dataset(self) -> Dataset:
        """Return all lines as a dataset of pyarrow, to be scanned in pieces.

        Columns: ``line``, ``log_id``, ``evaluator``, ``status``, ``error``, ``http_status``,
        ``is_passed``, ``attempts``, ``seconds``, ``score_id``. Of a part that is being sent in this
        moment, it has what the plan says.
        """
        from pyarrow import dataset

        reported = self._folder.reported()
        numbers = range(len(self._facts.counts))
        names = [
            *part_paths("report", [n for n in numbers if n in reported]),
            *part_paths("plan", [n for n in numbers if n not in reported]),
        ]
        paths, filesystem = self._folder.storage.dataset_source(names)
        return dataset.dataset(
            paths, schema=report_schema(), format="parquet", filesystem=filesystem
        )

    def retry(
        self,
        client: RespanClient | None = None,
        *,
        deadline: float | None = None,
        progress: bool = True,
    ) -> PushJob:
        """Send the scores that are ``failed`` or ``not_sent``, and no others.

        Parameters
        ----------
        client : RespanClient, optional
            Else the one of the push; in another session, one made from the environment.
        deadline : float, optional
            Seconds after which nothing more is sent.
        progress : bool
            Whether to show a progress bar.

        Returns
        -------
        PushJob
            This job.

        Raises
        ------
        ConfigurationError
            There is no key, the client is of another server or key, or another process is sending.
        PushError
            A file of the job could not be read or written, so that it broke off.
        """
        changes = {"deadline": deadline, "progress": progress}
        return self.send(changes, client, with_failed=True)

    def send(
        self,
        changes: Mapping[str, Any],
        client: RespanClient | None = None,
        *,
        with_failed: bool = False,
    ) -> PushJob:
        """Send what is left, with some fields of :class:`PushOptions` changed.

        :meth:`retry` and :func:`respan_notebook.resume_push` say in words what is sent.
        """
        client = client or self._client or default_client()
        with ExitStack() as held:
            with noted_interrupt(describe_unsent(self.path, again=with_failed)):
                held.enter_context(self._folder.locked())
                facts = begin_job(self._folder, client, changes)
                work = find_work(self._folder, facts, with_failed=with_failed)
            self._client = client
            self._facts, fault = send_job(self._folder, facts, client, work)
        if fault is not None:
            raise PushError(
                f"the push in {self.path!r} broke off: {fault}. What had arrived is noted, and "
                "resume_push goes on once that is mended",
                report=self,
            ) from fault
        return self

    def _parts_with(self, *statuses: int) -> Iterator[int]:
        """Iterate over the numbers of the parts that have lines of some statuses."""
        names = {STATUSES[one] for one in statuses}
        for number in range(len(self._facts.counts)):
            if names & read_counts(self._folder, self._facts, number).keys():
                yield number

    def _read_errors(self, number: int) -> pd.DataFrame:
        plan = self._folder.read_plan(number)
        outcomes = read_outcomes(self._folder, self._facts, number, plan)
        if self._facts.stopped:
            outcomes.errors.update(
                dict.fromkeys(outcomes.having(NOT_SENT).tolist(), self._facts.stopped)
            )
        table = encode_outcomes(plan, outcomes)
        bad = np.isin(outcomes.status, self._bad)
        return error_frame(table.filter(bad), self._facts.width)

    @property
    def _summary(self) -> Summary:
        facts, counts = self._facts, self.counts
        title = f"pushed: {render_counts(counts)}"
        notes = [f"stopped: {facts.stopped}"] if facts.stopped else []
        notes += [f"warning: {warning}" for warning in self.warnings]
        notes += facts.notes
        if facts.options.dry_run:
            title = f"planned: {render_counts(counts).replace('not_sent', 'ready to send')}"
        announcement = announce_scores(counts.get("not_sent", 0), facts.options.rate_limit)
        notes += [announcement] if announcement else []
        reasons = self._find_reasons(*_WITH_REASON)
        named = reasons[reasons["status"] != "not_sent"]
        errors = [
            (self._render_rows(int(line), count), status, reason)
            for line, status, count, reason in named.head(_SHOWN).itertuples()
        ]
        more = len(named) - _SHOWN
        return Summary(
            title=f"in {self.path!r} {title}",
            counts=counts,
            notes=notes,
            errors=errors,
            more=f"... and {more:,} more reasons in job.reasons" if more > 0 else "",
            name="PushJob",
        )

    def _render_rows(self, line: int, count: int) -> str:
        row = render_line(line, self._facts.width)
        return f"row {row}" if count == 1 else f"row {row} and {count - 1:,} more"

    def __repr__(self) -> str:
        return render_text(self._summary)

    def _repr_html_(self) -> str:
        return render_html(self._summary)
