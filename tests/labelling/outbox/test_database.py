"""Opening the file of the outbox beside others."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest

from respan_notebook.labelling.outbox.database import Database


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """A file that another connection writes to for a tenth of a second."""
    path = tmp_path / "outbox.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = Timer(0.1, other.execute, ["ROLLBACK"])
        release.start()
        yield path
        release.join()


def test_database__waits_for_another_that_makes_the_file(locked: Path) -> None:
    database = Database(locked)
    try:
        assert database.read("PRAGMA journal_mode")[0][0] == "wal"
    finally:
        database.close()


def test_database__makes_a_folder_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "made" / "outbox.sqlite3"
    Database(path).close()
    assert path.parent.stat().st_mode & 0o777 == 0o700
