"""Notice when a cell of a frame was changed in place since the frame was opened.

A copy of a frame shares the lists and dicts in its cells with the original. What was shown for a
log when it was opened is what its scores are about, so their digests are compared.
"""

from __future__ import annotations

import hashlib
import threading
import time
from typing import Any, Final

import pandas as pd
from pandas.api.types import infer_dtype

_FIRST: Final = 200  # Rows that are read at once; the rest follow in the background,
_BURST: Final = 0.001  # for so many seconds at a time,
_PAUSE: Final = 0.005  # and with such pauses, since whatever is done meanwhile waits for the GIL.


class Contents:
    """Hold digests of the cells that can be changed in place, row by row.

    The first rows are read when it is made, the others in a thread, so that opening a large frame
    takes no longer, until :meth:`close`.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._columns = [
            values
            for place in range(frame.shape[1])
            if (values := _changeable(frame.iloc[:, place])) is not None
        ]
        self._size = len(frame)
        self._digests: list[bytes] = []
        self._closed = threading.Event()
        if self._columns:
            self._digests += map(self._digest, range(min(self._size, _FIRST)))
            if self._size > _FIRST:
                threading.Thread(target=self._read, name="respan-contents", daemon=True).start()

    def close(self) -> None:
        """Read no more rows."""
        self._closed.set()

    def has_changed(self, row: int) -> bool:
        """Return whether a cell of this row has changed since the row was read."""
        return row < len(self._digests) and self._digests[row] != self._digest(row)

    def _read(self) -> None:
        rows = iter(range(_FIRST, self._size))
        while not self._closed.wait(_PAUSE):
            until = time.monotonic() + _BURST
            while time.monotonic() < until and not self._closed.is_set():
                row = next(rows, None)
                if row is None:
                    return
                self._digests.append(self._digest(row))

    def _digest(self, row: int) -> bytes:
        digest = hashlib.blake2b(digest_size=8)
        for values in self._columns:
            digest.update(_text_of(values[row]))
        return digest.digest()


def _changeable(column: pd.Series[Any]) -> Any:
    """Return the cells of a column in which something may be changed in place, else None."""
    if column.dtype != object:
        return None
    values = column.to_numpy()
    return values if infer_dtype(values, skipna=True).startswith("mixed") else None


def _text_of(cell: Any) -> bytes:
    try:
        return repr(cell).encode("utf-8", "surrogatepass")
    except Exception:  # noqa: BLE001 - an odd object; what can't be read is shown as an error.
        return b""
