"""Undo saves: restore what each of them replaced."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from respan_notebook.labelling.outbox.label import FROM_FILE, Change
from respan_notebook.labelling.outbox.rows import ROW, enqueue, take_numbers
from respan_notebook.models import Upsert


class UnknownPreviousError(Exception):
    """The previous score is unknown: not read yet while ``state`` is "queued", else for good."""

    def __init__(self, state: str) -> None:
        super().__init__("it is not known what was there before")
        self.state = state


@dataclass(frozen=True)
class Undone:
    """Hold what an undo restored.

    Attributes
    ----------
    scores : tuple of (str, str)
        Log and evaluator of each score, in the order of their saving.
    sent : tuple of (str, str)
        Those of them that may change in Respan.
    changes : tuple of Change
        What makes the save again.
    """

    scores: tuple[tuple[str, str], ...]
    sent: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...] = ()

    @property
    def log_ids(self) -> tuple[str, ...]:
        """The logs, in the order of their saving."""
        return tuple(dict.fromkeys(log_id for log_id, _ in self.scores))


def store_saves(
    db: sqlite3.Connection, own: tuple[str, str], changes: Iterable[Change], numbers: range
) -> None:
    """Store what the changes replace; each log has a save number, and all of them one batch.

    A label that another notebook has changed since it was seen is itself the previous score.
    """
    saves: dict[str, int] = {}
    for change in changes:
        if change.log_id not in saves:
            saves[change.log_id] = numbers[len(saves)]
        previous = None if change.previous is None else json.dumps(change.previous)
        seen = change.seen
        db.execute(
            "INSERT INTO saves SELECT ?, ?, ?, ?, ?, "
            "CASE WHEN version != ? THEN 1 ELSE ? END, "
            "CASE WHEN version != ? THEN CASE WHEN removed THEN NULL ELSE body END ELSE ? END "
            f"FROM (SELECT 1) LEFT JOIN labels ON {ROW}",
            (
                *(saves[change.log_id], *own, change.log_id, change.evaluator),
                *(seen, change.known, seen, previous),
                *(*own, change.log_id, change.evaluator),
            ),
        )
    if len(saves) > 1:
        first = numbers[0]
        db.executemany("INSERT INTO batches VALUES (?, ?)", [(n, first) for n in saves.values()])


def undo_last(
    db: sqlite3.Connection,
    own: tuple[str, str],
    log_ids: Container[str],
    evaluators: Container[str],
) -> Undone | None:
    """Restore the previous scores of the last save of these logs; see :meth:`Outbox.undo`."""
    cursor = db.execute(
        "SELECT saves.*, coalesce(batch, save) AS batch FROM saves LEFT JOIN batches USING (save) "
        "WHERE server = ? AND person = ? ORDER BY save DESC",
        own,
    )
    mine = (row for row in cursor if row["log_id"] in log_ids and row["evaluator"] in evaluators)
    found = list(_first_batch(mine))[::-1]
    if not found:
        return None
    restored = [_restore(db, own, row) for row in found]
    scores = tuple((row["log_id"], row["evaluator"]) for row in found)
    sent = tuple(pair for pair, (is_sent, _) in zip(scores, restored, strict=True) if is_sent)
    return Undone(scores, sent, tuple(change for _, change in restored if change is not None))


def _first_batch(rows: Iterable[sqlite3.Row]) -> Iterator[sqlite3.Row]:
    batch = None
    for row in rows:
        if batch is not None and row["batch"] != batch:
            return
        batch = row["batch"]
        yield row


def _restore(
    db: sqlite3.Connection, own: tuple[str, str], save: sqlite3.Row
) -> tuple[bool, Change | None]:
    """Restore the previous score; return whether it must be sent, and what makes the save again."""
    where = (*own, save["log_id"], save["evaluator"])
    label = db.execute(f"SELECT * FROM labels WHERE {ROW}", where).fetchone()
    tried = label is not None and bool(label["tried"])
    (version,) = take_numbers(db)
    if not save["known"] and tried:
        raise UnknownPreviousError(FROM_FILE[label["state"]])
    if save["former"] is not None:
        # Respan keeps an explanation that is not sent.
        body = {"explanation": "", **json.loads(save["former"])}
        upsert = Upsert(save["log_id"], body)
        enqueue(db, own, Change(save["evaluator"], upsert), version)
    elif tried:
        upsert = Upsert(save["log_id"], json.loads(label["body"]))
        enqueue(db, own, Change(save["evaluator"], upsert, removed=True), version)
    else:
        db.execute(f"DELETE FROM labels WHERE {ROW} AND NOT settled", where)
        # The row of a score that was removed before stays; see :meth:`Delivery.mark_removed`.
        db.execute(
            "UPDATE labels SET removed = 1, state = 'sent', version = ?, reason = NULL "
            f"WHERE {ROW}",
            (version, *where),
        )
    db.execute(f"DELETE FROM saves WHERE {ROW} AND save = ?", (*where, save["save"]))
    return tried or save["former"] is not None, _as_change(save, label, version)


def _as_change(save: sqlite3.Row, label: sqlite3.Row | None, version: int) -> Change | None:
    """Return the change that a save made, for making it again on top of a version."""
    if label is None:
        return None
    previous = None if save["former"] is None else json.loads(save["former"])
    return Change(
        save["evaluator"],
        Upsert(save["log_id"], json.loads(label["body"])),
        bool(label["removed"]),
        bool(save["known"]),
        previous,
        label["score_id"],
        seen=version,
    )
