"""Work out the change that a save makes to the score of one editor."""

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
    """Return the change that saving an editor's entry makes, None when it makes none.

    ``label`` is the outbox's of the log that ``queue`` is at. An entry that can't be saved is an
    InvalidValueError, which names the editor and the reason.
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
    previous, known, score_id = current_scores.previous(queue.log_id, editor.evaluator, label)
    if editor.state == CLEARED and not known:
        raise InvalidValueError(
            f"{title}: whose score this is, is not known before your first save with this key, "
            "so it can't be taken away yet."
        )
    if editor.state == CLEARED:
        return Change(name, previous or editor.evaluator.reference, True, known, previous, score_id)
    body = _body(editor, queue)
    again = label is not None and label.state == REFUSED
    if previous is not None and is_same_score(body, previous) and not again:
        return None
    return Change(name, body, False, known, previous, score_id)


def _body(editor: Editor, queue: Queue) -> Mapping[str, Any]:
    value = editor.value if editor.state == SET else editor.previous
    explanation = editor.explanation.strip()
    # Respan keeps an explanation that is not sent, and removes one that is sent empty.
    had_one = bool(editor.previous_explanation)
    context = queue.context() | {"explanation": explanation if explanation or had_one else None}
    encoded = encoder(editor.evaluator)(value)
    return make_upsert(editor.evaluator, queue.log_id, encoded, context).body
