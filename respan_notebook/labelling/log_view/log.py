"""Render one log as safe HTML: the conversation, then facts, metadata and other columns."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from itertools import groupby, takewhile
from typing import Any, Final

import nh3

from respan_notebook.labelling.log_view.escape import escaped
from respan_notebook.labelling.log_view.fields import (
    FACTS,
    LogCells,
    facts_html,
    field_html,
    is_short,
    metadata_html,
    more_html,
    note_html,
    value_html,
)
from respan_notebook.labelling.log_view.messages import (
    as_messages,
    framed_html,
    is_empty,
    is_instruction,
    members_of,
    message_html,
    messages_html,
    read_json,
    repeats,
)
from respan_notebook.labelling.log_view.text import Budget, code_html, text_html
from respan_notebook.values.cells import is_missing
from respan_notebook.wording import render_count

RenderCell = Callable[[Any, Budget], str]
"""A cell -> HTML."""

# Whatever forgot to escape something: what could run, load or cover anything does not get through.
_CLEANER: Final = nh3.Cleaner(
    tags={
        *("section", "article", "details", "summary", "div", "p", "span", "small", "strong"),
        *("h4", "h5", "h6", "pre", "code", "bdi", "br", "hr", "em", "s", "blockquote", "a", "time"),
        *("ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td"),
    },
    attributes={
        "*": {"class", "role", "aria-label", "title", "dir"},
        "a": {"href"},
        "ol": {"start"},
        "details": {"open"},
        "th": {"scope"},
    },
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)

_HAVE_A_PLACE: Final = frozenset({"metadata", "blurred", "error_message"})
_BAD_STATUS: Final = 400
_BLURRED: Final = (
    "This log is blurred: it is over the quota of the account, and Respan gave it without its "
    "content."
)


def log_html(row: Mapping[str, Any], show: Sequence[Hashable] | None = None) -> str:
    """Render one row of a frame of logs as HTML in which nothing runs or loads.

    Missing cells (None, NaN, NaT, ``pd.NA``) are left out. ``show`` names the columns to show, in
    this order; by default all are shown: errors, the conversation, a line of facts, the metadata,
    and the other columns folded. It never raises: in place of a cell that raises when it is read,
    the error is shown. ``static/log.css`` styles the section.
    """
    cells: LogCells = {column: cell for column, cell in row.items() if not _is_missing(cell)}
    budget = Budget()
    body = _arranged(cells, budget) if show is None else _picked(cells, show, budget)
    html = f'<section class="rn-log">{body or note_html("This log is empty.")}</section>'
    return _CLEANER.clean(html)


def _is_missing(cell: object) -> bool:
    try:
        return is_missing(cell)
    except Exception:  # noqa: BLE001 - an odd object; its error is shown in its place.
        return False


# -- the arrangement ----------------------------------------------------------------------------


def _arranged(cells: LogCells, budget: Budget) -> str:
    alerts = _alerts(cells, budget)
    conversation, used = _conversation(cells, budget)
    facts = facts_html({column: cells[column] for column in FACTS if _is_fact(cells, column)})
    metadata = _guarded(metadata_html, cells.get("metadata"), budget)
    more = {
        column: cell
        for column, cell in cells.items()
        if column not in used
        and column not in _HAVE_A_PLACE
        and not _is_fact(cells, column)
        and not _alert_words(column, cell)
    }
    texts = ""
    if not alerts and not conversation:
        # A frame of other columns than the API's: its texts are what there is to read.
        names = [column for column, cell in more.items() if type(cell) is str]
        texts = "".join(_column_html(name, {name: more.pop(name)}, budget) for name in names)
    return alerts + conversation + texts + facts + metadata + more_html(more, budget)


def _picked(cells: LogCells, show: Sequence[Hashable], budget: Budget) -> str:
    pieces = []
    for are_facts, columns in groupby(show, lambda column: _is_fact(cells, column)):
        if are_facts:
            pieces.append(facts_html({column: cells[column] for column in columns}))
        else:
            pieces += [_column_html(column, cells, budget) for column in columns]
    return "".join(pieces)


def _column_html(column: Hashable, cells: LogCells, budget: Budget) -> str:
    if column not in cells:
        return field_html(column, note_html("(missing)"))
    cell = cells[column]
    if _alert_words(column, cell):
        return _alerts({column: cell}, budget)
    if column in _BLOCKS:
        return _guarded(_BLOCKS[column], cell, budget)
    return field_html(column, _guarded(_cell_html, cell, budget))


def _cell_html(cell: Any, budget: Budget) -> str:
    return text_html(cell, budget) if isinstance(cell, str) else value_html(cell, budget)


def _is_fact(cells: LogCells, column: Hashable) -> bool:
    return (
        column in FACTS
        and column in cells
        and not _alert_words(column, cells[column])
        and is_short(cells[column])
    )


def _guarded(render: RenderCell, cell: Any, budget: Budget) -> str:
    try:
        return render(cell, budget)
    except Exception:  # noqa: BLE001 - an odd object costs its arrangement, not the log.
        return code_html(cell, budget)


# -- errors -------------------------------------------------------------------------------------


def _alerts(cells: LogCells, budget: Budget) -> str:
    lines = []
    for column in _ALERTS:
        words = _alert_words(column, cells.get(column))
        if words:
            message = value_html(cells[column], budget) if column == "error_message" else ""
            lines.append(f"<div><strong>{escaped(words)}</strong> {message}</div>")
    return f'<div class="rn-alert" role="note">{"".join(lines)}</div>' if lines else ""


def _alert_words(column: Hashable, cell: object) -> str:
    try:
        return _ALERTS[column](cell) if column in _ALERTS and not is_empty(cell) else ""
    except Exception:  # noqa: BLE001 - an odd object is no alarm; it is shown with the rest.
        return ""


def _status_words(cell: Any) -> str:
    status = float(cell)
    return f"Error: status {status:.0f}" if status >= _BAD_STATUS else ""


def _blurred_words(cell: Any) -> str:
    is_true = cell.lower() == "true" if isinstance(cell, str) else bool(cell)
    return _BLURRED if is_true else ""


_ALERTS: Final[Mapping[Hashable, Callable[[Any], str]]] = {
    "blurred": _blurred_words,
    "status_code": _status_words,
    "error_message": lambda _cell: "Error message:",
}
"""Column -> the function that returns the words of an alert, "" for none."""


# -- the conversation ---------------------------------------------------------------------------


def _conversation(cells: LogCells, budget: Budget) -> tuple[str, set[Hashable]]:
    """Return the conversation as HTML, and the columns that are in it or repeat it.

    What was asked last stands open before the answer; what was said before is folded, and gets
    what the budget has left.
    """
    sides = {name: _messages(cells[name]) for name in _TURNS if name in cells}
    said = [message for messages in sides.values() for message in messages]
    asked = sides.get("prompt_messages") or []
    last = _guarded(_BLOCKS["prompt_messages"], asked[-1:], budget) if asked else ""
    html, used = {"prompt_messages": last}, set[Hashable](sides)
    for name, text in _TURNS.items():
        if sides.get(name) and name in _ANSWERS:
            html[name] = _guarded(_BLOCKS[name], cells[name], budget)
        if text in cells and _repeats(cells[text], said):
            used.add(text)
        elif text in cells and not sides.get(name):
            html[name] = _guarded(_BLOCKS[text], cells[text], budget)
            used.add(text)
    answer = html.get("completion_message", "")
    framed = f'<section class="rn-answer">{answer}</section>' if answer else ""
    return _before(asked[:-1], budget) + html["prompt_messages"] + framed, used


def _before(messages: Sequence[Any], budget: Budget) -> str:
    """Render what was said before the last question, folded: instructions, then turns."""
    render = partial(messages_html, role="user")
    instructions = list(takewhile(is_instruction, messages))
    turns = messages[len(instructions) :]
    html = ""
    if instructions:
        inside = _guarded(render, instructions, budget)
        html += _folded("rn-instructions", "system prompt", inside)
    if turns:
        words = render_count(len(turns), "earlier turn")
        html += _folded("rn-earlier", words, _guarded(render, turns, budget))
    return html


def _folded(kind: str, summary: str, inside: str) -> str:
    return f'<details class="{kind}"><summary>{summary}</summary>{inside}</details>'


def _messages(cell: object) -> list[Any]:
    try:
        value = read_json(cell) if isinstance(cell, str) else cell
        return [] if is_empty(value) else as_messages(value) or members_of(value) or [value]
    except Exception:  # noqa: BLE001 - an odd object is shown as such.
        return [cell]


def _repeats(cell: object, messages: Sequence[Any]) -> bool:
    try:
        return bool(messages) and repeats(cell, messages)
    except Exception:  # noqa: BLE001 - what can't be compared is shown.
        return False


def _messages_by(role: str) -> RenderCell:
    def render(cell: Any, budget: Budget) -> str:
        return messages_html(_messages(cell), budget, role=role)

    return render


def _content_by(role: str) -> RenderCell:
    def render(cell: Any, budget: Budget) -> str:
        messages = as_messages(cell)
        if messages:
            return messages_html(messages, budget, role=role)
        if isinstance(cell, str):
            # Text that was encoded as JSON once more.
            text = read_json(cell)
            return message_html(text if isinstance(text, str) else cell, budget, role=role)
        if isinstance(cell, Mapping) and "content" in cell:
            return message_html(cell, budget, role=role)
        return framed_html(role, code_html(cell, budget))

    return render


_TURNS: Final = {"prompt_messages": "input", "completion_message": "output"}
"""Column of messages -> the column that is shown when it has none."""

_ANSWERS: Final = frozenset({"completion_message"})
"""Those of them that hold what is judged."""

CONVERSATION: Final = frozenset((*_TURNS, *_TURNS.values()))
"""The columns that hold what was said."""

_BLOCKS: Final[Mapping[Hashable, RenderCell]] = {
    "prompt_messages": _messages_by("user"),
    "completion_message": _messages_by("assistant"),
    "input": _content_by("input"),
    "output": _content_by("output"),
    "metadata": metadata_html,
}
"""Column -> the function that renders it, where it is neither a fact nor a field."""
