"""Ctrl-C during a push: the report comes at once, and says what may have arrived."""

from __future__ import annotations

import _thread
import json
import threading
import time
from collections.abc import Callable

import pandas as pd
import pytest
from canned import Canned, CannedServer
from jupyter_client.manager import start_new_kernel
from stars import FIVE_STARS, QUIET, sandbox_of

from respan_notebook import RespanClient

Start = Callable[..., CannedServer]

CELL = """
import pandas as pd
from respan_notebook import Evaluator, RespanClient
stars = Evaluator(evaluator_slug="stars", score_value_type="numerical")
frame = pd.DataFrame({"log_id": [f"log_{n}" for n in range(2000)], "stars": range(2000)})
client = RespanClient(KEY, URL)
report = frame.respan.push_scores([stars], client=client)
print(sorted(report.counts), report.counts["created"] > 0, sum(report.counts.values()))
"""


@pytest.mark.usefixtures("interruptible")
def test_push_scores__interrupt_returns_the_report(canned: Start) -> None:
    """Ctrl-C while requests hang: the report comes at once and says what may have arrived."""
    release = threading.Event()

    def answer(path: str) -> Canned:
        if "log_0/" not in path:
            release.wait(10)
        return Canned(status=201, body=b'{"id": "s"}')

    server = canned(answer)
    frame = pd.DataFrame({"log_id": [f"log_{n}" for n in range(100)], "stars": 3})

    def interrupt() -> None:
        while len(server.requests) < 3:
            time.sleep(0.01)
        _thread.interrupt_main()

    threading.Thread(target=interrupt).start()
    with RespanClient("key", server.base_url) as client:
        start = time.monotonic()
        report = frame.respan.push_scores([FIVE_STARS], client=client, concurrency=2, **QUIET)
        waited = time.monotonic() - start
    sent = len(server.requests)
    release.set()
    assert waited < 8
    assert report.counts == {"created": 1, "failed": 2, "not_sent": 97}
    errors = report.frame["error"]
    assert errors[99] == "interrupted"
    assert errors.str.contains("may have arrived", na=False).sum() == 2
    time.sleep(0.2)
    # What ends later neither changes the report nor goes on sending.
    assert report.counts == {"created": 1, "failed": 2, "not_sent": 97}
    assert len(server.requests) == sent == 3


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("scorer", "found", "advice"),
    [
        ("judge", [], "retry() and resume= look before they create, yet one that arrives late"),
        ("judge", [{"id": "s", "scorer": "judge", "evaluator_slug": "stars"}], "again is safe"),
        (None, [], "again is safe"),
    ],
    ids=["created", "replaced", "own"],
)
def test_interrupt__says_whether_a_score_in_flight_may_be_sent_again(
    canned: Start, scorer: str | None, found: list[dict[str, str]], advice: str
) -> None:
    release = threading.Event()

    def answer(_path: str) -> Canned:
        if server.requests[-1][0] == "GET":
            return Canned(body=json.dumps({"next": None, "results": found}).encode())
        _thread.interrupt_main()
        release.wait(30)
        return Canned(status=201, body=b'{"id": "s"}')

    server = canned(answer)
    frame = pd.DataFrame({"log_id": ["log_1"], "scorer": [scorer], "stars": [3]})
    with RespanClient("key", server.base_url) as client:
        report = frame.respan.push_scores([FIVE_STARS], client=client, as_scorer=True, **QUIET)
    release.set()
    assert report.counts == {"failed": 1}
    assert report.frame["error"][0].startswith("interrupted while in flight, so it may have ")
    assert advice in report.frame["error"][0]


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
            assert time.monotonic() - pressed < 8  # All rows would take 12 s
        finally:
            kernel.stop_channels()
            manager.shutdown_kernel(now=True)
    assert printed.startswith("['created'")
    assert "'not_sent'] True 2000" in printed
