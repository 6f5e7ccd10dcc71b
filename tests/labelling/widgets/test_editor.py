"""Each editor: in Python by its traits, and as a widget by what the browser sends and gets."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from labels import receive as give

from respan_notebook import Evaluator, InvalidValueError, UnsupportedEvaluatorError
from respan_notebook.labelling.current_scores import entered_value
from respan_notebook.labelling.entry import check_of, rest
from respan_notebook.labelling.widgets.editor import Editor, EditorWidget, editor_for
from respan_notebook.sandbox.demo import DEMO_EVALUATORS

DEMO = {str(one["evaluator_slug"]): Evaluator.model_validate(one) for one in DEMO_EVALUATORS}
MANY = [{"name": f"Choice {n}", "value": f"c{n}"} for n in range(25)]


def evaluator(kind: str, **config: Any) -> Evaluator:
    return Evaluator(evaluator_slug="it", score_value_type=kind, score_config=config)


EDITORS = {
    **DEMO,
    "box": evaluator("numerical"),
    "half_open": evaluator("numerical", min_score=0),
    "fraction": evaluator("numerical", min_score=0, max_score=1),
    "dropdown": evaluator("single_select", choices=MANY),
    "list": evaluator("multi_select", choices=MANY),
    "free_choice": evaluator("single_select"),
    "tags": evaluator("multi_select"),
}
ENTRIES = {
    "helpfulness": 4.0,
    "coverage": 87.5,
    "grounded": True,
    "tone": "curt",
    "issues": ["made_up", "off_topic"],
    "comments": "Say <b>why</b>.",
    "corrected": '{"a": [1, null]}',
    "topic": ["billing"],
    "remarks": "fine",
    "fluency": 7.0,
    "box": -2.5,
    "half_open": 1000.0,
    "fraction": 0.25,
    "dropdown": "c20",
    "list": ["c3", "c24"],
    "free_choice": "anything",
    "tags": ["a", "b"],
}
each = pytest.mark.parametrize("name", list(EDITORS))


def receive(editor: EditorWidget, draft: Any, number: int = 1) -> dict[str, Any]:
    """Send a draft as the browser does, and return the entry that it gets."""
    content = {"id": f"view:{number}", "do": "draft", "entries": {"0": draft}}
    give(editor, content)
    assert editor.screen["answer"] == f"view:{number}"
    (entry,) = editor.screen["entries"]
    return dict(json.loads(json.dumps(entry, ensure_ascii=False).encode()))


@each
def test_editor__begins_unset(name: str) -> None:
    editor = editor_for(EDITORS[name])
    nothing = (None, "unset", "", None)
    assert (editor.value, editor.state, editor.error, editor.entry.draft) == nothing
    assert editor.screen == {"entries": [{}], "answer": ""}


@each
def test_value__is_set_observed_and_cleared(name: str) -> None:
    editor, seen = editor_for(EDITORS[name]), []
    editor.observe(lambda change: seen.append(change["new"]), "value")
    editor.value = ENTRIES[name]
    assert (editor.value, editor.state) == (ENTRIES[name], "set")
    assert editor.screen["entries"] == [{"state": "set", "value": ENTRIES[name]}]
    editor.clear()
    assert (editor.value, editor.state) == (None, "unset")
    assert editor.screen["entries"] == [{}]
    assert seen == [ENTRIES[name], None]


@each
def test_value__that_the_browser_is_shown_is_read_back_from_it(name: str) -> None:
    editor, again = editor_for(EDITORS[name]), editor_for(EDITORS[name])
    editor.value = ENTRIES[name]
    (shown,) = editor.screen["entries"]
    entry = receive(again, {"state": "set", "value": shown["value"], "explanation": ""})
    assert (again.value, again.state) == (ENTRIES[name], "set")
    assert entry == shown


@each
def test_draft__of_the_browser_and_its_explanation_go_to_python_and_back(name: str) -> None:
    editor, seen = editor_for(EDITORS[name]), []
    editor.observe(lambda change: seen.append(change["name"]), ["value", "explanation", "state"])
    entry = receive(editor, {"state": "set", "value": ENTRIES[name], "explanation": "because"})
    assert (editor.value, editor.explanation, editor.state) == (ENTRIES[name], "because", "set")
    assert entry == {"state": "set", "value": ENTRIES[name], "explanation": "because"}
    assert sorted(seen) == ["explanation", "state", "value"]
    entry = receive(editor, {"state": "cleared", "explanation": ""}, 2)
    assert (entry, editor.value, editor.explanation) == ({}, None, "")


@each
def test_draft__is_restored(name: str) -> None:
    editor = editor_for(EDITORS[name])
    editor.value = ENTRIES[name]
    editor.explanation = "because"
    again = editor_for(EDITORS[name])
    again.show(again.entry.restore(editor.entry.draft or {}, check_of(again.evaluator)))
    assert (again.value, again.explanation, again.state) == (ENTRIES[name], "because", "set")


@each
@pytest.mark.parametrize("by", ["Python", "browser"])
def test_show__shows_a_score_without_entering_it(name: str, by: str) -> None:
    editor = editor_for(EDITORS[name])
    editor.show(rest(ENTRIES[name], "so it was", source="in Respan, by ann@example.com"))
    assert (editor.value, editor.state, editor.entry.is_changed) == (None, "shown", False)
    assert editor.previous == editor.former == ENTRIES[name]
    (entry,) = editor.screen["entries"]
    assert (entry["source"], entry["previous"]) == ("in Respan, by ann@example.com", ENTRIES[name])
    assert "value" not in entry
    if by == "Python":
        editor.accept()
    else:
        receive(editor, {"state": "accepted", "explanation": "so it was"})
    assert (editor.value, editor.explanation, editor.state) == (ENTRIES[name], "so it was", "set")


@each
@pytest.mark.parametrize("by", ["Python", "browser"])
def test_clear__of_a_score_that_was_there_is_an_entry(name: str, by: str) -> None:
    editor = editor_for(EDITORS[name])
    editor.show(rest(ENTRIES[name]))
    if by == "Python":
        editor.clear()
    else:
        receive(editor, {"state": "cleared", "explanation": ""})
    assert (editor.value, editor.state, editor.entry.is_changed) == (None, "cleared", True)
    assert editor.screen["entries"][0]["state"] == "cleared"


@each
def test_accept__where_nothing_is_shown_makes_no_score(name: str) -> None:
    editor = editor_for(EDITORS[name])
    editor.accept()
    receive(editor, {"state": "accepted", "explanation": ""})
    assert (editor.value, editor.state, editor.entry.is_changed) == (None, "unset", False)


@pytest.mark.parametrize(
    ("name", "lowest"), [("coverage", 0.0), ("fluency", 0.0), ("grounded", False)]
)
def test_value__that_is_the_lowest_is_a_score_and_not_nothing(name: str, lowest: Any) -> None:
    editor = editor_for(EDITORS[name])
    entry = receive(editor, {"state": "set", "value": lowest, "explanation": ""})
    assert (editor.value, editor.state) == (lowest, "set")
    assert entry == {"state": "set", "value": lowest}
    editor.show(rest(lowest))
    assert editor.screen["entries"][0]["previous"] == lowest


# -- exact values -------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [73.4, 0.1 + 0.2, 1e-9, 99.999999999])
def test_value__between_the_steps_of_its_slider_stays_exact(value: float) -> None:
    editor = editor_for(EDITORS["coverage"])
    assert editor.setup["evaluators"][0]["control"]["step"] == 1
    editor.show(rest(value, source="in Respan"))
    receive(editor, {"state": "shown", "value": value, "typed": None, "explanation": "why"})
    assert (editor.previous, editor.value, editor.state) == (value, None, "shown")
    assert receive(editor, {"state": "accepted", "explanation": ""})["value"] == value
    assert editor.value == value
    receive(editor, {"state": "invalid", "typed": repr(value), "explanation": ""})
    assert (editor.value, editor.state) == (value, "set")
    receive(editor, {"state": "set", "value": 73, "explanation": ""})
    assert editor.value == 73


@pytest.mark.parametrize(
    ("previous", "value"),
    [(["a", "b"], ["a", "b"]), (["A", "B"], ["a", "b"]), (["A", "b"], ["a", "b"])],
    ids=["values", "names", "both"],
)
def test_choices__that_a_score_names_are_shown_by_their_values(
    previous: list[str], value: list[str]
) -> None:
    choices = [{"name": name, "value": name.lower()} for name in "ABC"]
    letters = evaluator("multi_select", choices=choices)
    editor = editor_for(letters)
    editor.show(rest(entered_value({"categorical_value": previous}, letters)))
    editor.accept()
    assert editor.value == value


# -- what is no score ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "typed", "reason"),
    [
        ("box", "4 stars", "takes a number"),
        ("box", "nan", "takes a number"),
        ("box", "1e400", "takes a finite number"),
        ("half_open", "-1", "takes a number from 0"),
        ("coverage", "101", "takes a number from 0 to 100"),
        ("comments", "   ", "takes text that is not blank"),
        ("corrected", '{"a": 1,\n "b": }', "at line 2, column 7"),
        ("corrected", "null", "takes JSON other than null"),
        ("corrected", "NaN", "takes JSON, which has no NaN"),
        ("corrected", "007", "takes JSON"),
    ],
)
def test_typing__what_is_no_score_says_why(name: str, typed: str, reason: str) -> None:
    editor = editor_for(EDITORS[name])
    if editor.setup["evaluators"][0]["control"]["kind"] in ("number", "slider"):
        entry = receive(editor, {"state": "invalid", "typed": typed, "explanation": ""})
    else:
        entry = receive(editor, {"state": "set", "value": typed, "explanation": ""})
    assert (editor.value, editor.state) == (None, "invalid")
    assert reason in editor.error
    assert entry == {"state": "invalid", "error": editor.error, "typed": typed}
    again = editor_for(EDITORS[name])
    again.show(again.entry.restore(editor.entry.draft or {}, check_of(again.evaluator)))
    assert (again.entry.typed, again.error) == (typed, editor.error)


@pytest.mark.parametrize(
    ("typed", "value"),
    [("4", 4.0), (" -2.5 ", -2.5), ("1e3", 1000.0), (".5", 0.5), ("007", 7.0), ("+5", 5.0)],
)
def test_typing__a_number_scores(typed: str, value: float) -> None:
    editor = editor_for(EDITORS["box"])
    receive(editor, {"state": "invalid", "typed": typed, "explanation": ""})
    assert (editor.value, editor.state, editor.error) == (value, "set", "")


@pytest.mark.parametrize(
    ("name", "raw"),
    [("helpfulness", 9), ("grounded", "yes"), ("tone", "sarcastic"), ("corrected", "{")],
)
def test_value__refuses_from_python_what_is_no_score(name: str, raw: Any) -> None:
    editor = editor_for(EDITORS[name])
    with pytest.raises(InvalidValueError):
        editor.value = raw
    assert (editor.value, editor.state) == (None, "unset")


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_value__missing_is_no_score(missing: Any) -> None:
    editor = editor_for(DEMO["helpfulness"])
    editor.value = 3
    editor.value = missing
    assert (editor.value, editor.state) == (None, "unset")


def test_emptying__a_text_that_was_there_takes_the_score_away() -> None:
    editor = editor_for(DEMO["comments"])
    editor.show(rest("as it was"))
    receive(editor, {"state": "cleared", "explanation": ""})
    assert editor.state == "cleared"


def test_show__of_a_score_that_does_not_fit_changes_nothing() -> None:
    editor = editor_for(DEMO["helpfulness"])
    editor.show(rest(7.0, source="in Respan"))
    assert (editor.value, editor.entry.is_changed) == (None, False)
    assert editor.screen["entries"][0]["previous"] == 7.0
    editor.accept()
    assert editor.state == "invalid"


@pytest.mark.parametrize(
    "text",
    ['{"a":1,"a":2}', "[12345678901234567890123456,1e-400,1E5]", '{ "a" :1}'],
)
def test_json__keeps_its_spelling(text: str) -> None:
    editor = editor_for(Evaluator(evaluator_slug="fixed", score_value_type="json"))
    entry = receive(editor, {"state": "set", "value": text, "explanation": ""})
    assert (editor.value, entry["value"]) == (text, text)


def test_text__with_half_a_surrogate_pair_is_no_score_and_can_be_sent() -> None:
    editor = editor_for(DEMO["comments"])
    entry = receive(editor, {"state": "set", "value": "a\ud83d", "explanation": "b\ud83d"})
    assert editor.state == "invalid"
    assert (entry["typed"], entry["explanation"]) == (r"a\ud83d", r"b\ud83d")


# -- odd definitions and odd intents ------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("vector", "'vector', which this version can't write"), (None, "None, which this")],
)
def test_editor_for__says_why_a_type_cant_be_scored(kind: str | None, reason: str) -> None:
    editor = editor_for(Evaluator(evaluator_slug="odd", name="<i>Odd</i>", score_value_type=kind))
    (described,) = editor.setup["evaluators"]
    assert reason in described["problem"]
    assert described["title"] == "<i>Odd</i>", "a text, which the browser draws as one"
    assert described["control"] == {"kind": "none"}
    with pytest.raises(UnsupportedEvaluatorError):
        editor.value = 3
    assert receive(editor, {"state": "set", "value": 3, "explanation": ""}) == {}
    editor.clear()
    assert (editor.value, editor.state, editor.entry.is_changed) == (None, "unset", False)


def test_description__has_no_character_that_hides_another() -> None:
    hostile = "good\u202e\u200b<img src=x onerror=alert(1)>\x00"
    editor = editor_for(
        Evaluator(id="e", name=hostile, description=hostile, score_value_type="boolean")
    )
    (described,) = editor.setup["evaluators"]
    assert described["title"] == described["about"]
    assert described["title"].isprintable()
    assert described["title"].endswith("<img src=x onerror=alert(1)>␀")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"entries": None},
        {"entries": {}},
        {"entries": {"1": {"state": "set", "value": 3}}},
        {"entries": {"0": "a text"}},
        {"entries": {"0": {"state": "set", "value": {"a": [3]}}}},
        {"entries": {"0": {"state": "odd", "value": 3}}},
        {"entries": {"0": {"state": "invalid", "typed": None}}},
        {"entries": ["0"]},
    ],
    ids=str,
)
def test_received__of_odd_content_scores_nothing_and_is_answered(content: dict[str, Any]) -> None:
    editor = editor_for(DEMO["helpfulness"])
    give(editor, {"id": "view:7", **content})
    assert editor.screen["answer"] == "view:7"
    assert editor.value is None


@pytest.mark.parametrize("content", [None, "text", 3, ["a"]], ids=str)
def test_received__of_what_is_no_intent_does_nothing(content: Any) -> None:
    editor = editor_for(DEMO["helpfulness"])
    give(editor, content)
    assert (editor.value, editor.screen) == (None, {"entries": [{}], "answer": ""})


def test_observers__of_the_value_see_the_rest_of_the_entry() -> None:
    editor, seen = editor_for(DEMO["helpfulness"]), []
    editor.observe(
        lambda change: seen.append((change["new"], editor.explanation, editor.state)), "value"
    )
    receive(editor, {"state": "set", "value": 3, "explanation": "why"})
    receive(editor, {"state": "cleared", "explanation": ""}, 2)
    assert seen == [(3.0, "why", "set"), (None, "", "unset")]


@pytest.mark.parametrize("by", ["Python", "browser"])
def test_observer__that_explains_a_score_enters_that(by: str) -> None:
    editor = editor_for(DEMO["helpfulness"])
    editor.observe(lambda _: setattr(editor, "explanation", "by rule"), "value")
    if by == "Python":
        editor.value = 3
    else:
        receive(editor, {"state": "set", "value": 3, "explanation": ""})
    assert (editor.entry.value, editor.entry.explanation) == (3, "by rule")
    assert editor.screen["entries"][0]["explanation"] == "by rule"


def test_value__that_is_set_while_another_thread_shows_something_is_entered() -> None:
    editor = editor_for(DEMO["helpfulness"])
    shown, entered = threading.Event(), threading.Event()

    def wait(_change: Any) -> None:
        shown.set()
        assert entered.wait(10)

    editor.observe(wait, "state")
    behind = threading.Thread(target=editor.show, args=[rest(2.0, source="in Respan")])
    behind.start()
    assert shown.wait(10)
    editor.unobserve(wait, "state")
    with pytest.raises(InvalidValueError):
        editor.value = 9
    last = threading.Thread(target=entered.set)
    last.start()
    editor.value = 4
    behind.join()
    last.join()
    assert (editor.value, editor.entry.value, editor.entry.previous) == (4, 4, 2)


def test_observer__that_fails_leaves_the_screen_as_it_should_be() -> None:
    editor = editor_for(DEMO["helpfulness"])
    editor.observe(lambda _: 1 / 0, "value")
    content = {"id": "view:1", "entries": {"0": {"state": "set", "value": 3, "explanation": ""}}}
    with pytest.raises(ZeroDivisionError):
        give(editor, content)
    assert editor.value == 3
    assert editor.screen == {"entries": [{"state": "set", "value": 3.0}], "answer": "view:1"}


def test_editor__of_an_annotator_is_no_widget() -> None:
    editor = Editor(DEMO["helpfulness"])
    editor.value = 3
    assert not isinstance(editor, EditorWidget)
    assert (editor.value, repr(editor)) == (3, "Editor('helpfulness', value=3.0)")
