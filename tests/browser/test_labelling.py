"""Labelling in a real JupyterLab and Notebook 7, in Chromium, down to the sandbox's SQLite."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lab_page import NotebookPage, OpenNotebook
from seed import add_logs

from respan_notebook import RespanClient, Sandbox
from respan_notebook.labelling.outbox.sender import wait_until

REAL_LOGS = Path(__file__).parents[3] / "shared" / "data" / "gsm8k_logs.jsonl.gz"
ALL = (
    *("helpfulness", "coverage", "grounded", "tone", "issues"),
    *("comments", "corrected", "topic", "remarks", "fluency"),
)
OPEN = """
from respan_notebook import RespanClient
client = RespanClient({key!r}, {url!r})
logs = client.logs(start_time="2026-01-01", sort_by="timestamp", limit=200)
annotator = logs.respan.annotate({evaluators!r}, client=client, outbox={outbox!r})
annotator
"""
Label = Callable[..., NotebookPage]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(demo=True, db=tmp_path / "sandbox.db") as running:
        yield running


@pytest.fixture
def label(open_notebook: OpenNotebook, sandbox: Sandbox, tmp_path: Path) -> Label:
    """Open a notebook with an annotator on screen."""

    def open_(evaluators: Any = "helpfulness", *, key: str = "", **options: Any) -> NotebookPage:
        cell = OPEN.format(
            key=key or sandbox.api_key,
            url=sandbox.base_url,
            evaluators=evaluators,
            outbox=str(tmp_path / "outbox.sqlite3"),
        )
        page = open_notebook(["1 + 1", cell, "2 + 2"], **options)
        page.run_all()
        ready(page)
        return page

    return open_


def ready(page: NotebookPage) -> None:
    """Wait until the annotator takes keys, and give it the focus."""
    page.page.wait_for_selector(".rn-annotator[data-lm-suppress-shortcuts] .rn-log")
    page.page.locator(".rn-status").click()


def press(page: NotebookPage, *keys: str) -> None:
    for key in keys:
        page.page.keyboard.press(key)


def turn(page: NotebookPage) -> int:
    return int(page.page.locator("[data-rn-turn]").get_attribute("data-rn-turn") or 0)


def act(page: NotebookPage, *keys: str) -> None:
    """Press keys, the last of which goes to another log, and wait for it."""
    before = turn(page)
    press(page, *keys)
    assert wait_until(lambda: turn(page) > before, 10)


def states(page: NotebookPage) -> list[str]:
    said = page.run_code("print(*(e.state for e in annotator.editors.values()))")
    return said.split()


def arrived(page: NotebookPage) -> bool:
    return page.run_code("print(annotator.wait())").strip() == "True"


def stored(sandbox: Sandbox, *columns: str) -> list[tuple[Any, ...]]:
    """Return what the sandbox's SQLite file has of all scores."""
    with sqlite3.connect(f"file:{sandbox.db}?mode=ro", uri=True) as db:
        names = ", ".join(columns)
        rows = db.execute(f"SELECT {names} FROM scores ORDER BY log_id, evaluator_slug").fetchall()
    db.close()
    return rows


# -- by keys alone ------------------------------------------------------------------------------


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_keys__label_twenty_logs_over_all_types(label: Label, sandbox: Sandbox, app: str) -> None:
    if app == "lab":
        add_real_logs(sandbox)
    page = label(ALL, app=app)
    page.page.wait_for_timeout(500)
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
    values = ("numerical_value", "boolean_value", "categorical_value", "string_value", "json_value")
    tones = ["friendly", "neutral", "curt", "rude"]
    for row, log_id in enumerate(page.run_code("print(*logs['unique_id'][:20])").split()[:rows]):
        found = {
            slug: json.loads(value) if slug in ("tone", "issues", "topic") else value
            for log, slug, *fields in stored(sandbox, "log_id", "evaluator_slug", *values)
            if log == log_id
            for value in [next(field for field in fields if field is not None)]
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


def test_keys__skip_back_undo_accept_clear_explain_and_help(label: Label) -> None:
    page = label(["helpfulness", "coverage"])
    act(page, "s")
    act(page, "b")
    press(page, "ArrowDown", "v", "ArrowRight", "ArrowRight", "ArrowLeft", "e")
    page.page.keyboard.type("because s")
    act(page, "Control+Enter")
    press(page, "2", "x")  # They are keys again, and not the text of the next explanation.
    assert arrived(page)
    seen = page.run_code("print(annotator.scores[['value', 'explanation']].values.tolist())")
    assert seen.strip() == "[[1.0, 'because s']]"
    act(page, "u")
    assert page.run_code("print(annotator.position, len(annotator.scores))").split() == ["0", "0"]
    press(page, "3", "x")
    assert states(page) == ["unset", "unset"]
    press(page, "?")
    assert page.page.get_by_text("undo the last save").is_visible()


EDITORS = {
    "points": ("helpfulness", ".rn-control button"),
    "slider": ("coverage", ".noUi-handle"),
    "checkbox": ("grounded", "input[type=checkbox]"),
    "radio": ("tone", "input[type=radio]"),
    "checkboxes": ("issues", "input[type=checkbox]"),
    "text": ("comments", "textarea"),
    "json": ("corrected", "textarea"),
}
KEYS = [
    *"abcdefghijklmnopqrstuvwxyz0123456789",
    *(f"{held}+Enter" for held in ("Shift", "Alt", "Control", "Meta")),
    "Enter",
    *("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Escape", "Backspace", "Delete"),
    *("Shift+a", "Shift+m", "Shift+l", "d", "d", "i", "i"),
]


def test_keys__nothing_leaks_into_jupyterlab(label: Label) -> None:
    page = label([slug for slug, _ in EDITORS.values()])
    before = page.sources(), page.execution_counts()
    for place, (slug, control) in enumerate(EDITORS.values()):
        for key in KEYS:
            box = page.page.locator(".rn-editor").nth(place).locator(control).first
            box.focus()
            press(page, key)
        page.page.wait_for_timeout(200)
        assert (page.sources(), page.execution_counts()) == before, slug
        assert page.active_cell() == 1, slug
        assert page.mode() == "command", slug
    assert page.cell_count() == 3


def test_tab__goes_through_the_controls_and_out(label: Label) -> None:
    page = label(["helpfulness", "comments"])
    inside = "document.querySelector('.rn-annotator').contains(document.activeElement)"
    seen = []
    for _ in range(40):
        press(page, "Tab")
        if not page.page.evaluate(inside):
            break
        seen.append(page.page.evaluate("document.activeElement.tagName"))
    assert not page.page.evaluate(inside)
    assert {"BUTTON", "TEXTAREA", "INPUT", "SELECT"} <= set(seen)


# -- by mouse -----------------------------------------------------------------------------------


def test_screen_reader__hears_what_each_control_is_and_what_becomes_of_it(
    label: Label, sandbox: Sandbox
) -> None:
    teams = {"choices": [{"name": f"Team {n}", "value": f"t{n}"} for n in range(12)]}
    more = {
        "minutes": {"score_value_type": "numerical"},
        "team": {"score_value_type": "single_select", "score_config": teams},
        "tags": {"score_value_type": "multi_select"},
    }
    with RespanClient(sandbox.api_key, sandbox.base_url) as client:
        for name, fields in more.items():
            client.create_evaluator({"name": name, "evaluator_slug": name, **fields})
    page = label([*ALL, *more])
    root = page.page.locator(".rn-annotator")
    root.locator("[role=group][aria-label=tags]").wait_for()
    controls = re.findall(
        r'^ *- (slider|textbox|checkbox|radio|combobox|listbox|button)(?: "(.+?)")?',
        root.aria_snapshot(),
        re.MULTILINE,
    )
    assert {kind for kind, _ in controls} > {"slider", "textbox", "checkbox", "radio", "combobox"}
    assert [kind for kind, name in controls if not name] == []
    assert ("combobox", "tags") in controls
    heard = page.page.locator(".rn-editors [aria-live=polite]")
    press(page, "4")
    heard.get_by_text("4").wait_for()
    press(page, "ArrowDown", "7")
    heard.get_by_text("70").wait_for()
    assert heard.count() == 1


def test_mouse__does_all_of_it(label: Label, sandbox: Sandbox) -> None:
    page = label(["helpfulness", "coverage", "grounded", "tone", "issues"])
    editors = page.page.locator(".rn-editor")
    editors.nth(0).get_by_role("button", name="4 · Good").click()
    editors.nth(1).locator(".noUi-target").click(position={"x": 100, "y": 2})
    editors.nth(2).get_by_role("button", name="Use this").click()
    editors.nth(3).get_by_text("2 · Neutral").click()
    editors.nth(4).get_by_text("3 · Incomplete").click()
    editors.nth(4).get_by_text("5 · Bad format").click()
    page.page.wait_for_timeout(300)
    assert states(page) == ["set"] * 5
    editors.nth(3).get_by_role("button", name="Clear").click()
    before = turn(page)
    page.page.get_by_role("button", name="Save & next").click()
    assert wait_until(lambda: turn(page) > before, 10)
    assert arrived(page)
    rows = stored(sandbox, "evaluator_slug", "categorical_value", "boolean_value")
    assert [row[0] for row in rows] == ["coverage", "grounded", "helpfulness", "issues"]
    assert json.loads(rows[3][1]) == ["incomplete", "bad_format"]
    assert rows[1][2] == 0
    act(page, "s")
    assert page.run_code("print(annotator.position)").strip() == "2", "keys work after a click"


# -- what people's fingers and networks do ------------------------------------------------------


def test_double_enter__within_50_ms_saves_one_log(label: Label, sandbox: Sandbox) -> None:
    page = label()
    for row in range(3):
        press(page, "4")
        page.page.wait_for_selector(".rn-set")
        page.page.evaluate(
            """async () => {
              const root = document.querySelector(".rn-annotator");
              const enter = () => root.dispatchEvent(
                new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
              enter();
              enter();
              await new Promise((resolve) => setTimeout(resolve, 5));
              enter();
            }"""
        )
        page.page.wait_for_timeout(600)
        assert page.run_code("print(annotator.position)").strip() == str(row + 1)
    assert arrived(page)
    assert len(stored(sandbox, "id")) == 3
    double = page.page.get_by_role("button", name="Save & next")
    press(page, "4")
    double.dblclick()
    page.page.wait_for_timeout(600)
    assert page.run_code("print(annotator.position)").strip() == "4"


def test_busy_kernel__a_fast_typist_loses_no_letter_and_scores_no_other_log(
    label: Label, sandbox: Sandbox
) -> None:
    page = label(["comments"], app="notebook")
    text = "typed while the kernel was busy with something else"
    page.run_code("import threading, time")
    # Widget messages wait as long as a callback of another widget message takes.
    page.run_code(
        "slow = lambda change: time.sleep(0.15)\n"
        "annotator.editors['comments'].inputs[0].observe(slow, 'value')"
    )
    press(page, "w")
    page.page.keyboard.type(text)
    before = turn(page)
    press(page, "Control+Enter")
    page.page.keyboard.type("too early")
    assert wait_until(lambda: turn(page) > before, 60)
    page.page.wait_for_timeout(200)
    page.page.keyboard.type("z z z")
    page.page.wait_for_timeout(500)
    assert states(page) == ["unset"]
    assert arrived(page)
    assert stored(sandbox, "log_id", "string_value") == [("demo_01", text)]


def test_kernel_killed__right_after_save_keeps_the_label(label: Label, sandbox: Sandbox) -> None:
    page = label(["helpfulness", "comments"])
    act(page, "4", "Enter")
    press(page, "2", "ArrowDown", "w")
    page.page.keyboard.type("half a thou")
    page.page.wait_for_timeout(300)
    page.kill_kernel()
    page.page.get_by_role("button", name="Ok", exact=True).click()
    page.run_all()
    ready(page)
    assert arrived(page)
    assert stored(sandbox, "log_id", "numerical_value") == [("demo_01", 4)]
    said = page.run_code("print(annotator.position, [e.value for e in annotator.editors.values()])")
    assert said.strip() == "1 [2.0, 'half a thou']", "and what was not saved yet is there as well"


def test_sandbox_down__labelling_goes_on_and_all_arrives(label: Label, sandbox: Sandbox) -> None:
    page = label()
    page.run_code(
        "from respan_notebook.client.settings import RequestSettings\n"
        "client.settings = RequestSettings(backoff=0.01, longest_backoff=0.1)"
    )
    sandbox.stop()
    for key in "1234":
        act(page, key, "Enter")
    page.page.get_by_text("Labels wait:").wait_for()
    assert page.page.get_by_text("4 on their way").is_visible()
    sandbox.start()
    page.page.get_by_text("4 saved").wait_for(timeout=60_000)
    assert [value for (value,) in stored(sandbox, "numerical_value")] == [1, 2, 3, 4]


def test_wrong_key__is_said_and_nothing_is_lost(
    open_notebook: OpenNotebook, sandbox: Sandbox, tmp_path: Path
) -> None:
    cell = """
import pandas as pd
from respan_notebook import Evaluator, RespanClient
frame = pd.DataFrame({{"log_id": ["demo_01", "demo_02", "demo_03"], "input": list("abc")}})
stars = Evaluator(id="eval_helpfulness", score_value_type="numerical",
                  score_config={{"min_score": 1, "max_score": 5}})
annotator = frame.respan.annotate([stars], client=RespanClient({key!r}, {url!r}), outbox={outbox!r})
annotator
"""
    places = {"url": sandbox.base_url, "outbox": str(tmp_path / "outbox.sqlite3")}
    page = open_notebook([cell.format(key="wrong", **places)])
    page.run_all()
    ready(page)
    act(page, "4", "Enter")
    said = page.page.get_by_text("Nothing is sent:")
    said.wait_for()
    act(page, "5", "Enter")
    assert said.count() == 1
    assert "401" in said.inner_text()
    assert "Your labels are kept" in said.inner_text()
    page.close()
    page = open_notebook([cell.format(key=sandbox.api_key, **places)])
    page.run_all()
    ready(page)
    assert arrived(page)
    assert stored(sandbox, "log_id", "numerical_value") == [("demo_01", 4), ("demo_02", 5)]


def test_fault__in_the_kernel_is_said_and_locks_nobody_out(label: Label) -> None:
    page = label()
    page.run_code("save, annotator.save = annotator.save, lambda: 1 / 0")
    press(page, "4")
    act(page, "Enter")
    page.page.get_by_text("ZeroDivisionError").wait_for()
    page.run_code("annotator.save = save")
    act(page, "Enter")
    assert page.run_code("print(annotator.position)").strip() == "1"


def test_letters__in_a_list_choose_from_the_list(label: Label) -> None:
    page = label()
    act(page, "4", "Enter")
    before = turn(page)
    page.page.locator(".rn-nav select").focus()
    press(page, "u")
    page.page.wait_for_timeout(400)
    assert turn(page) == before
    assert page.run_code("print(len(annotator.scores))").strip() == "1"


def test_output__shown_again_takes_keys_again(label: Label) -> None:
    page = label()
    act(page, "4", "Enter")
    page.command("notebook:hide-all-cell-outputs")
    page.command("notebook:show-all-cell-outputs")
    ready(page)
    act(page, "5", "Enter")
    assert page.run_code("print(*annotator.scores['value'])").split() == ["4.0", "5.0"]


# -- hostile logs -------------------------------------------------------------------------------

RUN = "window.ran=1;alert(1)"
HOSTILE = [
    f"<script>{RUN}</script>",
    f"<img src=x onerror='{RUN}'>",
    f'"><img src=x onerror="{RUN}">',
    f"<svg onload='{RUN}'></svg><svg><script>{RUN}</script></svg>",
    f"[click](javascript:{RUN}) <a href='javascript:{RUN}'>here</a>",
    f"[data](data:text/html,<script>{RUN}</script>)",
    "<style>body{display:none}</style><link rel=stylesheet href=http://example.com/x.css>",
    "<iframe src='http://example.com/'></iframe><meta http-equiv=refresh content='0;url=/'>",
    "![](http://example.com/i.png) ![x](//example.com/i.png) <img src=//example.com/i.png>",
    "<form action=http://example.com><input autofocus onfocus=alert(1)></form>",
    "</div></section></details></div><div class='rn-annotator'><b><i><table><td>unclosed",
    "\u202egnirts\u202c \u2066iso \x00\x07\x1b[31m",
    "x" * 1_000_000,
    f"<details open ontoggle='{RUN}'><video><source onerror='{RUN}'></video>",
    f"<math><mtext><table><mglyph><style><img src=x onerror='{RUN}'>",
]
HOSTILE_CELL = """
import json, pathlib
import pandas as pd
from respan_notebook import Evaluator, RespanClient
texts = json.loads(pathlib.Path(TEXTS).read_text())
short = [text[:300] for text in texts]
frame = pd.DataFrame({
    "log_id": [f"demo_{n:02}" for n in range(1, len(texts) + 1)],
    "prompt_messages": [
        [{"role": s, "content": t}, {"role": "user", "content": [{"type": "text", "text": t}]}]
        for s, t in zip(short, texts)],
    "completion_message": [
        {"role": "assistant", "content": t,
         "tool_calls": [{"function": {"name": s, "arguments": s}}]}
        for s, t in zip(short, texts)],
    "metadata": [{s: s} for s in short],
    "model": texts, "error_message": texts, "odd": texts})
frame[texts[1]] = "a column"
evaluators = [
    Evaluator(id=f"e{n}", name=s, description=s, score_value_type="single_select",
              score_config={"choices": [{"name": s, "value": f"v{n}"}]})
    for n, s in enumerate(short)]
odd = Evaluator(id="odd", name=texts[1], score_value_type=texts[1])
annotator = frame.respan.annotate(
    [*evaluators, odd], client=RespanClient(KEY, URL), outbox=OUTBOX)
annotator
"""


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_hostile_logs__run_load_and_break_nothing(
    open_notebook: OpenNotebook, sandbox: Sandbox, tmp_path: Path, app: Any
) -> None:
    texts = tmp_path / "texts.json"
    texts.write_text(json.dumps(HOSTILE))
    names = {
        "TEXTS": str(texts),
        "KEY": sandbox.api_key,
        "URL": sandbox.base_url,
        "OUTBOX": str(tmp_path / "outbox.sqlite3"),
    }
    given = "\n".join(f"{name} = {value!r}" for name, value in names.items())
    page = open_notebook([f"{given}\n{HOSTILE_CELL}"], app=app)
    page.run_all()
    ready(page)
    for row in range(len(HOSTILE)):
        page.page.wait_for_timeout(150)
        if row % 3 == 0:  # Folded texts, too.
            page.page.evaluate("document.querySelectorAll('.rn-log details').forEach(d=>d.open=1)")
        assert page.page.locator(".rn-annotator").count() == 1
        assert (
            page.page.locator(
                ".rn-log img, .rn-log script, .rn-log style, .rn-log iframe, "
                ".rn-log svg, .rn-log form, .rn-log [onerror]"
            ).count()
            == 0
        )
        wide = page.page.evaluate(
            "(e => e.scrollWidth - e.clientWidth)(document.querySelector('.rn-annotator'))"
        )
        assert wide <= 1, "it is not pushed beyond its width"
        act(page, "s")
    act(page, "b")
    press(page, "1")
    act(page, "Enter")
    page.page.get_by_text("1 refused").wait_for()
    assert page.page.evaluate("window.ran") is None
    assert page.remote_requests == []
    assert page.dialogs == []
