"""Threads of an engine."""

from __future__ import annotations

import threading
from collections.abc import Callable

from canned import CannedServer

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
