"""Store every label on disk before the screen moves on.

One SQLite file (WAL) serves any number of notebooks. A label is kept per server, person, log and
evaluator, as Respan keeps a score; it waits until the sender marks it as sent or refused. The file
holds no key and no text of a log.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import platformdirs

from respan_notebook.labelling.outbox.accounts import Accounts
from respan_notebook.labelling.outbox.database import Database
from respan_notebook.labelling.outbox.label import REFUSED, SENT, Change, Label


class UnknownPreviousError(Exception):
    """What was there before a label is not known: not yet while it waits, or never.

    Attributes
    ----------
    state : {"waiting", "sent", "refused"}
        The label's.
    """

    def __init__(self, state: str) -> None:
        super().__init__("it is not known what was there before")
        self.state = state


def default_path() -> Path:
    """Return where labels are kept when no ``outbox=`` is given: the user's data folder."""
    return platformdirs.user_data_path("respan_notebook", appauthor=False) / "outbox.sqlite3"


class Outbox:
    """The labels of one person on one server, in a file that others may share.

    Parameters
    ----------
    path : Path
        The SQLite file; it and its folder are made when they are not there.
    server : str
        The base URL.
    person : str
        Stands for the owner of a key (:attr:`RespanClient.fingerprint`).
    durable : bool
        As for :class:`respan_notebook.labelling.outbox.database.Database`.

    Raises
    ------
    ConfigurationError
        When nothing can be kept in this file.
    """

    def __init__(self, path: Path, server: str, person: str, *, durable: bool = False) -> None:
        self.path, self._own = path, (server, person)
        self._db = Database(path, durable=durable)
        self.accounts = Accounts(self._db, server, person)

    def another(self) -> Outbox:
        """Return the same outbox, durable, for use beside this one."""
        return Outbox(self.path, *self._own, durable=True)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _read(self, query: str, *values: object) -> list[sqlite3.Row]:
        return self._db.read(query, *self._own, *values)

    # -- labels ---------------------------------------------------------------------------------

    def labels(self, log_id: str | None = None, state: str | None = None) -> list[Label]:
        """Return labels (all, those of a log, those in a state), the latest change last."""
        return [
            Label(
                row["log_id"],
                row["evaluator"],
                json.loads(row["body"]),
                bool(row["removed"]),
                row["version"],
                row["state"],
                bool(row["tried"]),
                row["settled"],
                row["score_id"],
                row["reason"],
            )
            for row in self._rows("*", {"log_id": log_id, "state": state})
        ]

    def score_keys(self, state: str | None = None) -> set[tuple[str, str]]:
        """Return log and evaluator of all labels that are scores, or of those in a state."""
        rows = self._rows("log_id, evaluator", {"state": state, "removed": 0})
        return {(row["log_id"], row["evaluator"]) for row in rows}

    def waiting(self) -> int:
        """Return how many labels wait, those that are to be taken away among them."""
        query = "SELECT count(*) FROM labels WHERE server = ? AND person = ? AND state = 'waiting'"
        return int(self._read(query)[0][0])

    def _rows(self, columns: str, wanted: Mapping[str, object]) -> list[sqlite3.Row]:
        given = {name: value for name, value in wanted.items() if value is not None}
        where = "".join(f" AND {name} = ?" for name in given)
        return self._read(
            f"SELECT {columns} FROM labels WHERE server = ? AND person = ?{where} ORDER BY version",
            *given.values(),
        )

    def save(self, log_id: str, changes: Sequence[Change], evaluators: Iterable[str]) -> None:
        """Store what a save changes, with what was there before; drafts are dropped.

        ``evaluators`` are all that the person could score in this save.
        """
        with self._db.write() as db:
            number = time.time_ns()
            for change in changes:
                previous = None if change.previous is None else _encode(change.previous)
                db.execute(
                    "INSERT INTO saves VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (number, *self._own, log_id, change.evaluator, change.known, previous),
                )
                self._put(db, log_id, change)
            self._drop_drafts(db, log_id, evaluators)

    def _put(self, db: sqlite3.Connection, log_id: str, change: Change) -> None:
        db.execute(
            "INSERT INTO labels VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?, 0, ?, NULL) "
            "ON CONFLICT DO UPDATE SET body = excluded.body, removed = excluded.removed, "
            "version = excluded.version, state = 'waiting', tried = max(tried, excluded.tried), "
            "score_id = coalesce(score_id, excluded.score_id), reason = NULL",
            (
                *self._own,
                log_id,
                change.evaluator,
                _encode(change.body),
                change.removed,
                time.time_ns(),
                change.score_id is not None,
                change.score_id,
            ),
        )

    def undo(
        self, log_ids: Mapping[str, Any], evaluators: Iterable[str]
    ) -> tuple[str, list[str]] | None:
        """Put back what was there before the last save of one of these logs.

        Returns
        -------
        tuple of (str, list of str) or None
            The log whose save was undone, and the evaluators whose scores in Respan may change by
            that; None when there is no save to undo.

        Raises
        ------
        UnknownPreviousError
            When it is not known yet what was there before; nothing was changed.
        """
        names = set(evaluators)
        with self._db.write() as db:
            query = "SELECT * FROM saves WHERE server = ? AND person = ? ORDER BY save DESC"
            cursor = db.execute(query, self._own)
            mine = (row for row in cursor if row["log_id"] in log_ids and row["evaluator"] in names)
            found = list(_first_save(mine))
            changed = [row["evaluator"] for row in found if self._put_back(db, row)]
            return (found[0]["log_id"], changed) if found else None

    def _put_back(self, db: sqlite3.Connection, save: sqlite3.Row) -> bool:
        """Put back what was there before; return whether Respan has to hear of it."""
        where = (*self._own, save["log_id"], save["evaluator"])
        label = db.execute(f"SELECT * FROM labels WHERE {_KEY}", where).fetchone()
        tried = label is not None and label["tried"]
        if not save["known"] and tried:
            raise UnknownPreviousError(label["state"])
        if save["former"] is not None:
            previous = json.loads(save["former"])
            if label is not None and "explanation" in json.loads(label["body"]):
                previous.setdefault("explanation", "")  # What is not sent stays as it is.
            change = Change(save["evaluator"], previous)
            self._put(db, save["log_id"], change)
        elif tried:
            change = Change(save["evaluator"], json.loads(label["body"]), removed=True)
            self._put(db, save["log_id"], change)
        else:
            db.execute(f"DELETE FROM labels WHERE {_KEY} AND NOT settled", where)
            # Of one that was taken away before, that is kept; see :meth:`mark_removed`.
            db.execute(
                "UPDATE labels SET removed = 1, state = 'sent', version = ?, reason = NULL "
                f"WHERE {_KEY}",
                (time.time_ns(), *where),
            )
        db.execute(f"DELETE FROM saves WHERE {_KEY} AND save = ?", (*where, save["save"]))
        return bool(tried) or save["former"] is not None

    # -- sending --------------------------------------------------------------------------------

    def with_unknown_previous(self, labels: Iterable[Label]) -> list[Label]:
        """Return those labels of which it is not known what was there before the first try."""
        rows = self._read("SELECT * FROM saves WHERE server = ? AND person = ? AND NOT known")
        unknown = {(row["log_id"], row["evaluator"]) for row in rows}
        untried = [label for label in labels if not label.tried]
        return [label for label in untried if (label.log_id, label.evaluator) in unknown]

    def may_be_there(self, label: Label) -> bool:
        """Return whether Respan may have a score where this label is: it, or one from before."""
        if label.tried:
            return True
        # What was there before the first save since Respan last answered.
        rows = self._read(
            f"SELECT known, former FROM saves WHERE {_KEY} AND save > ? ORDER BY save LIMIT 1",
            label.log_id,
            label.evaluator,
            label.settled,
        )
        return bool(rows) and not (rows[0]["known"] and rows[0]["former"] is None)

    def store_previous(self, label: Label, previous: Mapping[str, Any] | None) -> None:
        """Store what was there before the first save of this label."""
        text = None if previous is None else _encode(previous)
        with self._db.write() as db:
            db.execute(
                f"UPDATE saves SET known = 1, former = ? WHERE {_KEY} AND NOT known",
                (text, *self._own, label.log_id, label.evaluator),
            )

    def mark_tried(self, labels: Iterable[Label]) -> list[Label]:
        """Mark labels as about to be sent; return those that have not changed since."""
        with self._db.write() as db:
            return [
                label
                for label in labels
                if db.execute(
                    f"UPDATE labels SET tried = 1 WHERE {_KEY} AND version = ?",
                    (*self._own, label.log_id, label.evaluator, label.version),
                ).rowcount
            ]

    def mark_answers(self, answers: Iterable[tuple[Label, str | None, str]]) -> None:
        """Mark versions of labels as arrived, with their id, or as refused, with the reason.

        A label that was changed meanwhile goes on waiting.
        """
        with self._db.write() as db:
            for label, score_id, reason in answers:
                where = (*self._own, label.log_id, label.evaluator)
                db.execute(
                    f"UPDATE labels SET score_id = coalesce(?, score_id), settled = ? WHERE {_KEY}",
                    (score_id, time.time_ns(), *where),
                )
                db.execute(
                    f"UPDATE labels SET state = ?, reason = ? WHERE {_KEY} AND version = ?",
                    (REFUSED if reason else SENT, reason or None, *where, label.version),
                )

    def mark_kept(self, label: Label, reason: str) -> None:
        """Mark a removed label as there still, since the server refused to remove it."""
        with self._db.write() as db:
            db.execute(
                f"UPDATE labels SET removed = 0, state = 'refused', reason = ? "
                f"WHERE {_KEY} AND version = ?",
                (reason, *self._own, label.log_id, label.evaluator, label.version),
            )

    def mark_removed(self, label: Label) -> None:
        """Mark a removed label as one without a score; one that was entered anew waits on.

        The row stays: it tells that what was looked up before is old.
        """
        where = (*self._own, label.log_id, label.evaluator)
        with self._db.write() as db:
            db.execute(
                f"UPDATE labels SET tried = 0, score_id = NULL, settled = ? WHERE {_KEY}",
                (time.time_ns(), *where),
            )
            query = f"UPDATE labels SET state = 'sent' WHERE {_KEY} AND version = ?"
            db.execute(query, (*where, label.version))

    # -- drafts and evaluators ------------------------------------------------------------------

    def store_draft(self, log_id: str, evaluator: str, draft: Any) -> None:
        """Store what was entered and not saved yet; None drops it."""
        with self._db.write() as db:
            if draft is None:
                self._drop_drafts(db, log_id, [evaluator])
            else:
                row = (*self._own, log_id, evaluator, _encode(draft))
                db.execute("INSERT OR REPLACE INTO drafts VALUES (?, ?, ?, ?, ?)", row)

    def drafts(self, log_id: str) -> dict[str, Any]:
        """Return what was entered and not saved of a log, by evaluator."""
        query = "SELECT * FROM drafts WHERE server = ? AND person = ? AND log_id = ?"
        return {row["evaluator"]: json.loads(row["draft"]) for row in self._read(query, log_id)}

    def _drop_drafts(self, db: sqlite3.Connection, log_id: str, evaluators: Iterable[str]) -> None:
        db.executemany(
            f"DELETE FROM drafts WHERE {_KEY}", [(*self._own, log_id, one) for one in evaluators]
        )

    def store_evaluator(self, name: str, definition: Mapping[str, Any]) -> None:
        """Store an evaluator's definition, for when the server can't be reached."""
        with self._db.write() as db:
            row = (self._own[0], name, _encode(definition))
            db.execute("INSERT OR REPLACE INTO evaluators VALUES (?, ?, ?)", row)

    def evaluator(self, name: str) -> dict[str, Any] | None:
        """Return the definition that was kept of an evaluator."""
        query = "SELECT definition FROM evaluators WHERE server = ? AND name = ?"
        rows = self._db.read(query, self._own[0], name)
        return json.loads(rows[0]["definition"]) if rows else None


_KEY: Final = "server = ? AND person = ? AND log_id = ? AND evaluator = ?"


def _first_save(rows: Iterable[sqlite3.Row]) -> Iterator[sqlite3.Row]:
    number = None
    for row in rows:
        if number is not None and row["save"] != number:
            return
        number = row["save"]
        yield row


def _encode(value: Any) -> str:
    return json.dumps(value)
