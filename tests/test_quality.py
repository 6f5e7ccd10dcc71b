"""Lint, format, types and the direction of imports, as part of the tests."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from respan_notebook.labelling.static import SCRIPT

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["lint-imports"],
        ["oxfmt", "--check", "respan_notebook/labelling/static"],
    ],
    ids=lambda command: "-".join(command[:2]),
)
def test_code__passes(command: list[str]) -> None:
    run = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_script__passes(tmp_path: Path) -> None:
    """The scripts are one module once they are joined: a name of one is used in another."""
    joined = tmp_path / "script.js"
    joined.write_text(SCRIPT, "utf-8")
    run = subprocess.run(
        [str(BIN / "oxlint"), "-c", str(ROOT / ".oxlintrc.json"), str(joined)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_files__of_tests_have_names_of_their_own() -> None:
    """The tests are no packages: of two files of one name only one would be collected."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_import__needs_no_widgets_and_no_server() -> None:
    code = (
        "import sys, respan_notebook, pandas\n"
        "assert hasattr(pandas.DataFrame(), 'respan')\n"
        "print([m for m in ('ipywidgets', 'fastapi', 'matplotlib', 'pydantic', 'requests',"
        " 'scipy', 'tqdm', 'uvicorn')"
        " if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_report__does_not_import_the_client() -> None:
    code = (
        "import sys, respan_notebook.push.report\n"
        "print([m for m in ('respan_notebook.client.client', 'requests') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def _functions() -> dict[str, list[str]]:
    """Return the modules that define each function of the package's modules, by its name."""
    package = ROOT / "respan_notebook"
    found: dict[str, list[str]] = {}
    for path in sorted(package.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if is_function and "overload" not in map(ast.unparse, node.decorator_list):
                found.setdefault(node.name, []).append(str(path.relative_to(package)))
    return found


def test_names__no_public_function_is_there_twice() -> None:
    functions = _functions()
    assert len(functions) > 200
    assert {n: places for n, places in functions.items() if n[0] != "_" and len(places) > 1} == {}
    assert "_text" not in functions


def test_root__holds_what_the_design_names() -> None:
    names = {path.name for path in (ROOT / "respan_notebook").iterdir()} - {"__pycache__"}
    assert names == {
        *("__init__.py", "any_frame.py", "catalogue.py", "dask.py", "demo.py"),
        *(
            "errors.py",
            "models.py",
            "drawing.py",
            "plots.py",
            "polars.py",
            "pull.py",
            "py.typed",
            "sampling.py",
            "wording.py",
        ),
        *("accessor", "agreement", "client", "frames", "labelling", "push", "sandbox", "values"),
    }
