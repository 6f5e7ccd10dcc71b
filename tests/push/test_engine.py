"""Pacing, waiting, resuming and reading back, with the real sandbox."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
import pytest
from canned import Canned, CannedServer
from jupyter_client.manager import start_new_kernel
from seed import add_logs

from respan_notebook import (
    ConfigurationError,
    Evaluator,
    FrameError,
    PushReport,
    RespanClient,
    Sandbox,
    ScoreWrite,
    ServerError,
)
from respan_notebook.client.settings import RequestSettings

Start = Callable[..., CannedServer]
STARS = Evaluator(evaluator_slug="stars", score_value_type="numerical")
TAGS = Evaluator(evaluator_slug="tags", score_value_type="json")


def frame_of(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"log_id": [f"log_{n}" for n in range(rows)], "stars": range(rows)})


@contextmanager
def sandbox_of(rows: int, **options: Any) -> Iterator[Sandbox]:
    """Give a sandbox that has this many logs."""
    with Sandbox(annotators=["ann@example.com", "maker@example.com"], **options) as sandbox:
        add_logs(
            sandbox.base_url, sandbox.api_keys["maker@example.com"], list(frame_of(rows)["log_id"])
        )
        yield sandbox


@contextmanager
def serving(rows: int, **options: Any) -> Iterator[RespanClient]:
    """Give a client of a sandbox that has this many logs."""
    with (
        sandbox_of(rows, **options) as sandbox,
        RespanClient(sandbox.api_key, sandbox.base_url) as client,
    ):
        yield client


def push(frame: pd.DataFrame, client: RespanClient, **options: Any) -> PushReport:
    return frame.respan.push_scores([STARS], client=client, **{"progress": False, **options})


# -- pacing -------------------------------------------------------------------------------------


def test_rate_limit__paces_from_the_start(requests: list[str]) -> None:
    with serving(30, rate_limit=(10, 0.5)) as client:
        time.sleep(0.6)  # The logs were created with a request, too.
        requests.clear()
        start = time.monotonic()
        report = push(frame_of(30), client, rate_limit="10/0.6s")
        assert report.counts == {"created": 30}
        assert 1.1 < time.monotonic() - start < 6
        assert len(requests) == 30, "none was answered 429"


def test_429__is_waited_for_and_learned_from(requests: list[str]) -> None:
    with serving(60, rate_limit=(20, 1)) as client:
        time.sleep(1.1)
        requests.clear()
        report = push(frame_of(60), client)
        assert report.counts == {"created": 60}
        assert len(requests) <= 60 + 16 + 2
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
        assert time.monotonic() - start < 2
    assert report.counts["not_sent"] >= 84
    assert "asks to wait 30 s, over 5 s" in repr(report)


def test_deadline__of_a_healthy_server_is_kept(canned: Start) -> None:
    def answer(_path: str) -> Canned:
        time.sleep(0.05)
        return Canned(status=201, body=b'{"id": "s"}')

    with RespanClient("key", canned(answer).base_url) as client:
        start = time.monotonic()
        report = push(frame_of(200), client, deadline=0.5, concurrency=2)
        assert time.monotonic() - start < 2
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
            assert time.monotonic() - start < 3
    assert report.counts["not_sent"] >= 4


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
    assert "sending takes about 2.8 h at 60 in 60 s" in repr(report)


# -- interrupts ---------------------------------------------------------------------------------

CELL = """
import pandas as pd
from respan_notebook import Evaluator, RespanClient
stars = Evaluator(evaluator_slug="stars", score_value_type="numerical")
frame = pd.DataFrame({"log_id": [f"log_{n}" for n in range(2000)], "stars": range(2000)})
client = RespanClient(KEY, URL)
report = frame.respan.push_scores([stars], client=client)
print(sorted(report.counts), report.counts["created"] > 0, sum(report.counts.values()))
"""


def test_interrupt__of_a_kernel_gives_the_report() -> None:
    with (
        sandbox_of(2000, latency_ms=100) as sandbox,
        RespanClient(sandbox.api_key, sandbox.base_url) as client,
    ):
        key, url = sandbox.api_key, sandbox.base_url
        manager, kernel = start_new_kernel(kernel_name="python3")
        try:
            kernel.execute(f"KEY, URL = {key!r}, {url!r}\n{CELL}")
            latest = time.monotonic() + 60
            while not client.list_scores("log_50") and time.monotonic() < latest:
                time.sleep(0.1)
            manager.interrupt_kernel()
            pressed = time.monotonic()
            printed = ""
            while not printed.endswith("\n") and time.monotonic() < pressed + 20:
                message = kernel.get_iopub_msg(timeout=20)
                content = message["content"]
                assert message["msg_type"] != "error", content
                printed += content["text"] if content.get("name") == "stdout" else ""
            assert time.monotonic() - pressed < 2.5
        finally:
            kernel.stop_channels()
            manager.shutdown_kernel(now=True)
    assert printed.startswith("['created'")
    assert "'not_sent'] True 2000" in printed


# -- retries ------------------------------------------------------------------------------------


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


def test_retry__what_it_does_not_reach_stays_failed(canned: Start) -> None:
    status = 404

    def answer(_path: str) -> Canned:
        return Canned(status=status, body=b'{"detail": "no"}')

    with RespanClient("key", canned(answer).base_url) as client:
        report = push(frame_of(30), client, concurrency=1)
        assert report.counts == {"failed": 30}
        status = 401
        again = report.retry()
    assert again.counts == {"failed": 30}
    assert again.frame["http_status"].tolist() == [401] + [404] * 29
    assert "404" in again.frame["error"][29]


@pytest.mark.usefixtures("no_backoff")
def test_retry__creating_is_not_repeated(canned: Start) -> None:
    server = canned(status=500)
    with RespanClient("key", server.base_url) as client, pytest.raises(ServerError):
        client.create_log({"input": "q"})
    assert len(server.requests) == 1


# -- resuming -----------------------------------------------------------------------------------


def test_resume__from_a_saved_report(requests: list[str]) -> None:
    with serving(5) as client:
        first = push(frame_of(3), client)
        saved = io.StringIO(first.frame.to_csv())
        requests.clear()
        report = push(frame_of(5), client, resume=pd.read_csv(saved))
        assert report.counts == {"created": 5}
        assert len(requests) == 2
        assert report.ok


def test_resume__needs_the_columns() -> None:
    with pytest.raises(FrameError, match="resume takes the frame of an earlier report"):
        frame_of(1).respan.push_scores([STARS], dry_run=True, resume=pd.DataFrame({"a": [1]}))


# -- reading back -------------------------------------------------------------------------------


@pytest.mark.parametrize("changed", [0, 50])
def test_skip_unchanged__requests(requests: list[str], changed: int) -> None:
    frame = frame_of(500)
    with (
        sandbox_of(500) as sandbox,
        RespanClient(sandbox.api_key, sandbox.base_url) as client,
    ):
        assert push(frame, client).counts == {"created": 500}
        frame.loc[frame.index[-changed:] if changed else [], "stars"] += 1
        fresh = RespanClient(sandbox.api_key, sandbox.base_url)
        requests.clear()
        report = push(frame, fresh, skip_unchanged=True)
        fresh.close()
        assert report.counts == {"updated": changed + 1, "unchanged": 499 - changed}
        assert len(requests) == 1 + 5 + changed, "one to learn the scorer, one per 100 logs"
        assert push(frame, client, skip_unchanged=True).counts == {"unchanged": 500}


def test_skip_unchanged__explanations_and_json_count() -> None:
    frame = pd.DataFrame(
        {
            "log_id": ["log_0", "log_1", "log_2"],
            "tags": ['{"a": 1}', {"b": [1, 2]}, [3]],
            "explanation": ["why", "why", None],
        }
    )
    with serving(3) as client:
        scores: dict[str, Any] = {"client": client, "progress": False}
        frame.respan.push_scores([TAGS], **scores)
        frame["tags"] = [[0], '{"b":[1,2]}', "[ 3 ]"]
        report = frame.respan.push_scores([TAGS], skip_unchanged=True, **scores)
        assert report.frame["status"].tolist() == ["updated", "unchanged", "unchanged"]
        frame.loc[1, "explanation"] = "another reason"
        report = frame.respan.push_scores([TAGS], skip_unchanged=True, **scores)
        assert report.frame["status"].tolist() == ["unchanged", "updated", "unchanged"]


def test_skip_unchanged__another_scorers_score_is_not_ours() -> None:
    with Sandbox(annotators=["ann@example.com", "bob@example.com"]) as sandbox:
        ann, bob = (RespanClient(key, sandbox.base_url) for key in sandbox.api_keys.values())
        with ann, bob:
            for n in range(2):
                ann.create_log({"unique_id": f"log_{n}"})
            push(frame_of(2), bob)
            report = push(frame_of(2), ann, skip_unchanged=True)
    assert report.counts == {"created": 2}


@pytest.mark.parametrize(
    "listed",
    [
        Canned(status=400, body=b'{"filters": ["unknown field: log_id"]}'),
        Canned(status=404),
        Canned(body=b'{"count": 1, "next": null, "results": [{"id": "x", "log_id": "other"}]}'),
    ],
    ids=["refused", "no such route", "ignored"],
)
def test_skip_unchanged__falls_back_when_the_filter_fails(canned: Start, listed: Canned) -> None:
    def answer(path: str) -> Canned:
        if "/scores/list/" in path:
            return listed
        return Canned(status=200, body=b'{"id": "s", "scorer": "ann@example.com"}')

    with RespanClient("key", canned(answer).base_url) as client:
        report = push(frame_of(5), client, skip_unchanged=True)
    assert report.counts == {"updated": 5}
    assert "so the rest was pushed" in repr(report)


def test_skip_unchanged__no_answer_names_the_scorer(canned: Start) -> None:
    with RespanClient("key", canned(status=404).base_url) as client:
        report = push(frame_of(30), client, skip_unchanged=True)
    assert report.counts == {"failed": 30}
    assert "no answer named the owner of the key" in repr(report)


def test_pull_scores__own_scores_on_the_same_index(client: RespanClient) -> None:
    frame = pd.DataFrame(
        {
            "log_id": ["demo_01", "demo_02", "demo_01", None],
            "helpfulness": [4, None, 4, None],
            "tone": ["Friendly", "curt", "Friendly", None],
            "grounded": [True, False, True, None],
        },
        index=["a", "b", "b", "c"],
    )
    names = ["helpfulness", "tone", "grounded"]
    frame.respan.push_scores(names, client=client, progress=False).raise_for_errors()
    pulled = frame.respan.pull_scores(names, client=client)
    expected = frame[names].assign(
        tone=pd.Series(["friendly", "curt", "friendly", None], frame.index, dtype=object),
        helpfulness=frame["helpfulness"].astype(float),
        grounded=frame["grounded"].astype("boolean"),
    )
    pd.testing.assert_frame_equal(pulled, expected)


def test_pull_scores__whose(sandbox: Sandbox) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01"]})
    keys = sandbox.api_keys
    with (
        RespanClient(keys["ann@example.com"], sandbox.base_url) as ann,
        RespanClient(keys["bob@example.com"], sandbox.base_url) as bob,
        RespanClient(keys["bob@example.com"], sandbox.base_url) as fresh,
    ):
        ann.upsert_score("demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=2))
        with pytest.warns(UserWarning, match="the scores of ann@example.com"):
            pulled = frame.respan.pull_scores("helpfulness", client=fresh)
        assert pulled["helpfulness"].tolist() == [2.0]
        bob.upsert_score("demo_01", {"evaluator_slug": "helpfulness", "numerical_value": 5})
        with pytest.raises(ConfigurationError, match=r"scores by ann@.*, bob@.*say scorer="):
            frame.respan.pull_scores("helpfulness", client=fresh)
        for client, scorer, value in [
            (ann, None, 2),
            (bob, None, 5),
            (fresh, "ann@example.com", 2),
        ]:
            pulled = frame.respan.pull_scores("helpfulness", client=client, scorer=scorer)
            assert pulled["helpfulness"].tolist() == [value]
        tidy = frame.respan.pull_scores("helpfulness", client=fresh, scorer="all")
        tidy = tidy.sort_values("scorer")
        assert tidy[["log_id", "evaluator_slug", "value"]].values.tolist() == [
            ["demo_01", "helpfulness", 2.0],
            ["demo_01", "helpfulness", 5.0],
        ]
        assert tidy.iloc[:1].respan.push_scores(client=ann, progress=False).counts == {"updated": 1}


def test_pull_scores__none() -> None:
    with serving(1) as client:
        empty = frame_of(1).respan.pull_scores([STARS], client=client)
        assert empty["stars"].isna().tolist() == [True]
        assert empty["stars"].dtype == "float64"
        with pytest.warns(UserWarning, match="no score by bob@example.com of these logs"):
            frame_of(1).respan.pull_scores([STARS], client=client, scorer="bob@example.com")
        assert frame_of(0).respan.pull_scores([STARS], client=client, scorer="all").empty
