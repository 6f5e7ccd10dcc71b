"""Report on every score of a push."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import pandas as pd

from respan_notebook.errors import ConfigurationError, PushError
from respan_notebook.push.options import PushOptions
from respan_notebook.push.origin import Origin, origin_of
from respan_notebook.push.outcomes import ARRIVED, FAILED, INVALID, NOT_SENT, STATUSES, Outcomes
from respan_notebook.push.plan import Lines, Plan
from respan_notebook.push.reasons import Groups, group_errors
from respan_notebook.push.report_view import (
    COLOURS,
    Summary,
    render_counts,
    render_html,
    render_text,
    summarize_lines,
)
from respan_notebook.push.saved import ReportParts, decode_report, encode_report
from respan_notebook.push.text_table import read_table, write_table

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from respan_notebook.client.client import RespanClient
    from respan_notebook.drawing import Picture


class PushReport:
    """Report on every score of a push, on the index of the frame that was pushed.

    Made by ``df.respan.push_scores``. Each score has a line, with one of these statuses:

    ============= ===================================================================
    ``created``   the server had no score here by this scorer, and has now
    ``updated``   the server had one, and has this value now
    ``unchanged`` the server has this value already; nothing was sent
    ``resumed``   it had arrived by the push that was resumed; nothing was sent
    ``skipped``   the cell is missing, so there is no score; nothing was sent
    ``duplicate`` another row scores the same log by the same evaluator and counts
    ``invalid``   refused before sending: ``error`` says why
    ``failed``    sent and refused, or given up: ``error`` says why
    ``not_sent``  the push ended before it was sent, or it was a dry run
    ============= ===================================================================

    Attributes
    ----------
    warnings : list of str
        Warnings about whole columns.
    dry_run : bool
        Whether it was a dry run.
    origin : Origin or None
        The server, and a hash that identifies the key; None without a client.
    """

    def __init__(
        self,
        plan: Lines,
        outcomes: Outcomes,
        options: PushOptions,
        warnings: list[str],
        client: RespanClient | None,
        send: Callable[..., PushReport],
        *,
        origin: Origin | None = None,
    ) -> None:
        self._plan, self._outcomes, self._options = plan, outcomes, options
        self._client, self._send = client, send
        self.warnings, self.dry_run = warnings, options.dry_run
        self.origin = origin if client is None else origin_of(client)

    def __getstate__(self) -> dict[str, Any]:
        # The client holds a key.
        return {**self.__dict__, "_client": None}

    def __len__(self) -> int:
        return len(self._plan)

    @property
    def frame(self) -> pd.DataFrame:
        """A row per score, in the order of the pushed frame and with its index labels.

        Columns: ``log_id`` (object), ``evaluator`` (category: slug, else id), ``status``
        (category), ``error`` (object), ``http_status`` (Int16), ``is_passed`` (boolean),
        ``attempts`` (int16), ``seconds`` (float64, from sending to the last answer), ``score_id``
        (object), ``digest`` (object, a hash of log id and body of what arrived, by which
        ``resume=`` finds it). A cell without a value is missing.
        """
        frame = self._frame_without_digests
        return frame.assign(digest=pd.Series(self._digests, frame.index, dtype=object))

    def to_arrow(self) -> pa.Table:
        """Return :attr:`frame` as an Arrow table, the levels of its index first.

        A level without a name is ``row`` (``row_0``, ... when there are several). Labels and log
        ids that are not of one type become text.

        Examples
        --------
        >>> import pandas as pd, respan_notebook
        >>> from respan_notebook import Evaluator
        >>> stars = Evaluator(evaluator_slug="stars", score_value_type="numerical")
        >>> frame = pd.DataFrame({"log_id": ["demo_01"], "stars": [4]})
        >>> report = frame.respan.push_scores([stars], dry_run=True)
        >>> report.to_arrow().select(["row", "log_id", "status"]).to_pylist()
        [{'row': 0, 'log_id': 'demo_01', 'status': 'not_sent'}]
        """
        from respan_notebook.frames.arrow import arrow_from_frame

        return arrow_from_frame(self.frame)

    def to_polars(self) -> pl.DataFrame:
        """Return :attr:`frame` as a Polars DataFrame; its columns are those of :meth:`to_arrow`."""
        try:
            import polars
        except ImportError:
            raise ConfigurationError(
                'Polars is missing: pip install "respan-notebook[polars]"'
            ) from None
        return cast("pl.DataFrame", polars.from_arrow(self.to_arrow()))

    @property
    def _frame_without_digests(self) -> pd.DataFrame:
        plan, outcomes = self._plan, self._outcomes
        named = [one.slug_or_id for one in plan.evaluators]
        names = list(dict.fromkeys(named))
        of_code = np.array([names.index(name) for name in named], np.int64)
        evaluators = of_code[plan.codes]
        answered = outcomes.http_status != 0
        index = plan.index.repeat(plan.width)
        log_ids = [log_id for log_id in plan.log_ids for _ in range(plan.width)]
        return pd.DataFrame(
            {
                "log_id": pd.Series(log_ids, index, dtype=object),
                "evaluator": pd.Categorical.from_codes(evaluators, categories=pd.Index(names)),
                "status": pd.Categorical.from_codes(outcomes.status, categories=pd.Index(STATUSES)),
                "error": pd.Series(self._errors(), index, dtype=object),
                "http_status": pd.arrays.IntegerArray(outcomes.http_status.copy(), ~answered),
                "is_passed": pd.array(outcomes.is_passed, dtype="boolean"),
                "attempts": outcomes.attempts,
                "seconds": outcomes.seconds,
                "score_id": pd.Series(outcomes.score_ids, index, dtype=object),
            },
            index=index,
        )

    @property
    def counts(self) -> dict[str, int]:
        """The number of lines by status, for the statuses that occur."""
        return self._outcomes.counts()

    @property
    def errors(self) -> pd.DataFrame:
        """The lines of :attr:`frame` that are ``invalid``, ``failed`` or ``not_sent``.

        For a dry run, only the ``invalid`` ones.
        """
        frame = self._frame_without_digests[np.isin(self._outcomes.status, self._bad)]
        return frame.assign(digest=pd.Series(None, frame.index, dtype=object))

    @property
    def reasons(self) -> pd.DataFrame:
        """The errors of all lines, grouped where they are alike, in the order of the lines.

        Columns: ``status`` (object), ``rows`` (int64, the number of lines) and ``reason`` (object,
        the error of the first line). The index has the label of that line.
        """
        groups, errors = self._groups, self._errors()
        firsts = [lines[0] for lines in groups.values()]
        return pd.DataFrame(
            {
                "status": [STATUSES[status] for status, _ in groups],
                "rows": [len(lines) for lines in groups.values()],
                "reason": [errors[line] for line in firsts],
            },
            index=self._plan.index.take([line // self._plan.width for line in firsts]),
        )

    @property
    def payloads(self) -> pd.DataFrame:
        """The requests that are still to be sent, on the index of :attr:`frame`.

        A row per line that is ``failed`` or ``not_sent``: ``log_id`` (object), ``evaluator``
        (category) and ``body`` (object, the request's JSON object as a dict).
        """
        lines = self._outcomes.having(FAILED, NOT_SENT)
        frame = self._frame_without_digests[["log_id", "evaluator"]].iloc[lines]
        bodies = [self._plan.upsert(line).body for line in lines.tolist()]
        return frame.assign(body=pd.Series(bodies, frame.index, dtype=object))

    @property
    def ok(self) -> bool:
        """Return whether no line is in :attr:`errors`: every score arrived (or could be sent)."""
        return not np.isin(self._outcomes.status, self._bad).any()

    @property
    def _bad(self) -> tuple[int, ...]:
        return (INVALID,) if self.dry_run else (INVALID, FAILED, NOT_SENT)

    def raise_for_errors(self) -> None:
        """Raise an error unless :attr:`ok`.

        Raises
        ------
        PushError
            Some scores did not arrive; ``error.report`` is this report.
        """
        if self.ok:
            return
        lines = self._outcomes.having(*self._bad)
        first = int(lines[0])
        error = self._errors()[first] or STATUSES[self._outcomes.status[first]]
        raise PushError(
            f"{len(lines)} of {len(self)} scores did not arrive ({render_counts(self.counts)}); "
            f"the first, row {self._plan.label(first)!r}: {error}",
            report=self,
        )

    def retry(self, client: RespanClient | None = None) -> PushReport:
        """Send the scores that are ``failed`` or ``not_sent``, and no others.

        Parameters
        ----------
        client : RespanClient, optional
            Else the one of the push; after unpickling, one made from the environment.

        Returns
        -------
        PushReport
            A new report on all scores; those that had arrived are unchanged.

        Raises
        ------
        ConfigurationError
            This was a dry run, there is no key, or scores had arrived on another server or by
            another key.
        """
        if self.dry_run:
            raise ConfigurationError("this was a dry run; push again, without dry_run=True")
        return self._send(
            self._plan,
            self._outcomes,
            self._options,
            self.warnings,
            client or self._client,
            origin=self.origin,
        )

    def save(self, path: str | Path) -> None:
        """Save the report as CSV or Parquet, so that :meth:`load` and ``resume=`` read it.

        The file has a line per score, every cell as text: ``row_0`` (the index label, a column per
        level), the columns of :attr:`frame`, ``evaluator_code``, ``body`` (JSON, of what is
        ``failed`` or ``not_sent``), and in ``report``, in the first line only, what the lines have
        in common. Lines may be sorted, and all but that one dropped. Text that a spreadsheet or
        pandas would change, such as 00123, is written as a backslash and JSON. An earlier file is
        replaced when all was written. The key is not in it.

        Parameters
        ----------
        path : str or Path
            It ends with ``.csv`` or ``.parquet``; the latter needs
            ``pip install "respan-notebook[parquet]"``.

        Raises
        ------
        ConfigurationError
            The path ends otherwise, or pyarrow is missing.
        OSError
            The file can't be written; an earlier one is as it was.

        Examples
        --------
        >>> import pandas as pd, pathlib, tempfile
        >>> from respan_notebook import Evaluator, PushReport
        >>> stars = Evaluator(evaluator_slug="stars", score_value_type="numerical")
        >>> frame = pd.DataFrame({"log_id": ["00123"], "stars": [4]})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "report.csv"
        ...     frame.respan.push_scores([stars], dry_run=True).save(path)
        ...     PushReport.load(path)
        PushReport of a dry run: 1 ready to send
        """
        parts = ReportParts(self._plan, self._outcomes, self._options, self.warnings, self.origin)
        write_table(Path(path), encode_report(parts, self._errors()))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Load a report that :meth:`save` wrote.

        It has the same lines and can be retried. Index labels come back with their dtype when they
        are numbers, text, booleans or times; others as their text.

        Parameters
        ----------
        path : str or Path
            A ``.csv`` or ``.parquet`` file.

        Returns
        -------
        PushReport
            Without a client; :meth:`retry` takes one, or makes one from the environment.

        Raises
        ------
        FrameError
            It is no such file, was cut short or changed, or a newer version saved it.
        ConfigurationError
            The path ends otherwise, or pyarrow is missing.
        OSError
            The file can't be read.
        """
        from respan_notebook.push.push import send_plan

        plan, outcomes, options, warnings, origin = decode_report(read_table(Path(path)), str(path))
        return cls(plan, outcomes, options, warnings, None, send_plan, origin=origin)

    def plot(self, *, dark: bool = False) -> Picture:
        """Draw the statuses of the scores, and the shares of their values, by evaluator.

        Needs ``pip install "respan-notebook[plots]"``. A report that was loaded has no values of
        what arrived, so that its picture shows statuses alone. At most 40 evaluators are drawn.

        Parameters
        ----------
        dark : bool
            For a dark page.

        Returns
        -------
        Picture
            A ``matplotlib.figure.Figure``.

        Raises
        ------
        ConfigurationError
            matplotlib is missing.

        Examples
        --------
        >>> import pandas as pd
        >>> from respan_notebook import Evaluator
        >>> stars = Evaluator(evaluator_slug="stars", score_value_type="numerical")
        >>> frame = pd.DataFrame({"log_id": ["a", "b"], "stars": [4, None]})
        >>> frame.respan.push_scores([stars], dry_run=True).plot()
        Picture of a report: stars 1 skipped, 1 not_sent
        """
        from respan_notebook.plots import draw_report

        frame = self._frame_without_digests
        statuses = pd.crosstab(frame["evaluator"], frame["status"])
        values: dict[str, dict[str, int]] = {}
        if isinstance(self._plan, Plan):
            from respan_notebook.push.distribution import count_values

            values = count_values(self._plan)
        return draw_report(statuses, values, colours=COLOURS, dark=dark)

    @cached_property
    def _digests(self) -> list[str | None]:
        digests: list[str | None] = [None] * len(self)
        for line in self._outcomes.having(*ARRIVED).tolist():
            digests[line] = self._plan.digest(line)
        return digests

    def _errors(self) -> list[str | None]:
        outcomes = self._outcomes
        errors: list[str | None] = [None] * len(self)
        if outcomes.stopped:
            for line in outcomes.having(NOT_SENT):
                errors[line] = outcomes.stopped
        for line, error in outcomes.errors.items():
            errors[line] = error
        return errors

    @cached_property
    def _groups(self) -> Groups:
        """The lines with an error, by status and reason, in the order of the lines."""
        return group_errors(self._outcomes.status, self._errors())

    @property
    def _summary(self) -> Summary:
        return summarize_lines(
            self._plan, self._outcomes, self._groups, options=self._options, warnings=self.warnings
        )

    def __repr__(self) -> str:
        return render_text(self._summary)

    def _repr_html_(self) -> str:
        return render_html(self._summary)
