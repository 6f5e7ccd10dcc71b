"""Store scores, one per log, evaluator and scorer."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from respan_notebook.sandbox.clock import current_timestamp
from respan_notebook.sandbox.database import Order, write_json
from respan_notebook.sandbox.evaluator_store import EvaluatorStore
from respan_notebook.sandbox.filters import Where
from respan_notebook.sandbox.passing import VALUE_FIELD, is_passed
from respan_notebook.sandbox.tables import SCORE_FIELDS

BOOLEAN_FIELDS = ("boolean_value", "is_passed")


class ScoreStore(EvaluatorStore):
    """Store scores."""

    def count_scores(self) -> int:
        """Count all scores."""
        return int(self._rows("SELECT COUNT(*) AS count FROM scores")[0]["count"])

    def upsert_score(
        self,
        *,
        log_id: str,
        scorer: str,
        evaluator: Mapping[str, Any] | None,
        slug: str | None,
        changes: Mapping[str, Any],
        environment: str,
    ) -> tuple[dict[str, Any], bool]:
        """Create or update the score of (log, evaluator, scorer).

        Without an `evaluator`, `slug` is a custom one. An existing score keeps the fields that
        are not in `changes`. Returns the score, and True if it was created.
        """
        changed = _encode_changes(evaluator, changes)
        row = changed | _new_row(log_id, scorer, evaluator, slug, environment)
        # Without a change to make, DO UPDATE still has to touch the row: RETURNING skips it else.
        updates = ", ".join(f"{name} = excluded.{name}" for name in changed or ["scorer"])
        conflict = f"(log_id, evaluator_key, scorer) DO UPDATE SET {updates}"
        score = decode_score(self._insert("scores", row, on_conflict=conflict)[0])
        return score, score["id"] == row["id"]

    def add_verdicts(
        self, scorer: str, evaluator: Mapping[str, Any] | None, verdicts: Mapping[str, bool]
    ) -> None:
        """Store boolean scores by log id, of the environment `prod`, in one transaction."""
        with self._db:  # Commits, or rolls back.
            self._db.execute("BEGIN IMMEDIATE")
            for log_id, verdict in verdicts.items():
                self.upsert_score(
                    log_id=log_id,
                    scorer=scorer,
                    evaluator=evaluator,
                    slug=None,
                    changes={"boolean_value": verdict},
                    environment="prod",
                )

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
        row = _encode_changes(evaluator, changes)
        row |= _new_row(log_id, scorer, evaluator, slug, environment)
        rows = self._insert("scores", row)
        if not rows:
            row["evaluator_key"] = f"{row['evaluator_key']} {row['id']}"
            rows = self._insert("scores", row)
        return decode_score(rows[0])

    def score(self, score_id: str, log_id: str | None = None) -> dict[str, Any] | None:
        """Return one score, of any log unless one is given."""
        sql = "SELECT * FROM scores WHERE id = ? AND ? IN (log_id, '')"
        rows = self._rows(sql, (score_id, log_id or ""))
        return decode_score(rows[0]) if rows else None

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
        return decode_score(self._rows(sql, {**row, "id": score_id})[0])

    def delete_score(self, score_id: str) -> bool:
        """Delete a score; return whether there was one."""
        return bool(self._rows("DELETE FROM scores WHERE id = ? RETURNING id", (score_id,)))

    def scores(self, where: Where, order: Order) -> list[dict[str, Any]]:
        """Return the scores of a page."""
        return [decode_score(row) for row in self._select("scores", where, order)]


def _new_row(
    log_id: str,
    scorer: str,
    evaluator: Mapping[str, Any] | None,
    slug: str | None,
    environment: str,
) -> dict[str, Any]:
    """Return the columns of a score that never change."""
    return {
        **_identify_evaluator(evaluator, slug),
        "id": uuid.uuid4().hex,
        "created_at": current_timestamp(),
        "log_id": log_id,
        "scorer": scorer,
        "environment": environment,
    }


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
        row["categorical_value"] = write_json(row["categorical_value"])
    return row


def decode_score(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a score as the API answers it."""
    score = {field: row[field] for field in SCORE_FIELDS}
    for field in BOOLEAN_FIELDS:
        score[field] = None if score[field] is None else bool(score[field])
    if score["numerical_value"] is not None:
        # RETURNING shows 3.0 as 3, the way SQLite stores it.
        score["numerical_value"] = float(score["numerical_value"])
    if score["categorical_value"] is not None:
        score["categorical_value"] = json.loads(score["categorical_value"])
    return score
