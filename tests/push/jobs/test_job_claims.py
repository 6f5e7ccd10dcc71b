"""Of machines that claim a job on shared storage in the same moment, one gets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from respan_notebook import ConfigurationError
from respan_notebook.push.jobs.claim import Claim
from respan_notebook.push.jobs.folder import JobFolder

pytest.importorskip("fsspec", reason="fsspec is not installed")
from fsspec.implementations.local import LocalFileSystem

MACHINE = """
import fsspec, sys, time
from fsspec.implementations.local import LocalFileSystem
from respan_notebook import ConfigurationError
from respan_notebook.push.jobs.claim import Claim
from respan_notebook.push.jobs.folder import JobFolder

class Slow(LocalFileSystem):
    def _open(self, path, mode="rb", **options):
        if "r" not in mode:
            time.sleep(delay)
        return super()._open(path, mode, **options)

class Plain(Slow):
    protocol = "plain"  # One that is not known to create a file only if there is none.

def hold():
    if protocol == "file":
        return JobFolder.at("file://" + folder).locked()
    machine = str(JobFolder.at("file://" + folder).storage.local)
    return Claim(Plain(), folder + "/lock", machine=machine, name=folder, pause=0.5).held()

folder, protocol, delay = sys.argv[1], sys.argv[2], float(sys.argv[3])
fsspec.register_implementation("file", Slow, clobber=True)
print("ready", flush=True)
for line in sys.stdin:
    while time.time() < float(line):
        pass
    try:
        with hold():
            print("held", flush=True)
            sys.stdin.readline()
    except ConfigurationError as error:
        print(error, flush=True)
        sys.stdin.readline()
    print("ended", flush=True)
"""
has_own_state = pytest.mark.skipif(
    sys.platform != "linux", reason="the environment names the folder of journals on Linux alone"
)


class Machine:
    """A process with journals of its own, as on another machine."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert self.hear() == "ready"

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")


@contextmanager
def machine(
    state: Path, folder: Path, protocol: str = "file", delay: float = 0.0
) -> Iterator[Machine]:
    """Start a machine that takes so many seconds before each write."""
    command = [sys.executable, "-c", MACHINE, str(folder), protocol, str(delay)]
    environment = {**os.environ, "XDG_STATE_HOME": str(state)}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Machine(process)
        assert process.stdin is not None
        process.stdin.close()


def race(machines: list[Machine]) -> list[str]:
    """Let all machines claim the job at the same moment; return what each says."""
    start = time.time() + 0.05
    for one in machines:
        one.say(f"{start}")
    said = [one.hear() for one in machines]
    for one in machines:
        one.say("")
    assert [one.hear() for one in machines] == ["ended"] * len(machines)
    return said


@has_own_state
@pytest.mark.parametrize(
    ("protocol", "delay", "rounds"),
    [("file", 0.0, 20), ("file", 0.05, 5), ("plain", 0.05, 3)],
    ids=["in-step", "one-slow", "one-slow-that-overwrites"],
)
def test_to__of_two_machines_at_the_same_moment_one_gets_the_job(
    protocol: str, delay: float, rounds: int, tmp_path: Path
) -> None:
    folder = tmp_path / "push"
    with (
        machine(tmp_path / "one", folder, protocol) as one,
        machine(tmp_path / "two", folder, protocol, delay) as two,
    ):
        for _ in range(rounds):
            refusal, held = sorted(race([one, two]), key=lambda one: one == "held")
            assert held == "held", "none got it"
            assert refusal.startswith(f"the machine {os.uname().nodename!r} has been at work on ")
            assert not (folder / "lock").exists()


@has_own_state
def test_to__the_claim_of_a_killed_machine_is_its_own_to_take_over(tmp_path: Path) -> None:
    folder = tmp_path / "push"
    with machine(tmp_path / "one", folder) as one:
        one.say("0")
        assert one.hear() == "held"
        one.process.kill()
        one.process.wait()
    with machine(tmp_path / "two", folder) as two:
        two.say("0")
        assert two.hear().endswith(f"does not come back, delete file://{folder}/lock")
    with machine(tmp_path / "one", folder) as again:
        again.say("0")
        assert again.hear() == "held"
    assert not (folder / "lock").exists()


def test_claim__a_file_that_is_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    path, other = tmp_path / "lock", {"machine": "two", "host": "ann's", "since": "noon"}
    path.touch()

    class WrittenMeanwhile(LocalFileSystem):
        def cat_file(self, *args: Any, **options: Any) -> bytes:
            found: bytes = super().cat_file(*args, **options)
            path.write_text(json.dumps(other))
            return found

    with (
        pytest.raises(ConfigurationError, match=r"the machine \"ann's\" has .* since noon"),
        Claim(WrittenMeanwhile(), str(path), machine="one", name="file://push").held(),
    ):
        pass
    assert json.loads(path.read_text()) == other


@has_own_state
def test_to__a_machine_without_a_name_gets_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty name, left by a crash, would make all such machines the same one."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = JobFolder.at((tmp_path / "push").as_uri())
    folder.storage.local.mkdir(parents=True)
    (folder.storage.local / "machine").touch()
    with folder.locked():
        claim = json.loads((tmp_path / "push" / "lock").read_text())
    assert len(claim["machine"]) == 32
