"""Run ``python -m respan_notebook.sandbox`` as a process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
import requests

from respan_notebook.sandbox.__main__ import serve

COMMAND = [sys.executable, "-m", "respan_notebook.sandbox"]


@contextmanager
def running(*arguments):
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def headers(facts):
    return {"Authorization": f"Bearer {facts['api_key']}"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve__prints_one_line_and_ends_well(tmp_path, number):
    path = tmp_path / "x.db"
    with running("--db", path, "--demo", "--annotator", "a@x.org", "b@x.org") as (process, facts):
        assert facts == {
            "base_url": facts["base_url"],
            "api_key": facts["api_keys"]["a@x.org"],
            "api_keys": {"a@x.org": facts["api_key"], "b@x.org": facts["api_keys"]["b@x.org"]},
            "db": str(path),
        }
        answer = requests.get(
            f"{facts['base_url']}/api/request-logs/demo_01/", headers=headers(facts)
        )
        assert answer.json()["model"] == "gpt-4o-mini"

        process.send_signal(number)

        assert process.communicate(timeout=5) == ("", "")
        assert process.returncode == 0


def test_serve__signal_right_after_the_line():
    with running() as (process, facts):
        process.terminate()
        assert facts["db"] is None
        assert process.wait(timeout=5) == 0


def test_serve__kill_loses_no_acknowledged_score(tmp_path):
    path = tmp_path / "x.db"
    acknowledged = []
    with running("--db", path, "--demo", "--annotator", "a@x.org") as (process, facts):
        scores = f"{facts['base_url']}/api/logs/demo_01/scores/"

        def post(thread):
            with requests.Session() as session:
                for number in range(100_000):
                    body = {"evaluator_slug": f"s_{thread}_{number}", "numerical_value": number}
                    try:
                        answer = session.post(scores, json=body, headers=headers(facts), timeout=5)
                    except requests.RequestException:
                        return
                    assert answer.status_code == 201
                    acknowledged.append(answer.json())

        threads = [threading.Thread(target=post, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        while len(acknowledged) < 200:
            time.sleep(0.01)
        process.kill()
        for thread in threads:
            thread.join()

    with running("--db", path, "--demo") as (_, again):
        assert again["api_keys"] == facts["api_keys"]
        kept, url = {}, f"{again['base_url']}/api/logs/demo_01/scores/?page_size=100"
        while url:
            page = requests.get(url, headers=headers(again)).json()
            kept |= {score["id"]: score for score in page["results"]}
            url = page["next"]
        logs = requests.post(
            f"{again['base_url']}/api/request-logs/list/?start_time=2026-01-01",
            json={"filters": {}},
            headers=headers(again),
        ).json()

    assert [score for score in acknowledged if kept.get(score["id"]) != score] == []
    assert logs["count"] == 30


def test_serve__restart_on_the_same_port_and_file(tmp_path):
    path = tmp_path / "x.db"
    with running("--db", path) as (process, facts):
        requests.get(facts["base_url"], timeout=5)
        process.kill()
        process.wait()
    port = facts["base_url"].rpartition(":")[2]

    with running("--db", path, "--port", port) as (_, again):
        assert again == facts


def test_serve__misbehaves_as_told():
    options = ["--latency-ms", "50", "--rate-limit", "1/60", "--fail", "1"]
    with running(*options) as (_, facts):
        url = f"{facts['base_url']}/api/evaluators/"
        answers = [requests.get(url, headers=headers(facts)).status_code for _ in range(2)]

    assert answers == [500, 429]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0"], "is not a loopback address"),
        (["--port", "x"], "invalid int value"),
        (["--port", "70000"], "port must be from 0 to 65535"),
        (["--rate-limit", "60"], "is not N/SECONDS"),
        (["--rate-limit", "a/b"], "is not N/SECONDS"),
        (["--rate-limit", "0/1"], "rate_limit must be"),
        (["--fail", "2"], "fail must be a rate"),
        (["--latency-ms", "-1"], "latency_ms must be"),
        (["--annotator", ""], "annotators must be"),
        (["--db", "/"], "cannot use / as a database"),
        (["--dem"], "unrecognized arguments"),
    ],
)
def test_serve__wrong_arguments(capsys, arguments, message):
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with pytest.raises(SystemExit) as ended:
            serve(arguments)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)

    printed = capsys.readouterr()
    assert ended.value.code == 2
    assert printed.out == ""
    assert message in printed.err


def test_serve__port_in_use(sandbox):
    port = sandbox.base_url.rpartition(":")[2]

    done = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot listen on" in done.stderr
