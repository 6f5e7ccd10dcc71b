"""Labelling in JupyterLab against a plain ipywidgets round trip, in a real browser.

    python tests/benchmarks/label.py

In one notebook: the time from a key press to the next log on screen, for frames of 200, 10,000 and
100,000 rows, against a ``Button`` whose click sets the value of an ``HTML``; bytes on the kernel's
websocket per label over 500 labels, without the log's own HTML; live widgets after 1,000 rows; and
the time until the first log is shown, 100,000 rows against 100. Needs Chromium and the real logs of
``../shared/data`` beside the project, else the sandbox's.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path += [str(ROOT / "tests"), str(ROOT / "tests" / "browser")]

from chromium import FLAGS, find_chromium  # noqa: E402
from lab_page import NotebookPage, write_notebook  # noqa: E402
from lab_server import LabServer  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402
from seed import add_logs  # noqa: E402

from respan_notebook import RespanClient, Sandbox  # noqa: E402
from respan_notebook.sandbox.demo import DEMO_LOGS  # noqa: E402

REAL_LOGS = ROOT.parent / "shared" / "data" / "gsm8k_logs.jsonl.gz"
SIZES = (200, 10_000, 100_000)
FIRST = (100, 100_000)
PAUSE = 150  # Milliseconds between two keys or clicks, about as a quick person's.

SETUP = """
import html, json, time
import ipywidgets as widgets
import pandas as pd
from respan_notebook import RespanClient
client = RespanClient({key!r}, {url!r})
logs = pd.read_json({logs!r}, lines=True, dtype=False, convert_dates=["timestamp"])
def frame(rows):
    copies = pd.concat([logs] * (rows // len(logs) + 1), ignore_index=True).head(rows)
    return copies.assign(unique_id=[f"log_{{n}}" for n in range(rows)])
frames = {{rows: frame(rows) for rows in {sizes!r}}}
"""
PLAIN = """
texts, place = logs["output"].tolist(), 0
def go(_):
    global place
    place = (place + 1) % len(texts)
    shown.value = f'<pre data-place="{place}">{html.escape(texts[place])}</pre>'
button, shown = widgets.Button(description="next"), widgets.HTML()
button.add_class("plain-button"), shown.add_class("plain-shown")
button.on_click(go)
widgets.VBox([button, shown])
"""
OPEN = """
annotator = frames[{rows}].respan.annotate(
    {evaluators!r}, client=client, outbox=f"{folder}/{rows}-{{time.time_ns()}}.sqlite3")
annotator
"""

# Milliseconds from an event to the change of what an element shows, both seen in the page.
MEASURE = """
([selector, kind]) => new Promise((resolve) => {
  let start = 0;
  const shown = document.querySelector(selector);
  const watcher = new MutationObserver(() => {
    if (!start) return;
    watcher.disconnect();
    resolve(performance.now() - start);
  });
  watcher.observe(shown, { childList: true, subtree: true, characterData: true });
  window.addEventListener(kind, () => { start = performance.now(); },
                          { capture: true, once: true });
  window.measured = true;
})
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=40, help="key presses per size")
    parser.add_argument("--labels", type=int, default=500, help="labels whose bytes are counted")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(demo=True) as sandbox,
        LabServer(Path(folder)) as lab,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        logs = _logs(Path(folder))
        add_logs(sandbox.base_url, sandbox.api_key, [f"log_{n}" for n in range(2_000)])
        setup = SETUP.format(
            key=sandbox.api_key, url=sandbox.base_url, logs=str(logs), sizes=(*FIRST, *SIZES)
        )
        for evaluators in (["helpfulness"], ["helpfulness", "grounded", "tone"]):
            print(f"\nevaluators: {', '.join(evaluators)}")
            _latency(lab, browser, setup, folder, evaluators, options.repeats)
            _forget_scores(sandbox)  # A score that is there already is not sent again.
            _bytes(lab, browser, setup, folder, evaluators, options.labels)
        _first_log(lab, browser, setup, folder)
        _live_widgets(lab, browser, setup, folder)


def _logs(folder: Path) -> Path:
    """Write the logs that are labelled, a line of JSON each; all have an ``output``."""
    path = folder / "logs.jsonl"
    if REAL_LOGS.exists():
        with gzip.open(REAL_LOGS, "rt", encoding="utf-8") as source:
            path.write_text("".join(source), encoding="utf-8")
    else:
        logs = [{"output": "", **log} for log in DEMO_LOGS]
        path.write_text("".join(json.dumps(log) + "\n" for log in logs), encoding="utf-8")
    return path


def _forget_scores(sandbox: Sandbox) -> None:
    with RespanClient(sandbox.api_key, sandbox.base_url) as client:
        for score in client.filter_scores():
            client.delete_score(score.log_id or "", score.id)


def _opened(lab: LabServer, browser: Any, cells: list[str], name: str) -> NotebookPage:
    write_notebook(lab.root / name, cells)
    page = NotebookPage(lab, browser, app="lab", name=name)
    page.open(theme="light", size=(1300, 1000))
    page.run_all()
    return page


def _timed(page: NotebookPage, selector: str, kind: str, act: Any) -> float:
    page.page.evaluate("() => { window.measured = false; }")
    handle = page.page.evaluate_handle(
        f"(args) => {{ const wait = ({MEASURE})(args); return {{ wait }}; }}", [selector, kind]
    )
    act()
    return float(handle.evaluate("async (handle) => await handle.wait"))


def _latency(
    lab: LabServer, browser: Any, setup: str, folder: str, evaluators: list[str], repeats: int
) -> None:
    for rows in SIZES:
        cells = [setup, PLAIN, OPEN.format(rows=rows, evaluators=evaluators, folder=folder)]
        page = _opened(lab, browser, cells, f"latency-{rows}-{len(evaluators)}.ipynb")
        page.page.wait_for_selector(".rn-log .rn-message")
        page.page.wait_for_timeout(1500)
        plain, label = [], []
        for _ in range(repeats):
            click = partial(page.page.click, ".plain-button")
            plain.append(_timed(page, ".plain-shown", "click", click))
            page.page.wait_for_timeout(PAUSE)
            page.page.evaluate("() => document.querySelector('.rn-annotator').focus()")
            page.page.keyboard.press("4")
            page.page.wait_for_selector(".rn-set")
            page.page.wait_for_timeout(PAUSE)
            enter = partial(page.page.keyboard.press, "Enter")
            label.append(_timed(page, ".rn-side", "keydown", enter))
            page.page.wait_for_timeout(PAUSE)
        page.close()
        ratio = statistics.median(label) / statistics.median(plain)
        print(
            f"  {rows:>7,} rows: key press to next log {statistics.median(label):5.1f} ms, plain "
            f"round trip {statistics.median(plain):5.1f} ms: {ratio:.2f}x (bound 1.3x)"
        )


def _bytes(
    lab: LabServer, browser: Any, setup: str, folder: str, evaluators: list[str], labels: int
) -> None:
    cells = [setup, OPEN.format(rows=10_000, evaluators=evaluators, folder=folder)]
    page = _opened(lab, browser, cells, f"bytes-{len(evaluators)}.ipynb")
    page.page.wait_for_selector(".rn-log .rn-message")
    page.page.wait_for_timeout(1500)
    page.run_code(
        "logged = 0\n"
        "def count(change):\n"
        "    global logged\n"
        "    logged += len(json.dumps(change['new']))\n"
        "annotator._log.observe(count, 'value')"
    )
    page.page.evaluate("() => document.querySelector('.rn-annotator').focus()")
    keys = ["4", "y", "2"][: len(evaluators)]
    parts = []
    for _ in range(5):
        page.run_code("logged = 0")
        page.reset_traffic()
        for _ in range(labels // 5 // len(evaluators)):
            before = page.page.evaluate("document.querySelector('[data-rn-turn]').dataset.rnTurn")
            for key in keys:
                page.page.keyboard.press(key)
                page.page.keyboard.press("ArrowDown")
            page.page.keyboard.press("Enter")
            page.page.wait_for_function(
                "turn => document.querySelector('[data-rn-turn]').dataset.rnTurn != turn",
                arg=before,
            )
        page.run_code("annotator.wait()")
        traffic = page.traffic()
        own = int(page.run_code("print(logged)"))
        count = labels // 5 // len(evaluators) * len(evaluators)
        parts.append((traffic.sent.bytes + traffic.received.bytes - own) / count)
    saved = page.run_code("print(annotator.progress['saved'])").strip()
    page.close()
    shown = ", ".join(f"{part / 1024:.1f}" for part in parts)
    print(
        f"  websocket: {statistics.mean(parts) / 1024:.1f} KB per label beyond the log "
        f"(bound 8); by fifth of {labels} labels: {shown}; {saved} saved"
    )


def _first_log(lab: LabServer, browser: Any, setup: str, folder: str) -> None:
    medians = {}
    pages = {}
    for rows in FIRST:
        cells = [setup, OPEN.format(rows=rows, evaluators=["helpfulness", "tone"], folder=folder)]
        pages[rows] = _opened(lab, browser, cells, f"first-{rows}.ipynb")
        pages[rows].page.wait_for_selector(".rn-log .rn-message")
    times: dict[int, list[float]] = {rows: [] for rows in FIRST}
    for _ in range(7):
        for rows, page in pages.items():
            times[rows].append(_first(page))
    for rows, page in pages.items():
        medians[rows] = statistics.median(times[rows])
        page.close()
    few, many = (medians[rows] for rows in FIRST)
    print(
        f"\nfirst log shown: {few:.0f} ms with {FIRST[0]} rows, {many:.0f} ms with "
        f"{FIRST[1]:,}: {many / few:.2f}x (bound 1.2x)"
    )


def _first(page: NotebookPage) -> float:
    """Run the annotator's cell again; milliseconds until its log is there."""
    page.page.evaluate(
        """() => {
          window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1;
          window.jupyterapp.commands.execute("notebook:clear-cell-output");
        }"""
    )
    page.page.wait_for_selector(".rn-log", state="detached")
    return float(
        page.page.evaluate(
            """() => new Promise((resolve) => {
              const start = performance.now();
              const watcher = new MutationObserver(() => {
                if (!document.querySelector(".rn-log .rn-message")) return;
                watcher.disconnect();
                resolve(performance.now() - start);
              });
              watcher.observe(document.body, { childList: true, subtree: true });
              window.jupyterapp.commands.execute("notebook:run-cell");
            })"""
        )
    )


def _live_widgets(lab: LabServer, browser: Any, setup: str, folder: str) -> None:
    cells = [setup, OPEN.format(rows=10_000, evaluators=["helpfulness", "tone"], folder=folder)]
    page = _opened(lab, browser, cells, "live.ipynb")
    page.page.wait_for_selector(".rn-log .rn-message")
    count = (
        "for n in range({rows}):\n"
        "    annotator.editors['helpfulness'].value = 1 + n % 5\n"
        "    annotator.save()\n"
        "from ipywidgets.widgets.widget import _instances\n"
        "print(len(_instances))"
    )
    first = page.run_code(count.format(rows=1)).strip()
    last = page.run_code(count.format(rows=999), timeout=120).strip()
    page.close()
    print(f"live widgets: {first} after 1 row, {last} after 1,000")


if __name__ == "__main__":
    main()
