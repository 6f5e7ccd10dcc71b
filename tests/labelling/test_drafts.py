"""Drafts: what is typed beside a score, or without one, outlives the annotator."""

from __future__ import annotations

from typing import Any

import pytest
from labels import Open, label, stored

from respan_notebook import Evaluator, Sandbox, editor_for
from respan_notebook.labelling.widgets.editor import Editor

STARS = Evaluator(
    evaluator_slug="stars",
    score_value_type="numerical",
    score_config={"min_score": 1, "max_score": 5},
)


def explain(editor: Editor, text: str) -> None:
    """Type into the last box of an editor."""
    editor.inputs[-1].value = text


def state_of(editor: Editor) -> tuple[Any, ...]:
    return editor.state, editor.value, editor.explanation, editor.inputs[-1].value


def test_draft__of_an_explanation_alone_is_no_score() -> None:
    editor = editor_for(STARS)
    explain(editor, "too short")
    assert state_of(editor) == ("unset", None, "too short", "too short")
    assert editor.draft == {
        "state": "unset",
        "value": None,
        "typed": None,
        "explanation": "too short",
    }
    assert (editor.changed, editor.at_rest, editor.entries) == (False, False, 1)
    again = editor_for(STARS)
    again.restore(editor.draft or {})
    assert state_of(again) == ("unset", None, "too short", "too short")
    assert again.draft == editor.draft
    explain(again, "")
    assert (again.draft, again.at_rest) == (None, True)


def test_draft__of_an_explanation_beside_a_score_that_was_there() -> None:
    editor = editor_for(STARS)
    editor.show(4.0, "fine", source="in Respan")
    assert (editor.draft, editor.changed) == (None, False)
    explain(editor, "fine, but long")
    assert editor.draft == {
        "state": "shown",
        "value": None,
        "typed": None,
        "explanation": "fine, but long",
    }
    assert (editor.changed, editor.at_rest) == (True, False)
    again = editor_for(STARS)
    again.show(4.0, "fine", source="in Respan")
    again.restore(editor.draft or {})
    assert state_of(again) == ("shown", None, "fine, but long", "fine, but long")
    assert (again.previous, again.previous_explanation) == (4.0, "fine")


def test_explanation__from_python_is_typed() -> None:
    editor = editor_for(STARS)
    editor.explanation = "too short"
    assert state_of(editor) == ("unset", None, "too short", "too short")
    assert editor.entries == 1


@pytest.mark.parametrize("first", ["explanation", "score"])
def test_drafts__survive_in_whatever_order_they_were_typed(
    annotate: Open, sandbox: Sandbox, first: str
) -> None:
    annotator = annotate(["helpfulness", "tone"])
    explain(annotator.editors["tone"], "no words for it")
    editor = annotator.editors["helpfulness"]
    if first == "score":
        editor.value = 2
    explain(editor, "too short")
    if first == "explanation":
        editor.value = 2
    annotator.close()
    again = annotate(["helpfulness", "tone"])
    assert state_of(again.editors["helpfulness"]) == ("set", 2.0, "too short", "too short")
    assert state_of(again.editors["tone"]) == ("unset", None, "no words for it", "no words for it")
    assert again.scores.empty
    assert again.wait()
    assert stored(sandbox) == []


def test_drafts__of_an_explanation_alone_stay_with_their_log(annotate: Open) -> None:
    annotator = annotate()
    explain(annotator.editors["helpfulness"], "too short")
    annotator.skip()
    assert state_of(annotator.editors["helpfulness"]) == ("unset", None, "", "")
    annotator.back()
    assert state_of(annotator.editors["helpfulness"]) == (
        "unset",
        None,
        "too short",
        "too short",
    )
    label(annotator, helpfulness=2)
    assert annotator.scores[["value", "explanation"]].values.tolist() == [[2.0, "too short"]]
    annotator.back()
    assert state_of(annotator.editors["helpfulness"]) == ("shown", None, "too short", "too short")


def test_drafts__that_are_taken_back_do_not_return(annotate: Open) -> None:
    annotator = annotate()
    explain(annotator.editors["helpfulness"], "too short")
    explain(annotator.editors["helpfulness"], "")
    annotator.close()
    again = annotate()
    assert state_of(again.editors["helpfulness"]) == ("unset", None, "", "")
