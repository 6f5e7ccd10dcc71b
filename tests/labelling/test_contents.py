"""Cells that were changed in place are noticed, without a burden on whatever else is done."""

from __future__ import annotations

import threading

import pandas as pd

from respan_notebook.labelling.contents import Contents

FIRST = 200  # Rows that are read at once.


def _join() -> None:
    for thread in threading.enumerate():
        if thread.name == "respan-contents":
            thread.join(60)
            assert not thread.is_alive()


def test_has_changed__of_rows_read_at_once_and_behind() -> None:
    cells = [{"n": n} for n in range(1_000)]
    contents = Contents(pd.DataFrame({"metadata": cells, "input": "Hello?"}))
    _join()
    for row in (0, 999):
        assert not contents.has_changed(row)
        cells[row]["n"] = -1
        assert contents.has_changed(row)


def test_close__ends_the_reading() -> None:
    reading, released = threading.Event(), threading.Event()
    read: list[int] = []

    class Cell:
        def __repr__(self) -> str:
            read.append(1)
            if len(read) > FIRST:
                reading.set()
                released.wait(60)
            return "cell"

    contents = Contents(pd.DataFrame({"metadata": [Cell() for _ in range(5_000)]}))
    assert reading.wait(60)
    contents.close()
    released.set()
    _join()
    assert len(read) == FIRST + 1
