"""A client in the children of its process: nobody gets the answer to another's request."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from raw import RawServer, raw_server, reply
from stars import frame_of, push

from respan_notebook import RespanClient
from respan_notebook.client.settings import Clock, RequestSettings

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork"),
    pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning"),
]
PEM = Path(__file__).parents[1] / "loopback.pem"


def answer(connection: socket.socket, request: bytes) -> None:
    """Answer slowly enough that several requests are in flight."""
    log_id = request.split(b"/")[3]
    time.sleep(0.001)
    body = b'{"id": "score of %b", "log_id": "%b", "log": "%b"}' % (log_id, log_id, log_id)
    connection.sendall(reply(body, status="201 Created"))


@pytest.fixture
def server() -> Iterator[RawServer]:
    with raw_server(answer) as running:
        yield running


def fork(work: Callable[[], bool]) -> int:
    """Let a child work and end with 0 when that is true; return its process id."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(30)  # A child that waits for a lost lock fails.
            status = 0 if work() else 1
        finally:
            os._exit(status)
    return child


def status_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def pushes_its_own(client: RespanClient, name: str, rows: int) -> bool:
    frame = frame_of(rows)
    frame["log_id"] = [f"{name}_{n}" for n in range(rows)]
    report = push(frame, client)
    return (
        report.counts == {"created": rows}
        and report.frame["score_id"].tolist() == ("score of " + frame["log_id"]).tolist()
        and report.warnings == []
    )


def test_push__in_parent_and_children_at_once(server: RawServer) -> None:
    with RespanClient("key", server.base_url) as client:
        assert pushes_its_own(client, "before", 100)  # So there are connections to inherit.
        children = [
            fork(lambda name=f"child{n}": pushes_its_own(client, name, 100)) for n in range(4)
        ]
        assert pushes_its_own(client, "parent", 300)
        assert [status_of(child) for child in children] == [0] * 4
        assert pushes_its_own(client, "after", 100)
    asked = [request.split(b"/")[3] for request in server.requests]
    assert len(asked) == len(set(asked)) == 900


def test_push__in_children_that_are_made_in_the_middle_of_it(server: RawServer) -> None:
    outcomes: list[bool] = []
    with RespanClient("key", server.base_url) as client:
        thread = threading.Thread(
            target=lambda: outcomes.append(pushes_its_own(client, "parent", 1000))
        )
        thread.start()
        children = []
        for n in range(6):
            time.sleep(0.02)
            children.append(fork(lambda name=f"child{n}": pushes_its_own(client, name, 20)))
        assert thread.is_alive(), "else nothing was forked in the middle"
        assert [status_of(child) for child in children] == [0] * 6
        thread.join()
    assert outcomes == [True]
    assert len({request.split(b"/")[3] for request in server.requests}) == 1120


def test_push__in_a_child_while_a_thread_holds_the_gate(server: RawServer) -> None:
    holds, goes_on = threading.Event(), threading.Event()

    def monotonic() -> float:
        if threading.current_thread().name == "holder":
            holds.set()
            goes_on.wait()
        return time.monotonic()

    settings = RequestSettings(clock=Clock(monotonic))
    with RespanClient("key", server.base_url, settings=settings) as client:
        holder = threading.Thread(target=client.gate.request, name="holder")
        holder.start()
        holds.wait()
        child = fork(lambda: pushes_its_own(client, "child", 20))
        assert status_of(child) == 0
        goes_on.set()
        holder.join()
        assert pushes_its_own(client, "parent", 20)


FORKS = """
import os, sys
from respan_notebook import RespanClient

client = RespanClient("key", sys.argv[1])
client.get_log("parent")
for _ in range(5):
    child = os.fork()
    if child == 0:
        if sys.argv[2] == "child":
            assert client.get_log("child")["log"] == "child"
        elif sys.argv[2] == "grandchild" and os.fork() == 0:
            assert client.get_log("child")["log"] == "child"
            sys.exit()
        elif sys.argv[2] == "grandchild":
            assert client.get_log("child")["log"] == "child"
            os.wait()
        elif sys.argv[2] == "close":
            client.close()
        sys.exit()
    assert os.waitpid(child, 0)[1] == 0
    assert client.get_log("parent")["log"] == "parent"
"""


@pytest.mark.parametrize("has_tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(("what", "opened"), [("child", 5), ("grandchild", 10), ("close", 0)])
def test_fork__leaves_the_connection_of_the_parent(what: str, opened: int, has_tls: bool) -> None:
    tls = None
    if has_tls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(PEM)
    with raw_server(answer, tls=tls) as server:
        subprocess.run(
            [sys.executable, "-c", FORKS, server.base_url, what],
            env={**os.environ, "REQUESTS_CA_BUNDLE": str(PEM)},
            check=True,
            timeout=60,
        )
        assert server.connections == 1 + opened
