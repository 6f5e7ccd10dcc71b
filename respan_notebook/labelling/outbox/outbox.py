"""Store every label on disk before the screen moves on.

One SQLite file (WAL) serves any number of notebooks. It has one label per server, person, log and
evaluator, as Respan has one score; a label is queued until the sender marks it as delivered or
refused. The file holds no key and no text of a log, and its format only grows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from respan_notebook.labelling.outbox.accounts import Accounts
from respan_notebook.labelling.outbox.database import Database
from respan_notebook.labelling.outbox.delivery import Delivery
from respan_notebook.labelling.outbox.evaluators import Evaluators
from respan_notebook.labelling.outbox.history import Undone, store_saves, undo_last
from respan_notebook.labelling.outbox.label import IN_FILE, REFUSED, Change, Counts, Label
from respan_notebook.labelling.outbox.rows import (
    COLUMNS,
    OWN,
    ROW,
    enqueue,
    read_label,
    take_numbers,
)
from respan_notebook.models import Evaluator

_NO_LABEL = ", ".join("NULL" for _ in COLUMNS.split(", ")[2:])


def default_path() -> Path:
    """Return the path of the outbox when no ``outbox=`` is given: in the user's data folder."""
    return platformdirs.user_data_path("respan_notebook", appauthor=False) / "outbox.sqlite3"


@dataclass(frozen=True)
class StoredLog:
    """Hold what the outbox has of one log.

    Attributes
    ----------
    labels : dict of str to Label
        By evaluator.
    drafts : dict of str to dict
        Entries that are not saved yet, as JSON, by evaluator.
    """

    labels: Mapping[str, Label]
    drafts: Mapping[str, Mapping[str, Any]]


class Outbox:
    """Store the labels of one person on one server, in a file that others may share.

    A save takes one transaction and one read; :meth:`log`, which is all that the screen needs of
    the next log, takes another read.

    Parameters
    ----------
    path : Path
        The SQLite file; it and its folder are created when they are missing.
    server : str
        The base URL.
    person : str
        The fingerprint of the person's key (:attr:`RespanClient.fingerprint`).
    trace : Callable, optional
        Called with each SQL statement that is run.

    Attributes
    ----------
    accounts : Accounts
        Whose labels are in the file.
    delivery : Delivery
        What becomes of the labels; for the sender.
    evaluators : Evaluators
        The definitions of the evaluators, as they were last seen.

    Raises
    ------
    ConfigurationError
        Labels can't be stored in this file.
    OutboxError
        By every method, when the file can't be used any more.
    """

    def __init__(
        self,
        path: Path,
        server: str,
        person: str,
        *,
        trace: Callable[[str], object] | None = None,
    ) -> None:
        self.path, self._own = path, (server, person)
        self._db = Database(path, trace=trace)
        self.accounts = Accounts(self._db, path, server, person)
        self.delivery = Delivery(self._db, self._own)
        self.evaluators = Evaluators(self._db, self._own)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _read(self, query: str, *values: object) -> list[sqlite3.Row]:
        return self._db.read(query, *self._own, *values)

    # -- labels ---------------------------------------------------------------------------------

    def log(self, log_id: str) -> StoredLog:
        """Return labels and drafts of a log."""
        rows = self._read(
            f"SELECT {COLUMNS}, NULL AS draft FROM labels WHERE {OWN} AND log_id = ? UNION ALL "
            f"SELECT log_id, evaluator, {_NO_LABEL}, draft FROM drafts WHERE {OWN} AND log_id = ?",
            *(log_id, *self._own, log_id),
        )
        labels = (read_label(row) for row in rows if row["draft"] is None)
        drafts = {row["evaluator"]: json.loads(row["draft"]) for row in rows if row["draft"]}
        return StoredLog({one.evaluator: one for one in labels}, drafts)

    def labels(self, state: str | None = None) -> list[Label]:
        """Return all labels, those in a state if given, in the order of their last change."""
        return [read_label(row) for row in self._rows(COLUMNS, state)]

    def scored_pairs(self, state: str | None = None) -> set[tuple[str, str]]:
        """Return log and evaluator of the labels that are not removed, in a state if given."""
        rows = self._rows("log_id, evaluator, removed", state)
        return {(row["log_id"], row["evaluator"]) for row in rows if not row["removed"]}

    def _rows(self, columns: str, state: str | None) -> list[sqlite3.Row]:
        query = f"SELECT {columns} FROM labels WHERE {OWN}"
        if state is None:
            return self._read(f"{query} ORDER BY version")
        return self._read(f"{query} AND state = ? ORDER BY version", IN_FILE[state])

    def counts(self) -> Counts:
        """Count the labels of this person and server by state, of whatever frame they are."""
        return self.tally()[0]

    def tally(self) -> tuple[Counts, set[tuple[str, str]]]:
        """Return the counts, and log and evaluator of the refused labels, in one read."""
        rows = self._read(
            "SELECT state, count(*) AS labels, coalesce(sum(removed), 0) AS removed, "
            f"NULL AS log_id, NULL AS evaluator FROM labels WHERE {OWN} GROUP BY state UNION ALL "
            f"SELECT NULL, 0, 0, log_id, evaluator FROM labels WHERE {OWN} AND state = 'refused'",
            *self._own,
        )
        found = {row["state"]: (row["labels"], row["removed"]) for row in rows if row["state"]}
        queued, _ = found.get("waiting", (0, 0))
        delivered, gone = found.get("sent", (0, 0))
        counts = Counts(queued, delivered - gone, found.get("refused", (0, 0))[0])
        return counts, {(row["log_id"], row["evaluator"]) for row in rows if not row["state"]}

    # -- what was not scored --------------------------------------------------------------------

    def drafted(self) -> set[tuple[str, str]]:
        """Return log and evaluator of all drafts."""
        rows = self._read(f"SELECT log_id, evaluator FROM drafts WHERE {OWN}")
        return {(row["log_id"], row["evaluator"]) for row in rows}

    def skipped(self) -> set[str]:
        """Return the logs that were skipped and not scored since."""
        return {row["log_id"] for row in self._read(f"SELECT log_id FROM skips WHERE {OWN}")}

    def store_skip(self, log_id: str, *, on: bool) -> None:
        """Store that a log was skipped, or that it was not."""
        with self._db.write() as db:
            if on:
                db.execute("INSERT OR IGNORE INTO skips VALUES (?, ?, ?)", (*self._own, log_id))
            else:
                self._drop_skips(db, [log_id])

    def _drop_skips(self, db: sqlite3.Connection, log_ids: Iterable[str]) -> None:
        query = f"DELETE FROM skips WHERE {OWN} AND log_id = ?"
        db.executemany(query, [(*self._own, log_id) for log_id in log_ids])

    @property
    def order(self) -> int:
        """The highest order number so far: what is stored later has a higher one."""
        return int(self._db.read("SELECT number FROM last_order")[0][0])

    # -- saving ---------------------------------------------------------------------------------

    def save(self, changes: Sequence[Change], scored: Iterable[tuple[str, str]] = ()) -> None:
        """Store the changes of one save with the previous scores, all of them or none.

        Parameters
        ----------
        changes : sequence of Change
            Of one log, or of many at once; :meth:`undo` takes them back together.
        scored : iterable of (str, str)
            Log and evaluator of the drafts that are dropped: all that the person could score.
        """
        logs = len({change.log_id for change in changes})
        with self._db.write() as db:
            if changes:
                numbers = take_numbers(db, logs + len(changes))
                store_saves(db, self._own, changes, numbers[:logs])
                for change, version in zip(changes, numbers[logs:], strict=True):
                    enqueue(db, self._own, change, version)
                self._drop_skips(db, {change.log_id for change in changes if change.removed})
            self._drop_drafts(db, scored)

    def undo(self, log_ids: Container[str], evaluators: Container[str]) -> Undone | None:
        """Restore the previous scores of the last save of these logs by these evaluators.

        Returns
        -------
        Undone or None
            None when there is no save to undo.

        Raises
        ------
        UnknownPreviousError
            A previous score is not known; nothing was changed.
        """
        with self._db.write() as db:
            return undo_last(db, self._own, log_ids, evaluators)

    def send_again(self) -> int:
        """Mark all refused labels as queued; return their number."""
        refused = self.labels(REFUSED)
        self.delivery.requeue(refused)
        return len(refused)

    # -- drafts ---------------------------------------------------------------------------------

    def store_draft(
        self, log_id: str, evaluator: Evaluator, draft: Mapping[str, Any] | None
    ) -> None:
        """Store a draft: an entry that is not saved yet; None drops it.

        It is stored with the type of the evaluator: see ``fit_draft``.
        """
        name = evaluator.id_or_slug
        with self._db.write() as db:
            if draft is None:
                self._drop_drafts(db, [(log_id, name)])
            else:
                text = json.dumps({**draft, "type": evaluator.score_value_type})
                row = (*self._own, log_id, name, text)
                db.execute("INSERT OR REPLACE INTO drafts VALUES (?, ?, ?, ?, ?)", row)

    def _drop_drafts(self, db: sqlite3.Connection, scored: Iterable[tuple[str, str]]) -> None:
        db.executemany(f"DELETE FROM drafts WHERE {ROW}", [(*self._own, *one) for one in scored])
