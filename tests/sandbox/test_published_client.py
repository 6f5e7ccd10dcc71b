"""Drive the sandbox by Respan's published client, through all routes that both have."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from respan_notebook.sandbox import Sandbox

PACKAGE = "respan-api==0.1.47"
SCRIPT = Path(__file__).parent / "published.py"
ANN = "ann@example.com"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give a Python that has the published client, in an environment of its own."""
    folder = tmp_path_factory.mktemp("published")
    python = str(folder / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=90)
        if done.returncode:
            pytest.skip(f"{PACKAGE} can't be installed: {done.stderr.strip()[-200:]}")
    return python


def test_published_client__uses_every_route_that_both_have(python: str) -> None:
    with Sandbox(annotators=[ANN]) as sandbox:
        command = [python, str(SCRIPT), sandbox.base_url, sandbox.api_key]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "bulk": 2,
        "listed logs": 3,
        "log": "m",
        "evaluator": "stars",
        "updated evaluator": "d",
        "replaced evaluator": "Stars again",
        "listed evaluators": ["stars"],
        "ran": True,
        "own": [4.0, ANN, "prod"],
        "read": 4.0,
        "updated": 3.0,
        "replaced": 2.0,
        "other": [5.0, "judge"],
        "read other": 5.0,
        "updated other": 1.0,
        "replaced other": 2.0,
        "scorers": [ANN, "judge"],
        "filtered": 2,
        "left": 0,
        "evaluators left": 0,
    }
