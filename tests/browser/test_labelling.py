"""Labelling by keys and by mouse in a real JupyterLab and Notebook 7, down to SQLite."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from label_page import (
    ALL,
    Label,
    act,
    answered,
    arrived,
    create,
    editor,
    position,
    press,
    ready,
    said,
    score,
    shows,
    states,
    stored,
    turn,
    values,
)
from seed import add_logs

from respan_notebook import Sandbox
from respan_notebook.labelling.outbox.sender import wait_until

REAL_LOGS = Path(__file__).parents[3] / "shared" / "data" / "gsm8k_logs.jsonl.gz"


# -- by keys alone ------------------------------------------------------------------------------


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_keys__label_twenty_logs_over_all_types(label: Label, sandbox: Sandbox, app: str) -> None:
    if app == "lab":
        add_real_logs(sandbox)
    page = label(ALL, app=app)
    assert set(states(page)) == {"unset"}, "nothing is scored by being shown"
    rows = 20 if app == "lab" else 3
    for row in range(rows):
        star, percent = str(1 + row % 5), str(row % 10)
        press(page, star, "ArrowDown", percent, "ArrowDown", "ny"[row % 2])
        press(page, "ArrowDown", str(1 + row % 4), "ArrowDown", "2", "4")
        press(page, "ArrowDown", "w")
        page.page.keyboard.type(f"row {row} sbx?")
        press(page, "Escape", "ArrowDown", "w")
        page.page.keyboard.type(f'{{"row": {row}}}')
        press(page, "Escape", "ArrowDown", "3", "ArrowDown", "w")
        page.page.keyboard.type("fine")
        press(page, "Escape", "ArrowDown", "a")
        act(page, "Enter")
    assert arrived(page)
    fields = ("numerical_value", "boolean_value", "categorical_value", "string_value", "json_value")
    tones = ["friendly", "neutral", "curt", "rude"]
    for row, log_id in enumerate(page.run_code("print(*logs['unique_id'][:20])").split()[:rows]):
        found = {
            slug: json.loads(value) if slug in ("tone", "issues", "topic") else value
            for log, slug, *cells in stored(sandbox, "log_id", "evaluator_slug", *fields)
            if log == log_id
            for value in [next(cell for cell in cells if cell is not None)]
        }
        assert found == {
            "helpfulness": 1 + row % 5,
            "coverage": 10 * (row % 10),
            "grounded": row % 2,
            "tone": [tones[row % 4]],
            "issues": ["made_up", "off_topic"],
            "comments": f"row {row} sbx?",
            "corrected": f'{{"row": {row}}}',
            "topic": ["writing"],
            "remarks": "fine",
            "fluency": 10,
        }
    assert len(stored(sandbox, "id")) == 10 * rows
    assert page.cell_count() == 3


def add_real_logs(sandbox: Sandbox) -> None:
    """Put 170 real logs before the 30 of the demo, where they are at hand."""
    if not REAL_LOGS.exists():
        return
    with gzip.open(REAL_LOGS, "rt") as lines:
        logs = [json.loads(line) for _, line in zip(range(170), lines, strict=False)]
    for log in logs:
        log["timestamp"] = "2026-01-02T00:00:00Z"
    add_logs(sandbox.base_url, sandbox.api_key, logs)


def test_keys__skip_back_undo_redo_clear_explain_and_help(label: Label) -> None:
    page = label(["helpfulness", "coverage"])
    act(page, "s")
    act(page, "b")
    press(page, "ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft", "e")
    page.page.keyboard.type("because s")
    act(page, "Control+Enter")
    press(page, "2", "x")  # They are keys again, and not the text of the next explanation.
    assert states(page) == ["unset", "unset"]
    assert arrived(page)
    seen = page.run_code("print(annotator.scores[['value', 'explanation']].values.tolist())")
    assert seen.strip() == "[[0.0, 'because s']]"
    act(page, "u")
    assert page.run_code("print(annotator.position, len(annotator.scores))").split() == ["0", "0"]
    act(page, "Shift+U")
    assert page.run_code("print(annotator.position, len(annotator.scores))").split() == ["1", "1"]
    press(page, "3", "x")
    assert states(page) == ["unset", "unset"]
    press(page, "v")
    said(page, "v does nothing in Helpfulness")
    press(page, "?")
    assert page.page.get_by_text("skip this log").is_visible()
    press(page, "s", "Escape")  # Under the keys nothing acts.
    assert position(page) == 1


def test_keys__v_takes_the_score_that_is_shown_exactly(label: Label, sandbox: Sandbox) -> None:
    score(sandbox, "demo_01", "coverage", numerical_value=73.4)
    page = label(["coverage", "comments"])
    page.run_code("annotator.go_to(0)")
    shows(page, "Coverage", "shown")
    press(page, "v")
    shows(page, "Coverage", "set")
    assert values(page) == [73.4, None]


def test_advance__one_key_an_evaluator(label: Label, sandbox: Sandbox) -> None:
    page = label(["helpfulness", "grounded", "tone", "comments"], more=", advance=True")
    for keys in (("4", "y", "2"), ("1", "n", "3")):
        act(page, *keys)
    assert position(page) == 2
    assert arrived(page)
    found = stored(sandbox, "log_id", "evaluator_slug", "numerical_value", "boolean_value")
    assert found == [
        ("demo_01", "grounded", None, 1),
        ("demo_01", "helpfulness", 4.0, None),
        ("demo_01", "tone", None, None),
        ("demo_02", "grounded", None, 0),
        ("demo_02", "helpfulness", 1.0, None),
        ("demo_02", "tone", None, None),
    ]
    act(page, "u")
    assert position(page) == 1, "and one key takes it back"


def test_w__writes_into_the_next_text_field_from_wherever_the_mark_is(label: Label) -> None:
    page = label(["tone", "comments", "remarks"])
    press(page, "w")
    page.page.keyboard.type("b u s")
    press(page, "Escape", "ArrowDown", "w")
    page.page.keyboard.type("more")
    assert values(page) == [None, "b u s", "more"]


EDITORS = {
    "Helpfulness": ".rn-point",
    "Coverage": "input[type=range]",
    "Grounded": "input[type=checkbox]",
    "Tone": "input[type=radio]",
    "Issues": "input[type=checkbox]",
    "Comments": "textarea",
    "Corrected output": "textarea",
}
KEYS = [
    *"abcdefghijklmnopqrstuvwxyz0123456789",
    "Control+Enter",
    "Enter",
    *("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Escape", "Backspace", "Delete"),
    *("Shift+a", "Shift+m", "Shift+l", "d", "d", "i", "i"),
]


def test_keys__nothing_leaks_into_jupyterlab(label: Label) -> None:
    slugs = ["helpfulness", "coverage", "grounded", "tone", "issues", "comments", "corrected"]
    page = label(slugs)
    before = page.sources(), page.execution_counts()
    for title, control in EDITORS.items():
        for key in KEYS:
            page.page.wait_for_selector(".rn-annotator:not([aria-busy])")
            box = editor(page, title).locator(control).first
            if key == "Escape":
                page.page.locator(".rn-place").click()  # A second one leaves.
            box.focus()
            if key == "Escape" and control != "textarea":
                continue
            press(page, key)
        page.settle()
        if page.page.locator(".rn-overlay:visible").count():
            press(page, "Escape")
        assert (page.sources(), page.execution_counts()) == before, title
        assert page.active_cell() == 1, title
        assert page.mode() == "command", title
    assert page.cell_count() == 3


def test_notebooks_keys__reach_it_and_two_escapes_leave(label: Label) -> None:
    page = label(["helpfulness", "comments"])
    before = page.execution_counts()
    press(page, "w")
    page.page.keyboard.type("text")
    press(page, "Escape", "Escape", "b")
    page.page.wait_for_timeout(200)
    assert page.cell_count() == 4, "the notebook has the keys, where b inserts a cell"
    page.page.locator(".rn-place").click()
    press(page, "Shift+Enter")
    assert wait_until(lambda: page.execution_counts() != before, 20), "and the cell is run again"


def test_tab__goes_through_the_controls_and_out(label: Label) -> None:
    page = label(["helpfulness", "comments"])
    inside = "document.querySelector('.rn-annotator').contains(document.activeElement)"
    seen = []
    for _ in range(60):
        press(page, "Tab")
        if not page.page.evaluate(inside):
            break
        seen.append(page.page.evaluate("document.activeElement.tagName"))
    assert not page.page.evaluate(inside)
    assert {"BUTTON", "TEXTAREA", "SUMMARY"} <= set(seen)


def test_screen_reader__hears_what_each_control_is_and_what_becomes_of_it(
    label: Label, sandbox: Sandbox
) -> None:
    create(sandbox, "minutes", "numerical")
    create(
        sandbox,
        "team",
        "single_select",
        choices=[{"name": f"Team {n}", "value": f"t{n}"} for n in range(12)],
    )
    create(sandbox, "tags", "multi_select")
    page = label([*ALL, "minutes", "team", "tags"])
    root = page.page.locator(".rn-annotator")
    controls = re.findall(
        r'^ *- (slider|textbox|checkbox|radio|combobox|searchbox|button)\b(?: "(.+?)")?',
        root.aria_snapshot(),
        re.MULTILINE,
    )
    assert {kind for kind, _ in controls} >= {"slider", "textbox", "checkbox", "radio", "combobox"}
    assert [kind for kind, name in controls if not name] == [], root.aria_snapshot()
    heard = page.page.locator(".rn-editors [aria-live=polite]")
    press(page, "4")
    heard.get_by_text("4 Good").wait_for()
    press(page, "ArrowDown", "7")
    heard.get_by_text("70").wait_for()
    assert heard.count() == 1
    act(page, "Enter")
    page.page.locator("[role=status]").get_by_text("Saved.").wait_for()


# -- by mouse -----------------------------------------------------------------------------------


def test_mouse__does_all_of_it(label: Label, sandbox: Sandbox) -> None:
    page = label(["helpfulness", "coverage", "grounded", "tone", "issues"])
    editor(page, "Helpfulness").get_by_role("radio", name="4 Good").click()
    track = editor(page, "Coverage").locator(".rn-track")
    width = (track.bounding_box() or {})["width"]
    track.click(position={"x": width / 2, "y": 10})
    editor(page, "Grounded").get_by_text("No", exact=True).click()
    editor(page, "Tone").get_by_text("Neutral").click()
    editor(page, "Issues").get_by_text("Incomplete").click()
    editor(page, "Issues").get_by_text("Bad format").click()
    assert values(page) == [4.0, 50.0, False, "neutral", ["incomplete", "bad_format"]]
    editor(page, "Tone").get_by_role("button", name="clear").click()
    before = turn(page)
    page.page.get_by_role("button", name="Save & next").click()
    answered(page, before)
    assert arrived(page)
    rows = stored(sandbox, "evaluator_slug", "categorical_value", "boolean_value")
    assert [row[0] for row in rows] == ["coverage", "grounded", "helpfulness", "issues"]
    assert json.loads(rows[3][1]) == ["incomplete", "bad_format"]
    assert rows[1][2] == 0
    act(page, "s")
    assert position(page) == 2, "keys work after a click"
    before = turn(page)
    page.page.locator(".rn-dot").first.click()
    answered(page, before)
    assert position(page) == 0
    page.page.locator(".rn-goto").fill("demo_07")
    press(page, "Tab")
    page.page.locator(".rn-place").click()
    page.settle()
    assert position(page) == 0, "it goes on Enter alone"
    before = turn(page)
    page.page.locator(".rn-goto").press("Enter")
    answered(page, before)
    assert position(page) == 6
    act(page, "s")
    assert position(page) == 7, "and the focus is given back"


def test_slider__only_the_person_scores(label: Label, sandbox: Sandbox) -> None:
    create(sandbox, "part", "numerical", min_score=0, max_score=0.7)
    create(sandbox, "wide", "numerical", min_score=1, max_score=100)
    score(sandbox, "demo_01", "coverage", numerical_value=73.4)
    page = label(["coverage", "part", "wide", "comments"])
    page.run_code("annotator.go_to(0)")
    shows(page, "coverage".title(), "shown")
    exact = editor(page, "Coverage").locator(".rn-exact")
    assert exact.input_value() == "73.4"
    press(page, "w")
    page.page.keyboard.type("a look changes nothing")
    act(page, "Control+Enter")
    assert states(page) == ["unset"] * 4
    act(page, "s")
    assert states(page) == ["unset"] * 4
    page.run_code("annotator.go_to(0)")
    shows(page, "Coverage", "shown")
    assert arrived(page)
    assert stored(sandbox, "evaluator_slug", "numerical_value") == [
        ("comments", None),
        ("coverage", 73.4),
    ]
    press(page, "ArrowDown", "ArrowDown", "7")
    assert values(page)[2] == 70.0, "a key is on the step"
    press(page, "ArrowUp", "3")
    part = values(page)[1]
    assert part == 0.21
    low = editor(page, "wide").locator(".rn-track")
    press(page, "ArrowDown", "x")
    low.click(position={"x": 1, "y": 10})
    assert values(page)[2] == 1.0, "a click where the thumb would rest is a score"


def test_drag__ends_with_its_log(label: Label) -> None:
    page = label(["coverage", "comments"])
    box = editor(page, "Coverage").locator(".rn-track").bounding_box()
    assert box
    page.page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 10)
    act(page, "Enter")
    page.page.mouse.move(box["x"] + 40, box["y"] + 10)
    page.page.mouse.up()
    assert states(page) == ["unset", "unset"]
    assert page.run_code("print(*annotator.scores['value'])").strip() == "90.0"


PLACES = """
() => Object.fromEntries(  // Within the annotator, which an answer brings into view.
  [".rn-top", ".rn-strip", ".rn-pane", ".rn-side", ".rn-editors", ".rn-actions"].map((one) => {
    const { x, y, width, height } = document.querySelector(one).getBoundingClientRect();
    const root = document.querySelector(".rn-annotator").getBoundingClientRect();
    return [one, [x - root.x, y - root.y, width, height].map(Math.round)];
  }),
)
"""


def test_messages__move_nothing(label: Label) -> None:
    page = label(["helpfulness", "comments"])
    before = page.page.evaluate(PLACES)
    press(page, "z")
    said(page, "z does nothing in Helpfulness")
    assert page.page.evaluate(PLACES) == before
    press(page, "Enter")
    said(page, "Nothing is scored yet")
    assert page.page.evaluate(PLACES) == before
    act(page, "s")
    said(page, "Skipped.")
    assert page.page.evaluate(PLACES) == before


def test_skipped_logs__are_counted_when_the_cell_is_run_again(label: Label) -> None:
    page = label("helpfulness")
    act(page, "s")
    act(page, "s")
    counts = page.page.locator(".rn-counts")
    assert "2 skipped · 28 left" in counts.inner_text()
    page.run_all()
    ready(page)
    assert "2 skipped · 28 left" in counts.first.inner_text()


def test_question_mark__tells_what_an_annotator_does(label: Label) -> None:
    page = label("helpfulness")
    told = page.run_code("print(get_ipython().object_inspect_text('annotator'))")
    for word in (
        "scores",
        "progress",
        "wait",
        "go_to",
        "undo",
        "``Enter`` saves",
        "counted from 0",
    ):
        assert word in " ".join(told.split())
