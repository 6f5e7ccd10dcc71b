"""The example notebooks as files: complete, in order, and short enough to be read.

That their outputs are still what comes out is nbval's to say, in the same run.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
_SCREEN = 40  # Lines.
_IGNORED = re.compile(r"NBVAL_(IGNORE_OUTPUT|SKIP|RAISES_EXCEPTION)|nbval-")

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path: Path) -> list[Any]:
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]


def test_notebooks__are_those_of_the_manual() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "01_quickstart",
        "02_label_by_hand",
        "03_push_a_dataframe",
        "04_compare_annotators",
        "05_your_own_respan",
        "06_check_a_judge",
        "09_large_pushes",
    ]
    assert len(code_cells(NOTEBOOKS[0])) == 5


@each
def test_notebooks__were_run_in_order_and_kept_their_outputs(path: Path) -> None:
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    # Setting up, tidying up and assigning print nothing; everything else shows what it does.
    silent = [cell.source for cell in cells if not cell.outputs]
    assert len(silent) <= 2, silent


@each
def test_notebooks__print_no_more_than_a_screen_and_no_error(path: Path) -> None:
    for cell in code_cells(path):
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr"
            text = output.get("text") or output.get("data", {}).get("text/plain", "")
            assert len(text.splitlines()) <= _SCREEN


@each
def test_notebooks__say_why_where_an_output_is_not_compared(path: Path) -> None:
    for cell in code_cells(path):
        assert not [tag for tag in cell.metadata.get("tags", []) if _IGNORED.search(tag)]
        for line in cell.source.splitlines():
            if _IGNORED.search(line):
                assert re.search(r"NBVAL_\w+ - \w.{20,}", line), line


@each
def test_notebooks__hold_no_key_and_no_path_of_a_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"sandbox-\w{8,}|/tmp/|/home/|/root/|127\.0\.0\.1:\d+", text)


def test_cells__without_the_sandbox_extra_say_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['uvicorn'] = None\n" + code_cells(NOTEBOOKS[0])[0].source
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert "pip install 'respan-notebook[sandbox]'" in run.stderr


def test_cells__after_the_sandbox_stopped_say_that_nobody_answers(
    tmp_path: Path, one_attempt: None
) -> None:
    from respan_notebook import TransportError

    names: dict[str, Any] = {}
    setup, read, *_ = [cell.source for cell in code_cells(NOTEBOOKS[0])]
    exec(setup, names)
    names["sandbox"].stop()
    with pytest.raises(TransportError, match=r"127\.0\.0\.1.*refused"):
        exec(read, names)
    exec(setup, names)  # Run again, from the top: it works.
    exec(read, names)
    names["sandbox"].stop()
