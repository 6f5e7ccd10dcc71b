"""Test that Sandbox starts, stops and refuses wrong arguments."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from respan_notebook.sandbox import Sandbox
from respan_notebook.sandbox.store import Store


def test_sandbox__says_where_it_is():
    with Sandbox() as sandbox:
        assert sandbox.base_url.startswith("http://127.0.0.1:")
        assert sandbox.api_keys == {"annotator@example.com": sandbox.api_key}
        assert sandbox.db is None
        assert repr(sandbox) == f"<Sandbox {sandbox.base_url}>"
    assert repr(sandbox) == "<Sandbox not running>"


def test_sandbox__has_no_key_before_its_first_start():
    with pytest.raises(RuntimeError, match="call start"):
        _ = Sandbox().api_key


def test_start_and_stop__may_be_repeated():
    sandbox = Sandbox()
    sandbox.stop()
    assert sandbox.start() is sandbox.start()
    first = sandbox.base_url
    sandbox.stop()
    sandbox.stop()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(first.rpartition(":")[2])))
    with sandbox.start():
        headers = {"Authorization": f"Bearer {sandbox.api_key}"}
        assert requests.get(f"{sandbox.base_url}/api/evaluators/", headers=headers).ok


@pytest.mark.parametrize("busy", ["idle", "slow", "half a request"])
def test_stop__is_quick_and_leaves_nothing(busy):
    threads = set(threading.enumerate())
    sandbox = Sandbox(latency_ms=60_000 if busy == "slow" else 0).start()
    port = int(sandbox.base_url.rpartition(":")[2])
    key = sandbox.api_key.encode()
    head = b"POST /api/scores/list/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        length = 99 if busy == "half a request" else 2
        connection.sendall(head + b"\r\nContent-Length: %d\r\n\r\n{}" % length)
        if busy == "idle":
            assert connection.recv(12) == b"HTTP/1.1 200"
        else:
            time.sleep(0.1)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            started = time.perf_counter()
            sandbox.stop()
            assert time.perf_counter() - started < 15  # The request would take a minute.
            del sandbox
            gc.collect()

    assert set(threading.enumerate()) <= threads  # One of another test may have ended.


def test_stop__answers_what_is_in_flight():
    sandbox = Sandbox(latency_ms=30).start()
    port = int(sandbox.base_url.rpartition(":")[2])
    head = f"GET /api/evaluators/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {sandbox.api_key}"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head.encode() + b"\r\n\r\n")
        time.sleep(0.01)

        sandbox.stop()

        assert connection.recv(12) == b"HTTP/1.1 200"


def test_sandbox__runs_beside_a_running_loop():
    async def cell():
        with Sandbox() as sandbox:
            headers = {"Authorization": f"Bearer {sandbox.api_key}"}
            return requests.get(f"{sandbox.base_url}/api/evaluators/", headers=headers).json()

    assert asyncio.run(cell())["results"] == []


def test_sandbox__two_at_once_are_apart():
    with Sandbox() as one, Sandbox() as other:
        headers = {"Authorization": f"Bearer {one.api_key}"}

        assert requests.get(f"{other.base_url}/api/evaluators/", headers=headers).status_code == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com", "", "10.0.0.1"])
def test_host__other_than_loopback_is_refused(host):
    with pytest.raises(ValueError, match="is not a loopback address"):
        Sandbox(host=host)


@pytest.mark.parametrize(
    ("host", "url"), [("localhost", "http://127.0.0.1:"), ("127.0.0.2", "http://127.0.0.2:")]
)
def test_host__loopback(host, url):
    with Sandbox(host=host) as sandbox:
        assert sandbox.base_url.startswith(url)


def test_host__ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    with Sandbox(host="::1") as sandbox:
        assert sandbox.base_url.startswith("http://[::1]:")
        headers = {"Authorization": f"Bearer {sandbox.api_key}"}
        assert requests.get(f"{sandbox.base_url}/api/evaluators/", headers=headers).ok


def test_host__remote_where_it_is_allowed():
    with Sandbox(host="0.0.0.0", allow_remote=True) as sandbox:
        port = sandbox.base_url.rpartition(":")[2]
        assert requests.get(f"http://127.0.0.1:{port}/api/evaluators/").status_code == 401


def test_port__in_use():
    with Sandbox() as running:
        port = int(running.base_url.rpartition(":")[2])
        with pytest.raises(OSError, match=rf"127\.0\.0\.1:{port}.*port=0 takes a free port"):
            Sandbox(port=port).start()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": -1}, "port must be"),
        ({"port": 65536}, "port must be"),
        ({"latency_ms": -1}, "latency_ms must be"),
        ({"latency_ms": float("nan")}, "latency_ms must be"),
        ({"fail": 1.1}, "fail must be"),
        ({"fail": float("nan")}, "fail must be"),
        ({"rate_limit": (0, 1)}, "rate_limit must be"),
        ({"rate_limit": (1, 0)}, "rate_limit must be"),
        ({"rate_limit": (1.5, 1)}, "rate_limit must be"),
        ({"rate_limit": (1, float("inf"))}, "rate_limit must be"),
        ({"rate_limit": 60}, "rate_limit must be"),
        ({"annotators": "ann@example.com"}, "annotators must be"),
        ({"annotators": [" "]}, "annotators must be"),
        ({"annotators": [1]}, "annotators must be"),
    ],
)
def test_options__out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        Sandbox(**options)


def test_db__keeps_everything(tmp_path):
    path = tmp_path / "sandbox.db"
    with Sandbox(db=path, annotators=["b@example.com", "a@example.com"], demo=True) as first:
        headers = {"Authorization": f"Bearer {first.api_key}"}
        base = f"{first.base_url}/api/logs/demo_01/scores/"
        score = requests.post(base, json={"evaluator_slug": "x"}, headers=headers).json()

    with Sandbox(db=path) as second:
        assert second.db == str(path)
        assert list(second.api_keys.items()) == list(first.api_keys.items())
        base = f"{second.base_url}/api/logs/demo_01/scores/"
        assert requests.get(base, headers=headers).json()["results"] == [score]
    with Sandbox(db=path, annotators=["c@example.com", "a@example.com"]) as third:
        assert list(third.api_keys) == ["c@example.com", "a@example.com", "b@example.com"]
        assert third.api_key not in first.api_keys.values()


@pytest.mark.parametrize("kind", ["directory", "text", "missing"])
def test_db__that_is_none(tmp_path, kind):
    path = tmp_path / "x"
    if kind == "text":
        path.write_text("not a database, " * 100)
    elif kind == "missing":
        path = tmp_path / "missing" / "x"
    else:
        path.mkdir()

    with pytest.raises(ValueError, match=r"cannot use .* as a database"):
        Sandbox(db=path).start()


def test_store__waits_for_no_sync_but_writes_ahead(tmp_path):
    store = Store(str(tmp_path / "x.db"))
    try:
        pragmas = [store._rows(f"PRAGMA {name}") for name in ("journal_mode", "synchronous")]
    finally:
        store.close()

    assert pragmas == [[{"journal_mode": "wal"}], [{"synchronous": 1}]]


def test_import__without_the_libraries_says_what_to_install():
    code = (
        "import sys; sys.modules['fastapi'] = None\n"
        "import respan_notebook.sandbox\n"
        "try: from respan_notebook.sandbox import Sandbox\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )

    assert done.stdout == "the sandbox needs fastapi: pip install 'respan-notebook[sandbox]'\n"


def test_import__other_names():
    import respan_notebook.sandbox as package

    assert not hasattr(package, "Nonsense")


def test_stop__while_clients_connect_leaves_no_socket_open():
    for _ in range(10):
        with Sandbox() as sandbox:
            server = urlsplit(sandbox.base_url)
            address = server.hostname, server.port
            over = threading.Event()
            client = threading.Thread(target=connect_until, args=(over, address))
            client.start()
            with warnings.catch_warnings(record=True) as found:
                warnings.simplefilter("always", ResourceWarning)
                sandbox.stop()
                over.set()
                client.join()
                gc.collect()
        assert [str(one.message) for one in found] == []


def connect_until(over, address):
    while not over.is_set():
        with contextlib.suppress(OSError):
            socket.create_connection(address, 1).close()
