"""Files of a job that are moved, damaged, or on a full disk: nothing untrue is said or sent."""

from __future__ import annotations

import _thread
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from canned import Canned, CannedServer
from small_jobs import files, lines, plan_in_parts, stored
from stars import frame_of, sandbox_of, serving

from respan_notebook import FrameError, PushError, RespanClient, resume_push
from respan_notebook.push.__main__ import REFUSED, STOPPED, main
from respan_notebook.push.jobs.folder import JobFolder

Start = Callable[..., CannedServer]
QUIET = {"progress": False}
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
from respan_notebook.push.__main__ import main
sys.exit(main())
"""


def test_resume_push__a_folder_that_is_moved_meanwhile_goes_on_where_it_is(
    canned: Start, tmp_path: Path
) -> None:
    folder, moved = tmp_path / "job", tmp_path / "moved"
    lock = threading.Lock()

    def answer(_path: str) -> Canned:
        with lock:
            if len(server.requests) >= 15 and folder.exists():
                folder.rename(moved)
        return Canned(status=201, body=b'{"id": "s"}')

    server = canned(answer)
    with RespanClient("key", server.base_url) as client:
        plan_in_parts(frame_of(60), folder, client)
        with pytest.raises(PushError, match=r"broke off: .*(No such file|is gone)"):
            resume_push(folder, client=client, concurrency=2, **QUIET)
        assert not folder.exists()
        job = resume_push(moved, client=client, **QUIET)
    assert job.counts == {"created": 60}
    # Sent twice is at most what was in flight, or had its result noted nowhere any more.
    assert 60 <= len(server.requests) <= 60 + 2 * 2
    assert lines(job)["line"].tolist() == list(range(60))


@pytest.mark.usefixtures("interruptible")
def test_resume_push__an_interrupt_gives_the_job_so_far(canned: Start, tmp_path: Path) -> None:
    release, numbers = threading.Event(), itertools.count(1)

    def answer(_path: str) -> Canned:
        number = next(numbers)
        if number == 18:  # Both that are in flight hang.
            _thread.interrupt_main()
        if number in (17, 18):
            release.wait(60)
        return Canned(status=201, body=b'{"id": "s"}')

    server = canned(answer)
    with RespanClient("key", server.base_url) as client:
        plan_in_parts(frame_of(60), tmp_path, client)
        job = resume_push(tmp_path, client=client, concurrency=2, **QUIET)
        release.set()
        assert job.stopped == "interrupted"
        assert job.counts == {"created": 16, "failed": 2, "not_sent": 42}
        assert "in flight, so it may have arrived" in job.reasons["reason"].iloc[0]
        assert len(lines(job)) == 60
        assert resume_push(tmp_path, client=client, **QUIET).counts == {"created": 60}
    assert len(server.requests) == 62


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of file sizes")
def test_command__a_full_disk_is_said_and_what_arrived_is_known(tmp_path: Path) -> None:
    with sandbox_of(60) as sandbox, RespanClient(sandbox.api_key, sandbox.base_url) as client:
        plan_in_parts(frame_of(60), tmp_path, client)
        environment = {
            **os.environ,
            "RESPAN_API_KEY": sandbox.api_key,
            "RESPAN_BASE_URL": sandbox.base_url,
            "RESPAN_GATE": "process",
        }
        done = subprocess.run(
            [sys.executable, "-c", LIMITED, str(tmp_path), "--quiet", "--concurrency", "2"],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, "broke off: [Errno 27]" in done.stderr) == (3, True), done.stderr
        arrived = len(stored(client))
        job = resume_push(tmp_path, client=client, **QUIET)
        assert 1 <= arrived < 60
        assert job.counts == {"created": 60}, "none was sent twice"
        assert len(stored(client)) == 60


def test_resume_push__a_damaged_part_is_found(tmp_path: Path) -> None:
    with serving(60) as client:
        plan_in_parts(frame_of(60), tmp_path, client)
        resume_push(tmp_path, client=client, **QUIET)
        for kind, remedy in (("plan", "another folder"), ("report", "delete it")):
            part = tmp_path / kind / "part-00001.parquet"
            kept = part.read_bytes()
            part.write_bytes(kept[:-20])
            if kind == "plan":
                (tmp_path / "report" / part.name).unlink()
            with pytest.raises(FrameError, match=rf"{part.name} .* damaged .*{remedy}"):
                resume_push(tmp_path, client=client, **QUIET)
            part.write_bytes(kept)
            counts = resume_push(tmp_path, client=client, **QUIET).counts
            assert set(counts) == {"created", "updated"}


def test_job__no_changed_bit_of_a_plan_goes_unseen(tmp_path: Path) -> None:
    plan_in_parts(frame_of(60), tmp_path, None)
    folder, part = JobFolder.at(tmp_path), tmp_path / "plan" / "part-00001.parquet"
    kept, plan = part.read_bytes(), folder.read_plan(1)
    found = 0
    for place in range(0, len(kept), 5):
        part.write_bytes(kept[:place] + bytes([kept[place] ^ 1]) + kept[place + 1 :])
        try:
            assert folder.read_plan(1).equals(plan)  # It was a bit that says nothing.
        except FrameError:
            found += 1
    assert found > len(kept) / 5 / 2


def test_job__files_that_are_not_its_own_are_left_alone(tmp_path: Path) -> None:
    copied = "part-00000 (copy).parquet"
    with serving(20) as client:
        plan_in_parts(frame_of(20), tmp_path, client)
        (tmp_path / "report").mkdir()
        (tmp_path / "report" / copied).write_text("mine")
        assert resume_push(tmp_path, client=client, **QUIET).counts == {"created": 20}
    assert f"report/{copied}" in files(tmp_path)


def test_command__a_report_that_cant_be_shown_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All is sent, and the plan that says which rows the errors are about is gone."""
    with sandbox_of(10) as sandbox, RespanClient(sandbox.api_key, sandbox.base_url) as client:
        monkeypatch.setenv("RESPAN_API_KEY", sandbox.api_key)
        monkeypatch.setenv("RESPAN_BASE_URL", sandbox.base_url)
        plan_in_parts(frame_of(11), tmp_path, client)
        assert main([str(tmp_path), "--quiet"]) == REFUSED
        for path in (tmp_path / "plan").iterdir():
            path.unlink()
        capsys.readouterr()
        assert main([str(tmp_path), "--quiet"]) == STOPPED
    said = capsys.readouterr()
    assert said.out == ""
    assert "is gone or was changed" in said.err
