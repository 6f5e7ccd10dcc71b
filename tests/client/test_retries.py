"""How long a retry waits, and when it is not waited for. A wait is told before it begins."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from canned import Canned, CannedServer

from respan_notebook import RateLimitError, RespanClient, ServerError
from respan_notebook.client.retry import RetryBudget
from respan_notebook.client.settings import RequestSettings
from respan_notebook.errors import HTTPError, RequestTimeoutError, StoppedError

Start = Callable[..., CannedServer]


def ask(server: CannedServer, *, deadline: float | None = None) -> tuple[list[float], RetryBudget]:
    """Ask a server that fails, and give up in the first wait; return the waits that began."""
    waits: list[float] = []

    def give_up(_reason: str, seconds: float) -> None:
        waits.append(seconds)
        budget.cancel("enough")

    budget = RetryBudget(RequestSettings(), deadline=deadline, announce=give_up)
    with RespanClient("key", server.base_url) as client, pytest.raises(ServerError, match="503"):
        client.list_scores("log_1", budget=budget)
    assert len(server.requests) == 1
    return waits, budget


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
    waits, budget = ask(canned(status=503, headers=headers, body=body))
    assert waits == [seconds]
    assert budget.cancelled == "enough"


def test_wait_to_retry__beyond_the_deadline_is_not_begun(canned: Start) -> None:
    server = canned(status=503, headers={"Retry-After": "7"}, body=b'{"detail": "busy"}')
    waits, budget = ask(server, deadline=5)
    assert waits == []
    assert budget.cancelled == (
        "the deadline of 5 s: GET /api/logs/log_1/scores/?page_size=100 answered 503: busy"
    )


def test_wait_to_retry__within_the_deadline_is_begun(canned: Start) -> None:
    waits, budget = ask(canned(status=503, headers={"Retry-After": "7"}), deadline=8)
    assert (waits, budget.cancelled) == ([7.0], "enough")


class Timeless(RetryBudget):
    """A retry budget whose waits take no time and are kept."""

    def __init__(self, **limits: Any) -> None:
        super().__init__(RequestSettings(), announce=None, **limits)
        self.waits: list[float] = []

    def wait(self, seconds: float, reason: str) -> bool:
        self.waits.append(seconds)
        return not self.cancelled


@pytest.fixture
def longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chance always takes the longest wait."""
    monkeypatch.setattr(random, "uniform", lambda _low, high: high)


def failing(canned: Start, *statuses: int) -> CannedServer:
    """Start a server that answers with these, the last one for ever."""

    def answer(_path: str) -> Canned:
        status = statuses[min(len(server.requests), len(statuses)) - 1]
        return Canned(status, b'{"results": []}' if status == 200 else b'{"detail": "busy"}')

    server = canned(answer)
    return server


def ask_in_vain(server: CannedServer, budget: RetryBudget) -> HTTPError:
    with RespanClient("key", server.base_url) as client, pytest.raises(HTTPError) as caught:
        client.list_scores("log_1", budget=budget)
    return caught.value


@pytest.mark.usefixtures("longest")
def test_wait_to_retry__doubles_up_to_eight_seconds(canned: Start) -> None:
    budget = Timeless(attempts=9)
    error = ask_in_vain(failing(canned, 500), budget)
    assert budget.waits == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert (error.attempts, budget.cancelled) == (9, "")


@pytest.mark.parametrize("attempts", [1, 3])
def test_attempts__are_all_requests_of_a_call(canned: Start, attempts: int) -> None:
    server = failing(canned, 503)
    assert ask_in_vain(server, Timeless(attempts=attempts)).attempts == attempts
    assert len(server.requests) == attempts


@pytest.mark.parametrize("status", [400, 404, 410, 425, 501, 505])
def test_wait_to_retry__not_after_what_will_not_pass(canned: Start, status: int) -> None:
    budget = Timeless()
    assert ask_in_vain(failing(canned, status), budget).attempts == 1
    assert budget.waits == []


def test_budget__ends_everything_when_it_is_used_up(canned: Start) -> None:
    server, budget = failing(canned, 503), Timeless(retries=2)
    ask_in_vain(server, budget)
    assert len(server.requests) == 3
    assert budget.cancelled == (
        "gave up after 2 retries too many; the last: "
        "GET /api/logs/log_1/scores/?page_size=100 answered 503: busy"
    )


@pytest.mark.parametrize("failures", [1, 2])
def test_budget__a_success_gives_two_retries_back_and_no_more_than_there_were(
    canned: Start, failures: int
) -> None:
    server, budget = failing(canned, *[503] * failures, 200, 503), Timeless(retries=2)
    with RespanClient("key", server.base_url) as client:
        assert client.list_scores("log_1", budget=budget) == []
    assert budget.status == ""
    budget.waits.clear()
    ask_in_vain(server, budget)
    assert len(budget.waits) == 2
    assert budget.status.endswith("answered 503: busy")


def test_end__the_first_reason_counts(canned: Start) -> None:
    server, budget = canned(), RetryBudget(RequestSettings())
    budget.cancel("first")
    budget.cancel("second")
    with (
        RespanClient("key", server.base_url) as client,
        pytest.raises(StoppedError, match="first"),
    ):
        client.list_scores("log_1", budget=budget)
    assert server.requests == []


def test_wait__of_half_a_second_is_told_and_a_shorter_one_is_not() -> None:
    told: list[tuple[str, float]] = []

    def tell(reason: str, seconds: float) -> None:
        told.append((reason, seconds))
        budget.cancel("enough")

    budget = RetryBudget(RequestSettings(), announce=tell)
    assert budget.wait(0.001, "a moment")
    assert not budget.wait(0.5, "busy")
    assert told == [("busy", 0.5)]


def test_deadline__shortens_the_wait_for_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        start = time.monotonic()
        with RespanClient("key", url, timeout=30) as client, pytest.raises(RequestTimeoutError):
            client.list_scores(
                "log_1", budget=RetryBudget(RequestSettings(), attempts=1, deadline=0.05)
            )
        assert time.monotonic() - start < 5


def test_429__without_a_time_that_comes_after_the_deadline(canned: Start) -> None:
    server = canned(status=429, body=b'{"detail": "slow down"}')

    class Late(RetryBudget):
        @property
        def left(self) -> float:
            return -0.1 if server.requests else 5.0

    with RespanClient("key", server.base_url) as client, pytest.raises(RateLimitError):
        client.list_scores("log_1", budget=Late(RequestSettings(), deadline=5, announce=None))
    assert len(server.requests) == 1
