"""Editors by themselves, and the controls that the demo's evaluators lack, in a real JupyterLab."""

from __future__ import annotations

import json
from typing import Any

import pytest
from lab_page import NotebookPage, OpenNotebook
from label_page import editor, shows, synced

CELL = """
import json
from ipywidgets import VBox
from respan_notebook import Evaluator, editor_for

def make(slug, kind, **config):
    return editor_for(Evaluator(
        evaluator_slug=slug, name=slug, score_value_type=kind, score_config=config))

many = [{"name": f"Choice {n}", "value": f"c{n}", "description": f"the {n}th"} for n in range(30)]
editors = {
    "minutes": make("minutes", "numerical"),
    "part": make("part", "numerical", min_score=0, max_score=0.7,
                 choices=[{"name": "all of it", "value": 0.7}]),
    "one": make("one", "single_select", choices=many),
    "several": make("several", "multi_select", choices=many),
    "tags": make("tags", "multi_select"),
    "free": make("free", "single_select"),
    "notes": make("notes", "text"),
    "data": make("data", "json"),
    "odd": make("odd", "percentile"),
}
seen = []
for name, one in editors.items():
    one.observe(lambda change, name=name: seen.append((name, change["new"])), "value")
VBox(list(editors.values()))
"""


@pytest.fixture
def page(open_notebook: OpenNotebook) -> NotebookPage:
    opened = open_notebook([CELL], size=(1280, 2400))
    opened.run_all()
    opened.page.locator(".rn-editor").nth(8).wait_for()
    return opened


def value(page: NotebookPage, name: str) -> Any:
    synced(page)
    return json.loads(page.run_code(f"print(json.dumps(editors[{name!r}].value))"))


def test_number__is_read_as_it_is_typed(page: NotebookPage) -> None:
    box = editor(page, "minutes").locator("input.rn-exact")
    box.press_sequentially("1.50")
    assert value(page, "minutes") == 1.5
    assert box.input_value() == "1.50", "what is being typed stays as it is typed"
    box.press_sequentially("x")
    shows(page, "minutes", "invalid")
    assert "a number" in editor(page, "minutes").locator(".rn-state").inner_text()
    box.fill("")
    assert value(page, "minutes") is None


def test_slider__is_exact_in_its_box_and_on_the_step_elsewhere(page: NotebookPage) -> None:
    part = editor(page, "part")
    part.locator("input.rn-exact").fill("0.123")
    assert value(page, "part") == 0.123
    part.locator("input[type=range]").focus()
    page.page.keyboard.press("End")
    assert value(page, "part") == 0.7
    assert "all of it" in part.locator(".rn-state").inner_text()
    track = part.locator(".rn-track")
    box = track.bounding_box()
    assert box
    page.page.mouse.move(box["x"] + 2, box["y"] + 10)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 10)
    page.page.mouse.up()
    assert value(page, "part") == 0.35
    page.run_code("editors['part'].value = 0.6543")
    shows(page, "part", "set")
    assert part.locator("input.rn-exact").input_value() == "0.6543"
    assert value(page, "part") == 0.6543, "and nothing answers what Python sets"


def test_long_lists__are_filtered_and_show_what_is_picked_on_top(page: NotebookPage) -> None:
    one = editor(page, "one")
    one.locator(".rn-filter").fill("choice 27")
    assert one.locator(".rn-choice:visible").count() == 1
    one.get_by_text("Choice 27", exact=True).click()
    assert value(page, "one") == "c27"
    several = editor(page, "several")
    for number in (29, 3):
        several.locator(".rn-filter").fill(f"choice {number}")
        several.locator(".rn-choice").get_by_text(f"Choice {number}", exact=True).click()
    assert value(page, "several") == ["c3", "c29"]
    several.locator(".rn-filter").fill("nothing like it")
    assert several.locator(".rn-choice:visible").count() == 2, "what is picked stays in view"
    for number in (3, 29):
        several.locator(".rn-choice").get_by_text(f"Choice {number}", exact=True).click()
    assert value(page, "several") is None
    several.locator("summary").click()
    assert several.get_by_text("Choice 4: the 4th").is_visible()


def test_tags__are_typed_and_taken_away(page: NotebookPage) -> None:
    box = editor(page, "tags").locator(".rn-tags input")
    box.press_sequentially("first,second")
    box.press("Enter")
    box.press_sequentially("second")
    box.press("Enter")
    assert value(page, "tags") == ["first", "second"]
    box.press("Backspace")
    assert value(page, "tags") == ["first"]
    box.press_sequentially("third")
    editor(page, "notes").locator("textarea").click()
    assert value(page, "tags") == ["first", "third"], "what was typed is taken when it is left"
    for name in ("first", "third"):
        editor(page, "tags").get_by_role("button", name=f"Remove {name}").click()
    assert value(page, "tags") is None


def test_text__with_a_reason_and_cleared(page: NotebookPage) -> None:
    notes = editor(page, "notes")
    notes.locator("textarea").fill("line\n" * 30)
    assert value(page, "notes") == "line\n" * 30
    notes.get_by_role("button", name="why?").click()
    notes.locator(".rn-why").fill("since")
    synced(page)
    assert page.run_code("print(editors['notes'].explanation)").strip() == "since"
    notes.get_by_role("button", name="clear").click()
    assert value(page, "notes") is None
    assert page.run_code("print(repr(editors['notes'].explanation))").strip() == "''"
    free = editor(page, "free").locator("input[type=text]").first
    free.fill("anything")
    assert value(page, "free") == "anything"
    assert "('free', 'anything')" in page.run_code("print(seen)")


def test_json__is_checked_laid_out_and_drawn(page: NotebookPage) -> None:
    data = editor(page, "data")
    area = data.locator("textarea")
    area.fill('{"a": [1.50, {}],\n "a": }')
    shows(page, "data", "invalid")
    assert "line 2, column 7" in data.locator(".rn-state").inner_text()
    format_, tree = (data.get_by_role("button", name=name) for name in ("Format", "Tree"))
    format_.click()
    assert area.input_value() == '{"a": [1.50, {}],\n "a": }', "no JSON is left as it is"
    tree.click()
    assert data.get_by_text("No tree").is_visible()
    area.fill('{"a":[1.50,{},[]],"a":"\\u00e9 {x}, \\"y\\"","b":-0.0}')
    format_.click()
    first = '{\n  "a": [\n    1.50,\n    {},\n    []\n  ],\n'
    laid_out = first + '  "a": "\\u00e9 {x}, \\"y\\"",\n  "b": -0.0\n}'
    assert area.input_value() == laid_out
    assert value(page, "data") == laid_out
    assert data.locator(".rn-tree").get_by_text("0: 1.50").is_visible()
    area.fill("[" * 50_000 + "]" * 50_000)
    assert data.get_by_text("No tree").is_visible(), "and nothing breaks"
    assert page.console_errors == []


def test_unknown_type__says_why_it_takes_nothing(page: NotebookPage) -> None:
    assert "percentile" in editor(page, "odd").locator(".rn-problem").inner_text()


def test_two_views__of_one_editor_are_equal(page: NotebookPage) -> None:
    page.run_code("from IPython.display import display")
    page.run_code("editors['notes'].value = 'from Python'")
    area = editor(page, "notes").locator("textarea")
    page.page.wait_for_function(
        "() => document.querySelector('[aria-label=notes] textarea').value === 'from Python'"
    )
    area.fill("from the screen")
    assert value(page, "notes") == "from the screen"
