"""Render a report as text and as HTML: its counts, remarks, and the first reasons."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from respan_notebook.push.options import PushOptions
from respan_notebook.push.outcomes import NOT_SENT, STATUSES, Outcomes
from respan_notebook.push.plan import Lines
from respan_notebook.push.progress import announce_scores
from respan_notebook.push.reasons import Groups

_SHOWN: Final = 10  # The most reasons that are shown.
_LABELS: Final = 3  # The most rows that are named for each.
COLOURS: Final = {
    "created": "#2e8540",
    "updated": "#62b36e",
    "unchanged": "#b8d8be",
    "resumed": "#9cc3d5",
    "skipped": "#d5d5d5",
    "duplicate": "#a0a0a0",
    "invalid": "#e08a1e",
    "failed": "#c62828",
    "not_sent": "#8e7cc3",
}
"""The colour of each status."""


@dataclass(frozen=True)
class Summary:
    """Hold the parts of a report that are shown.

    Attributes
    ----------
    title : str
        The kind of the report, and its counts.
    counts : mapping of str to int
        The number of lines by status.
    notes : list of str
        Remarks, the most important first.
    errors : list of tuple
        Rows, status and reason of the first groups of errors.
    more : str
        The number of the groups that are not shown; empty when all are.
    name : str
        The class that is shown.
    """

    title: str
    counts: Mapping[str, int]
    notes: list[str]
    errors: list[tuple[str, str, str]]
    more: str
    name: str = "PushReport"


def summarize_lines(
    plan: Lines,
    outcomes: Outcomes,
    groups: Groups,
    *,
    options: PushOptions,
    warnings: list[str],
) -> Summary:
    """Return what is shown of a report."""
    counts = outcomes.counts()
    title = f"pushed: {render_counts(counts)}"
    notes = [f"stopped: {outcomes.stopped}"] if outcomes.stopped else []
    notes += [f"warning: {warning}" for warning in warnings]
    notes += plan.notes
    if options.dry_run:
        title = f"of a dry run: {render_counts(counts).replace('not_sent', 'ready to send')}"
        announcement = announce_scores(counts.get("not_sent", 0), options.rate_limit)
        notes += [announcement] if announcement else []
    # The reason of ``not_sent`` is among the notes.
    named = [(status, lines) for (status, _), lines in groups.items() if status != NOT_SENT]
    errors = [_render_error(plan, outcomes, *group) for group in named[:_SHOWN]]
    more = len(named) - _SHOWN
    return Summary(
        title=title,
        counts=counts,
        notes=notes,
        errors=errors,
        more=f"... and {more:,} more reasons in report.reasons" if more > 0 else "",
    )


def render_text(summary: Summary) -> str:
    """Render a report as text."""
    lines = [f"{summary.name} {summary.title}", *summary.notes]
    lines += [f"{rows} {status}: {error}" for rows, status, error in summary.errors]
    return "\n  ".join([*lines, summary.more] if summary.more else lines)


def render_html(summary: Summary) -> str:
    """Render a report as HTML; whatever a log or a label says is escaped."""
    escape = html.escape
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for cells in summary.errors
    )
    head = "<tr><th>rows</th><th>status</th><th>reason</th></tr>"
    return (
        f"<div><b>{summary.name}</b> {escape(summary.title)}{_render_bar(summary.counts)}"
        + "".join(f"<div>{escape(note)}</div>" for note in summary.notes)
        + (f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>" if rows else "")
        + f"<div>{escape(summary.more)}</div></div>"
    )


def render_counts(counts: Mapping[str, int]) -> str:
    """Render the number of lines by status."""
    return ", ".join(f"{n:,} {name}" for name, n in counts.items()) or "no rows"


def _render_error(
    plan: Lines, outcomes: Outcomes, status: int, lines: list[int]
) -> tuple[str, str, str]:
    """Return the rows, the status and the reason of lines whose errors are alike."""
    labels = _render_labels(plan, lines)
    more = f" and {len(labels) - _LABELS:,} more" if len(labels) > _LABELS else ""
    rows = f"row{'s' if len(labels) > 1 else ''} {', '.join(labels[:_LABELS])}{more}"
    error = outcomes.errors[lines[0]]
    if any(outcomes.errors[line] != error for line in lines):
        error += f" (row {labels[0]}'s; the others are alike)"
    return rows, STATUSES[status], error


def _render_labels(plan: Lines, lines: list[int]) -> list[str]:
    """Return the distinct index labels of lines, in order."""
    rows = list(dict.fromkeys(line // plan.width for line in lines))
    # Those that are shown as Python objects; for a million others that would take long.
    first = [repr(plan.label(row * plan.width)) for row in rows[:_LABELS]]
    rest = map(repr, plan.index.take(rows[_LABELS:]).tolist())
    return list(dict.fromkeys([*first, *rest]))


def _render_bar(counts: Mapping[str, int]) -> str:
    """Render a strip whose parts are as wide as the statuses are frequent."""
    parts = "".join(
        f'<span title="{n:,} {name}" style="flex:{n};background:{COLOURS[name]}"></span>'
        for name, n in counts.items()
    )
    style = "display:flex;height:8px;max-width:480px;margin:4px 0"
    label = html.escape(render_counts(counts))
    return f'<div role="img" aria-label="{label}" style="{style}">{parts}</div>'
