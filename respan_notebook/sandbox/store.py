"""Store logs, evaluators, scores and API keys in SQLite."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from respan_notebook.sandbox.clock import current_timestamp
from respan_notebook.sandbox.database import Order, read_documents, write_json
from respan_notebook.sandbox.filters import Where
from respan_notebook.sandbox.passing import VALUE_FIELDS
from respan_notebook.sandbox.score_store import ScoreStore, decode_score


class Store(ScoreStore):
    """Store the logs, evaluators, scores and API keys of one sandbox in a file or in memory."""

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
        row = {"unique_id": unique_id, "timestamp": log["timestamp"], "document": write_json(log)}
        return log if self._insert("logs", row) else None

    def add_logs(self, logs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
        """Store several logs in one transaction; see `add_log`."""
        with self._db:  # Commits, or rolls back.
            self._db.execute("BEGIN IMMEDIATE")
            return [self.add_log(log) for log in logs]

    def log(self, log_id: str) -> dict[str, Any] | None:
        """Return a log with its scores."""
        log = self._document("SELECT document FROM logs WHERE unique_id = ?", log_id)
        return None if log is None else self._with_scores([log], self._describe_whole)[0]

    def logs(self, where: Where, order: Order) -> list[dict[str, Any]]:
        """Return the logs of a page, with their scores."""
        return self._with_scores(
            read_documents(self._select("logs", where, order)), _describe_short
        )

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
            score = decode_score(row)
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

    def change_log(self, log_id: str, changes: Mapping[str, Any]) -> dict[str, Any] | None:
        """Set some fields of a log and return it, or None if there is no such log."""
        log = self._document("SELECT document FROM logs WHERE unique_id = ?", log_id)
        if log is not None:
            sql = "UPDATE logs SET document = ? WHERE unique_id = ? RETURNING unique_id"
            self._rows(sql, (write_json({**log, **changes}), log_id))
        return self.log(log_id)


def _describe_short(score: dict[str, Any]) -> dict[str, Any]:
    """Return a score as the logs of a list hold it, its value as a number where it is one."""
    number = score["numerical_value"]
    if number is None and score["boolean_value"] is not None:
        number = float(score["boolean_value"])
    names = ("evaluator_name", "evaluator_slug")
    return {**{name: score[name] for name in names}, "score_value": number}
