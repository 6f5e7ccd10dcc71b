"""Store logs, evaluators, scores and API keys in SQLite."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from respan_notebook.sandbox.clock import current_timestamp
from respan_notebook.sandbox.filters import Where
from respan_notebook.sandbox.passing import VALUE_FIELD, VALUE_FIELDS, is_passed
from respan_notebook.sandbox.tables import SCORE_FIELDS

BOOLEAN_FIELDS = ("boolean_value", "is_passed")


@dataclass(frozen=True)
class Order:
    """Order a list, and select the part of it on one page."""

    by: str
    descending: bool
    offset: int
    limit: int

    @property
    def sql(self) -> str:
        """ORDER BY, with the insertion order to break ties, and LIMIT."""
        direction = "DESC" if self.descending else "ASC"
        order = f"{self.by} {direction}, seq {direction}"
        return f"ORDER BY {order} LIMIT {self.limit} OFFSET {self.offset}"


class Store:
    """Store the logs, evaluators, scores and API keys of one sandbox in a file or in memory.

    Every method that writes has committed when it returns. A file that cannot be opened, or is
    no SQLite database, raises sqlite3.Error.
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

    def _select(self, table: str, where: Where, order: Order) -> list[dict[str, Any]]:
        sql = f"SELECT * FROM {table} WHERE {where.sql} {order.sql}"  # noqa: S608
        return self._rows(sql, where.bound)

    def _insert(
        self, table: str, row: Mapping[str, Any], *, on_conflict: str = "DO NOTHING"
    ) -> list[dict[str, Any]]:
        columns, values = ", ".join(row), ", ".join(f":{column}" for column in row)
        sql = f"INSERT INTO {table} ({columns}) VALUES ({values})"  # noqa: S608
        return self._rows(f"{sql} ON CONFLICT {on_conflict} RETURNING *", row)

    def _document(self, sql: str, *bound: object) -> dict[str, Any] | None:
        documents = _documents(self._rows(sql, bound))
        return documents[0] if documents else None

    def api_keys(self) -> dict[str, str]:
        """Return the API key of every annotator, by email, in the order they were added."""
        rows = self._rows("SELECT email, key FROM api_keys ORDER BY seq")
        return {row["email"]: row["key"] for row in rows}

    def add_annotators(self, emails: Iterable[str]) -> None:
        """Give an API key to each annotator who has none."""
        self._db.executemany(
            "INSERT INTO api_keys (email, key) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(email, f"sandbox-{secrets.token_urlsafe(24)}") for email in emails],
        )

    def add_log(self, fields: Mapping[str, Any]) -> dict[str, Any] | None:
        """Store a log and return it, or None if its `unique_id` is taken."""
        unique_id = fields.get("unique_id") or uuid.uuid4().hex
        log = {**fields, "id": unique_id, "unique_id": unique_id}
        log["timestamp"] = fields.get("timestamp") or current_timestamp()
        # Scores are stored in a table of their own, and read from there.
        log.pop("scores", None)
        row = {"unique_id": unique_id, "timestamp": log["timestamp"], "document": _dumps(log)}
        return log if self._insert("logs", row) else None

    def add_logs(self, logs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
        """Store several logs in one transaction; see `add_log`."""
        with self._db:  # Commits, or rolls back.
            self._db.execute("BEGIN IMMEDIATE")
            return [self.add_log(log) for log in logs]

    def has_log(self, log_id: str) -> bool:
        """Return whether the log exists."""
        return bool(self._rows("SELECT 1 FROM logs WHERE unique_id = ?", (log_id,)))

    def log(self, log_id: str) -> dict[str, Any] | None:
        """Return a log with its scores."""
        log = self._document("SELECT document FROM logs WHERE unique_id = ?", log_id)
        return None if log is None else self._with_scores([log], self._describe_whole)[0]

    def logs(self, where: Where, order: Order) -> list[dict[str, Any]]:
        """Return the logs of a page, with their scores."""
        return self._with_scores(_documents(self._select("logs", where, order)), _describe_short)

    def count_logs(self, where: Where) -> int:
        """Count the logs that match."""
        sql = f"SELECT COUNT(*) AS count FROM logs WHERE {where.sql}"  # noqa: S608
        return int(self._rows(sql, where.bound)[0]["count"])

    def _with_scores(
        self, logs: list[dict[str, Any]], describe: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Return logs with their scores by evaluator, each as `describe` returns it."""
        if not logs:
            return logs
        scores: dict[str, dict[str, Any]] = {log["unique_id"]: {} for log in logs}
        where = Where()
        sql = f"SELECT * FROM scores WHERE log_id IN {where.table(scores)} ORDER BY seq"  # noqa: S608
        for row in self._rows(sql, where.bound):
            score = _decode_score(row)
            evaluator = score["evaluator_id"] or score["evaluator_slug"]
            scores[row["log_id"]][evaluator] = describe(score)
        return [{**log, "scores": scores[log["unique_id"]]} for log in logs]

    def _describe_whole(self, score: dict[str, Any]) -> dict[str, Any]:
        """Return a score as a single log holds it; it does not name the scorer."""
        evaluator = self.evaluator(score["evaluator_id"] or "") or {}
        kind = {"score_value_type": evaluator.get("score_value_type")}
        names = ("id", "evaluator_id", "evaluator_slug", "evaluator_name")
        values = (*VALUE_FIELDS, "is_passed", "explanation")
        return {n: score[n] for n in names} | kind | {n: score[n] for n in values}

    def log_environment(self, log_id: str) -> str | None:
        """Return the environment of a log, None if there is no such log."""
        sql = (
            "SELECT json_extract(document, '$.environment') AS environment FROM logs "
            "WHERE unique_id = ?"
        )
        rows = self._rows(sql, (log_id,))
        return (rows[0]["environment"] or "prod") if rows else None

    def log_timestamp(self, log_id: str) -> str | None:
        """Return the timestamp of a log."""
        rows = self._rows("SELECT timestamp FROM logs WHERE unique_id = ?", (log_id,))
        return rows[0]["timestamp"] if rows else None

    def count_scores(self) -> int:
        """Count all scores."""
        return int(self._rows("SELECT COUNT(*) AS count FROM scores")[0]["count"])

    def add_evaluator(self, fields: Mapping[str, Any]) -> dict[str, Any] | None:
        """Store an evaluator and return it, or None if its slug (or id) is taken."""
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
        evaluator["evaluator_slug"] = fields.get("evaluator_slug") or self._new_slug(fields["name"])
        row = {column: evaluator[column] for column in ("id", "evaluator_slug", "created_at")}
        row["document"] = _dumps(evaluator)
        return evaluator if self._insert("evaluators", row) else None

    def _new_slug(self, name: str) -> str:
        stem = re.sub(r"\W+", "_", name.casefold()).strip("_") or "evaluator"
        slug, number = stem, 1
        while self.evaluator_by_slug(slug) is not None:
            number += 1
            slug = f"{stem}_{number}"
        return slug

    def evaluator(self, evaluator_id: str) -> dict[str, Any] | None:
        """Return the evaluator with this id, or with `:version` that version of it."""
        return self._document("SELECT document FROM evaluator_entries WHERE id = ?", evaluator_id)

    def evaluator_by_slug(self, slug: str) -> dict[str, Any] | None:
        """Return the evaluator with this slug."""
        return self._document("SELECT document FROM evaluators WHERE evaluator_slug = ?", slug)

    def change_evaluator(
        self, evaluator_id: str, changes: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Set some fields of an evaluator and return it, or None if its new slug is taken."""
        evaluator = self.evaluator(evaluator_id)
        if evaluator is None:
            return None
        evaluator |= {**changes, "updated_at": current_timestamp()}
        sql = (
            "UPDATE OR IGNORE evaluators SET evaluator_slug = ?, document = ? WHERE id = ? "
            "RETURNING id"
        )
        bound = (evaluator["evaluator_slug"], _dumps(evaluator), evaluator_id)
        return evaluator if self._rows(sql, bound) else None

    def delete_evaluator(self, evaluator_id: str) -> bool:
        """Delete an evaluator with its versions; return whether there was one.

        Its scores stay.
        """
        self._rows("DELETE FROM evaluator_versions WHERE evaluator_id = ?", (evaluator_id,))
        sql = "DELETE FROM evaluators WHERE id = ? RETURNING id"
        return bool(self._rows(sql, (evaluator_id,)))

    def commit_version(
        self, evaluator: Mapping[str, Any], changes: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Store an evaluator with some changes as its next, read-only version, and return it."""
        sql = "SELECT COUNT(*) + 1 AS number FROM evaluator_versions WHERE evaluator_id = ?"
        number = self._rows(sql, (evaluator["id"],))[0]["number"]
        moment = current_timestamp()
        version = {
            **evaluator,
            **changes,
            "id": f"{evaluator['id']}:{number}",
            "evaluator_slug": evaluator["evaluator_slug"],
            "version": number,
            "version_id": uuid.uuid4().hex,
            "is_read_only": True,
            "created_at": moment,
            "updated_at": moment,
        }
        row = {name: version[name] for name in ("id", "evaluator_slug", "created_at")}
        row |= {"evaluator_id": evaluator["id"], "document": _dumps(version)}
        self._insert("evaluator_versions", row)
        self.change_evaluator(evaluator["id"], {"version": 0})
        return version

    def change_log(self, log_id: str, changes: Mapping[str, Any]) -> dict[str, Any] | None:
        """Set some fields of a log and return it, or None if there is no such log."""
        log = self._document("SELECT document FROM logs WHERE unique_id = ?", log_id)
        if log is not None:
            sql = "UPDATE logs SET document = ? WHERE unique_id = ? RETURNING unique_id"
            self._rows(sql, (_dumps({**log, **changes}), log_id))
        return self.log(log_id)

    def evaluators(self, where: Where, order: Order) -> list[dict[str, Any]]:
        """Return the evaluators of a page, with an entry for each version."""
        return _documents(self._select("evaluator_entries AS evaluators", where, order))

    def upsert_score(
        self,
        *,
        log_id: str,
        scorer: str,
        evaluator: Mapping[str, Any] | None,
        slug: str | None,
        changes: Mapping[str, Any],
        environment: str = "prod",
    ) -> tuple[dict[str, Any], bool]:
        """Create or update the score of (log, evaluator, scorer).

        Without an `evaluator`, `slug` is a custom one. An existing score keeps the fields that
        are not in `changes`. Returns the score, and True if it was created.
        """
        new_id = uuid.uuid4().hex
        changed = _encode_changes(evaluator, changes)
        row = changed | _identify_evaluator(evaluator, slug)
        row |= {"id": new_id, "created_at": current_timestamp(), "log_id": log_id, "scorer": scorer}
        row["environment"] = environment
        # Without a change to make, DO UPDATE still has to touch the row: RETURNING skips it else.
        updates = ", ".join(f"{name} = excluded.{name}" for name in changed or ["scorer"])
        conflict = f"(log_id, evaluator_key, scorer) DO UPDATE SET {updates}"
        score = _decode_score(self._insert("scores", row, on_conflict=conflict)[0])
        return score, score["id"] == new_id

    def add_score(
        self,
        *,
        log_id: str,
        scorer: str,
        evaluator: Mapping[str, Any] | None,
        slug: str | None,
        changes: Mapping[str, Any],
        environment: str,
    ) -> dict[str, Any]:
        """Create a score, a second one where (log, evaluator, scorer) has one; arguments as above.

        A second one has an identity of its own, so that `upsert_score` updates the first.
        """
        new_id = uuid.uuid4().hex
        row = _encode_changes(evaluator, changes) | _identify_evaluator(evaluator, slug)
        row |= {"id": new_id, "created_at": current_timestamp(), "log_id": log_id, "scorer": scorer}
        row["environment"] = environment
        rows = self._insert("scores", row)
        if not rows:
            row["evaluator_key"] = f"{row['evaluator_key']} {new_id}"
            rows = self._insert("scores", row)
        return _decode_score(rows[0])

    def score(self, score_id: str, log_id: str | None = None) -> dict[str, Any] | None:
        """Return one score, of any log unless one is given."""
        sql = "SELECT * FROM scores WHERE id = ? AND ? IN (log_id, '')"
        rows = self._rows(sql, (score_id, log_id or ""))
        return _decode_score(rows[0]) if rows else None

    def change_score(self, score_id: str, changes: Mapping[str, Any]) -> dict[str, Any] | None:
        """Set some fields of a score and return it, or None if there is no such score."""
        score = self.score(score_id)
        if score is None or not changes:
            return score
        evaluator_id = score["evaluator_id"]
        evaluator = None if evaluator_id is None else self.evaluator(evaluator_id)
        row = _encode_changes(evaluator, changes)
        sets = ", ".join(f"{name} = :{name}" for name in row)
        sql = f"UPDATE scores SET {sets} WHERE id = :id RETURNING *"  # noqa: S608
        return _decode_score(self._rows(sql, {**row, "id": score_id})[0])

    def delete_score(self, score_id: str) -> bool:
        """Delete a score; return whether there was one."""
        return bool(self._rows("DELETE FROM scores WHERE id = ? RETURNING id", (score_id,)))

    def scores(self, where: Where, order: Order) -> list[dict[str, Any]]:
        """Return the scores of a page."""
        return [_decode_score(row) for row in self._select("scores", where, order)]


def _describe_short(score: dict[str, Any]) -> dict[str, Any]:
    """Return a score as the logs of a list hold it, its value as a number where it is one."""
    number = score["numerical_value"]
    if number is None and score["boolean_value"] is not None:
        number = float(score["boolean_value"])
    names = ("evaluator_name", "evaluator_slug")
    return {**{name: score[name] for name in names}, "score_value": number}


def _identify_evaluator(evaluator: Mapping[str, Any] | None, slug: str | None) -> dict[str, Any]:
    if evaluator is None:
        # Ids and slugs are told apart: a custom slug may look like the id of an evaluator.
        return {"evaluator_key": f"slug:{slug}", "evaluator_slug": slug, "type": "custom"}
    return {
        "evaluator_key": f"id:{evaluator['id']}",
        "evaluator_id": evaluator["id"],
        "evaluator_slug": evaluator["evaluator_slug"],
        "evaluator_name": evaluator["name"],
        "type": evaluator["type"],
    }


def _encode_changes(
    evaluator: Mapping[str, Any] | None, changes: Mapping[str, Any]
) -> dict[str, Any]:
    row = dict(changes)
    if evaluator is not None and VALUE_FIELD[evaluator["score_value_type"]] in changes:
        row["is_passed"] = is_passed(evaluator, changes)
    if row.get("categorical_value") is not None:
        row["categorical_value"] = _dumps(row["categorical_value"])
    return row


def _decode_score(row: Mapping[str, Any]) -> dict[str, Any]:
    score = {field: row[field] for field in SCORE_FIELDS}
    for field in BOOLEAN_FIELDS:
        score[field] = None if score[field] is None else bool(score[field])
    if score["numerical_value"] is not None:
        # RETURNING shows 3.0 as 3, the way SQLite stores it.
        score["numerical_value"] = float(score["numerical_value"])
    if score["categorical_value"] is not None:
        score["categorical_value"] = json.loads(score["categorical_value"])
    return score


def _casefold(value: str | float | None) -> str | float | None:
    return value.casefold() if isinstance(value, str) else value


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _documents(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [json.loads(row["document"]) for row in rows]
