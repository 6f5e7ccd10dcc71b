"""An annotator on screen in a real notebook: what the browser tests of labelling do with it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab_page import NotebookPage

from respan_notebook import RespanClient, Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Locator

ALL = (
    *("helpfulness", "coverage", "grounded", "tone", "issues"),
    *("comments", "corrected", "topic", "remarks", "fluency"),
)
OPEN = """
from respan_notebook import RespanClient
client = RespanClient({key!r}, {url!r})
logs = client.logs(start_time="2026-01-01", sort_by="timestamp", limit=200)
{prepare}
annotator = logs.respan.annotate({evaluators!r}, client=client, outbox={outbox!r}{more})
annotator
"""
Label = Callable[..., NotebookPage]


def ready(page: NotebookPage) -> None:
    """Wait until the annotator takes keys, and give it the focus."""
    page.page.wait_for_selector(".rn-annotator[data-rn-turn] .rn-log")
    page.page.locator(".rn-place").first.click()


def press(page: NotebookPage, *keys: str) -> None:
    for key in keys:
        page.page.keyboard.press(key)


def turn(page: NotebookPage) -> int:
    return int(page.page.locator(".rn-annotator").first.get_attribute("data-rn-turn") or 0)


def answered(page: NotebookPage, before: int) -> None:
    """Wait until another log, or the same one anew, is shown, and takes entries."""
    page.page.wait_for_selector(f".rn-annotator:not([data-rn-turn='{before}']):not([aria-busy])")


def act(page: NotebookPage, *keys: str) -> None:
    """Press keys, the last of which goes to another log, and wait for it."""
    before = turn(page)
    press(page, *keys)
    answered(page, before)


def editor(page: NotebookPage, title: str) -> Locator:
    return page.page.locator(f".rn-editor[aria-label='{title}']")


def shows(page: NotebookPage, title: str, state: str) -> None:
    """Wait until an editor is in a state."""
    page.page.wait_for_selector(f".rn-editor[aria-label='{title}'][data-rn-state='{state}']")


def said(page: NotebookPage, text: str) -> None:
    """Wait until the screen says something."""
    page.page.locator(".rn-toast").get_by_text(text).wait_for()


def keep_busy(page: NotebookPage, seconds: float) -> None:
    """Keep the kernel from answering for so long, as a cell does that runs."""
    code = f"import time; time.sleep({seconds})"
    page.page.evaluate("(code) => void window.labPage.kernel().requestExecute({ code })", code)


def synced(page: NotebookPage) -> None:
    """Wait until the kernel has answered all that the page has sent."""
    page.page.wait_for_timeout(300)  # A draft is held back for 250 ms.
    page.settle()


def states(page: NotebookPage) -> list[str]:
    synced(page)
    found = page.run_code("print(*(e.state for e in annotator.editors.values()))")
    return found.split()


def values(page: NotebookPage) -> list[Any]:
    """Return what is entered, as the kernel has it."""
    synced(page)
    found = page.run_code(
        "import json; print(json.dumps([e.value for e in annotator.editors.values()]))"
    )
    return list(json.loads(found))


def position(page: NotebookPage) -> int:
    return int(page.run_code("print(annotator.position)"))


def arrived(page: NotebookPage) -> bool:
    return page.run_code("print(annotator.wait())").strip() == "True"


def stored(sandbox: Sandbox, *columns: str) -> list[tuple[Any, ...]]:
    """Return what the sandbox's SQLite file has of all scores."""
    with sqlite3.connect(f"file:{sandbox.db}?mode=ro", uri=True) as db:
        names = ", ".join(columns)
        rows = db.execute(f"SELECT {names} FROM scores ORDER BY log_id, evaluator_slug").fetchall()
    db.close()
    return rows


def create(sandbox: Sandbox, slug: str, kind: str, **config: Any) -> None:
    """Add an evaluator to the sandbox."""
    with RespanClient(sandbox.api_key, sandbox.base_url) as client:
        client.create_evaluator(
            {
                "name": slug,
                "evaluator_slug": slug,
                "score_value_type": kind,
                "score_config": config,
            }
        )


def score(sandbox: Sandbox, log_id: str, slug: str, **fields: Any) -> None:
    """Give a log a score, as its annotator did elsewhere."""
    with RespanClient(sandbox.api_key, sandbox.base_url) as client:
        client.upsert_score(log_id, {"evaluator_slug": slug, **fields})


IN_VIEW = """
(element) => {
  let { top, bottom, left, right } = element.getBoundingClientRect();
  const box = { top: 0, left: 0, bottom: innerHeight, right: innerWidth };
  for (let one = element.parentElement; one !== document.body; one = one.parentElement) {
    if (getComputedStyle(one).overflowY === "visible") continue;
    const rect = one.getBoundingClientRect();
    box.top = Math.max(box.top, rect.top);
    box.bottom = Math.min(box.bottom, rect.bottom);
    box.left = Math.max(box.left, rect.left);
    box.right = Math.min(box.right, rect.right);
  }
  return top >= box.top - 1 && bottom <= box.bottom + 1
    && left >= box.left - 1 && right <= box.right + 1;
}
"""


def in_view(page: NotebookPage, element: Locator) -> bool:
    return bool(element.evaluate(IN_VIEW))
