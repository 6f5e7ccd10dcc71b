"""Report on every score of a push."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from respan_notebook.errors import ConfigurationError, PushError
from respan_notebook.push.options import PushOptions
from respan_notebook.push.outcomes import FAILED, INVALID, NOT_SENT, STATUSES, Outcomes
from respan_notebook.push.plan import Plan
from respan_notebook.push.progress import announce_scores

if TYPE_CHECKING:
    from respan_notebook.client.client import RespanClient

_SHOWN = 10  # The most reasons that the repr shows.
_LABELS = 3  # The most rows that it names for each.
_COLOURS = {
    "created": "#2e8540",
    "updated": "#62b36e",
    "unchanged": "#b8d8be",
    "skipped": "#d5d5d5",
    "duplicate": "#a0a0a0",
    "invalid": "#e08a1e",
    "failed": "#c62828",
    "not_sent": "#8e7cc3",
}


class PushReport:
    """Report on every score of a push, on the index of the frame that was pushed.

    Made by ``df.respan.push_scores``. Each score has a line, with one of these statuses:

    ============= ===================================================================
    ``created``   the server had no score here by this scorer, and has now
    ``updated``   the server had one, and has this value now
    ``unchanged`` the server has this value already; nothing was sent
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
    """

    def __init__(
        self,
        plan: Plan,
        outcomes: Outcomes,
        options: PushOptions,
        warnings: list[str],
        client: RespanClient | None,
        send: Callable[[Plan, Outcomes, PushOptions, list[str], RespanClient | None], PushReport],
    ) -> None:
        self._plan, self._outcomes, self._options = plan, outcomes, options
        self._client, self._send = client, send
        self.warnings, self.dry_run = warnings, options.dry_run

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
        (object). A cell without a value is missing.
        """
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
        numbers = np.bincount(self._outcomes.status, minlength=len(STATUSES)).tolist()
        return {name: n for name, n in zip(STATUSES, numbers, strict=True) if n}

    @property
    def errors(self) -> pd.DataFrame:
        """The lines of :attr:`frame` that are ``invalid``, ``failed`` or ``not_sent``.

        For a dry run, only the ``invalid`` ones.
        """
        return self.frame[np.isin(self._outcomes.status, self._bad)]

    @property
    def reasons(self) -> pd.DataFrame:
        """The errors of all lines, grouped where they are alike, in the order of the lines.

        Columns: ``status`` (object), ``rows`` (int64, the number of lines) and ``reason`` (object,
        the error of the first line). The index has the label of that line.
        """
        groups, errors = self._groups(), self._errors()
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
        frame = self.frame[["log_id", "evaluator"]].iloc[lines]
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
            f"{len(lines)} of {len(self)} scores did not arrive ({self._summary()}); the first, "
            f"row {self._plan.label(first)!r}: {error}",
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
            This was a dry run, or there is no key.
        """
        if self.dry_run:
            raise ConfigurationError("this was a dry run; push again, without dry_run=True")
        client = client or self._client
        return self._send(self._plan, self._outcomes, self._options, self.warnings, client)

    def _errors(self) -> list[str | None]:
        outcomes = self._outcomes
        errors: list[str | None] = [None] * len(self)
        if outcomes.stopped:
            for line in outcomes.having(NOT_SENT):
                errors[line] = outcomes.stopped
        for line, error in outcomes.errors.items():
            errors[line] = error
        return errors

    def _summary(self) -> str:
        return ", ".join(f"{n:,} {name}" for name, n in self.counts.items()) or "no rows"

    def _title(self) -> str:
        if self.dry_run:
            return f"of a dry run: {self._summary().replace('not_sent', 'ready to send')}"
        return f"pushed: {self._summary()}"

    def _notes(self) -> list[str]:
        """Return the remarks below the counts, the most important first."""
        stopped = self._outcomes.stopped
        notes = [f"stopped: {stopped}"] if stopped else []
        notes += [f"warning: {warning}" for warning in self.warnings]
        if self.dry_run:
            ready = len(self._outcomes.having(NOT_SENT))
            announcement = announce_scores(ready, self._options.rate_limit)
            notes += [announcement] if announcement else []
        return notes

    def _groups(self) -> dict[tuple[int, str], list[int]]:
        """Return the lines with an error, by status and reason, in the order of the lines."""
        groups: dict[tuple[int, str], list[int]] = {}
        for line, error in enumerate(self._errors()):
            if error is not None:
                status = int(self._outcomes.status[line])
                groups.setdefault((status, _reason(error)), []).append(line)
        return groups

    def _named(self) -> dict[tuple[int, str], list[int]]:
        """Return the groups without those of ``not_sent``, whose reason is among the notes."""
        return {kind: lines for kind, lines in self._groups().items() if kind[0] != NOT_SENT}

    def _shown_errors(self) -> list[tuple[str, str, str]]:
        """Return the rows, the status and the reason of the first groups."""
        shown = []
        for (status, _), lines in list(self._named().items())[:_SHOWN]:
            labels = list(dict.fromkeys(repr(self._plan.label(line)) for line in lines))
            more = f" and {len(labels) - _LABELS:,} more" if len(labels) > _LABELS else ""
            rows = f"row{'s' if len(labels) > 1 else ''} {', '.join(labels[:_LABELS])}{more}"
            errors = self._outcomes.errors
            alike = len({errors[line] for line in lines}) > 1
            example = f" (row {labels[0]}'s; the others are alike)" if alike else ""
            shown.append((rows, STATUSES[status], errors[lines[0]] + example))
        return shown

    def _more(self) -> str:
        more = len(self._named()) - _SHOWN
        return f"... and {more:,} more reasons in report.reasons" if more > 0 else ""

    def __repr__(self) -> str:
        lines = [f"PushReport {self._title()}", *self._notes()]
        lines += [f"{rows} {status}: {error}" for rows, status, error in self._shown_errors()]
        lines += [self._more()] if self._more() else []
        return "\n  ".join(lines)

    def _repr_html_(self) -> str:
        escape = html.escape
        rows = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
            for cells in self._shown_errors()
        )
        head = "<tr><th>rows</th><th>status</th><th>reason</th></tr>"
        return (
            f"<div><b>PushReport</b> {escape(self._title())}{self._bar()}"
            + "".join(f"<div>{escape(note)}</div>" for note in self._notes())
            + (f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>" if rows else "")
            + f"<div>{escape(self._more())}</div></div>"
        )

    def _bar(self) -> str:
        """Return a strip whose parts are as wide as the statuses are frequent."""
        parts = "".join(
            f'<span title="{n:,} {name}" style="flex:{n};background:{_COLOURS[name]}"></span>'
            for name, n in self.counts.items()
        )
        style = "display:flex;height:8px;max-width:480px;margin:4px 0"
        label = html.escape(self._summary())
        return f'<div role="img" aria-label="{label}" style="{style}">{parts}</div>'


def _reason(error: str) -> str:
    """Return an error without the parts that differ from row to row."""
    error = re.sub(r", got .*", "", error, flags=re.DOTALL)
    error = re.sub(r"/logs/[^/ ]+/", "/logs/.../", error)
    return re.sub(r"as row .*, which", "as another row, which", error)
