"""The state of a gate that several processes share: whose limit and probe is whose."""

from __future__ import annotations

import pytest

from respan_notebook.client.gate_state import GateState, Permit
from respan_notebook.client.settings import RequestSettings

ANN, BOB = "process of Ann", "process of Bob"
OPEN = Permit(0, is_counted=False)  # Of a request that went while nothing was limited.
LIMIT = (2, 60.0)


def held(seconds: float = 30.0) -> GateState:
    """Return a state at 1000 s that one 429 holds."""
    state = GateState(now=1000.0)
    return state.refuse(OPEN, seconds, RequestSettings(), 0.0)


def probed(owner: str) -> GateState:
    """Return a state after a hold, with a probe of a process out."""
    state, seconds = held().at(1030.0).request(owner, 0.0)
    assert (seconds, state.prober) == (0, owner)
    return state


def use_up(state: GateState, owner: str = ANN) -> GateState:
    """Send what a limit of two lets through."""
    for _ in range(2):
        state, seconds = state.request(owner, 0.0)
        assert seconds == 0
    return state


@pytest.mark.parametrize(("seconds", "goes"), [(0.0, False), (29.99, False), (30.0, True)])
def test_request__waits_for_the_whole_hold(seconds: float, goes: bool) -> None:
    wait = held().at(1000.0 + seconds).request(ANN, 0.0)[1]
    assert wait == (0 if goes else pytest.approx(30 - seconds))


def test_request__waits_for_the_probe_of_another_process() -> None:
    assert probed(ANN).request(BOB, 0.0)[1] > 0


def test_end_probe__of_another_process_changes_nothing() -> None:
    state = probed(ANN)
    assert state.end_probe(BOB) == state
    assert state.end_probe(ANN).request(BOB, 0.0)[1] == 0


def test_without__forgets_the_probe_of_a_process_that_ended() -> None:
    assert probed(ANN).without({BOB}) == probed(ANN)
    assert probed(ANN).without({ANN}).request(BOB, 0.0)[1] == 0


def test_at__gives_up_a_probe_that_is_out_for_too_long() -> None:
    state = probed(ANN)
    assert state.at(1330.0, longest_probe=300.0).request(BOB, 0.0)[1] > 0
    assert state.at(1330.1, longest_probe=300.0).request(BOB, 0.0)[1] == 0


def test_without__forgets_the_limits_of_a_process_that_ended() -> None:
    state = GateState(now=1000.0).give(ANN, LIMIT).give(BOB, (5, 60.0))
    assert state.without({ANN}).limit == (5, 60.0)
    assert state.without({ANN, BOB}).is_open


def test_take_back__takes_the_limit_of_this_process_alone() -> None:
    state = GateState(now=1000.0).give(ANN, LIMIT).give(BOB, LIMIT)
    assert [window.owner for window in state.take_back(ANN, LIMIT).given] == [BOB]
    assert [window.owner for window in state.take_back(BOB, LIMIT).given] == [ANN]
    assert state.take_back(ANN, (3, 60.0)) == state


def test_take_back__of_two_alike_leaves_the_one_that_has_counted_more() -> None:
    state = use_up(GateState(now=1000.0).give(ANN, LIMIT)).give(ANN, LIMIT)
    state = state.take_back(ANN, LIMIT)
    assert state.limit == LIMIT
    assert state.request(BOB, 0.0)[1] > 50


def test_give__counts_what_passed_while_nothing_was_limited() -> None:
    state = GateState(now=1000.0).record(OPEN, 2, 1000.0).give(ANN, LIMIT)
    assert state.request(ANN, 0.0)[1] > 50


def test_record__counts_what_went_before_the_limit_was_given() -> None:
    """A process stores what has passed a moment later, when another may have given a limit."""
    state = GateState(now=1000.0).give(ANN, LIMIT).record(OPEN, 2, 999.0)
    assert state.request(ANN, 0.0)[1] > 50
    counted = use_up(GateState(now=1000.0).give(ANN, (4, 60.0)))
    counted = counted.record(Permit(0, is_counted=True), 2, 1000.0)
    assert use_up(counted).request(ANN, 0.0)[1] > 50, "none is counted twice"


def test_at__a_clock_that_began_anew_goes_on_from_there() -> None:
    state = use_up(GateState(now=90_000.0).give(ANN, LIMIT)).at(5.0)
    assert state.now == 5.0
    assert 50 < state.request(ANN, 0.0)[1] < 62
    assert state.at(67.0).request(ANN, 0.0)[1] == 0
    assert held().at(5.0).request(ANN, 0.0)[1] == pytest.approx(30)
    assert held().at(35.0).request(ANN, 0.0)[1] == pytest.approx(30)
    assert held().at(5.0).at(35.0).request(ANN, 0.0)[1] == 0


def test_at__the_clock_of_another_process_may_be_a_little_behind() -> None:
    assert held().at(999.5).now == 1000.0


def test_rejoin__takes_up_what_a_process_did_by_itself() -> None:
    shared = use_up(GateState(now=1000.0).give(ANN, (4, 60.0)).give(BOB, (9, 60.0)))
    alone = shared.alone(ANN)
    assert alone.limit == (4, 60.0)
    assert [window.owner for window in alone.given] == [ANN]
    alone = use_up(alone.at(1010.0)).give(ANN, (5, 60.0)).take_back(ANN, (4, 60.0))
    joined = use_up(shared.at(1005.0), BOB).rejoin(ANN, alone)
    assert {(window.owner, window.limit) for window in joined.given} == {
        (BOB, (9, 60.0)),
        (ANN, (5, 60.0)),
    }
    assert joined.estimate(3) == 0
    assert joined.estimate(4) == pytest.approx(61.2, abs=0.5), "of the five two went alone"
    of_bob = joined.without({ANN})
    assert of_bob.estimate(3) == 0
    assert of_bob.estimate(4) == pytest.approx(51.2, abs=0.5), "of the nine six went, two alone"


def test_rejoin__counts_what_went_alone_from_the_last_request_on() -> None:
    shared = GateState(now=1000.0).give(BOB, LIMIT)
    alone = shared.alone(ANN).at(1020.0).request(ANN, 0.0)[0].at(1030.0).request(ANN, 0.0)[0]
    joined = shared.at(1020.0).rejoin(ANN, alone)
    assert joined.request(BOB, 0.0)[1] == pytest.approx(61.2, abs=0.5)
    later = shared.at(1090.0)
    assert later.rejoin(ANN, alone).now == 1090.0


def test_rejoin__takes_up_a_hold_and_gives_up_a_probe() -> None:
    alone = probed(ANN).alone(ANN)
    assert alone.prober == ANN
    joined = probed(ANN).rejoin(ANN, alone.end_probe(ANN))
    assert joined.request(BOB, 0.0)[1] == 0
    assert probed(BOB).rejoin(ANN, alone).prober == BOB
    held_alone = (
        probed(ANN).alone(ANN).refuse(Permit(1, is_counted=True), 60.0, RequestSettings(), 0.0)
    )
    assert probed(ANN).rejoin(ANN, held_alone).request(BOB, 0.0)[1] == pytest.approx(60)
