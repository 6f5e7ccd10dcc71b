"""Store the definitions of evaluators, and find labels of an evaluator that was made anew."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping

from respan_notebook.labelling.outbox.database import Database
from respan_notebook.labelling.outbox.definition import definition_of
from respan_notebook.labelling.outbox.rows import (
    COLUMNS,
    OWN,
    ROW,
    read_label,
    store_definition,
    take_numbers,
)
from respan_notebook.models import Evaluator


class Evaluators:
    """Store the definitions of a server's evaluators, as they were last seen."""

    def __init__(self, database: Database, own: tuple[str, str]) -> None:
        self._db, self._own, self._server = database, own, own[0]

    def store(self, named: Mapping[str, Evaluator]) -> None:
        """Store definitions by the names they were asked for.

        They serve when the server can't be reached, and labels that were validated against another
        definition are validated again before they are sent.
        """
        with self._db.write() as db:
            for name, one in named.items():
                text = json.dumps(one.model_dump(mode="json"))
                row = (self._server, name, text)
                db.execute("INSERT OR REPLACE INTO evaluators VALUES (?, ?, ?)", row)
                digest = store_definition(db, definition_of(one))
                current = (self._server, one.id_or_slug, digest)
                db.execute("INSERT OR REPLACE INTO current_definitions VALUES (?, ?, ?)", current)
                if one.id and one.evaluator_slug:
                    slug = (self._server, one.id, one.evaluator_slug)
                    db.execute("INSERT OR REPLACE INTO slugs VALUES (?, ?, ?)", slug)

    def get(self, name: str) -> Evaluator | None:
        """Return the stored definition of an evaluator, None when there is none."""
        query = "SELECT definition FROM evaluators WHERE server = ? AND name = ?"
        rows = self._db.read(query, self._server, name)
        return Evaluator.model_validate(json.loads(rows[0]["definition"])) if rows else None

    def take_labels(self, evaluators: Iterable[Evaluator]) -> int:
        """Give labels to the evaluators that have their slugs now; return the number of labels.

        They are the labels that were entered by slug, when the evaluator had no id, and those of an
        evaluator that was made anew: of these, what has not arrived is to be sent to the new one.
        Only evaluators whose slugs no other one has may be given.
        """
        with self._db.write() as db:
            return sum(self._take(db, one) for one in evaluators if one.id and one.evaluator_slug)

    def _take(self, db: sqlite3.Connection, evaluator: Evaluator) -> int:
        id_, slug = evaluator.id_or_slug, evaluator.slug_or_id
        query = "SELECT id FROM slugs WHERE server = ? AND slug = ? AND id != ?"
        former = [row["id"] for row in db.execute(query, (self._server, slug, id_)).fetchall()]
        self._rename(db, "saves", slug, id_)
        for name in (slug, *former):
            self._rename(db, "drafts", name, id_)
        undelivered = sum(self._take_undelivered(db, id_, name) for name in former)
        return undelivered + self._rename(db, "labels", slug, id_)

    def _rename(self, db: sqlite3.Connection, table: str, name: str, id_: str) -> int:
        return db.execute(
            f"UPDATE OR IGNORE {table} SET evaluator = ? WHERE {OWN} AND evaluator = ?",
            (id_, *self._own, name),
        ).rowcount

    def _take_undelivered(self, db: sqlite3.Connection, id_: str, former: str) -> int:
        query = (
            f"SELECT {COLUMNS} FROM labels WHERE {OWN} AND evaluator = ? AND state != 'sent' "
            "AND NOT removed"
        )
        labels = [read_label(row) for row in db.execute(query, (*self._own, former)).fetchall()]
        for label in labels:
            row = (*self._own, label.log_id, former)
            body = json.dumps({**label.body, "evaluator_id": id_})
            (version,) = take_numbers(db)
            moved = db.execute(
                "UPDATE OR IGNORE labels SET evaluator = ?, body = ?, version = ?, tried = 0, "
                f"settled = 0, score_id = NULL WHERE {ROW}",
                (id_, body, version, *row),
            ).rowcount
            if moved:  # The new evaluator has had no score.
                db.execute(
                    "UPDATE OR IGNORE saves SET evaluator = ?, known = 1, former = NULL "
                    f"WHERE {ROW}",
                    (id_, *row),
                )
        return len(labels)
