"""JSON text as a tree that can be folded, in safe HTML."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from respan_notebook.labelling.log_view import escaped

_MOST_NODES: Final = 300
_LONGEST: Final = 200  # Characters of a string that are shown.


def json_tree(text: str) -> str:
    """Return nested ``<details>`` of an object or array; empty for anything else.

    Of a large document the first 300 values are shown.
    """
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(parsed, dict | list) or not parsed:
        return ""
    budget = [_MOST_NODES]
    try:
        tree = _node("", parsed, budget)
    except RecursionError:
        return ""
    more = "" if budget[0] > 0 else "<p>and more, which is not shown</p>"
    return f'<div class="rn-tree">{tree}{more}</div>'


def _node(name: str, value: Any, budget: list[int]) -> str:
    budget[0] -= 1
    if not isinstance(value, dict | list) or not value:
        return f"<div>{name}{_leaf(value)}</div>"
    named: Iterable[tuple[Any, Any]] = (
        value.items() if isinstance(value, dict) else enumerate(value)
    )
    size = f"{{{len(value)}}}" if isinstance(value, dict) else f"[{len(value)}]"
    inside = []
    for key, member in named:
        if budget[0] <= 0:
            break
        inside.append(_node(f"<b>{escaped(key)}</b> ", member, budget))
    return f"<details open><summary>{name}{size}</summary>{''.join(inside)}</details>"


def _leaf(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f"<code>{escaped(text[:_LONGEST])}{'…' if len(text) > _LONGEST else ''}</code>"
