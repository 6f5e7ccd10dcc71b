"""A planned push is sent as one in memory is, and its report is files."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from canned import Canned, CannedServer
from small_jobs import files, lines, plan_in_parts, stored
from stars import FIVE_STARS, STARS, frame_of, sandbox_of, serving

from respan_notebook import (
    ConfigurationError,
    PushError,
    RespanClient,
    push_scores,
    resume_push,
)
from respan_notebook.client.retry import RetryBudget
from respan_notebook.client.settings import Clock, RequestSettings
from respan_notebook.push.jobs.folder import JobFolder
from respan_notebook.push.jobs.part_queue import PartQueue
from respan_notebook.push.jobs.parts import Part

Start = Callable[..., CannedServer]
QUIET = {"progress": False}


def test_push_scores__sends_to_a_folder_what_it_sends_at_once(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"log_id": ["log_0", "log_1", "log_0", "gone"], "stars": [1.0, None, 3.0, 4.0]}
    )
    with serving(2) as client:
        job = push_scores(frame, [FIVE_STARS], to=tmp_path, client=client, **QUIET)
        assert job.counts == {"created": 1, "skipped": 1, "duplicate": 1, "failed": 1}
        report = push_scores(frame, [FIVE_STARS], client=client, **QUIET)
        assert stored(client) == {"log_0": 3.0}
    assert not job.ok
    found, expected = lines(job), report.frame
    assert found["log_id"].tolist() == expected["log_id"].tolist()
    assert found["error"].fillna("").tolist() == expected["error"].fillna("").tolist()
    assert found["attempts"].tolist() == [0, 0, 1, 1]
    assert found["http_status"].fillna(0).tolist() == [0, 0, 201, 404]
    assert found["score_id"].notna().tolist() == [False, False, True, False]
    assert files(tmp_path) == [
        "job.json",
        "plan/part-00000.parquet",
        "report/part-00000.parquet",
    ]


def test_push_scores__sends_all_parts_in_one_run(tmp_path: Path) -> None:
    with serving(200) as client:
        planned = plan_in_parts(frame_of(200), tmp_path, client)
        parts = len(files(tmp_path)) - 1
        assert parts >= 10
        job = resume_push(tmp_path, client=client, **QUIET)
        assert stored(client) == {f"log_{n}": float(n) for n in range(200)}
    assert job.counts == planned.counts == {"created": 200}
    assert job.ok
    assert lines(job)["line"].tolist() == list(range(200))
    assert len(list((tmp_path / "report").iterdir())) == parts


def test_parts__are_read_in_one_thread_whoever_asks(tmp_path: Path) -> None:
    readers, given = set[threading.Thread](), list[int]()
    plan_in_parts(frame_of(60), tmp_path, None)
    facts = JobFolder.at(tmp_path).read_facts()

    def read() -> Iterator[Part]:
        for number in range(len(facts.counts)):
            readers.add(threading.current_thread())
            yield Part(JobFolder.at(tmp_path), facts, number)

    queue = PartQueue(
        read(), lambda part: range(len(part.plan)), RetryBudget(RequestSettings(), deadline=None)
    )
    for _ in range(60):  # Each in a thread of its own.
        thread = threading.Thread(target=lambda: given.append(next(queue)))
        thread.start()
        thread.join()
    assert len(set(given)) == 60
    assert len(readers) == 1


def test_job__errors_and_reasons_over_many_parts(tmp_path: Path) -> None:
    with serving(50) as client:  # Of 100 logs.
        plan_in_parts(frame_of(100), tmp_path, client)
        job = resume_push(tmp_path, client=client, **QUIET)
        assert job.counts == {"created": 50, "failed": 50}
        shown = job.errors(limit=7)
        assert len(shown) == 7
        assert shown["http_status"].tolist() == [404] * 7
        assert len(job.errors()) == 50
        assert job.errors(limit=0).empty
        assert set(job.errors()["row"]) == set(range(50, 100))
        assert job.reasons[["status", "rows"]].to_numpy().tolist() == [["failed", 50]]
        assert "and 49 more failed" in f"{job}"
        for row in range(50, 100):
            client.create_log({"unique_id": f"log_{row}"})
        again = job.retry(progress=False)
        assert again.counts == {"created": 100}
        assert again is job
        assert len(stored(client)) == 100


def test_job__pickles_without_its_client(tmp_path: Path, client: RespanClient) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01"], "stars": [1.0]})
    job = push_scores(frame, [STARS], to=tmp_path, client=client, **QUIET)
    copy = pickle.loads(pickle.dumps(job))
    assert copy.counts == job.counts
    with pytest.raises(ConfigurationError, match="no API key"):
        copy.retry()


def test_push_scores__ends_at_the_deadline_and_is_resumed(canned: Start, tmp_path: Path) -> None:
    is_late = threading.Event()

    def answer(_path: str) -> Canned:
        if len(server.requests) >= 30:
            is_late.set()
        return Canned(status=201, body=b'{"id": "s"}')

    server = canned(answer)
    clock = Clock(lambda: time.monotonic() + 1000 * is_late.is_set())
    settings = RequestSettings(clock=clock)
    with RespanClient("key", server.base_url, settings=settings) as client:
        plan_in_parts(frame_of(120), tmp_path, client)
        job = resume_push(tmp_path, client=client, deadline=500, concurrency=4, **QUIET)
    counts = job.counts
    assert sum(counts.values()) == len(lines(job)) == 120
    assert 26 <= counts["created"] <= 34
    assert counts.get("failed", 0) <= 4, "those that were in flight"
    assert job.stopped == "the deadline of 500 s"
    assert f"stopped: {job.stopped}" in f"{job}"
    errors = job.errors().query("status == 'not_sent'")["error"]
    assert set(errors) == {job.stopped}
    with RespanClient("key", server.base_url) as client:
        assert resume_push(tmp_path, client=client, **QUIET).counts == {"created": 120}
    assert len(server.requests) <= 124


def test_push_scores__a_wrong_key_stops_and_the_right_one_goes_on(tmp_path: Path) -> None:
    with sandbox_of(100) as sandbox:
        with RespanClient("wrong-key", sandbox.base_url) as wrong:
            plan_in_parts(frame_of(100), tmp_path, wrong)
            job = resume_push(tmp_path, client=wrong, concurrency=4, **QUIET)
            assert 1 <= job.counts["failed"] <= 4
            assert job.counts["not_sent"] >= 96
        with RespanClient(sandbox.api_key, sandbox.base_url) as client:
            assert resume_push(tmp_path, client=client, **QUIET).counts == {"created": 100}


def test_resume_push__another_key_or_server_is_refused(tmp_path: Path) -> None:
    with sandbox_of(20) as sandbox, sandbox_of(20) as other:
        keys = sandbox.api_keys
        with RespanClient(keys["ann@example.com"], sandbox.base_url) as client:
            plan_in_parts(frame_of(20), tmp_path, client)
        for key, url, message in (
            (keys["maker@example.com"], sandbox.base_url, "of another key than the client's"),
            (keys["ann@example.com"], other.base_url, f"is for {sandbox.base_url}"),
        ):
            with RespanClient(key, url) as client:
                with pytest.raises(ConfigurationError, match=message):
                    resume_push(tmp_path, client=client, **QUIET)
                with pytest.raises(ConfigurationError, match=message):
                    push_scores(frame_of(20), [STARS], to=tmp_path, client=client, **QUIET)
        with RespanClient(keys["ann@example.com"], sandbox.base_url) as client:
            assert stored(client) == {}


def test_push_scores__an_answer_about_another_log_is_no_success(
    canned: Start, tmp_path: Path
) -> None:
    body = b'{"id": "s", "log_id": "log_1", "evaluator_slug": "stars", "scorer": "ann"}'
    server = canned(status=201, body=body)
    with RespanClient("key", server.base_url) as client:
        plan_in_parts(frame_of(3), tmp_path, client)
        job = resume_push(tmp_path, client=client, concurrency=1, **QUIET)
    found = lines(job)
    assert found["status"].tolist() == ["failed", "created", "failed"]
    assert "the answer is about log 'log_1', not about 'log_0'" in found["error"][0]


def test_push_scores__another_way_of_naming_logs_is_found_late(
    canned: Start, tmp_path: Path
) -> None:
    def answer(path: str) -> Canned:
        log_id = path.split("/")[3]
        named = log_id if log_id == last else "x" + log_id
        body = f'{{"id": "s", "log_id": "{named}", "evaluator_slug": "stars"}}'
        return Canned(status=201, body=body.encode())

    frame, last = frame_of(40), ""
    server = canned(answer)
    with RespanClient("key", server.base_url) as client:
        job = plan_in_parts(frame, tmp_path, client)
        last = job.dataset().to_table()["log_id"].to_pylist()[-1]
        job = resume_push(tmp_path, client=client, concurrency=1, **QUIET)
    # The parts before it were reported already when the last answer showed that they were wrong.
    assert job.counts == {"created": 1, "failed": 39}
    assert set(lines(job)["status"]) == {"created", "failed"}


def test_push_scores__a_part_that_is_gone_stops_it(tmp_path: Path) -> None:
    with serving(60) as client:
        plan_in_parts(frame_of(60), tmp_path, client)
        gone = sorted((tmp_path / "plan").iterdir())[2]
        kept = gone.read_bytes()
        gone.unlink()
        broken = f"broke off: .*{gone.name} in .* is gone or was changed"
        with pytest.raises(PushError, match=broken) as caught:
            resume_push(tmp_path, client=client, **QUIET)
        assert caught.value.report.counts["not_sent"] >= 10
        assert caught.value.report.stopped.startswith("the push broke off: ")
        gone.write_bytes(kept)
        job = resume_push(tmp_path, client=client, **QUIET)
        assert job.counts == {"created": 60}
        assert len(stored(client)) == 60


@pytest.mark.parametrize("own", [True, False], ids=["own-rows-first", "named-rows-alone"])
def test_push_scores__other_scorers_rows_are_invalid(own: bool, tmp_path: Path) -> None:
    scorers = ["bob@example.com", "ann@example.com", None if own else "ann@example.com"] * 20
    frame = frame_of(60).assign(scorer=scorers)
    with serving(60) as client:
        job = push_scores(frame, [STARS], to=tmp_path, client=client, **QUIET)
        expected = {f"log_{n}": float(n) for n in range(60) if n % 3}
        assert job.counts == {"created": 40, "invalid": 20}
        assert stored(client) == expected
        assert "the score is 'bob@example.com''s" in job.errors()["error"].iloc[0]
        # Who owns the key is known now, and that does not make it another push.
        again = push_scores(frame, [STARS], to=tmp_path, client=client, **QUIET)
        assert again.counts == {"created": 40, "invalid": 20}


def test_push_scores__as_scorer_writes_under_their_names(tmp_path: Path) -> None:
    frame = frame_of(6).assign(scorer=["bob@example.com", None] * 3)
    with serving(6) as client:
        job = push_scores(frame, [STARS], to=tmp_path, client=client, as_scorer=True, **QUIET)
        assert job.counts == {"created": 6}
        scorers = sorted(score.scorer or "" for score in client.filter_scores())
    assert scorers == ["ann@example.com"] * 3 + ["bob@example.com"] * 3


@pytest.mark.parametrize(("which", "value"), [("last", 1.0), ("first", 2.0)])
def test_push_scores__order_by_counts_among_rows_of_an_owner_learned_later(
    which: str, value: float, tmp_path: Path
) -> None:
    frame = pd.DataFrame(
        {
            "log_id": ["log_0"] * 3 + ["log_1"],
            "stars": [1.0, 2.0, 7.0, 3.0],
            "scorer": [None, "ann@example.com", "bob@example.com", None],
            "at": [20, 10, 30, 1],
        }
    )
    options = {"order_by": "at", "on_duplicate": which, **QUIET}
    with serving(2) as client:
        planned = push_scores(frame, [STARS], to=tmp_path, client=client, dry_run=True, **options)
        assert planned.warnings == [
            "owner of the key not known: the column 'scorer' was not checked"
        ]
        assert planned.warnings[0] in f"{planned}"
        job = push_scores(frame, [STARS], to=tmp_path, client=client, **options)
        assert job.warnings == []
        assert job.counts == {"created": 2, "invalid": 1, "duplicate": 1}
        assert stored(client) == {"log_0": value, "log_1": 3.0}
