"""Work out what a save does to the score of one editor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from respan_notebook.errors import InvalidValueError
from respan_notebook.labelling.current_scores import CurrentScores
from respan_notebook.labelling.outbox.label import REFUSED, Change, Label
from respan_notebook.labelling.queue import Queue
from respan_notebook.labelling.widgets.editor import CLEARED, INVALID, SET, UNSET, Editor
from respan_notebook.values.encoding import encoder, is_same_score, make_upsert


def change_of(
    editor: Editor, label: Label | None, queue: Queue, current_scores: CurrentScores
) -> Change | None:
    """Return what saving the log that a queue is at does, None for nothing.

    Parameters
    ----------
    editor : Editor
        What the person has entered.
    label : Label or None
        What the outbox has of this log and evaluator.
    queue : Queue
        Which log it is, and what travels along.
    current_scores : CurrentScores
        What is replaced.

    Raises
    ------
    InvalidValueError
        When what is entered can't be saved; it says which editor, and why.
    """
    title = editor.evaluator.display_name
    if editor.state == INVALID:
        raise InvalidValueError(f"{title} {editor.error}.")
    explanation = editor.explanation.strip()
    if editor.state == UNSET and explanation not in ("", editor.previous_explanation.strip()):
        raise InvalidValueError(f"{title} has an explanation, but no score.")
    if not editor.changed:
        return None
    name = editor.evaluator.id_or_slug
    before, known, score_id = current_scores.previous(queue.log_id, editor.evaluator, label)
    if editor.state == CLEARED and not known:
        raise InvalidValueError(
            f"{title}: whose score this is, is not known before your first save with this key, "
            "so it can't be taken away yet."
        )
    if editor.state == CLEARED:
        return Change(name, before or editor.evaluator.reference, True, known, before, score_id)
    body = _body(editor, queue)
    again = label is not None and label.state == REFUSED
    if before is not None and is_same_score(body, before) and not again:
        return None
    return Change(name, body, False, known, before, score_id)


def _body(editor: Editor, queue: Queue) -> Mapping[str, Any]:
    value = editor.value if editor.state == SET else editor.previous
    explanation = editor.explanation.strip()
    # One that is not sent stays as it is; an empty one takes it away.
    had_one = bool(editor.previous_explanation)
    context = queue.context() | {"explanation": explanation if explanation or had_one else None}
    encoded = encoder(editor.evaluator)(value)
    return make_upsert(editor.evaluator, queue.log_id, encoded, context).body
