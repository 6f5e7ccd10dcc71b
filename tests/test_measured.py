"""Processes that are killed while coverage writes of them don't end the measuring of the others."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from coverage import CoverageData
from coverage.exceptions import CoverageException
from measured import remove_torn_files


def write(path: Path) -> None:
    """Write a file of measurements."""
    data = CoverageData(str(path))
    data.add_arcs({"/folder/measured.py": [(-1, 1), (1, -1)]})
    data.close()


def cut(path: Path) -> None:
    """Leave the first half of the file's bytes."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def forget_names(path: Path) -> None:
    """Leave the file's rows without what they measured, as a page of zeros does."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE file SET path = NULL")


@pytest.mark.parametrize("damage", [cut, forget_names])
def test_remove_torn_files__removes_what_can_t_be_combined(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    whole, torn = tmp_path / ".coverage.whole", tmp_path / ".coverage.torn"
    write(whole)
    write(torn)
    damage(torn)
    with pytest.raises(CoverageException):
        CoverageData(no_disk=True).update(CoverageData(str(torn)))

    assert remove_torn_files(tmp_path) == [torn]

    assert [path.name for path in tmp_path.iterdir()] == [whole.name]
