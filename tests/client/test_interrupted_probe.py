"""A probe whose request is interrupted is given back, at whatever moment that is."""

from __future__ import annotations

import time
from threading import Thread, current_thread, main_thread

import pytest
from stars import sandbox_of

from respan_notebook import RespanClient, Sandbox
from respan_notebook.client.settings import Clock, RequestSettings


class Interrupting:
    """A clock that is interrupted when it is read the n-th time from :attr:`left` on."""

    left = 0

    def __call__(self) -> float:
        self.left -= current_thread() is main_thread()
        if self.left == 0:
            self.left = -1
            raise KeyboardInterrupt
        return time.monotonic()


def is_interrupted(sandbox: Sandbox, reading: int) -> bool:
    """Interrupt a probe at a reading of the clock, if it goes so far; another one goes then."""
    clock = Interrupting()
    settings = RequestSettings(clock=Clock(monotonic=clock))
    with RespanClient(sandbox.api_key, sandbox.base_url, settings=settings) as client:
        client.gate.refused(client.gate.request()[1], 0.0)
        while client.gate.held():
            time.sleep(0.01)
        clock.left = reading
        try:
            client.get_log("log_0")
        except KeyboardInterrupt:
            assert client.gate.request()[0] == 0, f"interrupted at reading {reading}"
            return True
    return False


def test_probe__interrupted_at_any_reading_of_the_clock_lets_another_go() -> None:
    with sandbox_of(1) as sandbox:
        interrupted = [is_interrupted(sandbox, reading) for reading in range(1, 20)]
    assert interrupted[:4] == [True] * 4
    assert not interrupted[-1], "the request takes fewer"


def test_probe__of_another_thread_is_not_given_back() -> None:
    with sandbox_of(1) as sandbox, RespanClient(sandbox.api_key, sandbox.base_url) as client:
        gate = client.gate
        gate.refused(gate.request()[1], 0.0)
        time.sleep(gate.held())
        asking = Thread(target=gate.request)
        asking.start()
        asking.join()
        with pytest.raises(KeyboardInterrupt), gate.giving_back():
            raise KeyboardInterrupt
        assert gate.request()[0] > 0
