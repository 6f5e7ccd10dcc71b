"""A file that the first release wrote, and may still be writing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from respan_notebook.labelling.outbox.label import Change
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.models import Upsert

FILE = Path(__file__).parents[1] / "data" / "first_release.sql"
SERVER, STARS = "https://respan.example", "e_stars"


@pytest.fixture
def old_kernel(outbox: Path) -> Iterator[sqlite3.Connection]:
    """A kernel of the first release that has its file open."""
    with closing(sqlite3.connect(outbox, isolation_level=None)) as db:
        db.executescript(FILE.read_text("utf-8"))
        db.execute("PRAGMA journal_mode = WAL")
        yield db


def body(value: float) -> dict[str, Any]:
    return {"evaluator_id": STARS, "numerical_value": value}


def old_save(db: sqlite3.Connection, log_id: str, value: float, number: int) -> None:
    """Save as the first release does: by position, with the clock as version."""
    own = (SERVER, "ann", log_id, STARS)
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO saves VALUES (?, ?, ?, ?, ?, ?, ?)", (number, *own, 1, None))
    db.execute(
        "INSERT INTO labels VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?, 0, ?, NULL) "
        "ON CONFLICT DO UPDATE SET body = excluded.body, version = excluded.version, "
        "state = 'waiting', removed = 0",
        (*own, json.dumps(body(value)), 0, number, 0, None),
    )
    db.execute("COMMIT")


def columns(db: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})")]


def test_file__of_the_first_release_is_read_whole(
    outbox: Path, old_kernel: sqlite3.Connection
) -> None:
    box = Outbox(outbox, SERVER, "ann")
    assert {one.log_id: (one.state, one.removed) for one in box.labels()} == {
        "sent": ("delivered", False),
        "refused": ("refused", False),
        "waiting": ("queued", False),
        "removed": ("queued", True),
    }
    assert box.log("waiting").labels[STARS].body["explanation"] == "very good"
    assert box.log("drafted").drafts[STARS]["value"] == 2.0
    stars = box.evaluators.get("stars")
    assert stars is not None
    assert stars.id == STARS
    assert box.accounts.scorer == "ann@example.com"
    assert {one.who: one.queued for one in box.accounts.foreign()} == {
        "bob@example.com": 1,
        "key cal": 1,
    }
    for log_id in ("removed", "removed", "waiting"):
        undone = box.undo({"sent", "refused", "waiting", "removed"}, {STARS})
        assert undone is not None
        assert undone.log_ids == (log_id,)
    box.close()


def test_file__keeps_the_tables_that_the_first_release_writes_by_position(
    outbox: Path, old_kernel: sqlite3.Connection
) -> None:
    tables = ("people", "labels", "saves", "drafts", "evaluators")
    before = {table: columns(old_kernel, table) for table in tables}
    box = Outbox(outbox, SERVER, "ann")
    assert {table: columns(old_kernel, table) for table in tables} == before
    assert old_kernel.execute("PRAGMA user_version").fetchone() == (1,)
    old_kernel.execute("INSERT OR REPLACE INTO people VALUES (?, ?, ?, 0)", (SERVER, "dan", "dan"))
    draft = (SERVER, "ann", "new", STARS, '{"state": "set", "value": 1.0, "typed": null}')
    old_kernel.execute("INSERT OR REPLACE INTO drafts VALUES (?, ?, ?, ?, ?)", draft)
    assert box.log("new").drafts[STARS]["value"] == 1.0
    box.close()


def test_order__goes_on_above_what_an_old_kernel_writes(
    outbox: Path, old_kernel: sqlite3.Connection
) -> None:
    box = Outbox(outbox, SERVER, "ann")
    far_ahead = 2 * box.order  # The clock of its machine is wrong.
    old_save(old_kernel, "old", 1, far_ahead)
    assert box.order == far_ahead
    box.save([Change(STARS, Upsert("new", body(2)))])
    old_save(old_kernel, "older", 3, far_ahead // 2)
    assert [one.log_id for one in box.labels()][-2:] == ["old", "new"]
    undone = box.undo({"old", "new", "older"}, {STARS})
    assert undone is not None
    assert undone.log_ids == ("new",), "the last save, whatever the clocks say"
    box.close()


def test_labels__of_both_releases_are_one_label(
    outbox: Path, old_kernel: sqlite3.Connection
) -> None:
    box = Outbox(outbox, SERVER, "ann")
    box.save([Change(STARS, Upsert("both", body(2)))])
    old_save(old_kernel, "both", 5, box.order + 1)
    assert box.log("both").labels[STARS].body["numerical_value"] == 5
    box.save([Change(STARS, Upsert("both", body(3)))])
    rows = old_kernel.execute(
        "SELECT body, state FROM labels WHERE log_id = 'both' AND person = 'ann'"
    ).fetchall()
    assert rows == [(json.dumps(body(3)), "waiting")]
    box.close()
