"""Render JSON and Python values as indented text, and as a tree that can be folded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import numpy as np
import pandas as pd

from respan_notebook.labelling.log_view.escape import described, escaped
from respan_notebook.values.cells import is_missing

_LONGEST: Final = 100_000  # Characters of JSON text that are parsed.
_MOST_MEMBERS: Final = 5_000  # Of one list or object.
_MOST: Final = 200_000  # Characters of a value that are written.
_DEEPEST: Final = 40
_LINE: Final = 72
_CUT: Final = "…"
_MOST_NODES: Final = 300  # Of a tree.
_LONGEST_STRING: Final = 200  # Characters of a string in a tree that are shown.


class _Number(str):
    """Keep the spelling of a number: to a person who judges an answer, 48.90 is not 48.9."""

    __slots__ = ()


class _Object(list[tuple[str, Any]]):
    """Keep the members of an object as the text has them, repeated names included."""

    def items(self) -> list[tuple[str, Any]]:
        return self


def pretty_json(text: str) -> str | None:
    """Indent a text that is a JSON object or list; return None when it is anything else.

    Numbers keep their spelling and objects their repeated names. None is returned as well for JSON
    that is nested more than 40 deep or longer than 100,000 characters.
    """
    stripped = text.strip()
    if len(text) > _LONGEST or stripped[:1] + stripped[-1:] not in ("{}", "[]"):
        return None
    try:
        value = json.loads(text, parse_int=_Number, parse_float=_Number, object_pairs_hook=_Object)
    except (ValueError, RecursionError):
        return None
    pretty, is_whole = _written(value)
    return pretty if is_whole else None


def indented_json(value: object) -> str:
    """Write any value as indented JSON text.

    A value that has no place in JSON is written as text, a missing one as null. A value that is
    nested too deep, or too long, ends in "…".
    """
    return _written(value)[0]


def is_container(value: object) -> bool:
    """Return whether a value is shown with its members: a list, tuple, set, array or mapping."""
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, list | tuple | set | frozenset | Mapping)


def _written(value: object) -> tuple[str, bool]:
    """Return a value as text, and whether the text is complete."""
    pieces: list[str] = []
    left, is_whole = _MOST, True
    for piece in _pieces(value, 0):
        pieces.append(piece)
        left -= len(piece)
        is_whole = is_whole and piece is not _CUT
        if left < 0:
            return "".join(pieces)[:_MOST] + _CUT, False
    return "".join(pieces), is_whole


def _pieces(value: Any, depth: int) -> Iterator[str]:
    if not is_container(value):
        yield _scalar(value)
        return
    named = isinstance(value, Mapping | _Object)
    opening, closing = "{}" if named else "[]"
    if depth >= _DEEPEST and len(value):
        yield from (opening, _CUT, closing)
        return
    members = list(islice(value.items() if named else value, _MOST_MEMBERS))
    short = _on_one_line(members, named=named)
    if short is not None and len(members) == len(value):
        yield f"{opening}{short}{closing}"
        return
    margin = "\n" + "  " * (depth + 1)
    yield opening
    for at, member in enumerate(members):
        yield f",{margin}" if at else margin
        if named:
            yield f"{_quoted(described(member[0]))}: "
        yield from _pieces(member[1] if named else member, depth + 1)
    if len(value) > len(members):
        yield from (f",{margin}", _CUT, f" {len(value) - len(members):,} more")
    yield f"{margin[:-2]}{closing}"


def _on_one_line(members: list[Any], *, named: bool) -> str | None:
    """Write a short list of plain values on one line; objects only when they are empty."""
    if not members:
        return ""
    if named or len(members) > _LINE // 3 or any(map(is_container, members)):
        return None
    line = ", ".join(map(_scalar, members))
    return line if len(line) <= _LINE else None


def _scalar(value: Any) -> str:
    if isinstance(value, _Number):
        return str.__str__(value)
    if isinstance(value, str):
        return _quoted(str.__str__(value))
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if value is None or value is pd.NA or value is pd.NaT:
        return "null"
    text = described(value)
    is_number = isinstance(value, int | float | np.integer | np.floating)
    return text if is_number or is_missing(value) else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


# -- the tree ------------------------------------------------------------------------------------


def json_tree(text: str) -> str:
    """Render an object or array as nested ``<details>``; return "" for anything else.

    Only the first 300 values are shown.
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
    for member_name, member in named:
        if budget[0] <= 0:
            break
        inside.append(_node(f"<b>{escaped(member_name)}</b> ", member, budget))
    return f"<details open><summary>{name}{size}</summary>{''.join(inside)}</details>"


def _leaf(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    cut = _CUT if len(text) > _LONGEST_STRING else ""
    return f"<code>{escaped(text[:_LONGEST_STRING])}{cut}</code>"
