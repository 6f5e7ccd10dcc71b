"""Hundreds of scores through faults: afterwards database and every line of the report are right.

``RESPAN_FAULT_ROWS=5000`` pushes as many. The sandbox is a process of its own with a database file;
a proxy, another process, breaks things.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from seed import add_logs

from respan_notebook import ConfigurationError, Evaluator, PushReport, RespanClient
from respan_notebook.client.settings import RequestSettings

ROWS = int(os.environ.get("RESPAN_FAULT_ROWS", "600"))
STARS = Evaluator(evaluator_slug="stars", score_value_type="numerical")
FRAME = pd.DataFrame({"log_id": [f"log_{n}" for n in range(ROWS)], "stars": range(ROWS)})
FAULTY = Path(__file__).parents[1] / "faulty.py"
Run = Callable[..., "Server"]


class Server:
    """A sandbox in a process of its own, on a database file and a fixed port."""

    def __init__(self, db: Path, *options: str) -> None:
        self.db, self.options = db, options
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "respan_notebook.sandbox", "--db", str(self.db)]
        command += ["--port", str(self.port), *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.ready = json.loads(self.process.stdout.readline())

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()  # type: ignore[union-attr]
            self.process = None

    def wait_until_stored(self, count: int) -> None:
        connection = sqlite3.connect(self.db)
        while connection.execute("select count(*) from scores").fetchone()[0] < count:
            time.sleep(0.01)
        connection.close()

    def stored(self) -> dict[str, float]:
        connection = sqlite3.connect(self.db)
        rows = connection.execute("select log_id, numerical_value from scores").fetchall()
        connection.close()
        assert len(dict(rows)) == len(rows), "one score per log"
        return dict(rows)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Give a running server that has the logs."""
    server = Server(tmp_path / "respan.sqlite")
    server.start()
    add_logs(server.ready["base_url"], server.ready["api_key"], list(FRAME["log_id"]))
    yield server
    server.kill()


@pytest.fixture
def through(server: Server) -> Iterator[Callable[..., RespanClient]]:
    """Give a function that makes a client whose requests pass the faulty proxy."""
    with ExitStack() as stack:

        def connect(**plan: Any) -> RespanClient:
            command = [sys.executable, str(FAULTY), str(server.port), json.dumps(plan)]
            proxy = stack.enter_context(
                subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            )
            stack.callback(proxy.kill)
            assert proxy.stdout is not None
            url = f"http://127.0.0.1:{proxy.stdout.readline().strip()}"
            return stack.enter_context(RespanClient(server.ready["api_key"], url))

        yield connect


def push(client: RespanClient, **options: Any) -> PushReport:
    options = {"client": client, "progress": False, **options}
    return FRAME.respan.push_scores([STARS], **options)


def check(report: PushReport, server: Server) -> None:
    """Every line says the truth: arrived is stored, not sent is not."""
    stored = server.stored()
    lines = zip(report.frame["log_id"], report.frame["status"], FRAME["stars"], strict=True)
    for log_id, status, value in lines:
        if status in ("created", "updated", "unchanged"):
            assert stored[log_id] == value, log_id
        elif status == "not_sent":
            assert log_id not in stored, log_id
        else:
            assert status == "failed"
            assert stored.get(log_id, value) == value
    assert report.frame["error"][report.frame["status"].isin(["failed", "not_sent"])].notna().all()


def check_all_arrived(report: PushReport, server: Server) -> None:
    assert report.ok, report
    assert server.stored() == dict(zip(FRAME["log_id"], FRAME["stars"], strict=True))


def test_faults__drops_500s_502s_and_cut_answers(
    server: Server, through: Callable[..., RespanClient]
) -> None:
    plan = {"drop_before": 0.05, "drop_after": 0.05, "error_500": 0.05, "html_502": 0.03}
    report = push(through(**plan, cut=0.02))
    check_all_arrived(report, server)
    assert report.frame["attempts"].sum() > 1.15 * ROWS
    # What was stored before its answer was lost is updated by the next attempt.
    assert report.counts["updated"] > ROWS // 40


def test_faults__103s_and_answers_that_come_twice(
    server: Server, through: Callable[..., RespanClient]
) -> None:
    report = push(through(interim=0.2, twice=0.2))
    check_all_arrived(report, server)
    assert report.counts == {"created": ROWS}


def test_faults__wrong_answers(server: Server, through: Callable[..., RespanClient]) -> None:
    client = through(wrong=0.1, drop_after=0.02, interim=0.05)
    report = push(client)
    check(report, server)
    named = report.frame["error"].str.contains("the answer is about log 'log_").fillna(False)
    assert ROWS // 20 < named.sum() < ROWS // 5
    assert (report.frame["status"] == "failed").tolist() == named.tolist()
    assert report.frame["score_id"].dropna().is_unique
    assert server.stored() == dict(zip(FRAME["log_id"], FRAME["stars"], strict=True))
    with RespanClient(server.ready["api_key"], server.ready["base_url"]) as straight:
        check_all_arrived(push(straight), server)


def test_faults__endless_bodies(server: Server, through: Callable[..., RespanClient]) -> None:
    report = push(through(huge=0.05))
    check(report, server)
    assert ROWS // 60 < report.counts["failed"] < ROWS // 10
    assert report.frame["error"].dropna().str.contains("more than 1,048,576 bytes").all()


def test_faults__bytes_that_drip(server: Server, through: Callable[..., RespanClient]) -> None:
    client = through(drip_head=0.02, drip_body=0.02)
    with RespanClient(
        server.ready["api_key"], client.base_url, settings=RequestSettings(longest_request=0.3)
    ) as hurried:
        report = push(hurried)
    check_all_arrived(report, server)
    assert report.counts["updated"] > ROWS // 60


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_faults__fork_in_the_middle(
    server: Server, through: Callable[..., RespanClient], tmp_path: Path
) -> None:
    """Parent and child push a half each, with the same client."""
    client = through(interim=0.05, drop_after=0.05, error_500=0.05)
    halves = FRAME[: ROWS // 2], FRAME[ROWS // 2 :]
    reports: list[pd.DataFrame] = []

    def push_half(half: pd.DataFrame) -> pd.DataFrame:
        report: PushReport = half.respan.push_scores([STARS], client=client, progress=False)
        return report.frame

    thread = threading.Thread(target=lambda: reports.append(push_half(halves[0])))
    thread.start()
    server.wait_until_stored(ROWS // 10)
    child = os.fork()
    if child == 0:
        signal.alarm(120)
        try:
            push_half(halves[1]).to_pickle(tmp_path / "child.pkl")
        finally:
            os._exit(0)
    assert thread.is_alive(), "else nothing was forked in the middle"
    os.waitpid(child, 0)
    thread.join()
    lines = pd.concat([reports[0], pd.read_pickle(tmp_path / "child.pkl")])
    assert set(lines["status"]) <= {"created", "updated"}
    assert lines["score_id"].is_unique
    assert server.stored() == dict(zip(FRAME["log_id"], FRAME["stars"], strict=True))


def test_faults__server_killed_and_back(server: Server) -> None:
    def restart() -> None:
        server.wait_until_stored(ROWS // 5)
        server.kill()
        server.start()

    thread = threading.Thread(target=restart)
    with RespanClient(server.ready["api_key"], server.ready["base_url"]) as client:
        thread.start()
        report = push(client)
        thread.join()
    check_all_arrived(report, server)
    assert report.frame["attempts"].max() > 1


@pytest.mark.parametrize("how", ["deadline", "budget"])
def test_faults__server_gone_for_good(server: Server, how: str) -> None:
    settings = RequestSettings(longest_backoff=0.1) if how == "budget" else RequestSettings()

    def end() -> None:
        server.wait_until_stored(ROWS // 5)
        server.kill()

    key, url = server.ready["api_key"], server.ready["base_url"]
    with RespanClient(key, url, settings=settings) as client:
        threading.Thread(target=end).start()
        start = time.monotonic()
        report = push(client, deadline=3 if how == "deadline" else None)
        waited = time.monotonic() - start
    assert waited < 30
    check(report, server)
    assert report.counts["not_sent"] > ROWS // 15
    assert report.counts["failed"] <= 200
    assert report.frame["attempts"].sum() < ROWS + 300
    assert {"deadline": "the deadline of 3 s", "budget": "gave up after 200"}[how] in repr(report)


def test_faults__429_storm(server: Server, through: Callable[..., RespanClient]) -> None:
    report = push(through(refuse=[ROWS // 2, ROWS // 2 + 1, '{"detail": "slow down"}']))
    check_all_arrived(report, server)


def test_faults__429_for_ages_ends_the_push(
    server: Server, through: Callable[..., RespanClient]
) -> None:
    body = '{"detail": "slow down", "retry_after": 1000000000}'
    start = time.monotonic()
    report = push(through(refuse=[ROWS // 3, 99_999, body]))
    assert time.monotonic() - start < 20
    check(report, server)
    assert "asks to wait 1e+09 s" in repr(report)
    assert report.counts["not_sent"] > ROWS // 2


def test_faults__key_revoked_halfway(server: Server, through: Callable[..., RespanClient]) -> None:
    report = push(through(revoke_after=ROWS // 2))
    check(report, server)
    assert ROWS // 2 - 20 <= report.counts["created"] <= ROWS // 2
    assert 1 <= report.counts["failed"] <= 16
    assert "Key revoked" in repr(report)
    with RespanClient(server.ready["api_key"], server.ready["base_url"]) as client:
        with pytest.raises(ConfigurationError, match=r"or push the frame .* skip_unchanged=True"):
            report.retry(client)  # It is another server, as far as one can know.
        again = push(client, skip_unchanged=True)
        check_all_arrived(again, server)
        assert again.counts["created"] < ROWS * 3 // 4


def test_faults__two_threads_push_at_once(server: Server) -> None:
    reports: list[PushReport] = []
    with RespanClient(server.ready["api_key"], server.ready["base_url"]) as client:
        threads = [threading.Thread(target=lambda: reports.append(push(client))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for report in reports:
        check_all_arrived(report, server)
    created = sum(report.counts.get("created", 0) for report in reports)
    assert created == ROWS


PUSH = """
import sys
import pandas as pd
from respan_notebook import Evaluator, RespanClient
stars = Evaluator(evaluator_slug="stars", score_value_type="numerical")
rows = range(int(sys.argv[3]))
frame = pd.DataFrame({"log_id": [f"log_{n}" for n in rows], "stars": rows})
client = RespanClient(sys.argv[1], sys.argv[2])
print(frame.respan.push_scores([stars], client=client, progress=False).counts)
"""


def test_faults__two_processes_push_at_once(server: Server) -> None:
    ready = server.ready
    command = [sys.executable, "-c", PUSH, ready["api_key"], ready["base_url"], str(ROWS)]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    counts = [json.loads(run.communicate()[0].replace("'", '"')) for run in runs]
    assert sum(c.get("created", 0) for c in counts) == ROWS
    assert sum(c.get("updated", 0) for c in counts) == ROWS
    assert server.stored() == dict(zip(FRAME["log_id"], FRAME["stars"], strict=True))


@pytest.mark.usefixtures("interruptible")
def test_faults__interrupt_then_retry(server: Server) -> None:
    main = threading.main_thread().ident or 0
    pressed: list[float] = []

    def press() -> None:
        server.wait_until_stored(ROWS // 3)
        pressed.append(time.monotonic())
        signal.pthread_kill(main, signal.SIGINT)

    with RespanClient(server.ready["api_key"], server.ready["base_url"]) as client:
        threading.Thread(target=press).start()
        report = push(client)
        assert time.monotonic() - pressed[0] < 2
        check(report, server)
        assert report.counts["not_sent"] > 0
        before = report.frame["attempts"]
        again = report.retry()
        check_all_arrived(again, server)
        arrived = report.frame["status"].isin(["created", "updated"])
        assert (again.frame["attempts"] == before)[arrived].all(), "what arrived is not sent again"
