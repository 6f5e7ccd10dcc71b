"""How long a retry waits, and when it is not waited for. A wait is told before it begins."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from canned import CannedServer

from respan_notebook import RateLimitError, RespanClient, ServerError
from respan_notebook.retry import Effort

Start = Callable[..., CannedServer]


def ask(server: CannedServer, *, deadline: float | None = None) -> tuple[list[float], Effort]:
    """Ask a server that fails, and give up in the first wait; return the waits that began."""
    waits: list[float] = []

    def give_up(_reason: str, seconds: float) -> None:
        waits.append(seconds)
        effort.end("enough")

    effort = Effort(deadline=deadline, announce=give_up)
    start = time.monotonic()
    with RespanClient("key", server.base_url) as client, pytest.raises(ServerError, match="503"):
        client.list_scores("log_1", effort=effort)
    assert time.monotonic() - start < 1
    assert len(server.requests) == 1
    return waits, effort


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "7"}, b"", 7.0),
        ({"Retry-After": "7"}, b'{"detail": "busy", "retry_after": 30}', 30.0),
        ({}, b'{"detail": "busy", "retry_after": 2.5}', 2.5),
        ({"Retry-After": "60"}, b"", 60.0),
        ({"Retry-After": "3600"}, b"", 60.0),
    ],
    ids=["header", "body first", "body", "the most", "capped"],
)
def test_wait_to_retry__obeys_retry_after(
    canned: Start, headers: dict[str, str], body: bytes, seconds: float
) -> None:
    waits, effort = ask(canned(status=503, headers=headers, body=body))
    assert waits == [seconds]
    assert effort.ended == "enough"


def test_wait_to_retry__beyond_the_deadline_is_not_begun(canned: Start) -> None:
    server = canned(status=503, headers={"Retry-After": "7"}, body=b'{"detail": "busy"}')
    waits, effort = ask(server, deadline=5)
    assert waits == []
    assert effort.ended == (
        "the deadline of 5 s: GET /api/logs/log_1/scores/?page_size=100 answered 503: busy"
    )


def test_wait_to_retry__within_the_deadline_is_begun(canned: Start) -> None:
    waits, effort = ask(canned(status=503, headers={"Retry-After": "7"}), deadline=8)
    assert (waits, effort.ended) == ([7.0], "enough")


@pytest.mark.xfail(raises=TypeError, strict=False, reason="the wait that is shown is None")
def test_429__without_a_time_that_comes_after_the_deadline(canned: Start) -> None:
    server = canned(status=429, body=b'{"detail": "slow down"}')

    class Late(Effort):
        @property
        def left(self) -> float:
            return -0.1 if server.requests else 5.0

    with RespanClient("key", server.base_url) as client, pytest.raises(RateLimitError):
        client.list_scores("log_1", effort=Late(deadline=5, announce=None))
    assert len(server.requests) == 1
