"""Note each outcome of a part that is being sent, so that it survives the end of the process.

A line of text per outcome, copied into a file that is mapped into memory: what was noted is there
after ``kill -9``; what was synchronised, which is done every second, also after a power failure. A
call to the system would give other threads the processor, while all wait for the outcome's lock.

The first line names the plan and the report that the outcomes go on from: one that was left behind
by another push, or by a part that another machine has finished since, counts for nothing.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from respan_notebook.models import Score
from respan_notebook.push.outcomes import STATUSES, Result

_WINDOW: Final = 1 << 20  # Bytes that are mapped at once; a multiple of what any system needs.
_encode: Final = json.JSONEncoder(default=str).encode


class Journal:
    """Append the outcomes of one part to a file; for one thread, but for :meth:`sync`.

    Parameters
    ----------
    path : Path
        The file; what it holds stays, but for a last line that was cut short.
    base : str
        What the outcomes go on from; a file that goes on from something else is begun anew.
    """

    def __init__(self, path: Path, base: str) -> None:
        self._path, head = path, _encode_head(base)
        path.parent.mkdir(exist_ok=True)  # Not its parents: the job may have been moved.
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        with path.open("rb") as file:
            there = file.read()
        self._end = there.rfind(b"\n") + 1 if there.startswith(head) else 0
        self._start = self._end // _WINDOW * _WINDOW  # Of the last window.
        self._windows: list[mmap.mmap] = []
        try:
            os.ftruncate(self._file, self._end)
            if not self._end:
                self._write_all(head)
        except OSError:
            self.close()
            raise

    def append(self, line: int, result: Result) -> None:
        """Note the outcome of a line, by its place in the part."""
        score = result.score
        fields = [
            line,
            STATUSES[result.status],
            result.http_status,
            result.attempts,
            result.seconds if result.seconds == result.seconds else None,
            score and score.is_passed,
            score and score.id,
            result.error,
        ]
        self._write_all(_encode(fields).encode() + b"\n")

    def _write_all(self, data: bytes) -> None:
        while data:
            data = data[self._write(data) :]

    def _write(self, data: bytes) -> int:
        """Copy what fits into the last window, and return how much that was."""
        if not self._windows or self._end - self._start == _WINDOW:
            self._open_window()
        place = self._end - self._start
        size = min(len(data), _WINDOW - place)
        self._windows[-1][place : place + size] = data[:size]
        self._end += size
        return size

    def _open_window(self) -> None:
        if self._windows:
            self._start += _WINDOW
        # Zeros are written, since a full disk must be an error here and not on a later access.
        os.lseek(self._file, self._end, os.SEEK_SET)
        zeros = bytes(self._start + _WINDOW - self._end)
        while zeros:
            zeros = zeros[os.write(self._file, zeros) :]
        self._windows.append(mmap.mmap(self._file, _WINDOW, offset=self._start))

    def sync(self) -> None:
        """Bring what was written to the disk."""
        for window in self._windows[-2:]:  # Earlier ones were full the last time.
            window.flush()

    def close(self) -> None:
        """Close the file, which stays."""
        for window in self._windows:
            window.close()
        self._windows = []
        os.ftruncate(self._file, self._end)
        os.close(self._file)

    def remove(self) -> None:
        """Close and remove the file."""
        self.close()
        self._path.unlink(missing_ok=True)


def _encode_head(base: str) -> bytes:
    return _encode({"base": base}).encode() + b"\n"


def read_journal(path: Path, base: str) -> Iterator[tuple[int, Result]]:
    """Iterate over the places and outcomes of lines that a journal holds.

    There are none when there is no such file, or when it goes on from something else than ``base``.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    head = _encode_head(base)
    if not data.startswith(head):
        return
    # What follows the last end of a line was cut short.
    for text in data[len(head) :].split(b"\n")[:-1]:
        try:
            line, status, http_status, attempts, seconds, is_passed, score_id, error = json.loads(
                text
            )
            score = None if score_id is None else Score(id=score_id, is_passed=is_passed)
            seconds = float("nan") if seconds is None else float(seconds)
            result = Result(
                STATUSES.index(status), http_status, attempts, seconds, score, f"{error}"
            )
        except (ValueError, TypeError):
            continue  # A power failure may leave anything; the line is sent again.
        yield line, result
