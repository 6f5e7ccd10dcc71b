"""Store what becomes of labels on their way to Respan."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from respan_notebook.labelling.outbox.database import Database
from respan_notebook.labelling.outbox.definition import find_misfit
from respan_notebook.labelling.outbox.label import IN_FILE, REFUSED, Label
from respan_notebook.labelling.outbox.rows import (
    COLUMNS,
    OWN,
    ROW,
    read_label,
    store_checked,
    take_numbers,
)


@dataclass(frozen=True)
class Delivered:
    """Hold the answer that a version of a label got: arrived, with its id, or refused.

    Attributes
    ----------
    label : Label
        The version that was sent.
    score_id : str or None
        Respan's id of the score.
    reason : str
        The reason of a refusal; empty when the score arrived.
    """

    label: Label
    score_id: str | None = None
    reason: str = ""


class Delivery:
    """Store what becomes of the labels of one person; the sender is the only one to use it.

    An answer to a version of a label that was changed meanwhile leaves the label queued.
    """

    def __init__(self, database: Database, own: tuple[str, str]) -> None:
        self._db, self._own = database, own

    def queued(self) -> list[Label]:
        """Return the queued labels, in the order of their last change."""
        query = f"SELECT {COLUMNS} FROM labels WHERE {OWN} AND state = 'waiting' ORDER BY version"
        return [read_label(row) for row in self._db.read(query, *self._own)]

    # -- evaluators that were changed -----------------------------------------------------------

    def unchecked(self) -> list[tuple[Label, str | None, str]]:
        """Return the queued labels that were validated against another definition, or none known.

        With each come the definition it was validated against, and the present one.
        """
        query = (
            f"SELECT {', '.join(f'labels.{name}' for name in COLUMNS.split(', '))}, "
            "old.definition AS former, present.definition AS present FROM labels "
            "JOIN current_definitions AS current "
            "ON current.server = labels.server AND current.evaluator = labels.evaluator "
            "JOIN definitions AS present ON present.digest = current.digest "
            "LEFT JOIN checked ON checked.version = labels.version "
            "LEFT JOIN definitions AS old ON old.digest = checked.digest "
            "WHERE labels.server = ? AND person = ? AND state = 'waiting' AND NOT removed "
            "AND checked.digest IS NOT current.digest ORDER BY labels.version"
        )
        rows = self._db.read(query, *self._own)
        return [(read_label(row), row["former"], row["present"]) for row in rows]

    def mark_checked(self, labels: Iterable[tuple[Label, str]]) -> None:
        """Store the definitions that labels were validated against again."""
        with self._db.write() as db:
            for label, definition in labels:
                store_checked(db, label.version, definition)

    def refuse_misfits(self) -> set[int]:
        """Mark queued labels as refused that no longer fit their evaluators; return versions."""
        misfits, fits = list[Delivered](), list[tuple[Label, str]]()
        for label, then, now in self.unchecked():
            if reason := find_misfit(label.body, then, now):
                misfits.append(Delivered(label, reason=f"not sent: {reason}"))
            else:
                fits.append((label, now))
        if fits:
            self.mark_checked(fits)
        if misfits:
            self.mark_answers(misfits)
        return {one.label.version for one in misfits}

    # -- previous scores ------------------------------------------------------------------------

    def with_unknown_previous(self, labels: Iterable[Label]) -> list[Label]:
        """Return the labels that were never sent and whose previous score is not known."""
        rows = self._db.read(f"SELECT * FROM saves WHERE {OWN} AND NOT known", *self._own)
        unknown = {(row["log_id"], row["evaluator"]) for row in rows}
        untried = [label for label in labels if not label.tried]
        return [label for label in untried if (label.log_id, label.evaluator) in unknown]

    def may_have_score(self, label: Label) -> bool:
        """Return whether Respan may have this label's score, or the one previous to it."""
        if label.tried:
            return True
        # The previous score of the first save since Respan last answered.
        rows = self._db.read(
            f"SELECT known, former FROM saves WHERE {ROW} AND save > ? ORDER BY save LIMIT 1",
            *self._row(label),
            label.answered_at,
        )
        return bool(rows) and not (rows[0]["known"] and rows[0]["former"] is None)

    def store_previous(self, label: Label, previous: Mapping[str, Any] | None) -> None:
        """Store the previous score of this label's first save."""
        text = None if previous is None else json.dumps(previous)
        with self._db.write() as db:
            db.execute(
                f"UPDATE saves SET known = 1, former = ? WHERE {ROW} AND NOT known",
                (text, *self._row(label)),
            )

    # -- writing --------------------------------------------------------------------------------

    def mark_tried(self, labels: Sequence[Label]) -> list[Label]:
        """Mark labels as tried before they are sent; return those that did not change meanwhile.

        All that was stored before has reached the disk then: a label survives a power cut from the
        moment on at which the sender has it.
        """
        if not labels:
            return []
        with self._db.write(durable=True) as db:
            return [
                label
                for label in labels
                if db.execute(
                    f"UPDATE labels SET tried = 1 WHERE {ROW} AND version = ?",
                    (*self._row(label), label.version),
                ).rowcount
            ]

    def mark_answers(self, answers: Sequence[Delivered]) -> None:
        """Mark versions of labels as delivered, with their id, or as refused, with the reason."""
        if not answers:
            return
        with self._db.write() as db:
            for answer, number in zip(answers, take_numbers(db, len(answers)), strict=True):
                where = self._row(answer.label)
                db.execute(
                    f"UPDATE labels SET score_id = coalesce(?, score_id), settled = ? WHERE {ROW}",
                    (answer.score_id, number, *where),
                )
                state = "refused" if answer.reason else "sent"
                db.execute(
                    f"UPDATE labels SET state = ?, reason = ? WHERE {ROW} AND version = ?",
                    (state, answer.reason or None, *where, answer.label.version),
                )

    def requeue(self, labels: Iterable[Label]) -> None:
        """Mark refused versions of labels as queued again."""
        with self._db.write() as db:
            for label in labels:
                db.execute(
                    f"UPDATE labels SET state = 'waiting', reason = NULL WHERE {ROW} "
                    "AND version = ? AND state = ?",
                    (*self._row(label), label.version, IN_FILE[REFUSED]),
                )

    # -- removing -------------------------------------------------------------------------------

    def mark_removal_refused(self, label: Label, reason: str) -> None:
        """Mark a removed label as a score again, since the server refused to remove it."""
        with self._db.write() as db:
            db.execute(
                f"UPDATE labels SET removed = 0, state = 'refused', reason = ? "
                f"WHERE {ROW} AND version = ?",
                (reason, *self._row(label), label.version),
            )

    def mark_removed(self, label: Label) -> None:
        """Mark a removed label as removed in Respan; a label entered meanwhile stays queued.

        The row stays, since its number shows that earlier look-ups are out of date.
        """
        where = self._row(label)
        with self._db.write() as db:
            (number,) = take_numbers(db)
            db.execute(
                f"UPDATE labels SET tried = 0, score_id = NULL, settled = ? WHERE {ROW}",
                (number, *where),
            )
            query = f"UPDATE labels SET state = 'sent' WHERE {ROW} AND version = ?"
            db.execute(query, (*where, label.version))

    def _row(self, label: Label) -> tuple[str, str, str, str]:
        return (*self._own, label.log_id, label.evaluator)
