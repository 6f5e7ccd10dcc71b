"""Store evaluators and their versions."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from respan_notebook.sandbox.clock import current_timestamp
from respan_notebook.sandbox.database import Database, Order, read_documents, write_json
from respan_notebook.sandbox.filters import Where


class EvaluatorStore(Database):
    """Store evaluators and their versions."""

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
        row["document"] = write_json(evaluator)
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
        """Set some fields of an evaluator and return it, or None if its new slug is taken.

        Its versions have its slug.
        """
        evaluator = self.evaluator(evaluator_id)
        if evaluator is None:
            return None
        evaluator |= {**changes, "updated_at": current_timestamp()}
        sql = (
            "UPDATE OR IGNORE evaluators SET evaluator_slug = ?, document = ? WHERE id = ? "
            "RETURNING id"
        )
        slug = evaluator["evaluator_slug"]
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            if not self._rows(sql, (slug, write_json(evaluator), evaluator_id)):
                return None
            sql = (
                "UPDATE evaluator_versions SET evaluator_slug = :slug, "
                "document = json_set(document, '$.evaluator_slug', :slug) WHERE evaluator_id = :id"
            )
            self._rows(sql, {"slug": slug, "id": evaluator_id})
        return evaluator

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
        row |= {"evaluator_id": evaluator["id"], "document": write_json(version)}
        self._insert("evaluator_versions", row)
        self.change_evaluator(evaluator["id"], {"version": 0})
        return version

    def evaluators(self, where: Where, order: Order) -> list[dict[str, Any]]:
        """Return the evaluators of a page, with an entry for each version."""
        return read_documents(self._select("evaluator_entries AS evaluators", where, order))
