"""Fixtures of the browser tests: one JupyterLab server, a Chromium per file, and a page per test.

The tests are skipped where JupyterLab, Playwright or Chromium is missing, unless the environment
says ``RESPAN_BROWSER_TESTS=required``: then they fail.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from chromium import FLAGS, find_chromium
from lab_page import App, NotebookPage, OpenNotebook, Theme, write_notebook
from lab_server import LabServer
from label_page import OPEN, Label, ready

from respan_notebook import Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def _need(what: str, *, found: bool) -> None:
    if found:
        return
    if os.environ.get("RESPAN_BROWSER_TESTS") == "required":
        pytest.fail(f"{what} is not installed, and RESPAN_BROWSER_TESTS=required")
    pytest.skip(f"{what} is not installed")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """A JupyterLab and Notebook 7 server, the same for all tests."""
    _need("jupyterlab", found=importlib.util.find_spec("jupyterlab") is not None)
    with LabServer(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Playwright's Chromium, the same for all tests of a file.

    It ends with the file, because Playwright's event loop runs in the main thread until then:
    ``asyncio.run`` would raise in whatever test comes after.
    """
    _need("playwright", found=importlib.util.find_spec("playwright") is not None)
    chromium = find_chromium()
    _need("Chromium", found=chromium is not None)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def open_notebook(
    browser: Browser, lab: LabServer, request: pytest.FixtureRequest
) -> Iterator[OpenNotebook]:
    """Open notebooks: ``open_notebook(cells, app="lab", theme="light", size=..., env=...)``.

    Parameters
    ----------
    cells
        The source of each code cell.
    app
        "lab" (JupyterLab 4) or "notebook" (Notebook 7).
    theme
        "light" or "dark".
    size
        Width and height of the window in CSS pixels.
    env
        Environment variables, set in the kernel before any cell is run.

    After the test the pages are closed and their kernels ended. A test fails whose pages asked
    anything of another host, or opened a dialog of the browser's (as an injected script would).
    """
    pages: list[NotebookPage] = []
    names = (f"{request.node.originalname}-{id(pages):x}-{n}.ipynb" for n in itertools.count())

    def open_(
        cells: Sequence[str],
        *,
        app: App = "lab",
        theme: Theme = "light",
        size: tuple[int, int] = (1280, 900),
        env: dict[str, str] | None = None,
    ) -> NotebookPage:
        if app == "notebook":
            _need("notebook", found=importlib.util.find_spec("notebook") is not None)
        name = next(names)
        write_notebook(lab.root / name, list(cells))
        pages.append(page := NotebookPage(lab, browser, app=app, name=name))
        page.open(theme=theme, size=size)
        if env:
            page.run_code(f"__import__('os').environ.update({env!r})")
        return page

    yield open_
    for page in pages:
        page.close()
    for page in pages:
        page.assert_contained()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(demo=True, db=tmp_path / "sandbox.db") as running:
        yield running


@pytest.fixture
def label(open_notebook: OpenNotebook, sandbox: Sandbox, tmp_path: Path) -> Label:
    """Open a notebook with an annotator on screen."""

    def open_(
        evaluators: Any = "helpfulness",
        *,
        more: str = "",
        prepare: str = "",
        cells: Sequence[str] = ("2 + 2",),
        **options: Any,
    ) -> NotebookPage:
        cell = OPEN.format(
            key=sandbox.api_key,
            url=sandbox.base_url,
            evaluators=evaluators,
            outbox=str(tmp_path / "outbox.sqlite3"),
            prepare=prepare,
            more=more,
        )
        page = open_notebook(["1 + 1", cell, *cells], **options)
        page.run_all()
        ready(page)
        return page

    return open_
