"""A folder holds one push, and only the one that was planned there goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from small_jobs import files, plan_in_parts, stored
from stars import FIVE_STARS, STARS, frame_of, sandbox_of, serving

from respan_notebook import ConfigurationError, FrameError, RespanClient, push_scores, resume_push
from respan_notebook.push.jobs.folder import JobFolder

QUIET = {"progress": False}
DRY = {"dry_run": True, "progress": False}


def test_to__this_very_job_is_gone_on_with(tmp_path: Path, requests: list[str]) -> None:
    with serving(30) as client:
        planned = push_scores(frame_of(30), [STARS], to=tmp_path, client=client, **DRY)
        assert planned.counts == {"not_sent": 30}
        assert stored(client) == {}
        job = push_scores(frame_of(30), [STARS], to=tmp_path, client=client, **QUIET)
        assert job.counts == {"created": 30}
        sent = len(requests)
        job = push_scores(frame_of(30), [STARS], to=tmp_path, client=client, **QUIET)
        assert job.counts == {"created": 30}
        assert len(requests) == sent


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.assign(stars=frame["stars"] + 1), "it differs in the scores"),
        (lambda frame: frame.head(29), "it differs in the scores"),
        (lambda frame: frame.iloc[::-1].reset_index(drop=True), "it differs in the scores"),
    ],
    ids=["values", "rows", "order"],
)
def test_to__another_job_is_refused(
    change: Callable[[pd.DataFrame], pd.DataFrame], message: str, tmp_path: Path
) -> None:
    push_scores(frame_of(30), [STARS], to=tmp_path, **DRY)
    before = (tmp_path / "job.json").read_bytes()
    with pytest.raises(ConfigurationError, match=message):
        push_scores(change(frame_of(30)), [STARS], to=tmp_path, **DRY)
    assert (tmp_path / "job.json").read_bytes() == before


def test_to__another_definition_is_refused(tmp_path: Path) -> None:
    frame = frame_of(30).assign(stars=3.0)
    push_scores(frame, [STARS], to=tmp_path, **DRY)
    with pytest.raises(ConfigurationError, match="in the definitions of the evaluators"):
        push_scores(frame, [FIVE_STARS], to=tmp_path, **DRY)


@pytest.mark.parametrize("name", ["notes.txt", "part-00000.parquet"])
def test_to__a_folder_of_something_else_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigurationError, match=f"holds something else .*'{name}'"):
        push_scores(frame_of(3), [STARS], to=tmp_path, **DRY)
    assert (tmp_path / name).read_text() == "mine"
    assert files(tmp_path) == [name]


def test_to__a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("mine")
    with pytest.raises(ConfigurationError, match="is a file, and a folder is needed"):
        push_scores(frame_of(3), [STARS], to=path, **DRY)
    assert path.read_text() == "mine"
    with pytest.raises(ConfigurationError, match="a job folder is a path or a URL, not ''"):
        push_scores(frame_of(3), [STARS], to="", **DRY)
    with pytest.raises(ConfigurationError, match=r"the folder .* can't be made: .*name too long"):
        push_scores(frame_of(3), [STARS], to=tmp_path / ("x" * 300), **DRY)


def test_to__what_an_interrupted_planning_left_is_replaced(tmp_path: Path) -> None:
    plan_in_parts(frame_of(60), tmp_path, None)
    (tmp_path / "job.json").unlink()
    (tmp_path / ".planning").mkdir()
    with pytest.raises(FrameError, match=r"there is no job\.json"):
        resume_push(tmp_path)
    job = push_scores(frame_of(20), [STARS], to=tmp_path, **DRY)
    assert job.counts == {"not_sent": 20}
    assert files(tmp_path) == ["job.json", "plan/part-00000.parquet"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "was cut short or changed"),
        ('{"format": 1, "colu', "was cut short or changed"),
        ("[]", "was cut short or changed"),
        ('{"format": 99}', "made by a newer version"),
        ('{"format": 1}', "was changed"),
    ],
)
def test_resume_push__a_job_that_cant_be_read_says_so(
    text: str, message: str, tmp_path: Path, client: RespanClient
) -> None:
    push_scores(frame_of(3), [STARS], to=tmp_path, **DRY)
    (tmp_path / "job.json").write_text(text)
    with pytest.raises(FrameError, match=message):
        resume_push(tmp_path, client=client)


def test_resume_push__a_changed_plan_says_so(tmp_path: Path) -> None:
    with serving(3) as client:
        push_scores(frame_of(3), [STARS], to=tmp_path, client=client, **DRY)
        part = tmp_path / "plan" / "part-00000.parquet"
        part.write_bytes(part.read_bytes()[:-20])
        with pytest.raises(FrameError, match=r"part-00000.parquet .* perhaps it was cut short"):
            resume_push(tmp_path, client=client, **QUIET)
        pd.DataFrame({"line": [1]}).to_parquet(part)
        with pytest.raises(FrameError, match=r"part-00000.parquet .* was changed"):
            resume_push(tmp_path, client=client, **QUIET)


def test_resume_push__a_second_sender_is_refused(tmp_path: Path, client: RespanClient) -> None:
    push_scores(frame_of(3), [STARS], to=tmp_path, client=client, **DRY)
    code = (
        "import sys\nfrom respan_notebook.push.jobs.folder import JobFolder\n"
        "with JobFolder.at(sys.argv[1]).locked():\n print('held', flush=True)\n input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ConfigurationError, match="another process is at work"):
            resume_push(tmp_path, client=client)
        holder.communicate("\n")
    with JobFolder.at(tmp_path).locked():
        pass


def test_resume_push__options_are_checked(tmp_path: Path, client: RespanClient) -> None:
    push_scores(frame_of(3), [STARS], to=tmp_path, client=client, **DRY)
    for options, message in (
        ({"concurrency": 0}, "concurrency"),
        ({"deadline": -1}, "deadline"),
        ({"rate_limit": "often"}, "a rate looks like"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            resume_push(tmp_path, client=client, **options)
    kept = json.loads((tmp_path / "job.json").read_text())["options"]
    assert kept["concurrency"] == 16


def test_job__the_key_is_in_no_file(tmp_path: Path) -> None:
    with sandbox_of(30) as sandbox, RespanClient(sandbox.api_key, sandbox.base_url) as client:
        key = sandbox.api_key.encode()
        push_scores(frame_of(60), [STARS], to=tmp_path, client=client, **QUIET)
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(found) == 4
    assert not [path for path in found if key in path.read_bytes()]
