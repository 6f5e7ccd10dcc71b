"""The README's pictures, made from the example notebooks in a real JupyterLab.

    python tests/browser/screenshots.py

writes them to ``notebooks/images``. A test makes them, too, and looks whether they are there.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import nbformat
from chromium import FLAGS, find_chromium
from lab_page import NotebookPage, OpenNotebook, write_notebook
from lab_server import LabServer

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
IMAGES = NOTEBOOKS / "images"


def sources(name: str) -> list[str]:
    """Return the code cells of an example notebook."""
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def annotator(open_notebook: OpenNotebook, folder: Path, name: str, theme: str) -> None:
    """Take the quickstart's annotator after four logs, with two scores entered."""
    page = open_notebook(sources("01_quickstart")[:3], theme=theme, size=(1360, 1000))
    page.run_all()
    root = page.page.locator(".rn-annotator")
    root.locator(".rn-answer").wait_for()
    place = root.locator(".rn-place")
    place.click()
    # Scored, scored, skipped, partly scored.
    ways = [
        ["4", "ArrowDown", "1", "Enter"],
        ["2", "ArrowDown", "3", "Enter"],
        ["s"],
        ["5", "Enter"],
    ]
    for row, keys in enumerate(ways, 2):
        for key in keys:
            page.page.keyboard.press(key)
        place.get_by_text(f"log {row} of").wait_for()
    for key in ("4", "ArrowDown", "1"):
        page.page.keyboard.press(key)
    page.page.locator(".rn-editor[data-rn-state=set]").nth(1).wait_for()
    root.locator(".rn-dot-d").wait_for()
    root.get_by_text("all in Respan").wait_for()
    root.screenshot(path=folder / name, animations="disabled")


def editors(open_notebook: OpenNotebook, folder: Path) -> None:
    """Take one editor of each type, from the notebook on labelling."""
    page = open_notebook(sources("02_label_by_hand")[:3], size=(1100, 2000))
    page.run_all()
    page.page.locator(".rn-editor").nth(9).wait_for()
    page.output_area(2).locator(".widget-vbox").first.screenshot(path=folder / "editors.png")


def take_all(open_notebook: OpenNotebook, folder: Path) -> None:
    """Write all pictures into a folder."""
    annotator(open_notebook, folder, "annotator.png", "light")
    annotator(open_notebook, folder, "annotator-dark.png", "dark")
    editors(open_notebook, folder)


def _opener(lab: LabServer, pages: list[NotebookPage], browser: object) -> Callable[..., object]:
    def open_(cells: list[str], *, theme: str = "light", size: tuple[int, int]) -> NotebookPage:
        name = f"picture-{len(pages)}.ipynb"
        write_notebook(lab.root / name, cells)
        pages.append(page := NotebookPage(lab, browser, app="lab", name=name))
        page.open(theme=theme, size=size)
        return page

    return open_


def main() -> None:
    """Write the README's pictures."""
    from playwright.sync_api import sync_playwright

    IMAGES.mkdir(exist_ok=True)
    chromium = find_chromium()
    if chromium is None:
        sys.exit("Chromium is not installed")
    with (
        tempfile.TemporaryDirectory() as folder,
        LabServer(Path(folder)) as lab,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        pages: list[NotebookPage] = []
        take_all(_opener(lab, pages, browser), IMAGES)
        for page in pages:
            page.close()


if __name__ == "__main__":
    main()
