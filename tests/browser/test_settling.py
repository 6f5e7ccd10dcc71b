"""The screen of `scores.respan.adjudicate(...)`: answers side by side, each one key away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lab_page import NotebookPage, OpenNotebook
from label_page import act, editor, press, ready, stored, synced
from test_labelling_look import CUT

from respan_notebook import Sandbox

OPEN = """
import pandas as pd
from respan_notebook import RespanClient
client = RespanClient({key!r}, {url!r})
logs = client.logs(start_time="2026-01-01", sort_by="timestamp", limit=200)
given = {given!r}
scores = pd.DataFrame([
    {{"log_id": log, "evaluator_slug": {slug!r}, "scorer": who, "value": value, "explanation": why}}
    for log, values in given.items()
    for who, (value, why) in zip(["ann", "bob", "judge"], values)
])
annotator = scores.respan.adjudicate(logs, {slug!r}, client=client, outbox={outbox!r}{more})
annotator
"""
TONES = {
    "demo_01": [("friendly", "it greets"), ("curt", None), ("friendly", None)],
    "demo_02": [("curt", None), ("curt", None), ("curt", None)],
    "demo_03": [("curt", None), ("friendly", "<b onclick=alert(1)>ok</b>"), ("neutral", None)],
}


@pytest.fixture
def adjudicate(open_notebook: OpenNotebook, sandbox: Sandbox, tmp_path: Path) -> Any:
    """Open a notebook with an adjudicator: ``adjudicate(slug, given, more="", **options)``."""

    def open_(
        slug: str = "tone", given: Any = TONES, more: str = "", **options: Any
    ) -> NotebookPage:
        cell = OPEN.format(
            key=sandbox.api_key,
            url=sandbox.base_url,
            slug=slug,
            given=given,
            outbox=str(tmp_path / "outbox.sqlite3"),
            more=more,
        )
        page = open_notebook([cell], **options)
        page.run_all()
        ready(page)
        return page

    return open_


def gold(page: NotebookPage) -> dict[str, list[Any]]:
    """Return value, source and cause by log, as the kernel has them."""
    synced(page)
    code = """
import json
found = annotator.gold
print(json.dumps(dict(zip(found.log_id, zip(found.value, found.source, found.cause)))))
"""
    return dict(json.loads(page.run_code(code)))


def cards(page: NotebookPage) -> list[str]:
    return page.page.locator(".rn-answered").all_inner_texts()


def test_keys__take_an_answer_and_a_cause(adjudicate: Any) -> None:
    page = adjudicate()
    first = [" ".join(text.split()) for text in cards(page)]  # Where three differ comes first.
    assert first == [
        "1Friendly 1 scorer “<b onclick=alert(1)>ok</b>”",
        "2Neutral 1 scorer",
        "3Curt 1 scorer",
    ]
    press(page, "2")
    assert page.page.locator(".rn-taken").inner_text().split()[0] == "2Neutral"
    act(page, "c", "Enter")
    assert len(cards(page)) == 2
    assert gold(page) == {
        "demo_01": [None, "unresolved", None],
        "demo_02": ["curt", "unanimous", None],
        "demo_03": ["neutral", "adjudicated", "guide unclear"],
    }
    press(page, "1")
    editor(page, "Tone").get_by_text("Rude").click()  # None of the answers.
    assert page.page.locator(".rn-taken").count() == 0
    editor(page, "Why they differ").get_by_text("mistake", exact=True).click()
    before = page.page.locator(".rn-annotator").get_attribute("data-rn-turn")
    press(page, "Enter")
    page.page.wait_for_selector(f".rn-annotator:not([data-rn-turn='{before}'])")
    assert gold(page)["demo_01"] == ["rude", "adjudicated", "mistake"]
    page.page.get_by_text("All logs are scored").wait_for()
    act(page, "u")
    assert gold(page)["demo_01"][1] == "unresolved"


def test_restart__shows_what_was_settled(adjudicate: Any, sandbox: Sandbox) -> None:
    page = adjudicate(more=", advance=True")
    act(page, "3", "a")  # Two keys, and the next log.
    page.kill_kernel()
    again = adjudicate()
    assert again.page.locator(".rn-counts").inner_text().startswith("1 scored")
    assert gold(again)["demo_03"] == ["curt", "adjudicated", "ambiguous"]
    act(again, "b")
    assert again.page.locator(".rn-taken").inner_text().split()[0] == "3Curt"
    assert sandbox_scores(sandbox) == 0


def test_advance__saves_when_a_cause_was_picked_for_the_value(adjudicate: Any) -> None:
    page = adjudicate("comments", {"demo_01": [("long", None), ("short", None)]}, ", advance=True")
    press(page, "ArrowDown", "a", "1")  # The cause first; then the answer, a text, by its digit.
    page.page.get_by_text("All logs are scored").wait_for()
    assert gold(page)["demo_01"] == ["long", "adjudicated", "ambiguous"]
    page.page.keyboard.press("Escape")
    press(page, "2")  # The cause that is there was picked for another answer.
    synced(page)
    assert gold(page)["demo_01"][0] == "long"
    press(page, "f")  # "other" is to be explained first.
    synced(page)
    assert gold(page)["demo_01"][0] == "long"
    page.page.keyboard.press("Enter")
    synced(page)
    assert gold(page)["demo_01"] == ["short", "adjudicated", "other"]


def sandbox_scores(sandbox: Sandbox) -> int:
    """Return the number of scores that were sent."""
    return len(stored(sandbox, "log_id"))


@pytest.mark.parametrize(
    ("slug", "values", "options"),
    [
        ("comments", ["It is good. " * 60, "bad", "bad"], {"theme": "dark"}),
        ("corrected", [{"a": 1}, [2], {"a": 2}], {"size": (420, 800), "app": "notebook"}),
        ("fluency", [3, 4.0, 9], {"size": (960, 600)}),
        ("grounded", [True, False, True], {}),
        ("issues", [["none"], ["made_up", "incomplete"], ["none"]], {}),
    ],
)
def test_every_type__has_answers_that_one_key_takes(
    adjudicate: Any, slug: str, values: list[Any], options: Any
) -> None:
    given = {"demo_01": [(value, None) for value in values]}
    page = adjudicate(slug, given, ", names=True", **options)
    assert any("judge" in text for text in cards(page))
    assert page.page.evaluate(CUT) == []
    press(page, "2")
    synced(page)
    code = f"import json; print(json.dumps(annotator.editors[{slug!r}].value))"
    taken = json.loads(page.run_code(code))
    given_values = [json.dumps(one) if slug == "corrected" else one for one in values]
    assert taken in given_values
