"""Compare labelling with a plain widget's round trip, in a real browser.

    python tests/benchmarks/label.py

In JupyterLab, medians of one run:

- from ``Enter`` to the next log's text, and until its editors take entries, against a ``Button``
  whose click sets the value of an ``HTML``: for frames of 200 to 100,000 rows, and with 50 and 100
  ms each way between browser and kernel, after a choice and after typed text. A time ends with the
  frame that shows the change.
- bytes on the kernel's websocket per label, without the text of the logs that are fetched ahead;
- live widget models: by evaluators, after 1,000 logs, after 20 runs of the cell;
- the time until the first log is shown, 100,000 rows against 100 and against the plain widget;
- key presses, clicks and mouse travel per log, three evaluators by choice.

Needs Chromium and the real logs of ``../shared/data`` beside the project, else the sandbox's.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import copy
import gzip
import itertools
import json
import statistics
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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
DELAYS = (0, 50, 100)  # Milliseconds each way.
PAUSE = 150  # Milliseconds between two keys or clicks, about as a quick person's.
BY_CHOICE = ["helpfulness", "grounded", "tone"]
WITH_TEXT = ["helpfulness", "grounded", "comments"]
ALL = ["fluency", "remarks", "topic", "corrected", "comments", "issues", *BY_CHOICE, "coverage"]

SETUP = """
import html, json, time
import ipywidgets as widgets
import pandas as pd
from ipywidgets.widgets.widget import _instances
from respan_notebook import RespanClient
client = RespanClient({key!r}, {url!r})
logs = pd.read_json({logs!r}, lines=True, dtype=False, convert_dates=["timestamp"])
def frame(rows):
    copies = pd.concat([logs] * (rows // len(logs) + 1), ignore_index=True).head(rows)
    return copies.assign(unique_id=[f"log_{{n}}" for n in range(rows)])
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
go(None)
widgets.VBox([button, shown])
"""
OPEN = """
if "data" not in globals():
    data = frame({rows})
annotator = data.respan.annotate(
    {evaluators!r}, client=client, outbox=f"{folder}/{rows}-{{time.time_ns()}}.sqlite3"{more})
annotator
"""

# Milliseconds from a click to the frame that shows what it changed.
PLAIN_TIME = """
() => new Promise((resolve) => {
  let start = 0;
  const watcher = new MutationObserver(() => {
    if (!start) return;
    watcher.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - start));
  });
  watcher.observe(document.querySelector(".plain-shown"), { childList: true, subtree: true });
  window.addEventListener("click", (event) => { start = event.timeStamp; },
                          { capture: true, once: true });
})
"""
# The same from Enter to the next log's text, and until the editors take entries.
LABEL_TIMES = """
() => new Promise((resolve) => {
  const root = document.querySelector(".rn-annotator");
  let [start, text] = [0, 0];
  const onKey = (event) => {
    if (event.key !== "Enter") return;
    window.removeEventListener("keydown", onKey, true);
    start = event.timeStamp;
  };
  window.addEventListener("keydown", onKey, true);
  const onText = new MutationObserver(() => {
    if (start) requestAnimationFrame(() => { text ||= performance.now() - start; });
  });
  onText.observe(root.querySelector(".rn-pane"), { childList: true });
  const onRoot = new MutationObserver(() => {
    if (!start || root.hasAttribute("aria-busy")) return;
    onText.disconnect();
    onRoot.disconnect();
    requestAnimationFrame(() => resolve([text, performance.now() - start]));
  });
  onRoot.observe(root, { attributeFilter: ["aria-busy"] });
})
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=30, help="logs per case of the times")
    parser.add_argument("--labels", type=int, default=300, help="labels whose bytes are counted")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(demo=True) as sandbox,
        LabServer(Path(folder)) as lab,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        add_logs(sandbox.base_url, sandbox.api_key, [f"log_{n}" for n in range(2_000)])
        logs = _logs(Path(folder))
        setup = SETUP.format(key=sandbox.api_key, url=sandbox.base_url, logs=str(logs))
        bench = Bench(lab, browser, sandbox, setup, folder)
        for rows in SIZES:
            bench.times(rows, 0, options.repeats)
        for delay in DELAYS[1:]:
            bench.times(SIZES[0], delay, options.repeats)
        for evaluators in (["helpfulness"], BY_CHOICE):
            bench.bytes(evaluators, options.labels)
        bench.first_log()
        bench.live_widgets()
        bench.effort()


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


class SlowLine:
    """A TCP proxy before a port of this machine; all that goes through it is delayed.

    Attributes
    ----------
    delay
        Seconds each way; may be set at any time.
    port
        The port of the proxy.
    """

    def __init__(self, port: int) -> None:
        self._target, self.delay, self.port = port, 0.0, 0
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> SlowLine:
        listening = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listening,), daemon=True)
        self._thread.start()
        listening.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self, listening: threading.Event) -> None:
        server = self._loop.run_until_complete(
            asyncio.start_server(self._connected, "127.0.0.1", 0)
        )
        self.port = server.sockets[0].getsockname()[1]
        listening.set()
        self._loop.run_forever()
        server.close()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.close()

    async def _connected(self, reader: Any, writer: Any) -> None:
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self._target)
        for source, target in ((reader, other_writer), (other_reader, writer)):
            line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
            for task in (self._take(source, line), self._give(line, target)):
                self._tasks.add(asyncio.create_task(task))

    async def _take(self, source: asyncio.StreamReader, line: Any) -> None:
        data = b"-"
        while data:
            try:
                data = await source.read(1 << 16)
            except ConnectionError:
                data = b""
            line.put_nowait((self._loop.time() + self.delay, data))

    async def _give(self, line: Any, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                due, data = await line.get()
                await asyncio.sleep(due - self._loop.time())
                if not data:
                    break
                target.write(data)
                await target.drain()
        target.close()


class Bench:
    """The measurements; each opens notebooks of its own."""

    def __init__(
        self, lab: LabServer, browser: Any, sandbox: Sandbox, setup: str, folder: str
    ) -> None:
        self.lab, self.browser, self.sandbox = lab, browser, sandbox
        self.setup, self.folder = setup, folder
        self._count = 0

    def _open(self, rows: int, evaluators: list[str], *, more: str = "") -> str:
        """Return the cell that opens an annotator."""
        return OPEN.format(rows=rows, evaluators=evaluators, folder=self.folder, more=more)

    def _notebook(self, *cells: str, lab: LabServer | None = None) -> NotebookPage:
        # A score that is there already is not sent again.
        with RespanClient(self.sandbox.api_key, self.sandbox.base_url) as client:
            for score in client.filter_scores():
                client.delete_score(score.log_id or "", score.id)
        self._count += 1
        name = f"label-{self._count}.ipynb"
        write_notebook(self.lab.root / name, [self.setup, *cells])
        page = NotebookPage(lab or self.lab, self.browser, app="lab", name=name)
        page.open(theme="light", size=(1300, 1000))
        page.run_all()
        page.page.wait_for_selector(".rn-pane > *")
        page.page.wait_for_timeout(1500)
        return page

    # -- times

    def times(self, rows: int, delay: int, repeats: int) -> None:
        """Print the times of plain round trips, and of labels by choice and by text."""
        with self._line(delay) as (lab, slow_down):
            page = self._notebook(PLAIN, self._open(rows, WITH_TEXT), lab=lab)
            slow_down()
            plain: list[float] = []
            times: dict[str, list[list[float]]] = {"choice": [], "text": []}
            for _ in range(repeats):
                plain.append(_timed(page, PLAIN_TIME, partial(page.page.click, ".plain-button")))
                page.page.wait_for_timeout(PAUSE)
                for kind, taken in times.items():
                    _focus(page)
                    act = _choose(page) if kind == "choice" else _type(page)
                    taken.append(_timed(page, LABEL_TIMES, act))
                    page.page.wait_for_timeout(PAUSE + 2 * delay)
            page.close()
        round_trip = statistics.median(plain)
        print(f"\n{rows:,} rows, {delay} ms each way: plain round trip {round_trip:.1f} ms")
        for kind, taken in times.items():
            text, ready = (statistics.median(column) for column in zip(*taken, strict=True))
            print(
                f"  after {kind:6}: next log's text {text:5.1f} ms ({text / round_trip:.2f}x), "
                f"editors ready {ready:5.1f} ms ({ready / round_trip:.2f}x)"
            )

    @contextlib.contextmanager
    def _line(self, delay: int) -> Iterator[tuple[LabServer, Callable[[], None]]]:
        """Give the server as it is seen through a line, and what makes that line slow."""
        if not delay:
            yield self.lab, lambda: None
            return
        with SlowLine(urlsplit(self.lab.url).port or 0) as line:
            lab = copy.copy(self.lab)
            lab.url = f"http://127.0.0.1:{line.port}"
            yield lab, lambda: setattr(line, "delay", delay / 1000)
            line.delay = 0

    # -- bytes

    def bytes(self, evaluators: list[str], labels: int) -> None:
        """Print the bytes per label, without the text of the logs; quickly and in peace."""
        page = self._notebook(self._open(10_000, evaluators))
        page.run_code(
            "fetched = 0\n"
            "def count(change):\n"
            "    global fetched\n"
            "    text = change['new'].get('html', '')\n"
            "    fetched += len(json.dumps(text, ensure_ascii=False).encode())\n"
            "annotator.observe(count, ['log0', 'log1', 'log2', 'log3'])"
        )
        _focus(page)
        keys = ["4", "y", "2"][: len(evaluators)]
        shown = []
        for pause, logs in ((0, labels // len(evaluators)), (400, 20)):
            page.run_code("fetched = 0")
            page.reset_traffic()
            for _ in range(logs):
                _label(page, keys, pause)
            page.run_code("annotator.wait()")
            page.page.wait_for_timeout(300)
            traffic = page.traffic()
            own = int(page.run_code("print(fetched)"))
            size = (traffic.sent.bytes + traffic.received.bytes - own) / (logs * len(evaluators))
            shown.append(f"{size / 1024:.1f} KB per label with {pause} ms after each key")
        saved = page.run_code("print(annotator.progress['delivered'])").strip()
        page.close()
        print(f"\nwebsocket, {len(evaluators)} evaluators: {'; '.join(shown)}; {saved} saved")

    # -- the first log

    def first_log(self) -> None:
        """Print the time from running the cell to the first log, against other cells."""
        evaluators = ["helpfulness", "tone"]
        pages = {f"{rows:,} rows": self._notebook(self._open(rows, evaluators)) for rows in FIRST}
        pages["plain"] = self._notebook(PLAIN, self._open(FIRST[0], evaluators))
        times: dict[str, list[float]] = {name: [] for name in pages}
        for _ in range(9):
            for name, page in pages.items():
                times[name].append(_run_again(page, name == "plain"))
        for page in pages.values():
            page.close()
        few, many, plain = (statistics.median(one) for one in times.values())
        print(
            f"\nfirst log shown: {few:.0f} ms with {FIRST[0]} rows, {many:.0f} ms with "
            f"{FIRST[1]:,} ({many / few:.2f}x); a plain widget {plain:.0f} ms ({many / plain:.2f}x)"
        )

    # -- widgets

    def live_widgets(self) -> None:
        """Print how many widgets live in the kernel."""
        counted = "print(len(_instances))"
        for evaluators in (BY_CHOICE, ALL):
            page = self._notebook(self._open(1_200, evaluators))
            first = page.run_code(counted).strip()
            page.run_code(
                "for n in range(1_000):\n"
                "    annotator.editors['helpfulness'].value = 1 + n % 5\n"
                "    annotator.save()",
                timeout=180,
            )
            logs = page.run_code(counted).strip()
            for _ in range(20):
                _run_again(page, is_plain=False)
            runs = page.run_code("import gc; gc.collect(); " + counted).strip()
            page.close()
            print(
                f"live widgets, {len(evaluators)} evaluators: {first}; after 1,000 logs {logs}; "
                f"after 20 runs of the cell {runs}"
            )

    # -- effort

    def effort(self) -> None:
        """Print key presses, clicks and mouse travel per log."""
        for more in ("", ", advance=True"):
            page = self._notebook(self._open(200, BY_CHOICE, more=more))
            _focus(page)
            keys = ["4", "y", "2"]
            presses = keys if more else ["4", "ArrowDown", "y", "ArrowDown", "2", "Enter"]
            place = page.page.locator(".rn-place")
            for _ in range(5):
                before = place.text_content()
                for key in presses:
                    page.page.keyboard.press(key)
                _wait_for_next(page, before)
            path: list[tuple[float, float]] = []
            logs = 12
            for n in range(logs):
                before = place.text_content()
                for which, editor in enumerate(page.page.locator(".rn-editor").all()):
                    options = editor.locator(".rn-point, .rn-choice")
                    path.append(_click(page, options.nth((n + which) % options.count())))
                if not more:
                    path.append(_click(page, page.page.locator(".rn-primary")))
                _wait_for_next(page, before)
            page.close()
            steps = itertools.pairwise(path)
            travel = sum(((a - c) ** 2 + (b - d) ** 2) ** 0.5 for (a, b), (c, d) in steps)
            print(
                f"3 evaluators by choice{more}: {len(presses)} keys, or {len(path) // logs} clicks "
                f"and {travel / logs:.0f} px of mouse travel per log"
            )


def _timed(page: NotebookPage, script: str, act: Callable[[], object]) -> Any:
    # The promise is in an object, which a handle does not wait for.
    handle = page.page.evaluate_handle(f"() => ({{ wait: ({script})() }})")
    act()
    return handle.evaluate("async (handle) => await handle.wait")


def _focus(page: NotebookPage) -> None:
    page.page.evaluate("() => document.querySelector('.rn-annotator').focus()")


def _choose(page: NotebookPage) -> Callable[[], object]:
    """Score by a key, and return what saves that."""
    page.page.keyboard.press("4")
    page.page.wait_for_selector(".rn-editor[data-rn-state=set]")
    page.page.wait_for_timeout(PAUSE)
    return partial(page.page.keyboard.press, "Enter")


def _type(page: NotebookPage) -> Callable[[], object]:
    """Write a comment, and return what saves that at once."""
    page.page.keyboard.press("w")
    page.page.keyboard.type("Short, true and to the point.", delay=5)
    return partial(page.page.keyboard.press, "Control+Enter")


def _label(page: NotebookPage, keys: list[str], pause: int) -> None:
    before = page.page.locator(".rn-place").text_content()
    for key in keys:
        page.page.keyboard.press(key)
        page.page.wait_for_timeout(pause)
        page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("Enter")
    _wait_for_next(page, before)


def _wait_for_next(page: NotebookPage, before: str | None) -> None:
    page.page.wait_for_function(
        """before => document.querySelector(".rn-place").textContent !== before
          && !document.querySelector(".rn-annotator").hasAttribute("aria-busy")""",
        arg=before,
    )


def _click(page: NotebookPage, target: Any) -> tuple[float, float]:
    box = target.bounding_box()
    target.click()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _run_again(page: NotebookPage, is_plain: bool) -> float:
    """Run the first cell after the setup again; milliseconds until what it shows is there."""
    shown = ".plain-shown pre" if is_plain else ".rn-pane > *"
    page.page.evaluate(
        """() => {
          window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1;
          window.jupyterapp.commands.execute("notebook:clear-cell-output");
        }"""
    )
    page.page.wait_for_selector(shown, state="detached")
    return float(
        page.page.evaluate(
            """(shown) => new Promise((resolve) => {
              const start = performance.now();
              const watcher = new MutationObserver(() => {
                if (!document.querySelector(shown)) return;
                watcher.disconnect();
                resolve(performance.now() - start);
              });
              watcher.observe(document.body, { childList: true, subtree: true });
              window.jupyterapp.commands.execute("notebook:run-cell");
            })""",
            shown,
        )
    )


if __name__ == "__main__":
    main()
