"""Read and write the rows of labels, for all that changes them."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import Final

from respan_notebook.labelling.outbox.definition import digest_definition
from respan_notebook.labelling.outbox.label import FROM_FILE, Change, Label
from respan_notebook.models import Upsert

OWN: Final = "server = ? AND person = ?"
"""The condition on a person's rows."""
ROW: Final = f"{OWN} AND log_id = ? AND evaluator = ?"
"""The condition on the row of one score."""
COLUMNS: Final = (
    "log_id, evaluator, body, removed, version, state, tried, settled, score_id, reason"
)
"""The columns that :func:`read_label` takes."""


def read_label(row: sqlite3.Row) -> Label:
    """Return the label of a row."""
    return Label(
        row["evaluator"],
        Upsert(row["log_id"], json.loads(row["body"])),
        bool(row["removed"]),
        row["version"],
        FROM_FILE[row["state"]],
        bool(row["tried"]),
        row["settled"],
        row["score_id"],
        row["reason"],
    )


def take_numbers(db: sqlite3.Connection, count: int = 1) -> range:
    """Return the next order numbers of the file, which are higher than all in it.

    They go with the clock while that goes forward, since a kernel of the first release counts in
    nanoseconds; when the clock is set back they go on by one.
    """
    db.execute("UPDATE last_order SET number = max(number + ?, ?)", (count, time.time_ns()))
    last = db.execute("SELECT number FROM last_order").fetchone()[0]
    return range(last - count + 1, last + 1)


def enqueue(db: sqlite3.Connection, own: tuple[str, str], change: Change, version: int) -> None:
    """Store the label that a change makes, in this version, as queued."""
    row = (*own, change.log_id, change.evaluator)
    db.execute(f"DELETE FROM checked WHERE version = (SELECT version FROM labels WHERE {ROW})", row)
    db.execute(
        "INSERT INTO labels VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?, 0, ?, NULL) "
        "ON CONFLICT DO UPDATE SET body = excluded.body, removed = excluded.removed, "
        "version = excluded.version, state = 'waiting', tried = max(tried, excluded.tried), "
        "score_id = coalesce(excluded.score_id, score_id), reason = NULL",
        (
            *row,
            json.dumps(change.upsert.body),
            change.removed,
            version,
            change.score_id is not None,
            change.score_id,
        ),
    )
    if change.definition:
        store_checked(db, version, change.definition)


def store_checked(db: sqlite3.Connection, version: int, definition: str) -> None:
    """Store the definition that the value of a label was validated against."""
    digest = store_definition(db, definition)
    db.execute("INSERT OR REPLACE INTO checked VALUES (?, ?)", (version, digest))


def store_definition(db: sqlite3.Connection, definition: str) -> str:
    """Store a definition once, and return its digest."""
    digest = digest_definition(definition)
    db.execute("INSERT OR IGNORE INTO definitions VALUES (?, ?)", (digest, definition))
    return digest
