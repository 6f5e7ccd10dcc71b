"""Rates, 429s and deadlines of a push, and what it says while it waits."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest
from canned import Canned, CannedServer
from stars import STARS, frame_of, push, serving

from respan_notebook import RespanClient
from respan_notebook.client.settings import RequestSettings

Start = Callable[..., CannedServer]


def test_rate_limit__paces_from_the_start(requests: list[str]) -> None:
    with serving(30, rate_limit=(10, 0.5)) as client:
        time.sleep(0.6)  # The logs were created with a request, too.
        requests.clear()
        start = time.monotonic()
        report = push(frame_of(30), client, rate_limit="10/1s")
        assert report.counts == {"created": 30}
        assert 1.9 < time.monotonic() - start < 8
        assert len(requests) == 30, "none was answered 429"


def test_429__is_waited_for_and_learned_from(requests: list[str]) -> None:
    with serving(60, rate_limit=(20, 1)) as client:
        time.sleep(1.1)
        requests.clear()
        report = push(frame_of(60), client)
        assert report.counts == {"created": 60}
        # The limit is learned from one burst; on a busy machine it may take a second one.
        assert len(requests) <= 60 + 2 * 16 + 2
        assert client.gate.limit is not None
        assert 0.6 * 20 < client.gate.limit[0] / client.gate.limit[1] < 1.1 * 20


def test_429__calls_of_the_client_wait_and_say_so(caplog: pytest.LogCaptureFixture) -> None:
    with serving(0, rate_limit=(2, 1)) as client:
        for _ in range(4):
            client.list_evaluators()
    assert "the server asks to wait" in caplog.text


def test_deadline__a_longer_hold_is_not_waited_for(canned: Start) -> None:
    server = canned(status=429, body=b'{"detail": "slow down", "retry_after": 30}')
    with RespanClient("key", server.base_url) as client:
        start = time.monotonic()
        report = push(frame_of(100), client, deadline=5)
        assert time.monotonic() - start < 15  # The hold is of 30 s.
    assert report.counts["not_sent"] >= 84
    assert "asks to wait 30 s, over 5 s" in repr(report)


def test_deadline__of_a_healthy_server_is_kept(canned: Start) -> None:
    def answer(_path: str) -> Canned:
        time.sleep(0.05)
        return Canned(status=201, body=b'{"id": "s"}')

    with RespanClient("key", canned(answer).base_url) as client:
        start = time.monotonic()
        report = push(frame_of(200), client, deadline=0.5, concurrency=2)
        assert time.monotonic() - start < 4  # All rows would take 5 s.
    assert set(report.counts) <= {"created", "not_sent", "failed"}
    assert report.counts["not_sent"] > 100
    assert "the deadline of 0.5 s" in repr(report)
    assert "the deadline" in report.reasons["reason"].iloc[-1]


def test_deadline__of_a_silent_server_is_kept() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with RespanClient("key", url) as client:
            start = time.monotonic()
            report = push(frame_of(20), client, deadline=0.5)
            assert time.monotonic() - start < 9  # The client alone would wait for 30 s.
    assert report.counts["not_sent"] >= 4


def test_429__for_ever_ends_by_itself(canned: Start) -> None:
    settings = RequestSettings(hold_backoff=0.001, longest_hold_backoff=0.01)
    server = canned(status=429, body=b'{"detail": "slow down"}')
    with RespanClient("key", server.base_url, settings=settings) as client:
        report = push(frame_of(50), client)
    assert "429 20 times in a row" in repr(report)
    assert report.counts["not_sent"] >= 34
    assert len(server.requests) < 60


@pytest.mark.parametrize(
    "retry_after",
    ["", ', "retry_after": 0', ', "retry_after": -5', ', "retry_after": "soon"'],
    ids=["none", "zero", "negative", "text"],
)
def test_429__that_names_no_time_is_waited_for(canned: Start, retry_after: str) -> None:
    refused = Canned(status=429, body=f'{{"detail": "slow down"{retry_after}}}'.encode())

    def answer(_path: str) -> Canned:
        storm = 4 < len(server.requests) <= 8
        return refused if storm else Canned(status=201, body=b'{"id": "s"}')

    server = canned(answer)
    settings = RequestSettings(hold_backoff=0.05)
    with RespanClient("key", server.base_url, settings=settings) as client:
        start = time.monotonic()
        report = push(frame_of(12), client, concurrency=1)
        waited = time.monotonic() - start
    assert report.counts == {"created": 12}
    assert len(server.requests) == 16
    assert waited > 0.02 + 0.05 + 0.1 + 0.2, "the hold is at least half of 0.05 s, and doubles"


def test_bar__shows_why_it_waits(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(12, rate_limit=(6, 1)) as client:
        push(frame_of(12), client, progress=True)
    shown = capsys.readouterr().err
    assert "12/12" in shown
    assert "the server asks to wait" in shown


def test_estimate__is_said_before_anything_is_sent() -> None:
    report = frame_of(10_000).respan.push_scores([STARS], dry_run=True, rate_limit="60/min")
    assert "10,000 scores will be written, about 2.8 h at 60 in 60 s" in repr(report)


@pytest.mark.parametrize(("rows", "is_said"), [(500, False), (501, True)])
def test_push_scores__says_first_how_many_scores_it_writes(
    rows: int, is_said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    frame, said = frame_of(rows), f"{rows} scores will be written"
    assert (said in repr(frame.respan.push_scores([STARS], dry_run=True))) is is_said
    with serving(rows) as client:
        assert push(frame, client, progress=True).counts == {"created": rows}
    shown = capsys.readouterr().err
    assert (said in shown) is is_said
    assert said not in shown.rpartition("\r")[2]


def test_push_scores__in_a_program_without_a_console(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(2) as client, monkeypatch.context() as patch:
        patch.setattr("sys.stderr", None)
        report = push(frame_of(2), client, progress=True)
    assert report.counts == {"created": 2}
