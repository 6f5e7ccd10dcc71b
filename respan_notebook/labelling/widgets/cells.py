"""Know which cell of a notebook shows which annotator, and close one whose outputs are gone.

ipywidgets would keep each annotator that a cell has shown for as long as the kernel lives.
"""

from __future__ import annotations

from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

from IPython.core.getipython import get_ipython

_LAST: Final[dict[str, tuple[str, Closable]]] = {}
"""Cell -> its run that has shown something, and what it showed."""

_CELLS: Final[WeakKeyDictionary[Closable, set[str]]] = WeakKeyDictionary()
"""Annotator -> the cells that have shown it."""


class Closable(Protocol):
    """Be shown by cells, and be closed."""

    def close(self) -> None:
        """Close; a second time nothing is done."""


def note_shown(shown: Closable) -> None:
    """Note that the running cell shows this, and close what its former run has shown.

    What another cell has shown, too, stays open.
    """
    cell, run = running_cell()
    if not cell:
        return
    former_run, former = _LAST.get(cell, ("", None))
    _LAST[cell] = run, shown
    _CELLS.setdefault(shown, set()).add(cell)
    is_former = former is not shown and former_run != run
    if former is not None and is_former and _CELLS[former] == {cell}:
        former.close()


def running_cell() -> tuple[str, str]:
    """Return the ids of the cell that is run and of this run; empty where they are not told."""
    shell: Any = get_ipython()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell = parent.get("metadata", {}).get("cellId", "")
    return str(cell), str(parent.get("header", {}).get("msg_id", ""))
