"""The gate, on a clock that the test turns."""

from __future__ import annotations

import threading
from collections import deque

import pytest
from pydantic import SecretStr

from respan_notebook import ConfigurationError
from respan_notebook.client.gate import Gate, gate_for
from respan_notebook.client.gate_state import Permit
from respan_notebook.client.rate import Limit, parse_rate
from respan_notebook.client.server import Server
from respan_notebook.client.settings import RequestSettings


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock: Clock) -> Gate:
    return Gate(clock)


def go(gate: Gate) -> Permit:
    """Ask and be let through; return the permit."""
    seconds, permit = gate.request()
    assert seconds == 0
    return permit


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("60/min", (60, 60)),
        ("60 / minute", (60, 60)),
        ("5/s", (5, 1)),
        ("60/6s", (60, 6)),
        ("1/0.5 sec", (1, 0.5)),
        ("100/2hours", (100, 7200)),
    ],
)
def test_parse_rate__forms(text: str, limit: Limit) -> None:
    assert parse_rate(text) == limit


@pytest.mark.parametrize(
    "text", ["", "60", "60/", "0/s", "5/0s", "-5/s", "5/week", "many/s", "1.5/s"]
)
def test_parse_rate__refuses(text: str) -> None:
    with pytest.raises(ConfigurationError, match="a rate looks like"):
        parse_rate(text)


def test_ask__no_limit_no_wait(gate: Gate) -> None:
    for _ in range(1000):
        gate.passed(go(gate))
    assert (gate.limit, gate.held()) == (None, 0)


def test_paced__counts_over_a_sliding_window(gate: Gate, clock: Clock) -> None:
    with gate.paced((100, 1.0)), gate.paced((3, 10.0)):
        for second in (0, 4, 8):
            clock.now = 1000 + second
            go(gate)
        assert gate.request()[0] == pytest.approx(2, abs=0.03 * 10)
        clock.now = 1010.3
        go(gate)
        assert gate.request()[0] == pytest.approx(3.7, abs=0.03 * 10)
        assert gate.limit == (3, 10.0)
    go(gate)
    assert gate.limit is None


def test_refused__holds_all_then_one_probe_then_the_rest(gate: Gate, clock: Clock) -> None:
    permits = [go(gate) for _ in range(3)]
    gate.passed(permits[0])
    gate.refused(permits[1], 30.0)
    assert gate.held() == 30
    assert 30 <= gate.request()[0] < 30.1
    gate.refused(permits[2], 40.0)  # Went before the hold: it is as long as the longest.
    assert (gate.held(), gate.refusals) == (40, 1)
    clock.now += 40
    probe = go(gate)
    assert gate.request()[0] > 0, "only one probe"
    gate.passed(probe)
    assert gate.refusals == 0


def test_lost__a_lost_probe_lets_another_go(gate: Gate, clock: Clock) -> None:
    gate.refused(go(gate), 5.0)
    clock.now += 5
    probe = go(gate)
    gate.lost(probe)
    go(gate)


@pytest.mark.parametrize("retry_after", [None, 0.0])
def test_refused__backs_off_when_no_time_is_named(
    gate: Gate, clock: Clock, retry_after: float | None
) -> None:
    waits = []
    for _ in range(9):
        gate.refused(go(gate), retry_after)
        waits.append(gate.held())
        clock.now += gate.held()
    assert waits[0] <= 1
    for number, wait in enumerate(waits[1:], 1):
        assert min(60, 2**number) / 2 <= wait <= min(60, 2**number)


@pytest.mark.parametrize(
    ("named", "longest"),
    [(600.0, 600), (3600.0, 900), (3601.0, 1), (1_800_000_000.0, 1), (20261126.0, 1), (1e300, 1)],
    ids=["ten minutes", "an hour", "over an hour", "an epoch", "a date", "for ever"],
)
def test_refused__believes_no_time_over_an_hour(
    gate: Gate, clock: Clock, named: float, longest: int
) -> None:
    early, late = go(gate), go(gate)
    gate.refused(early, named)
    gate.refused(late, named)
    assert longest / 2 <= gate.held() <= longest
    clock.now += longest
    gate.passed(go(gate))


def serve(gate: Gate, clock: Clock, limit: Limit, requests: int) -> tuple[float, int]:
    """Send requests to a server with a sliding window; return seconds and 429s."""
    start, window, refused, sent = clock.now, deque[float](), 0, 0
    while sent < requests:
        seconds, permit = gate.request()
        if seconds > 0:
            clock.now += seconds
            continue
        clock.now += 0.001
        while window and window[0] <= clock.now - limit[1]:
            window.popleft()
        if len(window) >= limit[0]:
            refused += 1
            gate.refused(permit, float(-(-(window[0] + limit[1] - clock.now) // 1)))
        else:
            window.append(clock.now)
            sent += 1
            gate.passed(permit)
    return clock.now - start, refused


@pytest.mark.parametrize("limit", [(60, 6.0), (60, 60.0), (5, 1.0), (1, 3.0), (1000, 60.0)])
def test_learning__keeps_near_the_servers_limit(gate: Gate, clock: Clock, limit: Limit) -> None:
    seconds, refused = serve(gate, clock, limit, 10 * limit[0])
    assert seconds < 1.1 * 9 * limit[1] + 2
    assert refused <= 4


def test_learning__finds_out_that_the_server_takes_more(gate: Gate, clock: Clock) -> None:
    serve(gate, clock, (10, 10.0), 100)
    slow = gate.limit
    assert slow is not None
    assert slow[0] <= 11
    serve(gate, clock, (1000, 10.0), 2000)
    assert gate.limit is not None
    assert gate.limit[0] > 100


def test_learning__halves_when_no_time_is_named(gate: Gate, clock: Clock) -> None:
    limits = []
    for requests in (9, 4, 2):
        permits = [go(gate) for _ in range(requests)]
        for permit in permits[:-1]:
            gate.passed(permit)
        gate.refused(permits[-1], None)
        clock.now += gate.held() + 20
        gate.passed(go(gate))
        clock.now += 20
        limits.append(gate.limit or (0, 0.0))
    assert [count for count, _ in limits] == [4, 2, 1]
    permits = [go(gate)]
    gate.passed(permits[0])
    clock.now += 1.03 * limits[-1][1]
    gate.refused(go(gate), None)
    assert gate.limit is not None
    assert gate.limit[0] / gate.limit[1] < 1, "it may go below one a second"


def test_learning__late_answers_count(gate: Gate) -> None:
    permits = [go(gate) for _ in range(5)]
    gate.passed(permits[0])
    gate.refused(permits[1], 6.0)
    for permit in permits[2:]:
        gate.passed(permit)
    assert gate.limit is not None
    assert gate.limit[0] == 4


def test_learning__late_answers_count_once_only(gate: Gate, clock: Clock) -> None:
    """When a little more was tried and refused, what comes late changes nothing."""
    serve(gate, clock, (10, 10.0), 100)
    learned = gate.limit
    assert learned is not None
    permits = [permit for seconds, permit in (gate.request() for _ in range(5)) if not seconds]
    clock.now += 20
    permits = [go(gate) for _ in range(5)]
    gate.refused(permits[0], 5.0)
    for permit in permits[1:]:
        gate.passed(permit)
    assert gate.limit is not None
    assert gate.limit[0] <= learned[0]


def test_paced__a_429_does_not_forget_the_pace(gate: Gate, clock: Clock) -> None:
    with gate.paced((3, 60.0)):
        for _ in range(3):
            permit = go(gate)
        gate.refused(permit, 1.0)
        clock.now += 1.1
        assert gate.request()[0] > 50


def server(origin: str, key: str) -> Server:
    return Server(origin, "/api", SecretStr(key), 30.0)


def test_gate_for__one_per_server_and_key() -> None:
    one = gate_for(server("http://127.0.0.1:1", "a"), RequestSettings())
    found: list[Gate] = []
    thread = threading.Thread(
        target=lambda: found.append(gate_for(server("http://127.0.0.1:1", "a"), RequestSettings()))
    )
    thread.start()
    thread.join()
    assert found == [one]
    assert gate_for(server("http://127.0.0.1:1", "b"), RequestSettings()) is not one
    assert gate_for(server("http://127.0.0.1:2", "a"), RequestSettings()) is not one


def test_learning__passes_over_a_minute_ago_do_not_count(gate: Gate, clock: Clock) -> None:
    for seconds, requests in ((0, 7), (50, 3), (100, 2)):
        clock.now = 1000.0 + seconds
        permits = [go(gate) for _ in range(requests + 1)]
        for permit in permits[:requests]:
            gate.passed(permit)
    gate.refused(permits[-1], 10.0)
    # Five in the last minute and the ten seconds of the hold.
    assert gate.limit == (5, pytest.approx(70, rel=0.03))


def test_learning__looks_back_to_the_end_of_a_minute_without_requests(
    gate: Gate, clock: Clock
) -> None:
    for _ in range(7):
        gate.passed(go(gate))
    clock.now += 61
    gate.passed(go(gate))
    clock.now += 2
    gate.refused(go(gate), 10.0)
    assert gate.limit == (1, pytest.approx(12, rel=0.03))


def test_lost__of_a_request_from_before_the_hold_lets_no_second_probe_go(
    gate: Gate, clock: Clock
) -> None:
    early, late = go(gate), go(gate)
    gate.refused(early, 5.0)
    clock.now += 5
    go(gate)
    gate.lost(late)
    assert gate.request()[0] > 0


def test_limit__is_the_slowest_of_those_that_are_kept(gate: Gate) -> None:
    with gate.paced((3, 1.0)), gate.paced((100, 1000.0)), gate.paced((1, 0.1)):
        assert gate.limit == (100, 1000.0)


def wait_and_go(gate: Gate, clock: Clock) -> Permit:
    """Ask until one is let through; return the permit."""
    while (asked := gate.request())[0] > 0:
        clock.now += asked[0]
    return asked[1]


def test_paced__keeps_to_the_longer_of_two_limits(gate: Gate, clock: Clock) -> None:
    with gate.paced((3, 1.0)), gate.paced((5, 60.0)):
        for second in range(5):
            clock.now = 1000.0 + second
            go(gate)
        assert gate.request()[0] == pytest.approx(56, abs=0.03 * 60)


def test_request__goes_as_soon_as_what_it_waited_for_has_changed(gate: Gate) -> None:
    with gate.paced((100, 60.0)):
        with gate.paced((1, 60.0)):
            go(gate)
            assert gate.request()[0] > 50
        go(gate)


def refuse(gate: Gate, clock: Clock, retry_after: float | None = 10.0) -> Limit:
    """Refuse the next request, let the probe after the hold pass, and return the limit."""
    gate.refused(wait_and_go(gate, clock), retry_after)
    limit = gate.limit
    gate.passed(wait_and_go(gate, clock))
    assert limit is not None
    return limit


def test_learning__of_one_request_without_a_time_keeps_to_one(gate: Gate, clock: Clock) -> None:
    gate.passed(go(gate))
    assert refuse(gate, clock, None)[0] == 1


def test_learning__a_little_less_at_every_further_429(gate: Gate, clock: Clock) -> None:
    for _ in range(10):
        gate.passed(go(gate))
    limits = [refuse(gate, clock) for _ in range(6)]
    assert [count for count, _ in limits] == [10, 8, 6, 4, 3, 2]
    assert len({seconds for _, seconds in limits}) == 1


def test_learning__one_request_takes_longer_up_to_a_minute(gate: Gate, clock: Clock) -> None:
    gate.passed(go(gate))
    clock.now += 20
    limits = [refuse(gate, clock, 1.0) for _ in range(4)]
    assert [count for count, _ in limits] == [1, 1, 1, 1]
    first = limits[0][1]
    assert [seconds for _, seconds in limits] == [first, 2 * first, 60.0, 60.0]


def test_learning__is_more_patient_each_time_that_more_was_too_much(
    gate: Gate, clock: Clock
) -> None:
    for _ in range(4):
        gate.passed(go(gate))
    learned = refuse(gate, clock)
    assert learned[0] == 4
    passes = []
    for _ in range(3):
        passes.append(1)  # The probe.
        while gate.limit == learned:
            clock.now += 20
            gate.passed(go(gate))
            passes[-1] += 1
        assert gate.limit == (5, learned[1])
        assert refuse(gate, clock) == learned
    assert passes == [16, 32, 64]
    assert refuse(gate, clock) == (3, learned[1]), "less, when what was fine is too much"
