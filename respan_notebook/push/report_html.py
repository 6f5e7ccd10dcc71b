"""Render a report as HTML."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

_COLOURS = {
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


def render_html(
    title: str,
    counts: Mapping[str, int],
    notes: Sequence[str],
    errors: Sequence[tuple[str, str, str]],
    more: str,
) -> str:
    """Render a report: its counts, remarks, and a table of rows, statuses and reasons."""
    escape = html.escape
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>" for cells in errors
    )
    head = "<tr><th>rows</th><th>status</th><th>reason</th></tr>"
    return (
        f"<div><b>PushReport</b> {escape(title)}{_render_bar(counts)}"
        + "".join(f"<div>{escape(note)}</div>" for note in notes)
        + (f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>" if rows else "")
        + f"<div>{escape(more)}</div></div>"
    )


def _render_bar(counts: Mapping[str, int]) -> str:
    """Render a strip whose parts are as wide as the statuses are frequent."""
    parts = "".join(
        f'<span title="{n:,} {name}" style="flex:{n};background:{_COLOURS[name]}"></span>'
        for name, n in counts.items()
    )
    style = "display:flex;height:8px;max-width:480px;margin:4px 0"
    label = html.escape(render_counts(counts))
    return f'<div role="img" aria-label="{label}" style="{style}">{parts}</div>'


def render_counts(counts: Mapping[str, int]) -> str:
    """Render the number of lines by status."""
    return ", ".join(f"{n:,} {name}" for name, n in counts.items()) or "no rows"
