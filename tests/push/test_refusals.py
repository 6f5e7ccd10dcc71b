"""403s and redirects: when they end a push, and when they are failures of single rows."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from canned import Canned, CannedServer
from dry import statuses
from stars import frame_of, push

from respan_notebook import PushReport, RespanClient

Start = Callable[..., CannedServer]
Answers = Callable[[str], Canned]
KINDS: dict[str, Answers] = {
    "403": lambda _log_id: Canned(403, b'{"detail": "The key may not write."}'),
    "403 with the log": lambda log_id: Canned(403, f'{{"detail": "No: {log_id}."}}'.encode()),
    "308 with the log": lambda log_id: Canned(308, headers={"Location": f"/new/{log_id}/"}),
}


def number_of(log_id: str) -> int:
    return int(log_id.removeprefix("log_"))


def push_to(canned: Start, answer: Answers, **options: Any) -> PushReport:
    """Push 20 rows one by one."""
    server = canned(lambda path: answer(path.split("/")[3]))
    with RespanClient("key", server.base_url) as client:
        return push(frame_of(20), client, **{"concurrency": 1, **options})


def created(_log_id: str) -> Canned:
    return Canned(201, b'{"id": "s"}')


@pytest.mark.parametrize("kind", KINDS)
def test_refusals__five_alike_end_a_push_of_which_nothing_arrived(canned: Start, kind: str) -> None:
    report = push_to(canned, KINDS[kind])
    assert statuses(report) == ["failed"] * 5 + ["not_sent"] * 15
    assert report.frame["error"][5] == report.frame["error"][4]


@pytest.mark.parametrize("kind", KINDS)
def test_refusals__four_end_nothing(canned: Start, kind: str) -> None:
    report = push_to(canned, lambda log: (KINDS[kind] if number_of(log) < 4 else created)(log))
    assert statuses(report) == ["failed"] * 4 + ["created"] * 16


@pytest.mark.parametrize("kind", KINDS)
def test_refusals__end_nothing_after_an_arrival(canned: Start, kind: str) -> None:
    report = push_to(canned, lambda log: (KINDS[kind] if number_of(log) else created)(log))
    assert statuses(report) == ["created"] + ["failed"] * 19


@pytest.mark.parametrize("kind", KINDS)
def test_refusals__end_no_retry_of_a_push_of_which_something_arrived(
    canned: Start, kind: str
) -> None:
    calls: list[str] = []

    def answer(path: str) -> Canned:
        log_id = path.split("/")[3]
        calls.append(log_id)
        return (created if log_id == "log_0" else KINDS[kind])(log_id)

    server = canned(answer)
    with RespanClient("key", server.base_url) as client:
        again = push(frame_of(20), client, concurrency=1).retry()
    assert statuses(again) == ["created"] + ["failed"] * 19
    assert calls.count("log_0") == 1
    assert len(calls) == 1 + 2 * 19


def test_refusals__end_a_retry_of_a_push_of_which_nothing_arrived(canned: Start) -> None:
    answers = [KINDS["403"]]
    server = canned(lambda path: answers[0](path))
    with RespanClient("key", server.base_url) as client:
        report = push(frame_of(20), client, concurrency=1)
        again = report.retry()
        answers[0] = created
        assert again.retry().counts == {"created": 20}
    assert again.counts == {"failed": 5, "not_sent": 15}


@pytest.mark.parametrize(
    "others",
    [
        lambda _n: Canned(400, b'{"detail": "bad"}'),
        lambda _n: Canned(404, b'{"detail": "No such log."}'),
        KINDS["308 with the log"],
        lambda _n: Canned(403, b'{"detail": "Another reason."}'),
    ],
    ids=["400", "404", "308", "other 403"],
)
def test_refusals__count_in_a_row_and_alike(canned: Start, others: Answers) -> None:
    """Four and one of another kind, again and again."""
    report = push_to(canned, lambda log: (others if number_of(log) % 5 == 4 else KINDS["403"])(log))
    assert report.counts == {"failed": 20}


def test_refusals__are_alike_but_for_the_log(canned: Start) -> None:
    """Also where the log's id is a part of the text anyway."""

    def answer(path: str) -> Canned:
        detail = f"No entry: your log is another team's ({path.split('/')[3]})"
        return Canned(403, json.dumps({"detail": detail}).encode())

    frame = frame_of(6)
    frame["log_id"] = ["a", "o", "e", "n", "t", "s"]
    with RespanClient("key", canned(answer).base_url) as client:
        report = push(frame, client, concurrency=1)
    assert statuses(report) == ["failed"] * 5 + ["not_sent"]


def test_refusals__five_before_the_first_arrival_of_many_threads(canned: Start) -> None:
    """The first row takes longer than the others, which are refused: that ends the push."""
    refused = threading.Semaphore(0)

    def answer(path: str) -> Canned:
        if "/log_0/" in path:
            for _ in range(5):
                assert refused.acquire(timeout=10)
            while refused.acquire(timeout=1):  # Until no further request comes.
                pass
            return created(path)
        refused.release()
        return KINDS["403"](path)

    server = canned(answer)
    with RespanClient("key", server.base_url) as client:
        report = push(frame_of(500), client, concurrency=16)
    assert report.counts["created"] == 1
    assert 5 <= report.counts["failed"] <= 20
    assert report.counts["not_sent"] > 400
    with RespanClient("key", server.base_url) as client:
        assert set(report.retry(client).counts) == {"created", "failed"}


@pytest.mark.parametrize("status", [403, 308])
def test_refusals__single_rows_among_many_threads(canned: Start, status: int) -> None:
    def answer(path: str) -> Canned:
        number = number_of(path.split("/")[3])
        return Canned(status) if number % 7 == 3 else created(path)

    with RespanClient("key", canned(answer).base_url) as client:
        report = push(frame_of(140), client)
    assert statuses(report) == ["failed" if n % 7 == 3 else "created" for n in range(140)]


def test_refusals__401_ends_a_push_whatever_arrived(canned: Start) -> None:
    report = push_to(
        canned, lambda log: created(log) if number_of(log) < 10 else Canned(401, b"{}")
    )
    assert statuses(report) == ["created"] * 10 + ["failed"] + ["not_sent"] * 9


@pytest.mark.parametrize("status", [308, 400, 401, 403, 404])
@pytest.mark.parametrize("first", [201, 500, 503])
def test_refusals__say_that_an_earlier_attempt_may_have_arrived(
    canned: Start, status: int, first: int
) -> None:
    answers = [Canned(first, b"<html>"), Canned(status, b'{"detail": "no"}')]
    server = canned(lambda _path: answers.pop(0))
    with RespanClient("key", server.base_url) as client:
        (error,) = push(frame_of(1), client).frame["error"]
    assert f"answered {status}" in error
    assert error.endswith("; an earlier attempt may have arrived: sending it again is safe")


@pytest.mark.parametrize("status", [308, 400, 401, 403, 404])
def test_refusals__say_nothing_of_earlier_attempts_without_one(canned: Start, status: int) -> None:
    server = canned(lambda _path: Canned(status, b'{"detail": "no"}'))
    with RespanClient("key", server.base_url) as client:
        (error,) = push(frame_of(1), client).frame["error"]
    assert "may have" not in error
