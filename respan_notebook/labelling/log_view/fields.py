"""Render the facts of a log on one line, and its metadata and other fields in tables."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from itertools import islice
from typing import Any, Final

import numpy as np
import pandas as pd

from respan_notebook.labelling.log_view.escape import described, escaped, escaped_name
from respan_notebook.labelling.log_view.json_view import is_container, pretty_json
from respan_notebook.labelling.log_view.messages import is_empty, read_json
from respan_notebook.labelling.log_view.text import Budget, code_html
from respan_notebook.values.cells import is_number

LogCells = Mapping[Hashable, Any]
"""The cells of a row that are not missing, by column."""

_LONGEST_FACT: Final = 200  # Characters on one line; what is longer becomes a block.
_MOST_FIELDS: Final = 200


def is_short(cell: Any) -> bool:
    """Return whether a cell fits on one line with others."""
    try:
        text = "" if is_container(cell) else described(cell)
    except Exception:  # noqa: BLE001 - an odd object is shown as such.
        return False
    return 0 < len(text) <= _LONGEST_FACT and "\n" not in text


def facts_html(cells: LogCells) -> str:
    """Render the cells of columns in :data:`FACTS` on one line."""
    facts = "".join(
        f"<div><dt>{FACTS[column][0]}</dt><dd><bdi>{escaped(_fact(column, cell))}</bdi></dd></div>"
        for column, cell in cells.items()
    )
    return f'<dl class="rn-facts">{facts}</dl>' if facts else ""


def _fact(column: Hashable, cell: Any) -> str:
    try:
        return FACTS[column][1](cell)
    except Exception:  # noqa: BLE001 - an odd value is shown as it is.
        return described(cell)


def metadata_html(cell: Any, budget: Budget) -> str:
    """Render the metadata, an object or its JSON text, as a table."""
    value = read_json(cell) if isinstance(cell, str) else cell
    if is_empty(value):
        return ""
    is_table = isinstance(value, Mapping)
    return field_html("metadata", _table(value, budget) if is_table else value_html(cell, budget))


def more_html(cells: LogCells, budget: Budget) -> str:
    """Render the other cells as a folded table."""
    if not cells:
        return ""
    return (
        f'<details class="rn-more"><summary>More fields '
        f"({len(cells):,})</summary>{_table(cells, budget)}</details>"
    )


def _table(fields: Mapping[Any, Any], budget: Budget) -> str:
    rows = "".join(
        f'<tr><th scope="row"><bdi>{escaped_name(name)}</bdi></th>'
        f"<td>{value_html(value, budget)}</td></tr>"
        for name, value in islice(fields.items(), _MOST_FIELDS)
    )
    left_out = len(fields) - _MOST_FIELDS
    more = note_html(f"{left_out:,} more fields are not shown.") if left_out > 0 else ""
    return f'<table class="rn-fields"><tbody>{rows}</tbody></table>{more}'


def value_html(value: Any, budget: Budget) -> str:
    """Render a value unchanged, inline when it is short."""
    if type(value) is str and not value.strip():
        return note_html("(empty)")
    if not is_short(value):
        return code_html(value, budget)
    text = described(value)
    if isinstance(value, str) and pretty_json(text):
        return code_html(text, budget)
    return f"<bdi>{escaped(text)}</bdi>"


def field_html(column: Hashable, html: str) -> str:
    """Render the name of a column as a heading above HTML."""
    name = f'<h4 class="rn-name"><bdi>{escaped_name(column)}</bdi></h4>'
    return f'<div class="rn-field">{name}{html}</div>'


def note_html(text: str) -> str:
    """Render a remark of the view itself."""
    return f'<p class="rn-note">{text}</p>'


def _seconds(cell: Any) -> str:
    return f"{_decimal(cell, 3)} s"


def _dollars(cell: Any) -> str:
    return f"{_decimal(cell, 8)} USD"


def _decimal(cell: Any, places: int) -> str:
    if not is_number(cell):
        raise TypeError
    text = f"{cell:,.{places}f}".rstrip("0").removesuffix(".")
    # A number that is not zero, but too small for the places, is written in full.
    return text if float(cell) == 0 or text.strip("-0.") else described(cell)


def _whole(cell: Any) -> str:
    # pandas turns a column of whole numbers with gaps into floats.
    return f"{cell:,.0f}" if is_number(cell) and cell % 1 == 0 else described(cell)


def _time(cell: Any) -> str:
    text = str(pd.Timestamp(cell)) if isinstance(cell, np.datetime64) else described(cell)
    return f"{text.removesuffix('+00:00')} UTC" if text.endswith("+00:00") else text


FACTS: Final[Mapping[Hashable, tuple[str, Callable[[Any], str]]]] = {
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
"""Column -> its name on the line of facts, and the function that formats a cell; in that order."""
