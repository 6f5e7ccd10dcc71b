"""A notebook in a real browser, in JupyterLab 4 or Notebook 7, with all that a test asks of it.

Playwright's own page is `NotebookPage.page`: clicks, keys and locators are used on it directly.
What is read from the notebook (cells, outputs, counts) comes from JupyterLab's model and not from
the DOM, which need not hold cells that are out of sight.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from lab_server import KERNELSPEC, LabServer
from lab_traffic import Traffic, TrafficLog
from script_coverage import ScriptCoverage

if TYPE_CHECKING:
    from playwright.sync_api import (
        Browser,
        BrowserContext,
        ConsoleMessage,
        Dialog,
        Locator,
        Request,
        WebError,
        WebSocket,
    )

App = Literal["lab", "notebook"]
Theme = Literal["light", "dark"]
OpenNotebook = Callable[..., "NotebookPage"]

LOCAL_HOSTS = {"127.0.0.1", "localhost", "::1"}
ANSI = re.compile(r"\x1b\[[0-9;]*m")
# Errors of the console that Jupyter itself causes, whatever the notebook.
BENIGN = re.compile(
    # Notebook 7.6 restores a layout and a settings page that belong to JupyterLab.
    r"Cannot read properties of undefined \(reading 'schema'\)"
    r"|Command 'filebrowser:open-path' not registered"
    # A kernel's restart, or a reload, while the debugger asks.
    r"|Could not restore the debugger state"
    # jupyter_server remembers where a static file is by its name alone, and both apps have fonts
    # of the same name: what JupyterLab has asked for, Notebook 7 is refused.
    r"|403 \(Forbidden\) \(\S+/static/(lab|notebook)/\S+\.(woff2?|ttf|eot|svg)\)"
)


class NotebookPage:
    """A page that shows one notebook, with a kernel and a browser profile of its own.

    Attributes
    ----------
    page
        Playwright's page.
    remote_requests
        URLs of requests, websockets included, to other hosts than this one.
    dialogs
        Type and text of each ``alert``, ``confirm`` and ``prompt``; all are dismissed.
    console_errors
        Errors of the console and uncaught exceptions, without `BENIGN`.
    """

    def __init__(self, lab: LabServer, browser: Browser, *, app: App, name: str) -> None:
        self.lab, self.app, self.name = lab, app, name
        self.remote_requests: list[str] = []
        self.dialogs: list[str] = []
        self.console_errors: list[str] = []
        self._traffic = TrafficLog()
        self._context = browser.new_context(reduced_motion="reduce", locale="en-US")
        self._context.set_default_timeout(30_000)
        self._context.add_init_script(path=Path(__file__).with_suffix(".js"))
        self._listen(self._context)
        self.page = self._context.new_page()
        self.page.on("websocket", self._on_websocket)
        self._coverage = ScriptCoverage(self.page)

    # -- opening and closing

    def open(self, *, theme: Theme, size: tuple[int, int], timeout: float = 60) -> None:
        """Show the notebook, and return when its kernel is idle; `timeout` in seconds."""
        self.lab.choose_theme(theme)
        # In parallel with the page's own loading; saves most of a second.
        self.lab.start_kernel(self.name)
        self.page.emulate_media(color_scheme=theme)
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        # JupyterLab takes a workspace's name with a dot in it for no workspace.
        workspace = self.name.removesuffix(".ipynb")
        path = f"lab/workspaces/{workspace}/tree" if self.app == "lab" else "notebooks"
        url = f"{self.lab.url}/{path}/{self.name}?token={self.lab.token}"
        self.page.goto(url, wait_until="commit")
        self._wait_until_ready(timeout)
        self._traffic.clear()

    def _wait_until_ready(self, timeout: float) -> None:
        ready = "() => window.labPage.isReady()"
        try:
            self.page.wait_for_function(ready, polling=50, timeout=timeout * 1000)
        except Exception as error:
            error.add_note(f"{self.page.url}: {self.console_errors}\n{self.lab.log()}")
            raise

    def close(self) -> None:
        """Close the page, and end its kernel."""
        self._coverage.write()
        self._context.close()
        self.lab.stop_kernels(self.name)

    def assert_contained(self) -> None:
        """Fail if the page asked anything of another host, or opened a dialog of the browser's."""
        assert self.remote_requests == [], self.remote_requests
        assert self.dialogs == [], self.dialogs

    # -- running

    def command(self, command: str, *, timeout: float = 60, **args: Any) -> None:
        """Execute a command of JupyterLab's, e.g. ``notebook:run-cell``, and wait for its end."""
        call = {"id": command, "args": args, "timeout": timeout}
        self.page.evaluate("call => window.labPage.command(call)", call)

    def run_all(self, *, allow_errors: bool = False, timeout: float = 60) -> None:
        """Run all cells, and return when the last one is done.

        The widgets of the outputs appear a little later: wait for what the test looks for.

        Raises
        ------
        AssertionError
            With the traceback, when a cell failed; not with `allow_errors`.
        """
        self.command("notebook:run-all-cells", timeout=timeout)
        if not allow_errors and (errors := self.errors()):
            raise AssertionError("\n\n".join(errors))

    def run_code(self, code: str, *, timeout: float = 30) -> str:
        """Run code in the page's kernel, without a cell and without counting; return its stdout.

        Raises
        ------
        AssertionError
            With the traceback, when the code failed.
        """
        call = {"code": code, "timeout": timeout}
        result = self.page.evaluate("call => window.labPage.run(call)", call)
        self._traffic.ignore(result["id"])
        if result["error"]:
            raise AssertionError(ANSI.sub("", result["error"]))
        return result["stdout"]

    # -- the notebook

    def cells(self) -> list[dict[str, Any]]:
        """Return the cells as they are now, in nbformat's JSON."""
        return self.page.evaluate("() => window.labPage.panel().content.model.toJSON().cells")

    def cell_count(self) -> int:
        """Return how many cells there are, of all kinds."""
        return len(self.cells())

    def sources(self) -> list[str]:
        """Return the text of each cell."""
        return ["".join(cell["source"]) for cell in self.cells()]

    def execution_counts(self) -> list[int | None]:
        """Return the number in brackets of each cell; None if not run, and for text cells."""
        return [cell.get("execution_count") for cell in self.cells()]

    def errors(self) -> list[str]:
        """Return the traceback of each error output, without colours."""
        outputs = [output for cell in self.cells() for output in cell.get("outputs", [])]
        errors = [output for output in outputs if output["output_type"] == "error"]
        return [ANSI.sub("", "\n".join(error["traceback"])) for error in errors]

    def active_cell(self) -> int:
        """Return the index of the active cell, from 0."""
        return self.page.evaluate("() => window.labPage.panel().content.activeCellIndex")

    def mode(self) -> str:
        """Return "command" or "edit"."""
        return self.page.evaluate("() => window.labPage.panel().content.mode")

    def output_area(self, index: int) -> Locator:
        """Return the locator of a cell's whole output area."""
        # Not the n-th cell in the DOM: cells far out of sight may be missing there.
        cell = self.page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{index}"]')
        return cell.locator(".jp-Cell-outputArea")

    # -- the kernel

    @property
    def kernel_id(self) -> str:
        """The id by which the server's REST API names the kernel."""
        return self.page.evaluate("() => window.labPage.kernel().id")

    def kernel_pid(self) -> int:
        """Return the kernel's process id."""
        return int(self.run_code("print(__import__('os').getpid())"))

    def kill_kernel(self, timeout: float = 30) -> None:
        """End the kernel as a crash does (SIGKILL), and return when the server has started it anew.

        The new kernel has the same id, and nothing in its memory. JupyterLab's message about the
        restart is on the page then, and holds the focus until its "Ok" is clicked.
        """
        pid = self.kernel_pid()
        self.page.evaluate("() => window.labPage.expectRestart()")
        os.kill(pid, signal.SIGKILL)
        restarted = "timeout => labPage.within(timeout, 'restart of the kernel', labPage.restarted)"
        self.page.evaluate(restarted, timeout)
        self.reset_traffic(settle=False)

    # -- look

    def screenshot(self, path: Path | str) -> None:
        """Save what the window shows as a PNG; the text cursor is hidden, animations are ended."""
        self.page.screenshot(path=path, animations="disabled", caret="hide")

    # -- traffic

    def settle(self, timeout: float = 30) -> None:
        """Wait until the kernel is done with all that the page has sent since `reset_traffic`."""
        deadline = time.monotonic() + timeout
        self.page.evaluate("0")  # lets Playwright hand over the frames so far
        while waiting := self._traffic.waiting():
            if time.monotonic() > deadline:
                raise AssertionError(f"the kernel is not done with {sorted(waiting.values())}")
            self.page.wait_for_timeout(10)

    def reset_traffic(self, *, settle: bool = True) -> None:
        """Count messages to and from the kernel from now on.

        ``settle=False`` does not wait for answers still due: for a kernel that is gone or busy.
        """
        if settle:
            self.settle()
        self._traffic.clear()

    def traffic(self, *, settle: bool = True) -> Traffic:
        """Return what went to and from the kernel since `reset_traffic`.

        What `run_code` sends and prints is not counted; what its code does to widgets is.
        """
        if settle:
            self.settle()
        else:
            self.page.evaluate("0")
        return self._traffic.traffic()

    # -- listening

    def _listen(self, context: BrowserContext) -> None:
        # Of the context, and not of the page, so that windows the page opens are heard too.
        context.on("request", self._on_request)
        context.on("dialog", self._on_dialog)
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)

    def _on_request(self, request: Request) -> None:
        self._note_url(request.url)

    def _note_url(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname not in LOCAL_HOSTS:
            self.remote_requests.append(url)

    def _on_dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note_error(f"{message.text} ({message.location['url']})")

    def _on_error(self, error: WebError) -> None:
        self._note_error(str(error.error))

    def _note_error(self, text: str) -> None:
        if not BENIGN.search(text):
            self.console_errors.append(text)

    def _on_websocket(self, socket: WebSocket) -> None:
        self._note_url(socket.url)
        if "/api/kernels/" in socket.url:
            socket.on("framesent", lambda payload: self._traffic.add(payload, sent=True))
            socket.on("framereceived", lambda payload: self._traffic.add(payload, sent=False))


def write_notebook(path: Path, cells: list[str]) -> None:
    """Write a notebook of code cells."""
    import nbformat

    # Without the kernel's name JupyterLab would ask for it.
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNELSPEC})
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in cells]
    nbformat.write(notebook, path)
