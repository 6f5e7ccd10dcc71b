"""Work out the change that saving an entry makes to a score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from respan_notebook.errors import InvalidValueError
from respan_notebook.labelling.current_scores import CurrentScore
from respan_notebook.labelling.entry import CLEARED, INVALID, SET, SHOWN, UNSET, Entry
from respan_notebook.labelling.outbox.definition import definition_of
from respan_notebook.labelling.outbox.label import REFUSED, Change
from respan_notebook.models import Evaluator, Upsert
from respan_notebook.values.encoding import encoder, is_same_score, make_upsert
from respan_notebook.wording import find_surrogate


def change_of(
    entry: Entry,
    evaluator: Evaluator,
    log_id: str,
    current: CurrentScore,
    context: Mapping[str, Any],
) -> Change | None:
    """Return the change that saving an entry makes, None when it makes none.

    ``context`` has the fields of the log that travel along with a score. An entry that can't be
    saved is an InvalidValueError, which names the evaluator and the reason.
    """
    _refuse_half(entry, evaluator, current)
    if not entry.is_changed:
        return None
    upsert = Upsert(log_id, current.previous or evaluator.reference)
    if entry.state != CLEARED:
        upsert = _make_upsert(entry, evaluator, log_id, context)
        same = current.previous is not None and is_same_score(upsert.body, current.previous)
        if same and current.place != REFUSED:
            return None
    return Change(
        evaluator.id_or_slug,
        upsert,
        entry.state == CLEARED,
        current.is_known,
        current.previous,
        current.score_id,
        definition_of(evaluator),
        current.version,
    )


def _refuse_half(entry: Entry, evaluator: Evaluator, current: CurrentScore) -> None:
    """Raise InvalidValueError for an entry that can't be saved."""
    title, explanation = evaluator.display_name, entry.explanation.strip()
    problem = ""
    if entry.state == INVALID:
        problem = f"{title} {entry.error}."
    elif entry.state == UNSET and explanation not in ("", entry.previous_explanation.strip()):
        problem = f"{title} has an explanation, but no score."
    elif entry.state == CLEARED and not current.is_known:
        problem = (
            f"{title}: whose score this is, is not known before your first save with this key, "
            "so it can't be taken away yet."
        )
    elif entry.state == SHOWN and entry.is_changed and not current.is_certain:
        problem = (
            f"{title} has an explanation beside a score that may be another's; score it yourself."
        )
    elif entry.is_changed and (half := find_surrogate(explanation)):
        problem = f"{title} has an explanation that can't be sent: {half}."
    if problem:
        raise InvalidValueError(problem, evaluator=evaluator.id_or_slug)


def _make_upsert(
    entry: Entry, evaluator: Evaluator, log_id: str, context: Mapping[str, Any]
) -> Upsert:
    value = entry.value if entry.state == SET else entry.previous
    # Respan keeps an explanation that is not sent, and removes one that is sent empty.
    fields = {**context, "explanation": entry.explanation.strip()}
    return make_upsert(evaluator, log_id, encoder(evaluator)(value), fields)
