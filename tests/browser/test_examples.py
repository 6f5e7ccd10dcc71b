"""The example notebooks, opened and run in a real JupyterLab as a newcomer does it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lab_page import OpenNotebook
from screenshots import IMAGES, NOTEBOOKS, sources, take_all

NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


def test_quickstart__ends_with_a_label_saved_by_hand(open_notebook: OpenNotebook) -> None:
    page = open_notebook(sources("01_quickstart"))
    page.run_all()
    editors = page.page.locator(".rn-editor")
    editors.nth(0).get_by_role("radio", name="4 Good").click()
    page.page.get_by_role("button", name="Save & next").click()
    page.page.get_by_text("all in Respan").wait_for()
    said = page.run_code("print(*annotator.scores[['log_id', 'value', 'state']].iloc[0])")
    assert said.split() == ["demo_01", "4.0", "delivered"]


@pytest.mark.parametrize("name", NAMES)
def test_notebooks__run_twice_in_the_browser(open_notebook: OpenNotebook, name: str) -> None:
    page = open_notebook(sources(name))
    page.run_all()
    page.run_all()
    assert page.errors() == []


def test_screenshots__of_the_readme_are_made_by_the_script(
    open_notebook: OpenNotebook, tmp_path: Path
) -> None:
    take_all(open_notebook, tmp_path)
    made = {path.name for path in tmp_path.iterdir()}
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in made)
    readme = (NOTEBOOKS.parent / "README.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"notebooks/images/([\w-]+\.png)", readme))
    assert shown == made == {path.name for path in IMAGES.iterdir()}
