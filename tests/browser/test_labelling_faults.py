"""Labelling with quick fingers, slow kernels, and servers that go, in a real JupyterLab."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from lab_page import OpenNotebook
from label_page import (
    ALL,
    Label,
    act,
    answered,
    arrived,
    create,
    editor,
    in_view,
    keep_busy,
    position,
    press,
    ready,
    said,
    shows,
    states,
    stored,
    synced,
    turn,
    values,
)

from respan_notebook import Sandbox
from respan_notebook.labelling.outbox.sender import wait_until

# -- what people's fingers and networks do ------------------------------------------------------


def test_double_enter__within_50_ms_saves_one_log(label: Label, sandbox: Sandbox) -> None:
    page = label()
    for row in range(3):
        press(page, "4")
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
        synced(page)
        assert position(page) == row + 1
    assert arrived(page)
    assert len(stored(sandbox, "id")) == 3


@pytest.mark.parametrize("key", ["u", "s", "b", "Enter"])
def test_held_key__acts_once(label: Label, key: str) -> None:
    page = label()
    for value in "4321":
        act(page, value, "Enter")
    before = page.run_code("print(annotator.position, len(annotator.scores))").split()
    page.page.evaluate(
        """(key) => {
          const root = document.querySelector(".rn-annotator");
          for (let n = 0; n < 20; n += 1)
            root.dispatchEvent(new KeyboardEvent("keydown",
              { key, repeat: n > 0, bubbles: true, cancelable: true }));
        }""",
        key,
    )
    synced(page)
    place, scores = map(
        int, page.run_code("print(annotator.position, len(annotator.scores))").split()
    )
    moved = {"u": -1, "b": -1, "s": 1, "Enter": 0}[key]
    assert (place, scores) == (int(before[0]) + moved, int(before[1]) - (key == "u"))


def test_busy_kernel__commands_and_values_keep_their_log(label: Label, sandbox: Sandbox) -> None:
    page = label(["coverage", "comments"])
    keep_busy(page, 2.5)
    press(page, "w")
    page.page.keyboard.type("of the first log")
    page.page.locator(".rn-goto").fill("20")
    before = turn(page)
    page.page.locator(".rn-goto").press("Enter")
    answered(page, before)
    assert position(page) == 19
    assert states(page) == ["unset", "unset"]
    press(page, "9", "2")  # The later one counts.
    press(page, "x")
    assert values(page) == [None, None]
    act(page, "3", "Enter")
    page.run_code("annotator.go_to(0)")
    assert values(page) == [None, "of the first log"], "kept with its own log"
    assert arrived(page)
    assert stored(sandbox, "log_id", "numerical_value") == [("demo_20", 30.0)]


def test_busy_kernel__is_said_and_takes_all_when_it_answers(label: Label) -> None:
    page = label(["helpfulness"])
    keep_busy(page, 5)
    before = turn(page)
    press(page, "4", "Enter", "2", "s")
    said(page, "Waiting for the kernel")
    assert turn(page) == before, "nothing is called saved before it is"
    page.page.wait_for_selector(".rn-annotator[data-rn-turn='3']:not([aria-busy])")
    synced(page)
    assert page.run_code("print(*annotator.scores['value'])").strip() == "4.0"
    assert position(page) == 2, "the keys pressed meanwhile were used in order"
    page.run_code("annotator.go_to(1)")
    assert values(page) == [2.0]


def test_typed_and_saved_at_once__nothing_is_lost(label: Label, sandbox: Sandbox) -> None:
    create(sandbox, "tags", "multi_select")
    create(sandbox, "minutes", "numerical")
    page = label(["tags", "minutes", "comments"])
    press(page, "w")
    page.page.keyboard.type("late")
    act(page, "Control+Enter")
    press(page, "ArrowDown", "w")
    page.page.keyboard.type("12.50")
    act(page, "Control+Enter")
    press(page, "ArrowDown", "ArrowDown", "w")
    page.page.keyboard.type("said")
    act(page, "Control+Enter")
    assert states(page) == ["unset"] * 3
    assert arrived(page)
    found = page.run_code("print(annotator.scores[['log_id', 'value']].values.tolist())")
    assert found.strip() == "[['demo_01', ['late']], ['demo_02', 12.5], ['demo_03', 'said']]"


def test_refused_save__goes_back_to_its_editor(label: Label, sandbox: Sandbox) -> None:
    page = label(["helpfulness", "coverage", "corrected", "comments"], size=(960, 600))
    press(page, "3", "ArrowDown", "ArrowDown", "w")
    page.page.keyboard.type('{"a": ')
    press(page, "Control+Enter")
    said(page, "Nothing was saved.")
    assert position(page) == 0
    at_fault = editor(page, "Corrected output")
    assert "rn-active" in (at_fault.get_attribute("class") or "")
    assert in_view(page, at_fault.locator(".rn-head"))
    assert at_fault.locator("textarea").input_value() == '{"a": '
    shows(page, "Corrected output", "invalid")
    shows(page, "Helpfulness", "set")
    assert stored(sandbox, "id") == []


def test_too_long__is_said_and_stays(label: Label, sandbox: Sandbox) -> None:
    page = label(["comments"])
    press(page, "w")
    page.page.evaluate(
        """() => {
          const area = document.querySelector(".rn-editor textarea");
          area.value = "x".repeat(12_000_000);
          area.dispatchEvent(new Event("input", { bubbles: true }));
        }"""
    )
    press(page, "Control+Enter")
    said(page, "is too long to be sent")
    length = page.page.evaluate("document.querySelector('.rn-editor textarea').value.length")
    assert length == 12_000_000
    assert position(page) == 0
    page.page.locator(".rn-editor textarea").fill("short")
    act(page, "Control+Enter")
    assert arrived(page)
    assert stored(sandbox, "string_value") == [("short",)]


def test_undo__leaves_what_is_typed(label: Label) -> None:
    page = label(["helpfulness", "comments"])
    act(page, "4", "Enter")
    press(page, "w")
    page.page.keyboard.type("typed on the second log")
    press(page, "Escape")
    act(page, "u")
    assert position(page) == 0
    act(page, "s")
    assert values(page) == [None, "typed on the second log"]


# -- kernels and servers that go ----------------------------------------------------------------


def test_kernel_killed__is_said_and_what_was_not_stored_can_be_copied(
    label: Label, sandbox: Sandbox
) -> None:
    page = label(["helpfulness", "comments"])
    act(page, "4", "Enter")
    press(page, "2", "w")
    page.page.keyboard.type("half a thou")
    synced(page)
    page.kill_kernel()
    page.page.get_by_role("button", name="Ok", exact=True).click()
    page.page.locator(".rn-editor textarea").fill("half a thought, and more")
    page.page.get_by_text("The kernel was restarted, or has ended").wait_for()
    kept = page.page.locator(".rn-overlay textarea")
    assert kept.input_value() == "half a thought, and more"
    page.run_all()
    ready(page)
    assert arrived(page)
    assert stored(sandbox, "log_id", "numerical_value") == [("demo_01", 4)]
    assert position(page) == 1
    assert values(page) == [2.0, "half a thou"], "and what was drafted is there as well"


def test_sandbox_down__labelling_goes_on_and_all_arrives(label: Label, sandbox: Sandbox) -> None:
    page = label()
    page.run_code(
        "from respan_notebook.client.settings import RequestSettings\n"
        "client.settings = RequestSettings(backoff=0.01, longest_backoff=0.1)"
    )
    sandbox.stop()
    for key in "1234":
        act(page, key, "Enter")
    badge = page.page.locator(".rn-badge")
    badge.get_by_text("offline, 4 kept").wait_for()
    badge.click()
    page.page.locator(".rn-card").get_by_text("Labels wait:").wait_for()
    press(page, "Escape")
    sandbox.start()
    badge.get_by_text("all in Respan").wait_for(timeout=60_000)
    assert [value for (value,) in stored(sandbox, "numerical_value")] == [1, 2, 3, 4]


def test_wrong_key__is_said_and_taken_over_on_the_screen(
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
    badge = page.page.locator(".rn-badge")
    badge.get_by_text("not sent, 1 kept").wait_for()
    act(page, "5", "Enter")
    badge.click()
    words = page.page.locator(".rn-card").inner_text()
    assert "401" in words
    assert "Your labels are kept" in words
    page.close()
    page = open_notebook([cell.format(key=sandbox.api_key, **places)])
    page.run_all()
    ready(page)
    page.page.locator(".rn-badge").click()
    page.page.get_by_role("button", name="They are mine: send them").click()
    page.page.locator(".rn-badge").get_by_text("all in Respan").wait_for()
    assert stored(sandbox, "log_id", "numerical_value") == [("demo_01", 4), ("demo_02", 5)]


def test_refused_from_another_frame__is_shown(label: Label, sandbox: Sandbox) -> None:
    page = label()
    page.run_code(
        "import pandas as pd\n"
        "gone = pd.DataFrame({'log_id': ['gone'], 'input': ['?']})\n"
        "other = gone.respan.annotate('helpfulness', client=client, outbox={outbox!r})\n"
        "other.editors['helpfulness'].value = 3\n"
        "other.save(); other.wait(); other.close()".replace(
            "{outbox!r}", "annotator._session._outbox.path"
        )
    )
    act(page, "4", "Enter")
    page.page.locator(".rn-badge").get_by_text("1 refused").wait_for()
    page.page.locator(".rn-badge").click()
    page.page.get_by_role("button", name="Show them").click()
    page.page.locator(".rn-toast").get_by_text("gone, eval_helpfulness").wait_for()


def test_fault__in_the_kernel_is_said_and_locks_nobody_out(label: Label) -> None:
    page = label()
    page.run_code("act, annotator._session.act = annotator._session.act, lambda action: 1 / 0")
    press(page, "4", "Enter")
    page.settle()
    page.run_code("annotator._session.act = act")
    synced(page)
    act(page, "4", "Enter")
    assert position(page) == 1


def test_letters__in_a_list_choose_from_the_list(label: Label) -> None:
    page = label()
    act(page, "4", "Enter")
    before = turn(page)
    page.page.locator(".rn-strip select").focus()
    press(page, "u")
    if turn(page) == before:
        page.settle()
    assert page.run_code("print(len(annotator.scores))").strip() == "1"


def test_output__shown_again_takes_keys_again(label: Label) -> None:
    page = label()
    act(page, "4", "Enter")
    page.command("notebook:hide-all-cell-outputs")
    page.command("notebook:show-all-cell-outputs")
    ready(page)
    act(page, "5", "Enter")
    assert page.run_code("print(*annotator.scores['value'])").split() == ["4.0", "5.0"]


def test_two_views__stay_equal_and_a_reload_keeps_the_draft(label: Label) -> None:
    page = label(["helpfulness", "comments"], cells=["annotator"])
    views = page.page.locator(".rn-annotator")
    assert wait_until(lambda: views.count() == 2, 10)
    page.page.locator(".rn-place").first.click()
    act(page, "4", "Enter")
    press(page, "w")
    page.page.keyboard.type("in the first view")
    synced(page)
    second = views.nth(1)
    second.locator("textarea").scroll_into_view_if_needed()
    assert second.locator("textarea").input_value() == "in the first view"
    assert second.get_attribute("data-rn-turn") == views.nth(0).get_attribute("data-rn-turn")


HAS_FOCUS = "() => document.querySelector('.rn-annotator').contains(document.activeElement)"


def test_three_hundred_keys_and_moves__leave_one_truth(label: Label, sandbox: Sandbox) -> None:
    slugs = list(ALL)
    page = label(slugs)
    random = Random(20261127)
    keys = (
        *"1234567890",
        *("y", "n", "v", "x", "e", "w", "s", "b", "u", "U", "Enter", "Enter", "Escape"),
        *("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "?", "z", "Control+Enter"),
    )
    for step in range(300):
        if step % 60 == 30:
            keep_busy(page, 0.7)
        if not page.page.evaluate(HAS_FOCUS):  # Escape has left it: the keys are the notebook's.
            page.page.locator(".rn-annotator").focus()
        if random.random() < 0.15:
            box = page.page.locator(".rn-annotator").bounding_box()
            assert box
            x, y = (random.uniform(5, box[side] - 5) for side in ("width", "height"))
            page.page.mouse.click(box["x"] + x, box["y"] + y)
        elif random.random() < 0.1:
            page.page.keyboard.type(random.choice(("so ", '{"a": 1}', "12", "sbu")))
        else:
            press(page, random.choice(keys))
        if random.random() < 0.05:
            page.page.wait_for_timeout(random.uniform(0, 400))
    synced(page)
    page.page.wait_for_selector(".rn-annotator:not([aria-busy])")
    on_screen = page.page.evaluate(
        """() => [...document.querySelectorAll(".rn-editor")].map((one) => one.dataset.rnState)"""
    )
    in_kernel = states(page)
    same = {"refused": "shown", "typing": "invalid"}
    assert [same.get(one, one) for one in on_screen] == in_kernel
    assert f"log {position(page) + 1} of" in page.page.locator(".rn-place").inner_text()
    assert arrived(page)
    mine = page.run_code(
        "names = ['log_id', 'evaluator_slug']\n"
        "print(annotator.scores[names].sort_values(names).to_json(orient='values'))"
    )
    assert json.loads(mine) == [list(row) for row in stored(sandbox, "log_id", "evaluator_slug")]
    assert page.console_errors == []


def test_saved_notebook__shows_a_summary_where_no_kernel_is(
    label: Label, open_notebook: OpenNotebook
) -> None:
    page = label()
    assert page.page.locator(".rn-summary").count() == 1
    assert not page.page.locator(".rn-summary").is_visible(), "the live screen hides it"
    outputs = page.cells()[1]["outputs"]
    assert ["text/html" in one["data"] for one in outputs] == [False, True]
    assert "30 logs to label by Helpfulness" in outputs[1]["data"]["text/plain"]


def test_finish__says_what_came_of_it_and_where_to_go(label: Label) -> None:
    page = label(["helpfulness", "grounded"])
    page.run_code("annotator.go_to(27)")
    page.page.locator(".rn-place").get_by_text("log 28").wait_for()
    act(page, "4", "ArrowDown", "y", "Enter")
    act(page, "s")
    act(page, "5", "ArrowDown", "n", "Enter")
    card = page.page.locator(".rn-card")
    card.get_by_text("That was the last log").wait_for()
    words = card.inner_text()
    assert "2 scored" in words
    assert "Helpfulness" in words
    before = turn(page)
    card.get_by_role("button", name="Go to the 28 left").click()
    answered(page, before)
    page.page.locator(".rn-place").get_by_text("1 of 28 unscored").wait_for()
