"""Tell whose labels are whose: which person a key is, and which keys are one person's."""

from __future__ import annotations

import sqlite3

from respan_notebook.labelling.outbox.database import Database


class Accounts:
    """The people of one server who label with this outbox, each known by their key.

    Parameters
    ----------
    database : Database
        The outbox's file.
    server : str
        The base URL.
    person : str
        Stands for the owner of the key at hand (:attr:`RespanClient.fingerprint`).
    """

    def __init__(self, database: Database, server: str, person: str) -> None:
        self._db, self._own = database, (server, person)

    @property
    def scorer(self) -> str | None:
        """Who the person is in Respan, as the answer to a write has said; None before."""
        rows = self._db.read(
            "SELECT scorer FROM people WHERE server = ? AND person = ?", *self._own
        )
        return rows[0]["scorer"] if rows else None

    def store_scorer(self, scorer: str) -> None:
        """Store who the person is."""
        with self._db.write() as db:
            query = "INSERT OR REPLACE INTO people VALUES (?, ?, ?, 0)"
            db.execute(query, (*self._own, scorer))

    def mark_refused(self) -> None:
        """Mark this key as one that the server does not know."""
        with self._db.write() as db:
            query = (
                "INSERT INTO people VALUES (?, ?, NULL, 1) ON CONFLICT DO UPDATE SET refused = 1"
            )
            db.execute(query, self._own)

    def adopt(self, *, in_use: bool = True) -> int:
        """Take over the labels entered with a key that the server refused, or the same person's.

        A key that was not tried yet may be somebody else's; its labels wait for it. Without
        ``in_use`` only keys count that the server refused: nobody sends with them any more.

        Returns
        -------
        int
            How many keys.
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
        # Of two labels of the same score the one that was entered later counts.
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
        """Return how many labels wait that were entered with another person's key."""
        query = "SELECT count(*) FROM labels WHERE server = ? AND person != ? AND state = 'waiting'"
        return int(self._db.read(query, *self._own)[0][0])
