"""Each editor, driven through the traits of its real widgets."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import pytest

from respan_notebook import Evaluator, InvalidValueError, UnsupportedEvaluatorError
from respan_notebook.labelling.widgets.controls import CONTROLS
from respan_notebook.labelling.widgets.editor import Editor, editor_for
from respan_notebook.sandbox.demo import DEMO_EVALUATORS
from respan_notebook.values.types import VALUE_TYPES

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
WIDGETS = {
    "helpfulness": widgets.ToggleButtons,
    "coverage": widgets.FloatSlider,
    "grounded": widgets.Checkbox,
    "tone": widgets.RadioButtons,
    "issues": widgets.Checkbox,
    "comments": widgets.Textarea,
    "corrected": widgets.Textarea,
    "topic": widgets.Checkbox,
    "remarks": widgets.Textarea,
    "fluency": widgets.FloatSlider,
    "box": widgets.Text,
    "half_open": widgets.Text,
    "fraction": widgets.FloatSlider,
    "dropdown": widgets.Dropdown,
    "list": widgets.SelectMultiple,
    "free_choice": widgets.Text,
    "tags": widgets.TagsInput,
}
each = pytest.mark.parametrize("name", list(EDITORS))


def line(editor: Editor) -> str:
    """Return the state line as people read it."""
    return str(editor._line.value)


def touch(editor: Editor, raw: Any) -> None:
    """Change the first widget as a person does."""
    editor.inputs[0].value = raw


def test_controls__there_is_one_for_every_type() -> None:
    assert CONTROLS.keys() == VALUE_TYPES.keys()


@each
def test_editor_for__has_the_widget_of_its_type(name: str) -> None:
    assert type(editor_for(EDITORS[name]).inputs[0]) is WIDGETS[name]


@each
def test_editor__begins_unset(name: str) -> None:
    editor = editor_for(EDITORS[name])
    assert (editor.value, editor.state, editor.error, editor.draft) == (None, "unset", "", None)
    assert "not scored" in line(editor)


@each
def test_value__is_set_observed_and_cleared(name: str) -> None:
    editor, seen = editor_for(EDITORS[name]), []
    editor.observe(lambda change: seen.append(change["new"]), "value")
    editor.value = ENTRIES[name]
    assert (editor.value, editor.state) == (ENTRIES[name], "set")
    assert "✓" in line(editor)
    editor.clear()
    assert (editor.value, editor.state) == (None, "unset")
    assert seen == [ENTRIES[name], None]


@each
def test_value__is_shown_by_the_control_and_read_back_from_it(name: str) -> None:
    editor = editor_for(EDITORS[name])
    editor.value = ENTRIES[name]
    again = editor_for(EDITORS[name])
    for box, other in zip(again.inputs, editor.inputs, strict=True):
        box.value = other.value
    assert again.value == ENTRIES[name]


@each
def test_draft__is_restored(name: str) -> None:
    editor = editor_for(EDITORS[name])
    editor.value = ENTRIES[name]
    editor.explanation = "because"
    again = editor_for(EDITORS[name])
    again.restore(editor.draft or {})
    assert (again.value, again.explanation, again.state) == (ENTRIES[name], "because", "set")


@each
def test_show__shows_a_score_without_entering_it(name: str) -> None:
    editor = editor_for(EDITORS[name])
    editor.show(ENTRIES[name], "so it was", source="in Respan, by ann@example.com")
    assert (editor.value, editor.state, editor.changed) == (None, "shown", False)
    assert "in Respan, by ann@example.com" in line(editor)
    editor.accept()
    assert (editor.value, editor.explanation, editor.state) == (ENTRIES[name], "so it was", "set")


@each
def test_clear__of_a_score_that_was_there_is_an_entry(name: str) -> None:
    editor = editor_for(EDITORS[name])
    editor.show(ENTRIES[name])
    editor.clear()
    assert (editor.value, editor.state, editor.changed) == (None, "cleared", True)
    assert "saving takes the score away" in line(editor)


@pytest.mark.parametrize(
    ("name", "lowest"), [("coverage", 0.0), ("fluency", 0.0), ("grounded", False)]
)
def test_accept__makes_the_value_on_screen_the_score(name: str, lowest: Any) -> None:
    editor = editor_for(EDITORS[name])
    before = line(editor)
    editor.accept()
    assert (editor.value, editor.state) == (lowest, "set")
    assert editor.value is not None
    assert line(editor) != before


def test_slider__takes_bounds_and_step_of_the_evaluator() -> None:
    def slider(**config: Any) -> tuple[float, float, float]:
        box = editor_for(evaluator("numerical", **config)).inputs[0]
        return box.min, box.max, box.step

    assert slider(min_score=0, max_score=10) == (0, 10, 1)
    assert slider(min_score=0, max_score=1) == (0, 1, 0.01)
    assert slider(min_score=-1, max_score=1.5) == (-1, 1.5, 0.025)
    assert slider(min_score=0, max_score=4, step=0.5) == (0, 4, 0.5)


def test_touching__the_control_scores() -> None:
    editor = editor_for(DEMO["coverage"])
    touch(editor, 40.0)
    assert editor.value == 40.0
    touch(editor, 0.0)
    assert (editor.value, editor.state) == (0.0, "set")


@pytest.mark.parametrize(
    ("name", "typed", "reason"),
    [
        ("box", "4 stars", "takes a number"),
        ("box", "nan", "takes a number"),
        ("box", "1e400", "takes a finite number"),
        ("half_open", "-1", "takes a number from 0"),
        ("comments", "   ", "takes text that is not blank"),
        ("corrected", '{"a": 1,\n "b": }', "at line 2, column 7"),
        ("corrected", "null", "takes JSON other than null"),
        ("corrected", "NaN", "takes JSON, which has no NaN"),
    ],
)
def test_typing__what_is_no_score_says_why(name: str, typed: str, reason: str) -> None:
    editor = editor_for(EDITORS[name])
    touch(editor, typed)
    assert (editor.value, editor.state) == (None, "invalid")
    assert reason in editor.error
    assert reason in line(editor)
    again = editor_for(EDITORS[name])
    again.restore(editor.draft or {})
    assert (again.inputs[0].value, again.error) == (typed, editor.error)


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
    editor.show("as it was")
    touch(editor, "")
    assert editor.state == "cleared"


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("helpfulness", {"1": "1 · Useless", "5": "5 · Excellent"}),
        ("coverage", {"0": "0", "7": "70", "a": "100"}),
        ("grounded", {"y": "Yes", "n": "No"}),
        ("tone", {"1": "Friendly", "4": "Rude"}),
        ("fluency", {"0": "0", "9": "9", "a": "10"}),
        ("list", {"1": "Choice 0", "9": "Choice 8", "a": "Choice 9"}),
    ],
)
def test_hotkeys__name_choices_and_points(name: str, keys: dict[str, str]) -> None:
    hotkeys = editor_for(EDITORS[name]).hotkeys
    assert {key: hotkeys[key] for key in keys} == keys


@each
def test_hotkeys__are_no_command(name: str) -> None:
    assert not set(editor_for(EDITORS[name]).hotkeys) & set("sbuvxew?")


def test_press__picks_and_toggles() -> None:
    tone, issues = editor_for(DEMO["tone"]), editor_for(DEMO["issues"])
    assert tone.press("2")
    assert not tone.press("z")
    assert tone.value == "neutral"
    for key in ("3", "2", "3", "4"):
        issues.press(key)
    assert issues.value == ["made_up", "off_topic"]
    issues.press("2")
    issues.press("4")
    assert (issues.value, issues.state) == (None, "unset")


def test_press__on_shown_choices_toggles_one_of_them() -> None:
    issues = editor_for(DEMO["issues"])
    issues.show(["made_up", "incomplete"])
    issues.press("2")
    assert issues.value == ["incomplete"]


@pytest.mark.parametrize(
    ("name", "directions", "value"),
    [
        ("coverage", (1, 1, -1), 1.0),
        ("coverage", (-1,), 0.0),
        ("helpfulness", (1, 1), 2.0),
        ("helpfulness", (-1,), 5.0),
        ("tone", (1, 1, 1, 1, 1), "rude"),
    ],
)
def test_step__moves_within_the_scale(name: str, directions: tuple[int, ...], value: Any) -> None:
    editor = editor_for(EDITORS[name])
    for direction in directions:
        assert editor.step(direction)
    assert editor.value == value
    assert not editor_for(DEMO["comments"]).step(1)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("vector", "'vector', which this version can't write"), (None, "None, which this")],
)
def test_editor_for__says_why_a_type_cant_be_scored(kind: str | None, reason: str) -> None:
    editor = editor_for(Evaluator(evaluator_slug="odd", name="<i>Odd</i>", score_value_type=kind))
    shown = "".join(child.value for child in editor.children)
    assert reason.replace("'", "&#x27;") in shown
    assert "&lt;i&gt;Odd" in shown
    assert "<i>" not in shown
    with pytest.raises(UnsupportedEvaluatorError):
        editor.value = 3
    editor.clear()
    assert (editor.value, editor.state, editor.changed) == (None, "unset", False)


def test_title__escapes_names_and_descriptions() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    editor = editor_for(
        Evaluator(id="e", name=hostile, description=hostile, score_value_type="boolean")
    )
    assert "&lt;img" in editor.children[1].value
    assert "<img" not in editor.children[1].value


def test_show__of_a_score_that_does_not_fit_changes_nothing() -> None:
    editor = editor_for(DEMO["helpfulness"])
    editor.show(7.0, source="in Respan")
    assert (editor.value, editor.changed) == (None, False)
    assert "in Respan: 7" in line(editor)
    editor.accept()
    assert editor.state == "invalid"


def test_json__is_laid_out_and_shown_as_a_tree() -> None:
    editor = editor_for(DEMO["corrected"])
    touch(editor, '{"<b>": [1, "<script>"]}')
    area, button, tree = editor._control.widget.children
    assert "<script>" not in tree.value
    assert "&lt;script&gt;" in tree.value
    assert tree.value.count("<details") == 2
    button.click()
    assert area.value == '{\n  "<b>": [\n    1,\n    "<script>"\n  ]\n}'
    assert editor.state == "set"
    touch(editor, "{")
    button.click()
    assert (area.value, tree.value) == ("{", "")


def test_json__a_huge_document_draws_some_of_it() -> None:
    editor = editor_for(DEMO["corrected"])
    touch(editor, "[" + ",".join(["[1]"] * 5_000) + "]")
    tree = editor._control.widget.children[2].value
    assert "which is not shown" in tree
    assert len(tree) < 50_000
