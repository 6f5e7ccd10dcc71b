"""A deadline counts from the call on and bounds all that a push does."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from raw import raw_server, reply
from stars import frame_of, push

from respan_notebook import PushReport, RequestTimeoutError, RespanClient

DEADLINE, SOON = 0.5, 3.0  # Seconds; a busy machine needs some.
Answer = Callable[[socket.socket, bytes], Any]
PAGE = json.dumps({"count": 1, "next": "?page=2", "results": [{"id": "e", "name": "e"}]}).encode()


def drip(connection: socket.socket) -> None:
    """Send a byte from time to time, for as long as the client reads."""
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


def drip_body(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 9999\r\n\r\n")
    drip(connection)


def drip_head(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 201 Created\r\nx: ")
    drip(connection)


def ask_to_wait(connection: socket.socket, _request: bytes) -> None:
    body = b'{"detail": "slowly", "retry_after": 60}'
    connection.sendall(reply(body, status="429 Too Many Requests"))


def push_to(answer: Answer, **options: Any) -> tuple[PushReport, float]:
    """Push three scores; return the report, and the seconds that it took."""
    with raw_server(answer) as server, RespanClient("key", server.base_url) as client:
        start = time.monotonic()
        report = push(frame_of(3), client, deadline=DEADLINE, **options)
        return report, time.monotonic() - start


@pytest.mark.parametrize("answer", [drip_body, drip_head, ask_to_wait])
@pytest.mark.parametrize("skip_unchanged", [False, True], ids=["write", "skip_unchanged"])
def test_deadline__bounds_every_answer_and_wait(answer: Answer, skip_unchanged: bool) -> None:
    report, seconds = push_to(answer, skip_unchanged=skip_unchanged)
    assert seconds < SOON
    assert set(report.counts) <= {"failed", "not_sent"}
    assert len(report) == 3


def test_deadline__bounds_reading_back() -> None:
    def answer(connection: socket.socket, request: bytes) -> None:
        if b"/scores/list/" in request.splitlines()[0]:
            drip_body(connection, request)
        log_id = request.split(b"/")[3].decode()
        score = {"id": "s", "log_id": log_id, "scorer": "ann@example.com"}
        connection.sendall(reply(json.dumps(score).encode(), status="201 Created"))

    report, seconds = push_to(answer, skip_unchanged=True)
    assert seconds < SOON
    assert report.counts == {"created": 1, "not_sent": 2}


@pytest.mark.parametrize("kind", ["drips", "has no end"])
def test_deadline__bounds_the_list_of_evaluators(kind: str) -> None:
    def answer(connection: socket.socket, request: bytes) -> None:
        if kind == "drips":
            drip_body(connection, request)
        page = len(server.requests) + 1
        connection.sendall(reply(PAGE.replace(b"page=2", b"page=%d" % page)))
        time.sleep(0.02)

    with raw_server(answer) as server, RespanClient("key", server.base_url) as client:
        start = time.monotonic()
        with pytest.raises(
            RequestTimeoutError, match=r"did not arrive within the deadline of 0\.5"
        ):
            frame_of(1).respan.push_scores("stars", client=client, deadline=DEADLINE)
        assert time.monotonic() - start < SOON
    assert not [one for one in server.requests if b"/logs/" in one]


def test_deadline__leaves_a_name_that_is_looked_up_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()

    def look_up(*_: Any, **__: Any) -> Any:
        is_over.wait(60)
        raise socket.gaierror("the name was not found")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    start = time.monotonic()
    with RespanClient("key", "https://respan.invalid") as client:
        report = push(frame_of(3), client, deadline=DEADLINE, concurrency=2)
    assert time.monotonic() - start < SOON + 1.5
    is_over.set()
    assert report.counts["not_sent"] >= 1
    assert report.frame["error"].str.contains("the deadline of 0.5 s").all()
