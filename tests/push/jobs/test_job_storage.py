"""Plan and report may lie wherever fsspec reaches; journal and lock are on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_jobs import lines, stored
from stars import STARS, frame_of, serving

from respan_notebook import ConfigurationError, PushJob, Score, push_scores, resume_push
from respan_notebook.push.jobs.folder import JobFolder
from respan_notebook.push.jobs.journal import Journal
from respan_notebook.push.outcomes import CREATED, Result

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")
URL = "memory://bucket/push"
QUIET = {"progress": False}


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


has_own_state = pytest.mark.skipif(
    sys.platform != "linux", reason="the environment names the folder of journals on Linux alone"
)


@contextmanager
def on_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work as a machine with journals of its own."""
    with monkeypatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
        yield


def note_as_sent(job: PushJob, count: int) -> None:
    """Leave a journal as a killed sender does."""
    folder = JobFolder.at(job.path)
    facts = folder.read_facts()
    journal = Journal(folder.journal_path(0), folder.find_base(0, facts.digest))
    for line in range(count):
        journal.append(line, Result(CREATED, 201, 1, 0.1, Score(id=f"s{line}")))
    journal.close()


def test_to__a_url_holds_plan_and_report(tmp_path: Path) -> None:
    with serving(20) as client:
        planned = push_scores(frame_of(20), [STARS], to=URL, client=client, dry_run=True)
        assert planned.counts == {"not_sent": 20}
        job = resume_push(URL, client=client, **QUIET)
        assert job.counts == {"created": 20}
        assert stored(client) == {f"log_{n}": float(n) for n in range(20)}
        assert lines(job)["status"].tolist() == ["created"] * 20
        again = push_scores(frame_of(20), [STARS], to=URL, client=client, **QUIET)
        assert again.counts == {"created": 20}
    assert sorted(fsspec.filesystem("memory").store) == [
        "/bucket/push/job.json",
        "/bucket/push/plan/part-00000.parquet",
        "/bucket/push/report/part-00000.parquet",
    ]
    local = JobFolder.at(URL).storage.local
    if sys.platform == "linux":
        assert local.is_relative_to(tmp_path)
    assert JobFolder.at("memory://bucket/other").storage.local != local


@has_own_state
def test_to__of_two_machines_one_is_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(20) as client:
        push_scores(frame_of(20), [STARS], to=URL, client=client, dry_run=True)
        with JobFolder.at(URL).locked():
            with on_another_machine(tmp_path, monkeypatch):
                for work in (
                    lambda: resume_push(URL, client=client, **QUIET),
                    lambda: push_scores(frame_of(20), [STARS], to=URL, client=client, **QUIET),
                ):
                    with pytest.raises(
                        ConfigurationError, match=r"at work .*delete memory://.*lock"
                    ):
                        work()
            with pytest.raises(ConfigurationError, match="another process is at work"):
                resume_push(URL, client=client, **QUIET)
        with on_another_machine(tmp_path, monkeypatch):
            assert resume_push(URL, client=client, **QUIET).counts == {"created": 20}


@has_own_state
def test_to__a_lock_that_this_machine_left_is_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = fsspec.filesystem("memory")
    with serving(20) as client:
        push_scores(frame_of(20), [STARS], to=URL, client=client, dry_run=True)
        with JobFolder.at(URL).locked():
            left = memory.cat_file("/bucket/push/lock")
        memory.pipe_file("/bucket/push/lock", left)  # As by a process that was killed.
        with (
            on_another_machine(tmp_path, monkeypatch),
            pytest.raises(ConfigurationError, match="if it was killed"),
        ):
            resume_push(URL, client=client, **QUIET)
        assert resume_push(URL, client=client, **QUIET).counts == {"created": 20}
        memory.pipe_file("/bucket/push/lock", b"torn")
        with pytest.raises(ConfigurationError, match=r"machine '\?' .* delete memory://"):
            resume_push(URL, client=client, **QUIET)


@has_own_state
def test_to__a_journal_of_an_earlier_push_counts_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Journals stay on a machine whose sender was killed, while others go on or begin anew."""
    memory = fsspec.filesystem("memory")
    with serving(20) as client:
        planned = push_scores(frame_of(20), [STARS], to=URL, client=client, dry_run=True)
        note_as_sent(planned, 5)
        assert planned.counts == {"created": 5, "not_sent": 15}
        with on_another_machine(tmp_path, monkeypatch):
            assert resume_push(URL, client=client, **QUIET).counts == {"created": 20}
        # There is a report by now that the journal does not go on from.
        assert set(lines(planned)["status"]) == {"created"}
        assert planned.counts == {"created": 20}
        memory.rm("/bucket/push", recursive=True)
        with on_another_machine(tmp_path, monkeypatch):
            push_scores(frame_of(19), [STARS], to=URL, client=client, dry_run=True)
        job = resume_push(URL, client=client, **QUIET)
        assert job.counts == {"updated": 19}, "all of another plan is sent"
        note_as_sent(job, 5)
        memory.rm("/bucket/push", recursive=True)
        job = push_scores(frame_of(19), [STARS], to=URL, client=client, dry_run=True)
        assert job.counts == {"not_sent": 19}, "planned anew, although the plan is the same"


def test_to__a_url_with_something_else_is_refused() -> None:
    with fsspec.open("memory://bucket/push/mine.txt", "w") as file:
        file.write("mine")
    with pytest.raises(ConfigurationError, match=r"holds something else .*'mine\.txt'"):
        push_scores(frame_of(2), [STARS], to=URL, dry_run=True)


def test_to__a_url_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"can't be reached: .*nowhere"):
        push_scores(frame_of(2), [STARS], to="nowhere://x", dry_run=True)
