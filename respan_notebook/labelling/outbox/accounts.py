"""Match keys with people: each label belongs to the owner of the key it was entered with."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from respan_notebook.errors import ConfigurationError
from respan_notebook.labelling.outbox.database import Database

_SHOWN: Final = 8  # Characters of a fingerprint that name a key whose owner is not known.


@dataclass(frozen=True)
class Foreign:
    """Hold whose labels wait in an outbox beside one's own.

    Attributes
    ----------
    who : str
        The owner of the key they were entered with; where the server has not named one yet,
        ``"key "`` and the beginning of the key's fingerprint.
    queued : int
        The number of scores that wait, removals included.
    person : str
        The fingerprint of the key.
    """

    who: str
    queued: int
    person: str


def find_scorer(path: Path, server: str, person: str) -> str | None:
    """Return the owner of a key, as an outbox knows it; None when it does not, or there is none."""
    with contextlib.suppress(sqlite3.Error):
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        with contextlib.closing(db):
            query = "SELECT scorer FROM people WHERE server = ? AND person = ?"
            row = db.execute(query, (server, person)).fetchone()
            return None if row is None else row[0]
    return None


def lock_path(path: Path, server: str, person: str) -> Path:
    """Return the path of the lock that the one holds who sends for a person."""
    name = hashlib.sha256(f"{server} {person}".encode()).hexdigest()[:12]
    return path.with_name(f"{path.name}.{name}.lock")


class Accounts:
    """Match the keys that were used with one server and outbox with their owners.

    Labels of a key are sent with that key only, unless the server has named one owner for two keys,
    or the person takes them over by :meth:`adopt`.

    Parameters
    ----------
    database : Database
        Has the labels.
    path : Path
        The path of the file.
    server : str
        The base URL.
    person : str
        The fingerprint of the key in use.
    """

    def __init__(self, database: Database, path: Path, server: str, person: str) -> None:
        self._db, self._path, self._own = database, path, (server, person)

    @property
    def scorer(self) -> str | None:
        """The owner of the key in use, as the answer to a write named it; None before."""
        rows = self._db.read(
            "SELECT scorer FROM people WHERE server = ? AND person = ?", *self._own
        )
        return rows[0]["scorer"] if rows else None

    def store_scorer(self, scorer: str) -> None:
        """Store the owner of the key in use, which works."""
        with self._db.write() as db:
            query = "INSERT OR REPLACE INTO people VALUES (?, ?, ?, 0)"
            db.execute(query, (*self._own, scorer))

    def mark_refused(self) -> None:
        """Mark the key in use as refused by the server, until :meth:`store_scorer`.

        The key of an unknown owner is not marked: a notebook of the first release would take such
        labels for its own.
        """
        with self._db.write() as db:
            query = (
                "UPDATE people SET refused = 1 WHERE server = ? AND person = ? "
                "AND scorer IS NOT NULL"
            )
            db.execute(query, self._own)

    # -- labels of other keys -------------------------------------------------------------------

    def foreign(self) -> list[Foreign]:
        """Return whose labels wait in this outbox, other than those of the key in use."""
        rows = self._db.read(
            "SELECT labels.person, people.scorer, count(*) AS queued FROM labels "
            "LEFT JOIN people ON people.server = labels.server AND people.person = labels.person "
            "WHERE labels.server = ? AND labels.person != ? AND state = 'waiting' "
            "GROUP BY labels.person ORDER BY labels.person",
            *self._own,
        )
        return [
            Foreign(row["scorer"] or f"key {row['person'][:_SHOWN]}", row["queued"], row["person"])
            for row in rows
        ]

    def adopt(self, who: str) -> int:
        """Take over the labels of another key, which go out under the name of the key in use.

        Parameters
        ----------
        who : str
            As in :attr:`Foreign.who`.

        Returns
        -------
        int
            The number of queued scores that were taken over.

        Raises
        ------
        ConfigurationError
            Nobody of that name has labels waiting here, or a notebook sends them at the moment.
        """
        found = [one for one in self.foreign() if one.who == who]
        if not found:
            names = ", ".join(repr(one.who) for one in self.foreign()) or "nobody's"
            raise ConfigurationError(f"no labels of {who!r} wait here, but: {names}")
        for one in found:
            try:
                with FileLock(lock_path(self._path, self._own[0], one.person)).acquire(timeout=0):
                    self._take_over([one.person])
            except Timeout:
                raise ConfigurationError(
                    f"the labels of {who!r} are being sent by another notebook; close it first"
                ) from None
        return sum(one.queued for one in found)

    def adopt_own(self, *, refused: bool = False) -> int:
        """Take over the labels of other keys of the same owner, as the server has named it.

        With ``refused`` only keys that the server refuses count, with which nobody sends any more.
        The number of keys is returned.
        """
        rows = self._db.read(
            "SELECT people.person FROM people "
            "JOIN people AS own ON own.server = people.server AND own.scorer = people.scorer "
            "WHERE own.server = ? AND own.person = ? AND people.person != own.person "
            "AND people.refused >= ?",
            *self._own,
            int(refused),
        )
        self._take_over([row["person"] for row in rows])
        return len(rows)

    def _take_over(self, others: list[str]) -> None:
        if not others:
            return
        with self._db.write() as db:
            for other in others:
                _move(db, *self._own, other)


def _move(db: sqlite3.Connection, server: str, person: str, other: str) -> None:
    """Move labels, saves and drafts of another key; of two labels of a score the later counts."""
    newer = (
        "SELECT 1 FROM labels AS own WHERE own.server = {0}.server AND own.person = ? "
        "AND own.log_id = {0}.log_id AND own.evaluator = {0}.evaluator AND own.version >= {0}.{1}"
    )
    for table, number in (("labels", "version"), ("saves", "save")):
        db.execute(
            f"DELETE FROM {table} WHERE server = ? AND person = ? "
            f"AND EXISTS ({newer.format(table, number)})",
            (server, other, person),
        )
    for table, own in (
        *(("labels", "REPLACE"), ("saves", "REPLACE"), ("drafts", "IGNORE"), ("skips", "IGNORE")),
    ):
        db.execute(
            f"UPDATE OR {own} {table} SET person = ? WHERE server = ? AND person = ?",
            (person, server, other),
        )
    for table in ("drafts", "skips"):
        db.execute(f"DELETE FROM {table} WHERE server = ? AND person = ?", (server, other))
