"""A sender that is killed loses nothing: its journals say what had arrived."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from small_jobs import files, lines, plan_in_parts, stored
from stars import frame_of, sandbox_of

from respan_notebook import RespanClient, Sandbox, resume_push
from respan_notebook.push.jobs.journal import Journal, read_journal
from respan_notebook.push.outcomes import CREATED, FAILED, Outcomes, Result

ROWS, CONCURRENCY, KILLS = 300, 4, 3
BASE = "a plan"
HEAD = b'{"base": "a plan"}\n'
QUIET = {"progress": False}


def command(folder: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "respan_notebook.push", str(folder), "--quiet", *options]


def environment(sandbox: Sandbox, **others: str) -> dict[str, str]:
    url = {"RESPAN_BASE_URL": sandbox.base_url}
    return {**os.environ, "RESPAN_API_KEY": sandbox.api_key, **url, **others}


def journalled(folder: Path) -> int:
    """Return how many lines are noted, in journals or in reports."""
    noted = 10 * len(list((folder / "report").glob("*.parquet")))
    for path in (folder / "report").glob("*.journal"):
        with contextlib.suppress(FileNotFoundError):  # Its part was finished meanwhile.
            noted += path.read_bytes().count(b"\n")
    return noted


def stopped_amid_a_part(process: subprocess.Popen[bytes], folder: Path, at_least: int) -> bool:
    """Stop a sender; let it go on unless that many lines are noted and a journal is there."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    if journalled(folder) >= at_least and list((folder / "report").glob("*.journal")):
        return True
    process.send_signal(signal.SIGCONT)
    time.sleep(0.005)
    return False


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="needs signals and waitid")
def test_resume_push__after_kills_every_line_is_there_once(tmp_path: Path) -> None:
    with sandbox_of(ROWS, latency_ms=5) as sandbox:
        with RespanClient(sandbox.api_key, sandbox.base_url) as client:
            plan_in_parts(frame_of(ROWS), tmp_path, client)
        for kill in range(KILLS):
            sender = command(tmp_path, "--concurrency", str(CONCURRENCY))
            with subprocess.Popen(sender, env=environment(sandbox)) as process:
                while not stopped_amid_a_part(process, tmp_path, 60 * (kill + 1)):
                    assert process.poll() is None
                process.send_signal(signal.SIGKILL)
            assert process.returncode == -signal.SIGKILL
        with RespanClient(sandbox.api_key, sandbox.base_url) as client:
            job = resume_push(tmp_path, client=client, **QUIET)
            assert stored(client) == {f"log_{n}": float(n) for n in range(ROWS)}
    counts = job.counts
    assert counts["created"] + counts.get("updated", 0) == ROWS
    assert counts.get("updated", 0) <= KILLS * CONCURRENCY
    assert lines(job)["line"].tolist() == list(range(ROWS))
    assert not [name for name in files(tmp_path) if name.endswith((".journal", ".tmp"))]


def run(folder: Path, sandbox: Sandbox, *options: str, **others: str) -> tuple[int, str, str]:
    done = subprocess.run(
        command(folder, *options),
        env=environment(sandbox, **others),
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


def test_command__says_how_it_went_by_its_exit_code(tmp_path: Path) -> None:
    with sandbox_of(30, rate_limit=(25, 30)) as sandbox:
        with RespanClient(sandbox.api_key, sandbox.base_url) as client:
            plan_in_parts(frame_of(31), tmp_path, client)
        code, _, error = run(tmp_path / "nothing", sandbox)
        assert (code, "holds no push" in error) == (2, True)
        code, _, error = run(tmp_path, sandbox, RESPAN_API_KEY="another")
        assert (code, "another key than the client's" in error) == (2, True)
        code, _, error = run(tmp_path, sandbox, RESPAN_API_KEY="")
        assert (code, error.startswith("no API key")) == (2, True)
        code, said, _ = run(tmp_path, sandbox, "--deadline", "5", "--concurrency", "2")
        assert (code, "not_sent" in said, "stopped: " in said) == (3, True, True)
        assert sandbox.api_key not in said


def test_command__retries_when_it_is_told(tmp_path: Path) -> None:
    with sandbox_of(30) as sandbox:
        with RespanClient(sandbox.api_key, sandbox.base_url) as client:
            plan_in_parts(frame_of(31), tmp_path, client)
            code, said, _ = run(tmp_path, sandbox)
            assert (code, "30 created, 1 failed" in said) == (1, True)
            client.create_log({"unique_id": "log_30"})
        assert run(tmp_path, sandbox)[0] == 1
        code, said, _ = run(tmp_path, sandbox, "--retry")
        assert (code, "31 created" in said) == (0, True)


def entry(line: int, status: str = "created", **changes: Any) -> bytes:
    fields = {"http": 201, "attempts": 1, "seconds": 0.5, "passed": True, "id": f"s{line}"}
    return json.dumps([line, status, *{**fields, **changes}.values(), ""]).encode() + b"\n"


def noted(path: Path, lines: int) -> Outcomes:
    """Return what a journal says of so many lines."""
    outcomes = Outcomes(lines)
    for line, result in read_journal(path, BASE):
        if line < lines:
            outcomes.record(line, result)
    return outcomes


def test_journal__whatever_a_crash_left_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "report" / "part-00000.journal"
    path.parent.mkdir()
    torn = entry(3)[:-9]
    path.write_bytes(
        HEAD
        + entry(0)
        + b"\0\0\0\n"
        + entry(9)
        + b'[1, "strange"]\n'
        + entry(1, "gone")
        + entry(2)
        + torn
    )
    outcomes = noted(path, 4)
    assert outcomes.counts() == {"created": 2, "not_sent": 2}
    assert outcomes.score_ids == ["s0", None, "s2", None]
    path.write_bytes(path.read_bytes() + bytes(1 << 20))  # As a kill leaves it.
    journal = Journal(path, BASE)
    journal.append(3, Result(FAILED, 404, 1, 0.1, None, "no such log\n\N{SNOWMAN}"))
    journal.append(1, Result(CREATED))
    journal.sync()
    journal.close()
    outcomes = noted(path, 4)
    assert outcomes.counts() == {"created": 3, "failed": 1}
    assert outcomes.errors == {3: "no such log \N{SNOWMAN}"}


def test_journal__of_another_plan_counts_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "report" / "part-00000.journal"
    path.parent.mkdir()
    path.write_bytes(b'{"base": "another"}\n' + entry(0) + entry(1))
    assert noted(path, 2).counts() == {"not_sent": 2}
    journal = Journal(path, BASE)
    journal.append(1, Result(CREATED))
    journal.close()
    assert noted(path, 2).counts() == {"created": 1, "not_sent": 1}
    assert path.read_bytes().startswith(HEAD)
    path.write_bytes(b"")
    assert noted(path, 2).counts() == {"not_sent": 2}


def test_journal__holds_more_than_is_mapped_at_once(tmp_path: Path) -> None:
    path, lines = tmp_path / "report" / "journal", 30_000
    journal = Journal(path, BASE)
    for line in range(lines):
        journal.append(line, Result(FAILED, 404, 1, 0.25, None, f"no such log: {line} " * 2))
    outcomes = noted(path, lines)  # While it is open, as after a kill.
    assert outcomes.counts() == {"failed": lines}
    journal.sync()
    journal.close()
    assert path.stat().st_size > 2 << 20
    assert path.read_bytes().endswith(b'"]\n')
    assert outcomes.errors[lines - 1].startswith(f"no such log: {lines - 1}")
