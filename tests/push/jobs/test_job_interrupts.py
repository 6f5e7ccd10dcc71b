"""Ctrl-C before a job's first score is sent: a plain message at once, and the job goes on later."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_jobs import files, plan_in_parts, stored
from stars import frame_of, sandbox_of

from respan_notebook import RespanClient, Sandbox, resume_push

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs signals, and files that block"),
    pytest.mark.usefixtures("interruptible"),  # Else the processes would ignore Ctrl-C, too.
]
PLANS = """
import sys
import pyarrow as pa
from respan_notebook import Evaluator, push_scores

def batches():
    for number in range(3):
        table = {"log_id": [f"log_{number}"], "stars": [float(number)]}
        yield pa.RecordBatch.from_pydict(table)
        if sys.argv[2] == str(number):
            print("reading", flush=True)
            sys.stdin.readline()

schema = pa.schema({"log_id": pa.string(), "stars": pa.float64()})
source = pa.RecordBatchReader.from_batches(schema, batches())
stars = Evaluator(evaluator_slug="stars", score_value_type="numerical")
print(push_scores(source, [stars], to=sys.argv[1], progress=False).counts)
"""


def environment(sandbox: Sandbox) -> dict[str, str]:
    own = {"RESPAN_API_KEY": sandbox.api_key, "RESPAN_BASE_URL": sandbox.base_url}
    return {**os.environ, **own}


@contextmanager
def without_an_answer(path: Path) -> Iterator[None]:
    """Put a file in the place of one that opens but cannot be read from, as on a dead mount."""
    aside = path.with_name(".aside")
    if path.exists():
        path.rename(aside)
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    yield
    path.unlink()
    if aside.exists():
        aside.rename(path)


def interrupted(command: list[str], sandbox: Sandbox, path: Path) -> tuple[int, str, str]:
    """Press Ctrl-C when a process reads a file without an answer; return how it ended."""
    with subprocess.Popen(
        command,
        env=environment(sandbox),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        writing = os.open(path, os.O_WRONLY)  # Returns when the process has opened it.
        process.send_signal(signal.SIGINT)
        said, error = process.communicate(timeout=20)
        os.close(writing)
    return process.returncode, said, error


@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("job.json", False),
        ("report/part-00000.parquet", False),
        ("plan/part-00000.parquet", True),
    ],
    ids=["job", "report", "plan"],
)
def test_command__interrupted_before_the_first_score(
    name: str, report: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "push"
    command = [sys.executable, "-m", "respan_notebook.push", str(folder), "--quiet"]
    with sandbox_of(30) as sandbox, RespanClient(sandbox.api_key, sandbox.base_url) as client:
        plan_in_parts(frame_of(30), folder, client)
        before = files(folder)
        with without_an_answer(folder / name):
            code, said, error = interrupted(command, sandbox, folder / name)
        assert code == 130
        if report:
            assert said.splitlines()[0] == f"PushJob in '{folder}' pushed: 30 not_sent"
            assert error == "interrupted: nothing was sent; the same command goes on\n"
        else:
            assert said == ""
            assert error == (
                f"interrupted: nothing was sent, and the push in '{folder}' is as it was; "
                "resume_push or the same command goes on\n"
            )
        assert files(folder) == before
        assert stored(client) == {}
        again = subprocess.run(command, env=environment(sandbox), capture_output=True, text=True)
        assert (again.returncode, again.stderr) == (0, "")
        assert stored(client) == {f"log_{n}": float(n) for n in range(30)}


def test_command__interrupted_while_it_sends(tmp_path: Path) -> None:
    """Its last part has no answer, so that it hangs when all others are sent."""
    last = tmp_path / "plan" / "part-00002.parquet"
    command = [sys.executable, "-m", "respan_notebook.push", str(tmp_path), "--quiet"]
    with sandbox_of(30) as sandbox, RespanClient(sandbox.api_key, sandbox.base_url) as client:
        plan_in_parts(frame_of(30), tmp_path, client)
        with without_an_answer(last):
            code, said, error = interrupted([*command, "--concurrency", "1"], sandbox, last)
        assert (code, error) == (130, "interrupted: the same command goes on\n")
        sent = len(stored(client))
        assert 0 < sent < 30
        assert f"{sent} created, {30 - sent} not_sent" in said
        assert resume_push(tmp_path, client=client, progress=False).counts == {"created": 30}


@pytest.mark.parametrize("batch", [0, 2], ids=["first-batch", "last-batch"])
def test_to__interrupted_while_it_plans(batch: int, tmp_path: Path) -> None:
    folder = tmp_path / "push"
    command = [sys.executable, "-c", PLANS, str(folder)]
    with sandbox_of(3) as sandbox, RespanClient(sandbox.api_key, sandbox.base_url) as client:
        with subprocess.Popen(
            [*command, str(batch)],
            env=environment(sandbox),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "reading\n"
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=20)
        assert process.returncode == -signal.SIGINT
        assert error.splitlines()[-2:] == [
            "KeyboardInterrupt",
            f"nothing was sent; the same push to '{folder}' goes on",
        ]
        assert files(folder) == []
        assert stored(client) == {}
        done = subprocess.run(
            [*command, "none"], env=environment(sandbox), capture_output=True, text=True
        )
        assert (done.stdout, done.stderr) == ("{'created': 3}\n", "")
        assert len(stored(client)) == 3
