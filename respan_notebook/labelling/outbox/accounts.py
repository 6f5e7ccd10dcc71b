"""Match keys with people: each label belongs to the owner of the key it was entered with."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from respan_notebook.labelling.outbox.database import Database


def find_scorer(path: Path, server: str, person: str) -> str | None:
    """Return the owner of a key, as an outbox knows it; None when it does not, or there is none."""
    with contextlib.suppress(sqlite3.Error):
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        with contextlib.closing(db):
            query = "SELECT scorer FROM people WHERE server = ? AND person = ?"
            row = db.execute(query, (server, person)).fetchone()
            return None if row is None else row[0]
    return None


class Accounts:
    """Match the keys that were used with one server and outbox with their owners.

    ``server`` is the base URL, and ``person`` the fingerprint of the key in use.
    """

    def __init__(self, database: Database, server: str, person: str) -> None:
        self._db, self._own = database, (server, person)

    @property
    def scorer(self) -> str | None:
        """The owner of the key in use, as the answer to a write named it; None before."""
        rows = self._db.read(
            "SELECT scorer FROM people WHERE server = ? AND person = ?", *self._own
        )
        return rows[0]["scorer"] if rows else None

    def store_scorer(self, scorer: str) -> None:
        """Store the owner of the key in use."""
        with self._db.write() as db:
            query = "INSERT OR REPLACE INTO people VALUES (?, ?, ?, 0)"
            db.execute(query, (*self._own, scorer))

    def mark_refused(self) -> None:
        """Mark the key in use as refused by the server."""
        with self._db.write() as db:
            query = (
                "INSERT INTO people VALUES (?, ?, NULL, 1) ON CONFLICT DO UPDATE SET refused = 1"
            )
            db.execute(query, self._own)

    def adopt(self, *, in_use: bool = True) -> int:
        """Take over the labels of the owner's other keys, and of refused keys without an owner.

        A key that was never sent may be somebody else's; its labels wait for it. Without ``in_use``
        only refused keys count, with which nobody sends any more. The number of keys is returned.
        """
        strangers = (
            "SELECT person FROM people WHERE server = :server AND person != :person AND "
            "(refused AND scorer IS NULL OR scorer = (SELECT scorer FROM people "
            "WHERE server = :server AND person = :person))"
        ) + ("" if in_use else " AND refused")
        names = dict(zip(("server", "person"), self._own, strict=True))
        with self._db.write() as db:
            others = [row["person"] for row in db.execute(strangers, names).fetchall()]
            for other in others:
                self._take_over(db, other)
        return len(others)

    def _take_over(self, db: sqlite3.Connection, other: str) -> None:
        server, person = self._own
        # Of two labels of the same score, the later one counts.
        newer = (
            "SELECT 1 FROM labels AS own WHERE own.server = {0}.server AND own.person = ? "
            "AND own.log_id = {0}.log_id AND own.evaluator = {0}.evaluator "
            "AND own.version >= {0}.{1}"
        )
        for table, moment in (("labels", "version"), ("saves", "save")):
            db.execute(
                f"DELETE FROM {table} WHERE server = ? AND person = ? "
                f"AND EXISTS ({newer.format(table, moment)})",
                (server, other, person),
            )
        for table, own in (("labels", "REPLACE"), ("saves", "REPLACE"), ("drafts", "IGNORE")):
            db.execute(
                f"UPDATE OR {own} {table} SET person = ? WHERE server = ? AND person = ?",
                (person, server, other),
            )
        db.execute("DELETE FROM drafts WHERE server = ? AND person = ?", (server, other))

    def waiting_elsewhere(self) -> int:
        """Return the number of queued labels that were entered with other keys."""
        query = "SELECT count(*) FROM labels WHERE server = ? AND person != ? AND state = 'waiting'"
        return int(self._db.read(query, *self._own)[0][0])
