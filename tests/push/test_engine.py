"""The threads of a push, and which answers are tried again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from canned import Canned, CannedServer
from stars import frame_of, push

from respan_notebook import RespanClient, ServerError

Start = Callable[..., CannedServer]


def test_threads__are_started_whatever_else_runs(canned: Start) -> None:
    def answer(_path: str) -> Canned:
        time.sleep(0.05)
        return Canned(status=201, body=b'{"id": "s"}')

    busy = True

    def spin() -> None:
        while busy:
            pass

    bystander = threading.Thread(target=spin)
    bystander.start()
    server = canned(answer)
    with RespanClient("key", server.base_url) as client:
        push(frame_of(100), client)
    busy = False
    bystander.join()
    assert server.connections > 4


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504])
def test_retry__what_may_pass(canned: Start, status: int) -> None:
    def answer(_path: str) -> Canned:
        return Canned(status=status if len(server.requests) < 3 else 201, body=b'{"id": "s"}')

    server = canned(answer)
    with RespanClient("key", server.base_url) as client:
        report = push(frame_of(1), client)
    assert report.frame[["status", "attempts", "http_status"]].values.tolist() == [
        ["created", 3, 201]
    ]


@pytest.mark.parametrize("status", [400, 404, 405, 413, 422])
def test_retry__what_will_not(canned: Start, status: int) -> None:
    server = canned(status=status, body=b'{"detail": "no"}')
    with RespanClient("key", server.base_url) as client:
        report = push(frame_of(1), client)
    assert report.frame[["status", "attempts", "http_status"]].values.tolist() == [
        ["failed", 1, status]
    ]


def test_retry__an_odd_answer_counts_as_sent(canned: Start) -> None:
    with RespanClient("key", canned(status=201).base_url) as client:
        report = push(frame_of(1), client)
    assert report.frame[["status", "attempts", "http_status"]].values.tolist() == [
        ["failed", 1, 201]
    ]
    assert "may have stored it" in report.frame["error"][0]


@pytest.mark.usefixtures("no_backoff")
def test_retry__creating_is_not_repeated(canned: Start) -> None:
    server = canned(status=500)
    with RespanClient("key", server.base_url) as client, pytest.raises(ServerError):
        client.create_log({"input": "q"})
    assert len(server.requests) == 1
