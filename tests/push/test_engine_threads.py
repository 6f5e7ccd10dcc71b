"""Threads of an engine."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from canned import CannedServer
from stars import frame_of, push, serving

from respan_notebook import RespanClient
from respan_notebook.client.answer_check import AnswerCheck
from respan_notebook.client.retry import RetryBudget
from respan_notebook.models import Upsert
from respan_notebook.push.engine import Engine
from respan_notebook.push.outcomes import FAILED, Result


def test_send__in_threads_that_keep_no_process_alive(
    canned: Callable[..., CannedServer],
) -> None:
    kinds: list[bool] = []
    results: dict[int, Result] = {}

    def upsert(_number: int) -> Upsert:
        kinds.append(threading.current_thread().daemon)
        raise ValueError("nothing to send")

    with RespanClient("key", canned().base_url) as client:
        budget = RetryBudget(client.settings)
        check = AnswerCheck(list, [])
        with Engine(client, budget, results.__setitem__, check) as engine:
            assert engine.done == 0
            engine.send([3, 5], upsert, concurrency=1)
            assert engine.done == 2
    assert kinds == [True, True]
    assert {i: (one.status, one.error) for i, one in results.items()} == {
        3: (FAILED, "ValueError: nothing to send"),
        5: (FAILED, "ValueError: nothing to send"),
    }


@pytest.mark.parametrize("available", [0, 1, 3])
def test_push_scores__goes_on_with_the_threads_that_there_are(
    available: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, started = threading.Thread.start, list[threading.Thread]()

    def start_some(self: threading.Thread) -> None:
        if getattr(self._target, "__module__", "") == "respan_notebook.push.engine":
            if len(started) == available:
                raise RuntimeError("can't start new thread")
            started.append(self)
        start(self)

    with serving(40, latency_ms=20) as client:
        monkeypatch.setattr(threading.Thread, "start", start_some)
        report = push(frame_of(40), client)
    assert report.counts == {"created": 40}
    assert len(started) == available


def test_push_scores__while_another_thread_closes_the_client() -> None:
    is_done = threading.Event()

    def close_often(client: RespanClient) -> None:
        while not is_done.wait(0.002):
            client.close()

    with serving(200) as client:
        closer = threading.Thread(target=close_often, args=[client])
        closer.start()
        report = push(frame_of(200), client)
        is_done.set()
        closer.join()
    assert report.counts == {"created": 200}
    assert report.frame["attempts"].eq(1).all()
