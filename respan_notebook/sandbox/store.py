"""What the sandbox knows, in SQLite."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from respan_notebook.sandbox.clock import current_timestamp
from respan_notebook.sandbox.filters import Where
from respan_notebook.sandbox.passing import VALUE_FIELD, is_passed
from respan_notebook.sandbox.schemas import VALUE_FIELDS
from respan_notebook.sandbox.tables import SCORE_FIELDS

BOOLEAN_FIELDS = ("boolean_value", "is_passed")


@dataclass(frozen=True)
class Order:
    """The order of a list, and the part of it that one page shows."""

    by: str
    descending: bool
    offset: int
    limit: int

    @property
    def sql(self) -> str:
        """ORDER BY, with the insertion order to break ties, and LIMIT."""
        way = "DESC" if self.descending else "ASC"
        return f"ORDER BY {self.by} {way}, seq {way} LIMIT {self.limit} OFFSET {self.offset}"


class Store:
    """The logs, evaluators, scores and API keys of one sandbox.

    Every method that writes has committed when it returns.

    Parameters
    ----------
    path
        The database file; in memory if it is not given.

    Raises
    ------
    sqlite3.Error
        If the file cannot be opened, or is no SQLite database.
    """

    def __init__(self, path: str = ":memory:") -> None:
        # Opened by the thread that starts the server, used only by the server's thread after.
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except sqlite3.Error:
            self._db.close()
            raise

    def _prepare(self) -> None:
        self._db.row_factory = sqlite3.Row
        self._db.create_function("casefold", 1, _casefold, deterministic=True)
        self._db.execute("PRAGMA journal_mode = WAL")
        # A commit is written to the WAL but not synced. The operating system has it from then
        # on, so it survives kill -9; only a crash of the whole machine could lose it.
        self._db.execute("PRAGMA synchronous = NORMAL")
        schema = files("respan_notebook.sandbox") / "schema.sql"
        self._db.executescript(schema.read_text(encoding="utf-8"))

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def _rows(
        self, sql: str, bound: Mapping[str, Any] | tuple[Any, ...] = ()
    ) -> list[dict[str, Any]]:
        # fetchall, because a statement with RETURNING commits only once it has run to its end.
        return [dict(row) for row in self._db.execute(sql, bound).fetchall()]

    def _document(self, sql: str, *bound: object) -> dict[str, Any] | None:
        row = self._db.execute(sql, bound).fetchone()
        return None if row is None else _loads(row["document"])

    def api_keys(self) -> dict[str, str]:
        """Return the API key of every annotator, by email, in the order they were added."""
        rows = self._rows("SELECT email, key FROM api_keys ORDER BY seq")
        return {row["email"]: row["key"] for row in rows}

    def add_annotators(self, emails: Iterable[str]) -> None:
        """Give each annotator a key, unless they have one."""
        self._db.executemany(
            "INSERT INTO api_keys (email, key) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(email, f"sandbox-{secrets.token_urlsafe(24)}") for email in emails],
        )

    def add_log(self, fields: Mapping[str, Any]) -> dict[str, Any] | None:
        """Store a log and return it, or None where its `unique_id` is taken."""
        unique_id = fields.get("unique_id") or uuid.uuid4().hex
        log = {**fields, "id": unique_id, "unique_id": unique_id}
        log["timestamp"] = fields.get("timestamp") or current_timestamp()
        # Scores are kept in their own table, and shown from there.
        log.pop("scores", None)
        added = self._rows(
            "INSERT INTO logs (unique_id, timestamp, document) VALUES (?, ?, ?) "
            "ON CONFLICT DO NOTHING RETURNING seq",
            (unique_id, log["timestamp"], _dumps(log)),
        )
        return log if added else None

    def add_logs(self, logs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
        """Store several logs in one transaction; see `add_log`."""
        with _Transaction(self._db):
            return [self.add_log(log) for log in logs]

    def has_log(self, log_id: str) -> bool:
        """Return whether there is such a log."""
        return bool(self._rows("SELECT 1 FROM logs WHERE unique_id = ?", (log_id,)))

    def log(self, log_id: str) -> dict[str, Any] | None:
        """Return a log with its scores."""
        log = self._document("SELECT document FROM logs WHERE unique_id = ?", log_id)
        return None if log is None else {**log, "scores": self._scores_by_log([log_id])[log_id]}

    def logs(self, where: Where, order: Order) -> list[dict[str, Any]]:
        """Return the logs of a page, with their scores."""
        sql = f"SELECT document FROM logs WHERE {where.sql} {order.sql}"  # noqa: S608
        logs = [_loads(row["document"]) for row in self._rows(sql, where.bound)]
        scores = self._scores_by_log([log["unique_id"] for log in logs])
        return [{**log, "scores": scores[log["unique_id"]]} for log in logs]

    def count_logs(self, where: Where) -> int:
        """Return how many logs match."""
        sql = f"SELECT COUNT(*) AS count FROM logs WHERE {where.sql}"  # noqa: S608
        return int(self._rows(sql, where.bound)[0]["count"])

    def _scores_by_log(self, log_ids: list[str]) -> dict[str, dict[str, Any]]:
        scores: dict[str, dict[str, Any]] = {log_id: {} for log_id in log_ids}
        if not log_ids:
            return scores
        where = Where()
        sql = f"SELECT * FROM scores WHERE log_id IN {where.table(log_ids)} ORDER BY seq"  # noqa: S608
        for row in self._rows(sql, where.bound):
            score = _decode_score(row)
            evaluator = score["evaluator_id"] or score["evaluator_slug"]
            scores[row["log_id"]][evaluator] = {field: score[field] for field in VALUE_FIELDS}
        return scores

    def add_evaluator(self, fields: Mapping[str, Any]) -> dict[str, Any] | None:
        """Store an evaluator and return it, or None where its slug (or id) is taken."""
        moment = current_timestamp()
        evaluator = {
            "id": f"eval_{uuid.uuid4().hex}",
            "version": 1,
            "version_id": uuid.uuid4().hex,
            "is_read_only": False,
            "created_at": moment,
            "updated_at": moment,
            **fields,
        }
        evaluator["evaluator_slug"] = fields.get("evaluator_slug") or self._slug(fields["name"])
        added = self._rows(
            "INSERT INTO evaluators (id, evaluator_slug, created_at, document) "
            "VALUES (:id, :evaluator_slug, :created_at, :document) "
            "ON CONFLICT DO NOTHING RETURNING seq",
            {**evaluator, "document": _dumps(evaluator)},
        )
        return evaluator if added else None

    def _slug(self, name: str) -> str:
        stem = re.sub(r"\W+", "_", name.casefold()).strip("_") or "evaluator"
        slug, number = stem, 1
        while self.evaluator_by_slug(slug) is not None:
            number += 1
            slug = f"{stem}_{number}"
        return slug

    def evaluator(self, evaluator_id: str) -> dict[str, Any] | None:
        """Return the evaluator with this id."""
        return self._document("SELECT document FROM evaluators WHERE id = ?", evaluator_id)

    def evaluator_by_slug(self, slug: str) -> dict[str, Any] | None:
        """Return the evaluator with this slug."""
        return self._document("SELECT document FROM evaluators WHERE evaluator_slug = ?", slug)

    def evaluators(self, where: Where, order: Order) -> list[dict[str, Any]]:
        """Return the evaluators of a page."""
        sql = f"SELECT document FROM evaluators WHERE {where.sql} {order.sql}"  # noqa: S608
        return [_loads(row["document"]) for row in self._rows(sql, where.bound)]

    def upsert_score(
        self,
        *,
        log_id: str,
        scorer: str,
        evaluator: Mapping[str, Any] | None,
        slug: str | None,
        changes: Mapping[str, Any],
    ) -> tuple[dict[str, Any], bool]:
        """Create the score of (log, evaluator, scorer), or change it.

        Parameters
        ----------
        log_id, scorer
            The log that is scored, and by whom.
        evaluator
            The evaluator, or None for a custom slug.
        slug
            The custom slug that no evaluator has.
        changes
            The fields to set; an existing score keeps the others.

        Returns
        -------
        tuple
            The score, and whether it was created.
        """
        new_id = uuid.uuid4().hex
        changes = _changes(evaluator, changes)
        row = _stored(changes) | _identity(evaluator, slug)
        row |= {"id": new_id, "created_at": current_timestamp(), "log_id": log_id, "scorer": scorer}
        # Without a change to make, DO UPDATE still has to touch the row: RETURNING skips it else.
        updates = ", ".join(f"{name} = excluded.{name}" for name in changes or ["scorer"])
        sql = (
            f"INSERT INTO scores ({', '.join(row)}) VALUES ({', '.join(':' + n for n in row)}) "  # noqa: S608
            f"ON CONFLICT (log_id, evaluator_key, scorer) DO UPDATE SET {updates} RETURNING *"
        )
        score = _decode_score(self._rows(sql, row)[0])
        return score, score["id"] == new_id

    def score(self, log_id: str, score_id: str) -> dict[str, Any] | None:
        """Return one score of a log."""
        rows = self._rows("SELECT * FROM scores WHERE log_id = ? AND id = ?", (log_id, score_id))
        return _decode_score(rows[0]) if rows else None

    def change_score(
        self, log_id: str, score_id: str, changes: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Set some fields of a score and return it, or None if there is no such score."""
        score = self.score(log_id, score_id)
        if score is None or not changes:
            return score
        evaluator_id = score["evaluator_id"]
        evaluator = None if evaluator_id is None else self.evaluator(evaluator_id)
        row = _stored(_changes(evaluator, changes))
        sets = ", ".join(f"{name} = :{name}" for name in row)
        sql = f"UPDATE scores SET {sets} WHERE id = :id RETURNING *"  # noqa: S608
        return _decode_score(self._rows(sql, {**row, "id": score_id})[0])

    def delete_score(self, log_id: str, score_id: str) -> bool:
        """Delete a score; return whether there was one."""
        sql = "DELETE FROM scores WHERE log_id = ? AND id = ? RETURNING id"
        return bool(self._rows(sql, (log_id, score_id)))

    def scores(self, where: Where, order: Order) -> list[dict[str, Any]]:
        """Return the scores of a page."""
        sql = f"SELECT * FROM scores WHERE {where.sql} {order.sql}"  # noqa: S608
        return [_decode_score(row) for row in self._rows(sql, where.bound)]


class _Transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")


def _identity(evaluator: Mapping[str, Any] | None, slug: str | None) -> dict[str, Any]:
    if evaluator is None:
        # Ids and slugs are kept apart: a custom slug may look like the id of an evaluator.
        return {"evaluator_key": f"slug:{slug}", "evaluator_slug": slug, "type": "custom"}
    return {
        "evaluator_key": f"id:{evaluator['id']}",
        "evaluator_id": evaluator["id"],
        "evaluator_slug": evaluator["evaluator_slug"],
        "evaluator_name": evaluator["name"],
        "type": evaluator["type"],
    }


def _changes(evaluator: Mapping[str, Any] | None, changes: Mapping[str, Any]) -> dict[str, Any]:
    if evaluator is None or VALUE_FIELD[evaluator["score_value_type"]] not in changes:
        return dict(changes)
    return {**changes, "is_passed": is_passed(evaluator, changes)}


def _stored(changes: Mapping[str, Any]) -> dict[str, Any]:
    row = dict(changes)
    if row.get("categorical_value") is not None:
        row["categorical_value"] = _dumps(row["categorical_value"])
    return row


def _decode_score(row: Mapping[str, Any]) -> dict[str, Any]:
    score = {field: row[field] for field in SCORE_FIELDS}
    for field in BOOLEAN_FIELDS:
        score[field] = None if score[field] is None else bool(score[field])
    if score["numerical_value"] is not None:
        # RETURNING shows 3.0 as 3, the way SQLite keeps it.
        score["numerical_value"] = float(score["numerical_value"])
    if score["categorical_value"] is not None:
        score["categorical_value"] = json.loads(score["categorical_value"])
    return score


def _casefold(value: str | float | None) -> str | float | None:
    return value.casefold() if isinstance(value, str) else value


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _loads(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    return document
