"""Drafts: what is typed beside a score, or without one, outlives the annotator."""

from __future__ import annotations

from typing import Any

import pytest
from labels import Open, label, send, stored

from respan_notebook import Evaluator, Sandbox, editor_for
from respan_notebook.labelling.entry import check_of, rest
from respan_notebook.labelling.widgets.editor import Editor

STARS = Evaluator(
    evaluator_slug="stars",
    score_value_type="numerical",
    score_config={"min_score": 1, "max_score": 5},
)


def restore(editor: Editor, other: Editor) -> None:
    editor.show(editor.entry.restore(other.entry.draft or {}, check_of(editor.evaluator)))


def state_of(editor: Editor) -> tuple[Any, ...]:
    return editor.state, editor.value, editor.explanation


def test_draft__of_an_explanation_alone_is_no_score() -> None:
    editor = editor_for(STARS)
    editor.explanation = "too short"
    assert state_of(editor) == ("unset", None, "too short")
    assert editor.entry.draft == {
        "state": "unset",
        "value": None,
        "typed": None,
        "explanation": "too short",
    }
    assert (editor.entry.is_changed, editor.entry.is_at_rest) == (False, False)
    again = editor_for(STARS)
    restore(again, editor)
    assert state_of(again) == ("unset", None, "too short")
    assert again.entry.draft == editor.entry.draft
    again.explanation = ""
    assert (again.entry.draft, again.entry.is_at_rest) == (None, True)


def test_draft__of_an_explanation_beside_a_score_that_was_there() -> None:
    editor = editor_for(STARS)
    editor.show(rest(4.0, "fine", source="in Respan"))
    assert (editor.entry.draft, editor.entry.is_changed) == (None, False)
    editor.explanation = "fine, but long"
    assert editor.entry.draft == {
        "state": "shown",
        "value": None,
        "typed": None,
        "explanation": "fine, but long",
    }
    assert (editor.entry.is_changed, editor.entry.is_at_rest) == (True, False)
    again = editor_for(STARS)
    again.show(rest(4.0, "fine", source="in Respan"))
    restore(again, editor)
    assert state_of(again) == ("shown", None, "fine, but long")
    assert (again.previous, again.entry.previous_explanation) == (4.0, "fine")


def test_explanation__from_python_is_on_screen() -> None:
    editor = editor_for(STARS)
    editor.explanation = "too short"
    assert state_of(editor) == ("unset", None, "too short")
    assert editor.screen["entries"] == [{"explanation": "too short"}]


@pytest.mark.parametrize("first", ["explanation", "score"])
def test_drafts__survive_in_whatever_order_they_were_typed(
    annotate: Open, sandbox: Sandbox, first: str
) -> None:
    annotator = annotate(["helpfulness", "tone"])
    annotator.editors["tone"].explanation = "no words for it"
    editor = annotator.editors["helpfulness"]
    if first == "score":
        editor.value = 2
    editor.explanation = "too short"
    if first == "explanation":
        editor.value = 2
    annotator.close()
    again = annotate(["helpfulness", "tone"])
    assert state_of(again.editors["helpfulness"]) == ("set", 2.0, "too short")
    assert state_of(again.editors["tone"]) == ("unset", None, "no words for it")
    assert again.scores.empty
    assert again.wait()
    assert stored(sandbox) == []


def test_drafts__of_an_explanation_alone_stay_with_their_log(annotate: Open) -> None:
    annotator = annotate()
    annotator.editors["helpfulness"].explanation = "too short"
    annotator.skip()
    assert state_of(annotator.editors["helpfulness"]) == ("unset", None, "")
    annotator.back()
    assert state_of(annotator.editors["helpfulness"]) == ("unset", None, "too short")
    label(annotator, helpfulness=2)
    assert annotator.scores[["value", "explanation"]].values.tolist() == [[2.0, "too short"]]
    annotator.back()
    assert state_of(annotator.editors["helpfulness"]) == ("shown", None, "too short")


@pytest.mark.parametrize("typed", ["{", "007", "+5", ".5", "5."])
def test_drafts__of_a_text_that_is_no_json_stay_what_was_typed(annotate: Open, typed: str) -> None:
    annotator = annotate("corrected")
    send(annotator, "draft", corrected={"state": "set", "value": typed, "explanation": ""})
    assert annotator.editors["corrected"].state == "invalid"
    explained = {"state": "invalid", "typed": typed, "explanation": "half"}
    send(annotator, "draft", corrected=explained)
    annotator.close()
    again = annotate("corrected")
    assert state_of(again.editors["corrected"]) == ("invalid", None, "half")
    assert again.editors["corrected"].entry.typed == typed


@pytest.mark.parametrize(("typed", "value"), [("4", 4.0), (" 4.0 ", 4.0), ("4e0", 4.0)])
def test_drafts__of_a_number_that_was_typed_are_that_number(
    annotate: Open, typed: str, value: float
) -> None:
    annotator = annotate()
    send(annotator, "draft", helpfulness={"state": "invalid", "typed": typed})
    assert state_of(annotator.editors["helpfulness"]) == ("set", value, "")


def test_drafts__that_are_taken_back_do_not_return(annotate: Open) -> None:
    annotator = annotate()
    annotator.editors["helpfulness"].explanation = "too short"
    annotator.editors["helpfulness"].explanation = ""
    annotator.close()
    again = annotate()
    assert state_of(again.editors["helpfulness"]) == ("unset", None, "")
