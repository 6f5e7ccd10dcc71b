"""Find the logs that scorers disagree on, the answers they gave, and what was settled."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

from respan_notebook.agreement.coefficients import score_differences
from respan_notebook.agreement.gold import as_given, choose_by_majority
from respan_notebook.agreement.matrix import ScoreMatrix, read_matrices
from respan_notebook.errors import FrameError, InvalidValueError
from respan_notebook.frames.columns import find_column, has_column
from respan_notebook.frames.log_ids import read_log_ids
from respan_notebook.labelling.current_scores import entered_value
from respan_notebook.labelling.entry import Check, check_of
from respan_notebook.labelling.outbox.label import REFUSED, Label
from respan_notebook.models import Evaluator, strip_version
from respan_notebook.values.cells import is_missing
from respan_notebook.wording import suggest_name

CAUSES: Final = {
    "ambiguous": "the log itself can be read in several ways",
    "guide unclear": "the evaluator does not say what to do with such a log",
    "mistake": "who gave another answer has overlooked something",
    "other": "say it under why",
}

_COLUMNS: Final = ("log_id", "evaluator_slug", "value", "source", "cause", "explanation")


@dataclass(frozen=True)
class Answer:
    """Hold one of the answers that the scorers of a log gave.

    Attributes
    ----------
    value : object
        As an entry has it: float, bool, str (text, one choice, JSON text) or a list of str.
    scorers : list of str
        Who gave it.
    reasons : list of str
        Their explanations.
    """

    value: Any
    scorers: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


class Disputed:
    """Hold the scores of several people by one evaluator, and find where they differ.

    Parameters
    ----------
    scores : DataFrame
        A row per score, as for :meth:`respan_notebook.RespanAccessor.agreement`; ``explanation``
        where there are some.
    evaluator : Evaluator
        The definition of the evaluator.
    scorers : sequence of str, optional
        Those that count.

    Attributes
    ----------
    evaluator : Evaluator
        What is settled.
    cause : Evaluator
        Why the scorers differ.
    log_ids : list of str
        The logs that they differ on, lowest agreement first.

    Raises
    ------
    FrameError
        There are no scores by this evaluator, or the frame can't be used.
    """

    def __init__(
        self, scores: pd.DataFrame, evaluator: Evaluator, scorers: Sequence[str] | None
    ) -> None:
        scores = _select_scores(scores, evaluator)
        self._matrix = _read_matrix(scores, evaluator, scorers)
        self.evaluator = evaluator
        is_cause = evaluator.slug_or_id == "cause"
        self.cause = _cause_evaluator("cause of the difference" if is_cause else "cause")
        differences = score_differences(self._matrix)
        order = np.argsort(-differences, kind="stable")
        self.log_ids = [self._matrix.log_ids[i] for i in order.tolist() if differences[i] > 0]
        self._rows = {log_id: i for i, log_id in enumerate(self._matrix.log_ids)}
        self._reasons = _read_reasons(scores)
        self._check = check_of(self.evaluator)

    def others(self, labels: Iterable[Label]) -> list[str]:
        """Return the logs that were settled, and that the scorers no longer differ on."""
        settled = {one.log_id for one in labels if not one.removed} - set(self.log_ids)
        return [log_id for log_id in self._matrix.log_ids if log_id in settled]

    def answers(self, log_id: str) -> list[Answer]:
        """Return the different answers to a log, in the order of the scale or of the choices."""
        matrix, i = self._matrix, self._rows[log_id]
        found: dict[int, Answer] = {}
        for code, cell, scorer in zip(
            matrix.codes[i].tolist(), matrix.cells[i], matrix.scorers, strict=True
        ):
            if code < 0:
                continue
            if code not in found:
                found[code] = Answer(_entered(cell, self._check))
            found[code].scorers.append(scorer)
            if reason := self._reasons.get((log_id, scorer)):
                found[code].reasons.append(reason)
        return [found[code] for code in sorted(found)]

    def gold(self, labels: Iterable[Label]) -> pd.DataFrame:
        """Return the frame of :attr:`Adjudicator.gold`, by the labels that were stored."""
        stored = {
            (one.log_id, one.evaluator): one
            for one in labels
            if not one.removed and one.state != REFUSED
        }
        rows = [
            self._settled(stored, log_id, code, source)
            for log_id, (code, source) in zip(
                self._matrix.log_ids, choose_by_majority(self._matrix.codes), strict=True
            )
        ]
        return pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object)

    def _settled(
        self, stored: Mapping[tuple[str, str], Label], log_id: str, code: int, source: str
    ) -> tuple[Any, ...]:
        slug = self._matrix.evaluator
        label = stored.get((log_id, self.evaluator.id_or_slug))
        if label is None:
            if source != "unanimous":
                return log_id, slug, None, "unresolved", None, None
            given = as_given(self._matrix, self._rows[log_id], code)
            return log_id, slug, self._plain(_entered(given, self._check)), source, None, None
        value = self._plain(entered_value(label.body, self.evaluator))
        cause = stored.get((log_id, self.cause.id_or_slug))
        bodies = [label.body, *([cause.body] if cause else [])]
        reasons = [body["explanation"] for body in bodies if body.get("explanation")]
        picked = entered_value(cause.body, self.cause) if cause else None
        return log_id, slug, value, "adjudicated", picked, "; ".join(reasons) or None

    def _plain(self, value: Any) -> Any:
        """Return a value as an entry has it, but JSON as what it says."""
        return json.loads(value) if self._matrix.type == "json" else value


def _select_scores(scores: pd.DataFrame, evaluator: Evaluator) -> pd.DataFrame:
    """Return the rows of one evaluator, since a fault in those of another is no concern here."""
    given = [name for name in ("evaluator_slug", "evaluator_id") if has_column(scores, name)]
    if not given:
        return scores  # Which reading it will refuse.
    slugs, ids = (
        _read_names(scores, name) if name in given else [""] * len(scores)
        for name in ("evaluator_slug", "evaluator_id")
    )
    rows = list(zip(slugs, [strip_version(one) or "" for one in ids], strict=True))
    own_slug, own_id = evaluator.evaluator_slug or "", strip_version(evaluator.id) or ""
    # What the definition lacks is told by rows that have both.
    own_slugs = {own_slug} if own_slug else {slug for slug, id_ in rows if id_ == own_id}
    own_ids = {own_id} if own_id else {id_ for slug, id_ in rows if slug == own_slug}
    is_own = [id_ in own_ids if id_ else slug in own_slugs - {""} for slug, id_ in rows]
    if not any(is_own):
        found = sorted({*slugs, *ids} - {""})
        raise FrameError(
            f"no scores by {evaluator.slug_or_id!r}; {suggest_name(evaluator.slug_or_id, found)}"
        )
    return scores[is_own]


def _read_names(scores: pd.DataFrame, name: str) -> list[str]:
    return [one if isinstance(one, str) else "" for one in find_column(scores, name).tolist()]


def _read_matrix(
    scores: pd.DataFrame, evaluator: Evaluator, scorers: Sequence[str] | None
) -> ScoreMatrix:
    for matrix in read_matrices(scores, [evaluator], scorers)[0]:
        return matrix
    raise FrameError(f"every value of {evaluator.slug_or_id!r} is missing")


def _read_reasons(scores: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return the explanations by log and scorer."""
    if not has_column(scores, "explanation"):
        return {}
    columns = [find_column(scores, name).tolist() for name in ("scorer", "explanation")]
    rows = zip(read_log_ids(scores)[0], *columns, strict=True)
    return {
        (log_id, scorer): str(reason).strip()
        for log_id, scorer, reason in rows
        if not is_missing(reason)
    }


def _cause_evaluator(slug: str) -> Evaluator:
    choices = [{"name": one, "value": one, "description": why} for one, why in CAUSES.items()]
    return Evaluator(
        evaluator_slug=slug,
        name="Why they differ",
        score_value_type="single_select",
        score_config={"choices": choices},
    )


def _entered(cell: Any, check: Check) -> Any:
    try:
        return check(cell)
    except InvalidValueError:  # JSON text as pull_scores gives it, without its quotes.
        return check(json.dumps(cell))
