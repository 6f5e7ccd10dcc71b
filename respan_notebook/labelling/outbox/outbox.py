"""Store every label on disk before the screen moves on.

One SQLite file (WAL) serves any number of notebooks. It has one label per server, person, log and
evaluator, as Respan has one score; a label is queued until the sender marks it as sent or refused.
The file holds no key and no text of a log.
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
    """The previous score is unknown: not read yet while ``state`` is "waiting", else for good."""

    def __init__(self, state: str) -> None:
        super().__init__("it is not known what was there before")
        self.state = state


def default_path() -> Path:
    """Return the path of the outbox when no ``outbox=`` is given: in the user's data folder."""
    return platformdirs.user_data_path("respan_notebook", appauthor=False) / "outbox.sqlite3"


class Outbox:
    """Store the labels of one person on one server, in a file that others may share.

    Parameters
    ----------
    path : Path
        The SQLite file; it and its folder are created when they are missing.
    server : str
        The base URL.
    person : str
        The fingerprint of the person's key (:attr:`RespanClient.fingerprint`).
    durable : bool
        As for :class:`respan_notebook.labelling.outbox.database.Database`.

    Raises
    ------
    ConfigurationError
        Labels can't be stored in this file.
    """

    def __init__(self, path: Path, server: str, person: str, *, durable: bool = False) -> None:
        self.path, self._own = path, (server, person)
        self._db = Database(path, durable=durable)
        self.accounts = Accounts(self._db, server, person)

    def open_durable(self) -> Outbox:
        """Open the same outbox once more, durable, on a connection of its own."""
        return Outbox(self.path, *self._own, durable=True)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _read(self, query: str, *values: object) -> list[sqlite3.Row]:
        return self._db.read(query, *self._own, *values)

    # -- labels ---------------------------------------------------------------------------------

    def labels(self, log_id: str | None = None, state: str | None = None) -> list[Label]:
        """Return the labels, of a log or in a state if given, in the order of their last change."""
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

    def scored_pairs(self, state: str | None = None) -> set[tuple[str, str]]:
        """Return log and evaluator of the labels that are not removed, in a state if given."""
        rows = self._rows("log_id, evaluator", {"state": state, "removed": 0})
        return {(row["log_id"], row["evaluator"]) for row in rows}

    def waiting(self) -> int:
        """Return the number of queued labels, removals included."""
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
        """Store the changes of a save with the previous scores, and drop the log's drafts.

        ``evaluators`` are those whose drafts are dropped: all that the person could score.
        """
        with self._db.write() as db:
            number = time.time_ns()
            for change in changes:
                previous = None if change.previous is None else json.dumps(change.previous)
                db.execute(
                    "INSERT INTO saves VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (number, *self._own, log_id, change.evaluator, change.known, previous),
                )
                self._enqueue(db, log_id, change)
            self._drop_drafts(db, log_id, evaluators)

    def _enqueue(self, db: sqlite3.Connection, log_id: str, change: Change) -> None:
        db.execute(
            "INSERT INTO labels VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?, 0, ?, NULL) "
            "ON CONFLICT DO UPDATE SET body = excluded.body, removed = excluded.removed, "
            "version = excluded.version, state = 'waiting', tried = max(tried, excluded.tried), "
            "score_id = coalesce(score_id, excluded.score_id), reason = NULL",
            (
                *self._own,
                log_id,
                change.evaluator,
                json.dumps(change.body),
                change.removed,
                time.time_ns(),
                change.score_id is not None,
                change.score_id,
            ),
        )

    def undo(
        self, log_ids: Mapping[str, Any], evaluators: Iterable[str]
    ) -> tuple[str, list[str]] | None:
        """Restore the previous scores of the last save of one of these logs.

        Returns
        -------
        tuple of (str, list of str) or None
            The log whose save was undone, and the evaluators whose scores in Respan may change by
            that; None when there is no save to undo.

        Raises
        ------
        UnknownPreviousError
            A previous score is not known; nothing was changed.
        """
        names = set(evaluators)
        with self._db.write() as db:
            query = "SELECT * FROM saves WHERE server = ? AND person = ? ORDER BY save DESC"
            cursor = db.execute(query, self._own)
            mine = (row for row in cursor if row["log_id"] in log_ids and row["evaluator"] in names)
            found = list(_first_save(mine))
            changed = [row["evaluator"] for row in found if self._restore(db, row)]
            return (found[0]["log_id"], changed) if found else None

    def _restore(self, db: sqlite3.Connection, save: sqlite3.Row) -> bool:
        """Restore the previous score; return whether it must be sent to Respan."""
        where = (*self._own, save["log_id"], save["evaluator"])
        label = db.execute(f"SELECT * FROM labels WHERE {_ROW}", where).fetchone()
        tried = label is not None and label["tried"]
        if not save["known"] and tried:
            raise UnknownPreviousError(label["state"])
        if save["former"] is not None:
            previous = json.loads(save["former"])
            if label is not None and "explanation" in json.loads(label["body"]):
                previous.setdefault("explanation", "")  # Respan keeps a field that is not sent.
            change = Change(save["evaluator"], previous)
            self._enqueue(db, save["log_id"], change)
        elif tried:
            change = Change(save["evaluator"], json.loads(label["body"]), removed=True)
            self._enqueue(db, save["log_id"], change)
        else:
            db.execute(f"DELETE FROM labels WHERE {_ROW} AND NOT settled", where)
            # The row of a score that was removed before stays; see :meth:`mark_removed`.
            db.execute(
                "UPDATE labels SET removed = 1, state = 'sent', version = ?, reason = NULL "
                f"WHERE {_ROW}",
                (time.time_ns(), *where),
            )
        db.execute(f"DELETE FROM saves WHERE {_ROW} AND save = ?", (*where, save["save"]))
        return bool(tried) or save["former"] is not None

    # -- sending --------------------------------------------------------------------------------

    def with_unknown_previous(self, labels: Iterable[Label]) -> list[Label]:
        """Return the labels that were never sent and whose previous score is not known."""
        rows = self._read("SELECT * FROM saves WHERE server = ? AND person = ? AND NOT known")
        unknown = {(row["log_id"], row["evaluator"]) for row in rows}
        untried = [label for label in labels if not label.tried]
        return [label for label in untried if (label.log_id, label.evaluator) in unknown]

    def may_have_score(self, label: Label) -> bool:
        """Return whether Respan may have this label's score, or the one previous to it."""
        if label.tried:
            return True
        # The previous score of the first save since Respan last answered.
        rows = self._read(
            f"SELECT known, former FROM saves WHERE {_ROW} AND save > ? ORDER BY save LIMIT 1",
            label.log_id,
            label.evaluator,
            label.answered_at,
        )
        return bool(rows) and not (rows[0]["known"] and rows[0]["former"] is None)

    def store_previous(self, label: Label, previous: Mapping[str, Any] | None) -> None:
        """Store the previous score of this label's first save."""
        text = None if previous is None else json.dumps(previous)
        with self._db.write() as db:
            db.execute(
                f"UPDATE saves SET known = 1, former = ? WHERE {_ROW} AND NOT known",
                (text, *self._own, label.log_id, label.evaluator),
            )

    def mark_tried(self, labels: Iterable[Label]) -> list[Label]:
        """Mark labels as tried before they are sent; return those that did not change meanwhile."""
        with self._db.write() as db:
            return [
                label
                for label in labels
                if db.execute(
                    f"UPDATE labels SET tried = 1 WHERE {_ROW} AND version = ?",
                    (*self._own, label.log_id, label.evaluator, label.version),
                ).rowcount
            ]

    def mark_answers(self, answers: Iterable[tuple[Label, str | None, str]]) -> None:
        """Mark versions of labels as delivered, with their id, or as refused, with the reason.

        A label that was changed meanwhile stays queued.
        """
        with self._db.write() as db:
            for label, score_id, reason in answers:
                where = (*self._own, label.log_id, label.evaluator)
                db.execute(
                    f"UPDATE labels SET score_id = coalesce(?, score_id), settled = ? WHERE {_ROW}",
                    (score_id, time.time_ns(), *where),
                )
                db.execute(
                    f"UPDATE labels SET state = ?, reason = ? WHERE {_ROW} AND version = ?",
                    (REFUSED if reason else SENT, reason or None, *where, label.version),
                )

    def mark_removal_refused(self, label: Label, reason: str) -> None:
        """Mark a removed label as a score again, since the server refused to remove it."""
        with self._db.write() as db:
            db.execute(
                f"UPDATE labels SET removed = 0, state = 'refused', reason = ? "
                f"WHERE {_ROW} AND version = ?",
                (reason, *self._own, label.log_id, label.evaluator, label.version),
            )

    def mark_removed(self, label: Label) -> None:
        """Mark a removed label as removed in Respan; a label entered meanwhile stays queued.

        The row stays, since its time shows that earlier look-ups are out of date.
        """
        where = (*self._own, label.log_id, label.evaluator)
        with self._db.write() as db:
            db.execute(
                f"UPDATE labels SET tried = 0, score_id = NULL, settled = ? WHERE {_ROW}",
                (time.time_ns(), *where),
            )
            query = f"UPDATE labels SET state = 'sent' WHERE {_ROW} AND version = ?"
            db.execute(query, (*where, label.version))

    # -- drafts and evaluators ------------------------------------------------------------------

    def store_draft(self, log_id: str, evaluator: str, draft: Any) -> None:
        """Store a draft: an entry that is not saved yet; None drops it."""
        with self._db.write() as db:
            if draft is None:
                self._drop_drafts(db, log_id, [evaluator])
            else:
                row = (*self._own, log_id, evaluator, json.dumps(draft))
                db.execute("INSERT OR REPLACE INTO drafts VALUES (?, ?, ?, ?, ?)", row)

    def drafts(self, log_id: str) -> dict[str, Any]:
        """Return the drafts of a log, by evaluator."""
        query = "SELECT * FROM drafts WHERE server = ? AND person = ? AND log_id = ?"
        return {row["evaluator"]: json.loads(row["draft"]) for row in self._read(query, log_id)}

    def _drop_drafts(self, db: sqlite3.Connection, log_id: str, evaluators: Iterable[str]) -> None:
        db.executemany(
            f"DELETE FROM drafts WHERE {_ROW}", [(*self._own, log_id, one) for one in evaluators]
        )

    def store_evaluator(self, name: str, definition: Mapping[str, Any]) -> None:
        """Store an evaluator's definition, for when the server can't be reached."""
        with self._db.write() as db:
            row = (self._own[0], name, json.dumps(definition))
            db.execute("INSERT OR REPLACE INTO evaluators VALUES (?, ?, ?)", row)

    def evaluator(self, name: str) -> dict[str, Any] | None:
        """Return the stored definition of an evaluator, None when there is none."""
        query = "SELECT definition FROM evaluators WHERE server = ? AND name = ?"
        rows = self._db.read(query, self._own[0], name)
        return json.loads(rows[0]["definition"]) if rows else None


_ROW: Final = "server = ? AND person = ? AND log_id = ? AND evaluator = ?"


def _first_save(rows: Iterable[sqlite3.Row]) -> Iterator[sqlite3.Row]:
    number = None
    for row in rows:
        if number is not None and row["save"] != number:
            return
        number = row["save"]
        yield row
