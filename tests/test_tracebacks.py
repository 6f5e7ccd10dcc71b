"""Errors in a notebook: the code of the cell and the message, without the frames of the package."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from dry import STARS
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from traitlets.config import Config

from respan_notebook import UnknownEvaluatorError

SETUP = """\
import pandas as pd, respan_notebook
from respan_notebook import Evaluator, FrameError
stars = Evaluator(evaluator_slug="stars", score_value_type="numerical")
frame = pd.DataFrame({"log_id": ["a"], "stars": [1]})
"""
PUSH = 'frame.respan.push_scores(["star"], evaluators=[stars], dry_run=True)'
MESSAGE = "no evaluator has the slug or id 'star'; did you mean 'stars'?"
PATHS = re.compile(r"respan_notebook/\w|pandas/core|IPython/core")


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.fixture(params=["instance", "bare"])
def run(
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Callable[[str], str]]:
    """Run a cell in a shell, that of the process or another one, and give what it prints."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # A shell replaces it.
    make = InteractiveShell.instance if request.param == "instance" else InteractiveShell
    shell = make(config=Config({"HistoryManager": {"enabled": False}}))
    shell.run_cell(SETUP)

    def run_cell(source: str) -> str:
        capsys.readouterr()
        shell.run_cell(source)
        return plain(capsys.readouterr().out)

    yield run_cell
    InteractiveShell.clear_instance()


def test_render_traceback__shows_the_frames_of_the_cell_alone(run: Callable[[str], str]) -> None:
    printed = run(f"def mine():\n    return {PUSH}\n\nmine()")
    assert [line for line in printed.splitlines() if line.startswith("---->")] == [
        "----> 4 mine()",
        f"----> 2     return {PUSH}",
    ]
    assert MESSAGE in printed.splitlines()[-1]
    assert PATHS.search(printed) is None


def test_render_traceback__shows_the_cause(run: Callable[[str], str]) -> None:
    printed = run(
        'try:\n    1 / 0\nexcept Exception as error:\n    raise FrameError("x") from error'
    )
    assert "ZeroDivisionError: division by zero" in printed
    assert "The above exception was the direct cause" in printed
    assert printed.endswith("FrameError: x\n")


def test_render_traceback__shows_other_libraries(run: Callable[[str], str]) -> None:
    printed = run(PUSH.replace("frame.", "frame.pipe(lambda it: it.") + ")")
    assert printed.index("in NDFrame.pipe") < printed.index("in <lambda>(it)")
    assert "respan_notebook/" not in printed


def test_render_traceback__hides_how_pandas_makes_an_accessor(run: Callable[[str], str]) -> None:
    run(
        '@pd.api.extensions.register_dataframe_accessor("mine")\n'
        "def mine(frame):\n"
        '    raise FrameError("x")'
    )
    printed = run("frame.mine")
    assert "----> 1 frame.mine" in printed
    assert '----> 3     raise FrameError("x")' in printed
    assert PATHS.search(printed) is None


def test_render_traceback__shows_code_of_no_module(run: Callable[[str], str]) -> None:
    printed = run(f"exec({PUSH!r}, {{'frame': frame, 'stars': stars}})")
    assert "----> 1 exec(" in printed
    assert MESSAGE in printed
    assert PATHS.search(printed) is None


def test_render_traceback__without_a_traceback(run: Callable[[str], str]) -> None:
    printed = run("error = FrameError('x')\nprint('\\n'.join(error._render_traceback_()))")
    assert printed.endswith("FrameError: x\n")


@pytest.mark.parametrize("run", ["instance"], indirect=True)
@pytest.mark.parametrize(("mode", "lines"), [("Minimal", 1), ("Plain", 4)])
def test_render_traceback__follows_xmode(run: Callable[[str], str], mode: str, lines: int) -> None:
    run(f"%xmode {mode}")
    printed = run(PUSH)
    assert MESSAGE in printed
    assert PATHS.search(printed) is None
    assert len(printed.strip().splitlines()) == lines


def test_render_traceback__in_a_kernel() -> None:
    cell = nbformat.v4.new_code_cell(SETUP + PUSH)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    NotebookClient(notebook, allow_errors=True, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    shown = plain("\n".join(output.traceback))
    assert (output.ename, output.evalue.startswith(MESSAGE)) == ("UnknownEvaluatorError", True)
    assert f"----> 5 {PUSH}" in shown
    assert PATHS.search(shown) is None


def test_traceback__outside_ipython_is_whole() -> None:
    frame = pd.DataFrame({"log_id": ["a"]})
    with pytest.raises(UnknownEvaluatorError) as refused:
        frame.respan.push_scores(["star"], evaluators=[STARS], dry_run=True)
    assert "catalogue.py" in "".join(traceback.format_exception(refused.value))
