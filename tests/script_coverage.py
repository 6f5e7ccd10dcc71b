"""How much of the front end's script the browser tests have run, in bytes of functions and blocks.

Chromium says which parts ran, page by page; the parts are joined over all pages, and over the
processes that the tests run in, by files in one folder.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from respan_notebook.labelling.static import SCRIPT

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

FLOOR = 85
"""Per cent."""
FOLDER = Path(__file__).parents[1] / ".coverage_of_script"
"""Where the pages of a run leave what ran in them."""


class ScriptCoverage:
    """Note which parts of the script run in a page."""

    def __init__(self, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("Profiler.enable")
        self._session.send("Debugger.enable")
        detailed = {"callCount": False, "detailed": True}
        self._session.send("Profiler.startPreciseCoverage", detailed)
        self._is_written = False

    def write(self) -> None:
        """Write what ran; does nothing when the page was closed before."""
        if self._is_written:
            return
        self._is_written = True
        taken = self._session.send("Profiler.takePreciseCoverage")
        for script in taken["result"]:
            if self._is_ours(script):
                FOLDER.mkdir(exist_ok=True)
                name = f"{os.getpid()}-{len(list(FOLDER.iterdir()))}.json"
                (FOLDER / name).write_text(json.dumps(script["functions"]))

    def _is_ours(self, script: dict[str, Any]) -> bool:
        if not script["url"].startswith("blob:"):
            return False
        source = self._session.send("Debugger.getScriptSource", {"scriptId": script["scriptId"]})
        return bool(source["scriptSource"] == SCRIPT)


def measure() -> tuple[float, list[int]]:
    """Return the per cent of the script that ran in any page, and the lines that never did."""
    ran = bytearray(len(SCRIPT))
    for path in FOLDER.iterdir():
        here = bytearray(len(SCRIPT))
        for function in json.loads(path.read_text()):
            for part in function["ranges"]:  # Those inside come after those around them.
                start, end = part["startOffset"], part["endOffset"]
                here[start:end] = (b"\1" if part["count"] else b"\0") * (end - start)
        ran = bytearray(one | other for one, other in zip(ran, here, strict=True))
    lines, start = [], 0
    for number, line in enumerate(SCRIPT.split("\n"), 1):
        if line.strip() and not any(ran[start : start + len(line)]):
            lines.append(number)
        start += len(line) + 1
    return 100 * sum(ran) / len(SCRIPT), lines
