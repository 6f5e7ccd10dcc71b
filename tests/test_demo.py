"""The README's first command."""

from __future__ import annotations

import subprocess
import sys


def test_demo__prints_the_report_of_good_and_bad_rows() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "respan_notebook.demo"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "PushReport pushed: 8 created, 11 skipped, 4 invalid, 1 failed" in run.stdout
    assert "row 2 invalid: 'helpfulness' (numerical) takes a number from 1 to 5" in run.stdout
    assert "demo_01  helpfulness  5.0" in run.stdout
    assert "Traceback" not in run.stderr
