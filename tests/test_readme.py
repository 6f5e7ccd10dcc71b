"""Every command and snippet of the README is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```sh\n(.*?)^```", README, re.M | re.S)
SNIPPETS = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)


def test_commands__first_two_do_all_the_set_up() -> None:
    demo, tests = COMMANDS[:2]
    assert "jupyter lab notebooks/01_quickstart.ipynb" in demo
    assert "pytest" in tests
    for command in (demo, tests):
        assert len(command.strip().splitlines()) == 1
        assert "-m venv" in command
        assert "pip install" in command


@pytest.mark.parametrize("command", COMMANDS[2:])
def test_commands__the_others_run(command: str, tmp_path: Path) -> None:
    # The README's commands use the environment that the first two make.
    command = command.replace(".venv/bin/python", sys.executable)
    # What is measured is not to be slowed down by coverage.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    run = subprocess.run(
        ["bash", "-ec", command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr


def test_snippets__run_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    try:
        for snippet in SNIPPETS:
            exec(compile(snippet, "README.md", "exec"), names)
    finally:
        names["sandbox"].stop()  # type: ignore[attr-defined]
    printed = capsys.readouterr().out
    expected = re.findall(r"^# ?> (.*)", README, re.M)
    assert len(expected) >= 6
    for said in expected:
        assert said.strip() in printed
