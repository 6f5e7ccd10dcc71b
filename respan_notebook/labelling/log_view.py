"""One log as safe HTML: the conversation first, then what else is known of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import groupby, islice
from typing import Any, Final

import numpy as np
import pandas as pd

from respan_notebook.checks import is_missing, is_number
from respan_notebook.labelling.json_text import described, is_container, pretty_json
from respan_notebook.labelling.log_css import LOG_CSS
from respan_notebook.labelling.markup import Budget, code_html, escaped, text_html
from respan_notebook.labelling.messages import (
    as_messages,
    framed,
    is_empty,
    members_of,
    message_html,
    messages_html,
    read_json,
    repeats,
)

__all__ = ["LOG_CSS", "escaped", "log_html"]

Cells = Mapping[Hashable, Any]
"""The cells of a row that are not missing, by column."""

Show = Callable[[Any, Budget], str]
"""A cell -> HTML."""

_HAVE_A_PLACE: Final = frozenset({"metadata", "blurred", "error_message"})
_BAD_STATUS: Final = 400
_LONGEST_FACT: Final = 200  # Characters on one line; what is longer becomes a block.
_MOST_FIELDS: Final = 200
_BLURRED: Final = (
    "This log is blurred: it is over the quota of the account, and Respan gave it without its "
    "content."
)


def log_html(row: Mapping[str, Any], show: Sequence[Hashable] | None = None) -> str:
    """Return one row of a frame of logs as HTML in which nothing runs or loads.

    Parameters
    ----------
    row : mapping of column to cell
        Cells as pandas gives them. Missing ones (None, NaN, NaT, ``pd.NA``) are left out.
    show : sequence of column names, optional
        What to show, in this order. Else everything: errors, the conversation, a line of facts,
        the metadata, and the other columns folded.

    Returns
    -------
    str
        One ``<section class="rn-log">``, styled by :data:`LOG_CSS`. It never raises: what fails
        when it is looked at is shown as such.

    Examples
    --------
    >>> html = log_html({"input": "2 * 3?", "output": "**6**", "latency": 0.5})
    >>> "<strong>6</strong>" in html, "0.5 s" in html
    (True, True)
    """
    cells: Cells = {column: cell for column, cell in row.items() if not _is_missing(cell)}
    budget = Budget()
    body = _arranged(cells, budget) if show is None else _picked(cells, show, budget)
    return f'<section class="rn-log">{body or _note("This log is empty.")}</section>'


def _is_missing(cell: object) -> bool:
    try:
        return is_missing(cell)
    except Exception:  # noqa: BLE001 - an odd object; it is shown as such further on.
        return False


# -- the arrangement ----------------------------------------------------------------------------


def _arranged(cells: Cells, budget: Budget) -> str:
    alerts = _alerts(cells, budget)
    conversation, used = _conversation(cells, budget)
    facts = _facts({column: cells[column] for column in _FACTS if _is_fact(cells, column)})
    metadata = _guarded(_metadata, cells.get("metadata"), budget)
    more = {
        column: cell
        for column, cell in cells.items()
        if column not in used
        and column not in _HAVE_A_PLACE
        and not _is_fact(cells, column)
        and not _alert_words(column, cell)
    }
    # A frame with none of the API's columns has nothing else to show.
    is_open = not alerts and not conversation
    return alerts + conversation + facts + metadata + _more(more, budget, is_open=is_open)


def _picked(cells: Cells, show: Sequence[Hashable], budget: Budget) -> str:
    pieces = []
    for are_facts, columns in groupby(show, lambda column: _is_fact(cells, column)):
        if are_facts:
            pieces.append(_facts({column: cells[column] for column in columns}))
        else:
            pieces += [_block(column, cells, budget) for column in columns]
    return "".join(pieces)


def _block(column: Hashable, cells: Cells, budget: Budget) -> str:
    if column not in cells:
        return _titled(column, _note("(missing)"))
    cell = cells[column]
    if _alert_words(column, cell):
        return _alerts({column: cell}, budget)
    if column in _BLOCKS:
        return _guarded(_BLOCKS[column], cell, budget)
    return _titled(
        column, text_html(cell, budget) if isinstance(cell, str) else _value(cell, budget)
    )


# -- errors -------------------------------------------------------------------------------------


def _alerts(cells: Cells, budget: Budget) -> str:
    lines = []
    for column in _ALERTS:
        words = _alert_words(column, cells.get(column))
        if words:
            message = _value(cells[column], budget) if column == "error_message" else ""
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
"""Column -> the words that a cell alarms with, if it does."""


# -- the conversation ---------------------------------------------------------------------------


def _conversation(cells: Cells, budget: Budget) -> tuple[str, set[Hashable]]:
    """Return the conversation and the columns that are in it, also those that only repeat it."""
    sides = {name: _messages(cells[name]) for name in _TURNS if name in cells}
    said = [message for messages in sides.values() for message in messages]
    html, used = "", set[Hashable](sides)
    for name, text in _TURNS.items():
        if sides.get(name):
            html += _guarded(_BLOCKS[name], cells[name], budget)
        if text in cells and _repeats(cells[text], said):
            used.add(text)
        elif text in cells and not sides.get(name):
            html += _guarded(_BLOCKS[text], cells[text], budget)
            used.add(text)
    return html, used


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


def _said_by(role: str) -> Show:
    def show(cell: Any, budget: Budget) -> str:
        return messages_html(_messages(cell), budget, role=role)

    return show


def _passed(role: str) -> Show:
    def show(cell: Any, budget: Budget) -> str:
        messages = as_messages(cell)
        if messages:
            return messages_html(messages, budget, role=role)
        if isinstance(cell, str):
            # Text that was encoded as JSON once more.
            text = read_json(cell)
            return message_html(text if isinstance(text, str) else cell, budget, role=role)
        if isinstance(cell, Mapping) and "content" in cell:
            return message_html(cell, budget, role=role)
        return framed(role, code_html(cell, budget))

    return show


# -- facts and fields ---------------------------------------------------------------------------


def _is_fact(cells: Cells, column: Hashable) -> bool:
    return (
        column in _FACTS
        and column in cells
        and not _alert_words(column, cells[column])
        and _is_short(cells[column])
    )


def _is_short(cell: Any) -> bool:
    try:
        text = "" if is_container(cell) else described(cell)
    except Exception:  # noqa: BLE001 - an odd object is shown as such.
        return False
    return 0 < len(text) <= _LONGEST_FACT and "\n" not in text


def _facts(cells: Cells) -> str:
    facts = "".join(
        f"<div><dt>{_FACTS[column][0]}</dt><dd><bdi>{escaped(_fact(column, cell))}</bdi></dd></div>"
        for column, cell in cells.items()
    )
    return f'<dl class="rn-facts">{facts}</dl>' if facts else ""


def _fact(column: Hashable, cell: Any) -> str:
    try:
        return _FACTS[column][1](cell)
    except Exception:  # noqa: BLE001 - an odd value is shown as it is.
        return described(cell)


def _metadata(cell: Any, budget: Budget) -> str:
    value = read_json(cell) if isinstance(cell, str) else cell
    if is_empty(value):
        return ""
    is_table = isinstance(value, Mapping)
    return _titled("metadata", _table(value, budget) if is_table else _value(cell, budget))


def _more(cells: Cells, budget: Budget, *, is_open: bool) -> str:
    if not cells:
        return ""
    return (
        f'<details class="rn-more"{" open" if is_open else ""}><summary>More fields '
        f"({len(cells):,})</summary>{_table(cells, budget)}</details>"
    )


def _table(fields: Mapping[Any, Any], budget: Budget) -> str:
    rows = "".join(
        f'<tr><th scope="row"><bdi>{escaped(name)}</bdi></th><td>{_value(value, budget)}</td></tr>'
        for name, value in islice(fields.items(), _MOST_FIELDS)
    )
    left_out = len(fields) - _MOST_FIELDS
    more = _note(f"{left_out:,} more fields are not shown.") if left_out > 0 else ""
    return f'<table class="rn-fields"><tbody>{rows}</tbody></table>{more}'


def _value(value: Any, budget: Budget) -> str:
    if not _is_short(value):
        return code_html(value, budget)
    text = described(value)
    if isinstance(value, str) and pretty_json(text):
        return code_html(text, budget)
    return f"<bdi>{escaped(text)}</bdi>"


def _titled(column: Hashable, html: str) -> str:
    return (
        f'<div class="rn-field"><h4 class="rn-name"><bdi>{escaped(column)}</bdi></h4>{html}</div>'
    )


def _note(text: str) -> str:
    return f'<p class="rn-note">{text}</p>'


def _guarded(show: Show, cell: Any, budget: Budget) -> str:
    try:
        return show(cell, budget)
    except Exception:  # noqa: BLE001 - an odd object costs its arrangement, not the log.
        return code_html(cell, budget)


# -- tables -------------------------------------------------------------------------------------


def _seconds(cell: Any) -> str:
    return f"{_decimal(cell, 3)} s"


def _dollars(cell: Any) -> str:
    return f"{_decimal(cell, 8)} USD"


def _decimal(cell: Any, places: int) -> str:
    if not is_number(cell):
        raise TypeError
    text = f"{cell:,.{places}f}".rstrip("0").removesuffix(".")
    # Not zero, but too small for the places.
    return text if float(cell) == 0 or text.strip("-0.") else described(cell)


def _whole(cell: Any) -> str:
    # pandas turns a column of whole numbers with gaps into floats.
    return f"{cell:,.0f}" if is_number(cell) and cell % 1 == 0 else described(cell)


def _time(cell: Any) -> str:
    text = str(pd.Timestamp(cell)) if isinstance(cell, np.datetime64) else described(cell)
    return f"{text.removesuffix('+00:00')} UTC" if text.endswith("+00:00") else text


_FACTS: Final[Mapping[Hashable, tuple[str, Callable[[Any], str]]]] = {
    "model": ("Model", described),
    "timestamp": ("Time", _time),
    "latency": ("Latency", _seconds),
    "prompt_tokens": ("Prompt tokens", _whole),
    "completion_tokens": ("Completion tokens", _whole),
    "cost": ("Cost", _dollars),
    "environment": ("Environment", described),
    "log_type": ("Type", described),
    "status_code": ("Status", _whole),
    "prompt_id": ("Prompt", described),
    "prompt_version_number": ("Prompt version", _whole),
    "customer_identifier": ("Customer", described),
    "thread_identifier": ("Thread", described),
    "trace_unique_id": ("Trace", described),
    "span_name": ("Span", described),
    "unique_id": ("Log", described),
}
"""Column -> its name on the line of facts, and how its cell is written."""

_TURNS: Final = {"prompt_messages": "input", "completion_message": "output"}
"""Column of messages -> the one that is shown when there are none."""

_BLOCKS: Final[Mapping[Hashable, Show]] = {
    "prompt_messages": _said_by("user"),
    "completion_message": _said_by("assistant"),
    "input": _passed("input"),
    "output": _passed("output"),
    "metadata": _metadata,
}
"""Column -> how it is shown, when not as a fact or a field."""
