"""The owner of a key, as an outbox knows it, read without changing the file."""

from __future__ import annotations

from pathlib import Path

from respan_notebook.labelling.outbox.accounts import find_scorer
from respan_notebook.labelling.outbox.outbox import Outbox

SERVER = "https://api.respan.ai"


def test_find_scorer__reads_what_the_outbox_learned(tmp_path: Path) -> None:
    path = tmp_path / "a folder" / "outbox?.sqlite3"
    box = Outbox(path, SERVER, "mine")
    box.accounts.store_scorer("ann@example.com")
    assert find_scorer(path, SERVER, "mine") == "ann@example.com"  # While it is open.
    box.close()
    assert find_scorer(path, SERVER, "mine") == "ann@example.com"
    assert find_scorer(path, SERVER, "another") is None
    assert find_scorer(path, "https://other.example", "mine") is None


def test_find_scorer__makes_no_file_and_takes_none_that_is_no_outbox(tmp_path: Path) -> None:
    assert find_scorer(tmp_path / "none.sqlite3", SERVER, "mine") is None
    assert list(tmp_path.iterdir()) == []
    other = tmp_path / "other.sqlite3"
    other.write_bytes(b"not a database, and longer than a header of SQLite" * 10)
    assert find_scorer(other, SERVER, "mine") is None
    assert find_scorer(tmp_path, SERVER, "mine") is None
