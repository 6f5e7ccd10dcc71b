"""What the labelling screen looks like, in windows of all sizes, and of hostile logs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lab_page import OpenNotebook
from label_page import (
    ALL,
    Label,
    act,
    editor,
    in_view,
    position,
    press,
    ready,
)

from respan_notebook import Sandbox

# -- the look -----------------------------------------------------------------------------------

LONG = """
turns = [{"role": "system", "content": "You help. " * 40}]
for n in range(30):
    turns += [{"role": "user", "content": f"Question {n}? " * 30},
              {"role": "assistant", "content": f"Answer {n}. " * 40}]
turns.append({"role": "user", "content": "When do you open?"})
logs = logs.copy()
for row in logs.index[:2]:
    logs.at[row, "prompt_messages"] = turns
"""
CUT = """
() => [...document.querySelectorAll(".rn-annotator :is(button, select, input)")]
  .filter((one) => one.offsetWidth && !one.closest(".rn-marks"))
  .filter((one) => {
    const pane = one.closest(".rn-editors, .rn-pane, .rn-card") ?? one.closest(".rn-annotator");
    const rect = one.getBoundingClientRect();
    const edge = pane.getBoundingClientRect();
    const isOut = rect.left < edge.left - 1 || rect.right > edge.right + 1;
    return isOut || one.scrollWidth > one.clientWidth + 2;
  })
  .map((one) => one.outerHTML.slice(0, 200))
"""


@pytest.mark.parametrize(
    ("app", "size", "theme"),
    [
        ("lab", (1440, 900), "light"),
        ("lab", (1024, 768), "dark"),
        ("lab", (960, 600), "light"),
        ("notebook", (420, 800), "dark"),
    ],
)
def test_sixty_turns__keep_all_in_view(
    label: Label, app: str, size: tuple[int, int], theme: str
) -> None:
    page = label(ALL, app=app, size=size, theme=theme, prepare=LONG)
    root = page.page.locator(".rn-annotator")
    root.evaluate("(root) => root.scrollIntoView({ block: 'end' })")
    for title in ("Helpfulness", "Fluency"):
        if title == "Fluency":
            press(page, "ArrowUp")
        assert in_view(page, editor(page, title).locator(".rn-head")), title
        assert in_view(page, page.page.get_by_role("button", name="Save & next"))
    assert in_view(page, page.page.locator(".rn-answer .rn-role")), "it opens at the answer"
    assert page.page.evaluate(CUT) == []
    height = (root.bounding_box() or {})["height"]
    assert height <= max(size[1] * 0.78, 420)
    scrollers = root.evaluate(
        """(root) => [...root.querySelectorAll("*")].filter((one) =>
          one.scrollHeight > one.clientHeight + 1 && one.clientHeight > 0
          && ["auto", "scroll"].includes(getComputedStyle(one).overflowY)
          && !one.closest("textarea, .rn-long, .rn-text, pre")).map((one) => one.className)"""
    )
    assert set(scrollers) <= {"rn-pane", "rn-editors"}
    assert page.page.locator(".rn-pane").evaluate("(one) => one.scrollHeight") > 0
    act(page, "4", "Enter")
    assert in_view(page, page.page.locator(".rn-answer .rn-role"))
    assert page.page.evaluate(CUT) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe__finds_no_serious_fault(label: Label, theme: str) -> None:
    page = label(ALL, theme=theme, size=(1440, 900))
    from axe_playwright_python.sync_playwright import Axe  # Needs Playwright, which is there now.

    axe = Axe()
    act(page, "4", "Enter")
    for open_ in (None, "?", "badge"):
        if open_ == "?":
            press(page, "?")
        elif open_ == "badge":
            press(page, "Escape")
            page.page.locator(".rn-badge").click()
        found = axe.run(page.page, context=".rn-annotator")
        serious = [
            (one["id"], [node["html"][:200] for node in one["nodes"][:3]])
            for one in found.response["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        assert serious == []


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
    page.page.locator(".rn-badge").get_by_text("1 refused").wait_for()
    assert page.page.evaluate("window.ran") is None
    assert page.remote_requests == []
    assert page.dialogs == []


def test_full_window__and_back(label: Label) -> None:
    page = label(ALL, size=(1024, 768))
    root = page.page.locator(".rn-annotator")
    page.page.get_by_role("button", name="Fill the window").click()
    box = root.bounding_box()
    assert box == {"x": 0, "y": 0, "width": 1024, "height": 768}
    act(page, "4", "Enter")
    assert page.page.evaluate(CUT) == []
    press(page, "Escape")
    assert (root.bounding_box() or {})["height"] < 768
    act(page, "5", "Enter")
    assert position(page) == 2
