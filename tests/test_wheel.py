"""Build sdist and wheel, install each, and label and push from it without the repository."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
USE = """
import pathlib, tempfile
import pandas as pd
import respan_notebook
from respan_notebook import RespanClient, Sandbox
assert respan_notebook.__file__.startswith({folder!r}), respan_notebook.__file__
with Sandbox(demo=True) as sandbox:
    client = RespanClient(sandbox.api_key, sandbox.base_url)
    logs = client.logs(start_time="2026-01-01", sort_by="timestamp")
    report = logs.assign(fluency=7).respan.push_scores("fluency", client=client, progress=False)
    print(report)
    outbox = pathlib.Path(tempfile.mkdtemp(), "outbox.sqlite3")
    annotator = logs.respan.annotate(["tone", "grounded"], client=client, outbox=outbox)
    annotator.editors["tone"].value = "curt"
    annotator.editors["grounded"].value = False
    annotator.save_button.click()
    print(annotator.wait(), annotator)
    print(annotator.scores[["log_id", "evaluator_slug", "value"]].to_dict("split")["data"])
    annotator.close()
    print(sorted(score.evaluator_slug for score in client.list_scores("demo_01")))
    client.close()
"""


def run(*command: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_build__works_without_the_repository(tmp_path: Path, kind: str) -> None:
    built, folder = tmp_path / "built", tmp_path / "installed"
    run("-m", "hatchling", "build", "-t", kind, "-d", str(built), cwd=ROOT)
    (package,) = built.iterdir()
    quiet = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index")
    run("-m", "pip", "install", *quiet, "--target", str(folder), str(package), cwd=tmp_path)
    used = run("-c", USE.format(folder=str(folder)), cwd=tmp_path, PYTHONPATH=str(folder))
    assert used.splitlines() == [
        "PushReport pushed: 30 created",
        "  of the log travels with each score: timestamp, environment, prompt_id, "
        "prompt_version_number",
        "True Annotator(log 2 of 30, 1 scored)",
        "[['demo_01', 'tone', 'curt'], ['demo_01', 'grounded', False]]",
        "['fluency', 'grounded', 'tone']",
    ]
    assert (folder / "respan_notebook" / "py.typed").exists()
