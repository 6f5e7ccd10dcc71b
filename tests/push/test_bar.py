"""The bar of a push: it ticks while requests wait, and its time left is the limit's."""

from __future__ import annotations

import io
import re
import sys
import threading
from collections.abc import Callable

import pytest
from canned import Canned, CannedServer
from stars import frame_of, push, serving
from tqdm import tqdm

from respan_notebook import RespanClient
from respan_notebook.client.gate import Gate
from respan_notebook.client.retry import RetryBudget
from respan_notebook.client.settings import RequestSettings
from respan_notebook.push.progress import ProgressBar


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Drawn:
    """A bar of some scores on a clock that the test turns, and the gate that they pass."""

    def __init__(self, scores: int) -> None:
        self.clock = Clock()
        self.gate, self._budget = Gate(self.clock), RetryBudget(RequestSettings())
        self._tqdm = tqdm(total=scores, file=io.StringIO())
        self._bar = ProgressBar(self._tqdm, "a note", self.clock)

    def send(self, scores: int) -> None:
        for _ in range(scores):
            self.gate.passed(self.gate.request()[1])

    def text(self, done: int, in_flight: int = 0) -> str:
        self._bar.show(done, in_flight, self.gate, self._budget)
        return str(self._tqdm.postfix)


class Watched(io.StringIO):
    """A stream that tells when it has been written a text."""

    def __init__(self, pattern: str) -> None:
        super().__init__()
        self._pattern, self.found = re.compile(pattern), threading.Event()

    def write(self, text: str) -> int:
        if self._pattern.search(text):
            self.found.set()
        return super().write(text)


def lefts(shown: str, reason: str) -> list[int]:
    """Return the times left, in seconds, as the bar shows them beside a reason."""
    return [int(n) for n in re.findall(rf"{reason}[^\]]*about (\d+) s left", shown)]


def test_bar__counts_down_under_a_told_limit(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(45) as client:
        push(frame_of(45), client, rate_limit="20/3s", progress=True)
    shown = capsys.readouterr().err
    left = lefts(shown, "limited to 20 in 3 s")
    assert left == sorted(left, reverse=True)
    assert {4, 5} <= set(left) <= {0, 1, 2, 3, 4, 5, 6, 7}, "it ticks every second"
    assert "scores/s" not in shown, "the rate is that of the limit"


def test_bar__counts_down_what_the_server_asks_for(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(25, rate_limit=(20, 3)) as client:
        client.gate.refused(client.gate.request()[1], 3.0)
        push(frame_of(25), client, progress=True)
        limit = client.gate.limit
    shown = capsys.readouterr().err
    assert {"3", "2", "1"} <= set(re.findall(r"the server asks to wait, (\d) s more", shown))
    assert limit is None or "limited to" in shown


def test_bar__measures_a_rate_where_nothing_is_limited(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(60, latency_ms=1000) as client:
        push(frame_of(60), client, progress=True, concurrency=16)
    shown = capsys.readouterr().err
    assert re.search(r"\d scores/s, about \d+ s left", shown)


def test_estimate__counts_what_went_and_what_is_held() -> None:
    clock = Clock()
    gate = Gate(clock)
    assert gate.estimate(1_000) == 0
    with gate.paced((60, 60.0)):
        assert gate.estimate(60) == 0
        for _ in range(60):
            gate.passed(gate.request()[1])
        assert gate.estimate(1) == pytest.approx(61.2, abs=0.3)
        assert gate.estimate(61) == pytest.approx(122.4, abs=0.3)
        clock.now += 40
        assert gate.estimate(60) == pytest.approx(21.2, abs=0.3)
        _, permit = gate.request()
        clock.now += 30
        gate.refused(gate.request()[1], 100.0)
        assert gate.estimate(1) == pytest.approx(100, abs=0.3)
        assert permit


def test_bar__says_waiting_as_waiting_with_a_countdown() -> None:
    bar = Drawn(180)
    with bar.gate.paced((60, 60.0)):
        bar.send(60)
        assert bar.text(60) == "limited to 60/min, waiting 62 s, about 2 min left"
        bar.clock.now += 20
        assert bar.text(60) == "limited to 60/min, waiting 42 s, about 2 min left"
        bar.gate.refused(bar.gate.request()[1], 100.0)
        assert bar.text(60) == "the server asks to wait, 100 s more, about 4 min left"


def test_bar__of_scores_that_are_all_in_flight_waits_for_no_limit() -> None:
    bar = Drawn(60)
    with bar.gate.paced((60, 60.0)):
        for _ in range(60):
            bar.gate.request()
        assert bar.text(50, in_flight=10) == "limited to 60/min"
        assert bar.text(50, in_flight=9) == "limited to 60/min, waiting 62 s, about 1 min left"


def test_bar__knows_which_scores_of_a_push_are_in_flight(
    canned: Callable[..., CannedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers come when the bar no longer says that it waits."""
    shown = Watched(r"0/2 .*limited to 2/h\]")

    def answer(_path: str) -> Canned:
        shown.found.wait(30)
        return Canned(status=200, body=b'{"id": "s", "scorer": "ann@example.com"}')

    server = canned(answer)
    with RespanClient("key", server.base_url) as client, monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", shown)
        push(frame_of(2), client, rate_limit="2/h", progress=True)
    assert shown.found.is_set()


def test_bar__time_left_is_the_limit_s_unless_it_goes_slower() -> None:
    bar = Drawn(60)
    with bar.gate.paced((20, 3.0)):
        for done in (20, 40):
            bar.send(20)
            bar.text(done)
            bar.clock.now += 3.1
        bar.clock.now -= 1
        assert bar.text(40).endswith("about 1 s left"), "what bursts seem to take does not count"
        bar.clock.now += 60
        bar.send(1)
        bar.text(41)
        bar.clock.now += 6
        assert bar.text(42).endswith("about 2 min left"), "one in 6 s"


def test_bar__shows_its_note_until_a_score_is_done() -> None:
    bar = Drawn(60)
    assert bar.text(0) == "a note"
    assert bar.text(1) == ""
    with bar.gate.paced((20, 3.0)):
        assert bar.text(0).startswith("a note, limited to 20 in 3 s")


def test_reading_bar__ticks_while_an_answer_is_awaited(
    canned: Callable[..., CannedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer comes when the bar has ticked twice."""
    shown = Watched("reading.*00:02")

    def answer(path: str) -> Canned:
        if "/scores/list/" in path:
            shown.found.wait(30)
            return Canned(body=b'{"count": 0, "next": null, "results": []}')
        return Canned(status=200, body=b'{"id": "s", "scorer": "ann@example.com"}')

    server = canned(answer)
    with RespanClient("key", server.base_url) as client, monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", shown)
        report = push(frame_of(2), client, skip_unchanged=True, progress=True)
    assert shown.found.is_set()
    assert report.counts == {"updated": 2}


def test_reading_bar__counts_down_what_the_server_asks_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving(2) as client:
        push(frame_of(1), client)
        client.gate.refused(client.gate.request()[1], 3.0)
        push(frame_of(2), client, skip_unchanged=True, progress=True)
    shown = capsys.readouterr().err
    assert {"2", "1"} & set(re.findall(r"reading.*asks to wait, (\d) s more", shown))
