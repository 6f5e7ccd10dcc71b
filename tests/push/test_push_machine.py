"""Random pushes, retries and resumed pushes against a server that fails at random.

By hand, with more examples than the tests have time for::

    RESPAN_EXAMPLES=10000 pytest --no-cov --timeout 0 tests/push/test_push_machine.py
"""

from __future__ import annotations

import os
import pickle
import select
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pandas as pd
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from push_machine_model import (
    ATTEMPTS,
    EVALUATORS,
    Event,
    Known,
    Row,
    check_names,
    check_parts,
    check_push,
    make_frame,
    plan_lines,
    read_records,
)
from push_machine_server import FAULTS, PATIENCE, Api, Keyboard, await_threads

from respan_notebook import PushReport, RespanClient
from respan_notebook.client.settings import Clock, RequestSettings

EXAMPLES: Final = int(os.environ.get("RESPAN_EXAMPLES", "0"))
LOG_IDS: Final = ["log_0", "log_1", "log_2", "log_3", "00123", "ö/1"]
CELLS: Final = {"stars": [1, 2, 3, 4, None, 9, "bad"], "moons": [True, False, None, "yes"]}
rows = st.builds(
    Row,
    st.sampled_from([*LOG_IDS, None, ""]),
    st.fixed_dictionaries({name: st.sampled_from(cells) for name, cells in CELLS.items()}),
    st.sampled_from([None, None, "why", "because"]),
)
frames = st.lists(rows, min_size=1, max_size=6)
faults = st.one_of(
    st.lists(st.sampled_from(sorted(FAULTS)), max_size=6),
    st.sampled_from(["403", "308", "429", "500", "stored, drop", "renamed"]).map(
        lambda one: [one] * 6
    ),
)
child_faults = st.lists(
    st.sampled_from(["fine", "drop", "stored, drop", "404", "500", "late", "hints"]), max_size=4
)
columns = st.sampled_from([["stars"], ["stars", "moons"], ["moons", "stars"]])


class PushMachine(RuleBasedStateMachine):
    """Push, retry, resume, save, pickle and fork; after each push its report is compared."""

    api: Api
    keyboard: Keyboard
    folder: Path
    reports = Bundle("reports")

    @initialize(
        concurrency=st.sampled_from([1, 1, 1, 4]),
        forks=st.sampled_from([0, 0, 0, hasattr(os, "fork")]),
    )
    def start(self, concurrency: int, forks: int) -> None:
        self.concurrency, self.forks = concurrency, forks
        key = self.api.add_world(self.keyboard)
        self.world = self.api.worlds[key]
        clock = Clock(self.world.clock.monotonic, self.world.clock.wait)
        limits = RequestSettings(attempts=ATTEMPTS, budget=6, refusals=3, clock=clock)
        self.client = RespanClient(key, self.api.base_url, timeout=PATIENCE, settings=limits)

    def teardown(self) -> None:
        if hasattr(self, "client"):
            self.client.close()
        assert self.api.errors == []

    @rule(
        target=reports,
        rows=frames,
        columns=columns,
        on_duplicate=st.sampled_from(["last", "first"]),
        deadline=st.sampled_from([None, None, None, 25.0, 1005.0]),
        orders=faults,
        presses_at=st.sampled_from([0, 0, 0, 1, 2]),
        stalls_at=st.integers(0, 12),
    )
    def push(
        self,
        rows: list[Row],
        orders: list[str],
        presses_at: int,
        stalls_at: int,
        **options: Any,
    ) -> Known:
        self.world.clock.stalls_at = stalls_at
        return self._push(rows, orders, presses_at, **options)

    @rule(target=reports, known=reports, orders=faults, presses_at=st.sampled_from([0, 0, 0, 1]))
    def retry(self, known: Known, orders: list[str], presses_at: int) -> Known:
        def send() -> PushReport:
            return known.report.retry(None if known.has_client else self.client)

        event = Event([], known.records, has_deadline=known.has_deadline)
        return self._send(send, replace(known, has_client=True), event, orders, presses_at)

    @rule(
        target=reports,
        known=reports,
        source=st.sampled_from(["report", "frame", "csv", "parquet"]),
        mended=st.lists(st.tuples(st.integers(0, 5), rows), max_size=2),
        orders=faults,
    )
    def resume(
        self, known: Known, source: str, mended: list[tuple[int, Row]], orders: list[str]
    ) -> Known:
        now = list(known.rows)
        for position, row in mended:
            now[position % len(now)] = row
        earlier: Any = {"report": known.report, "frame": known.report.frame}.get(source)
        if earlier is None:
            earlier = self.folder / f"report.{source}"
            known.report.save(earlier)
        return self._push(now, orders, columns=known.columns, resumed=known.arrived, resume=earlier)

    @rule(target=reports, known=reports, kind=st.sampled_from(["pickle", "csv", "parquet"]))
    def store(self, known: Known, kind: str) -> Known:
        if kind == "pickle":
            copy: PushReport = pickle.loads(pickle.dumps(known.report))
        else:
            path = self.folder / f"stored.{kind}"
            known.report.save(path)
            copy = PushReport.load(path)
        pd.testing.assert_frame_equal(copy.frame, known.report.frame)
        assert repr(copy) == repr(known.report)
        check_parts(stored := replace(known, report=copy, has_client=False))
        return stored

    @precondition(lambda self: self.forks)
    @rule(target=reports, rows=frames, childs=frames, orders=faults, child_orders=child_faults)
    def fork(
        self, rows: list[Row], childs: list[Row], orders: list[str], child_orders: list[str]
    ) -> Known:
        """Push in a child and here at once, over one client."""
        self.forks = 0  # Of all rules it takes the longest.
        childs = [replace(row, log_id=row.log_id and f"child_{row.log_id}") for row in childs]
        self.world.child_faults = deque(child_orders)
        self.world.clock.presses_at = self.world.clock.stalls_at = 0
        self.world.log_ids = {row.log_id for row in [*rows, *childs] if row.log_id}
        start = len(self.world.requests)
        read = _start_child(lambda: self._push_rows(childs, ["stars"]))
        known = self._push(rows, orders)
        answer = _read_child(read)
        self.api.settle()
        assert isinstance(answer, PushReport), answer
        seen = [one for one in self.world.requests[start:] if one.log_id.startswith("child")]
        child = Known(answer, childs, plan_lines(childs, ["stars"], "last"), ["stars"])
        check_push(child, Event(seen), self.world.scores)
        return known

    def _push_rows(self, rows: list[Row], columns: list[str], **options: Any) -> PushReport:
        return make_frame(rows).respan.push_scores(
            [EVALUATORS[name] for name in columns],
            client=self.client,
            concurrency=self.concurrency,
            progress=False,
            **options,
        )

    def _push(
        self,
        rows: list[Row],
        orders: list[str],
        presses_at: int = 0,
        *,
        columns: Sequence[str] = ("stars",),
        resumed: Mapping[str, dict[str, Any]] = MappingProxyType({}),
        **options: Any,
    ) -> Known:
        columns = list(columns)
        lines = plan_lines(rows, columns, options.get("on_duplicate", "last"))
        has_deadline = options.get("deadline") is not None
        known = Known(None, rows, lines, columns, has_deadline=has_deadline)
        event = Event([], resumed=resumed, has_deadline=has_deadline)
        return self._send(
            lambda: self._push_rows(rows, columns, **options), known, event, orders, presses_at
        )

    def _send(
        self,
        send: Callable[[], PushReport],
        known: Known,
        event: Event,
        orders: list[str],
        presses_at: int,
    ) -> Known:
        """Run a push with the answers that are ordered, and compare its report."""
        world, earlier = self.world, set(threading.enumerate())
        world.faults, world.clock.presses_at = deque(orders), presses_at
        world.log_ids = {row.log_id for row in known.rows if row.log_id}
        world.has_deadline = event.has_deadline
        world.pushed.clear()
        start, presses, begun = len(world.requests), self.keyboard.presses, time.monotonic()
        try:
            known = replace(known, report=send())
        finally:
            world.pushed.set()
        assert time.monotonic() - begun < PATIENCE
        records = known.records
        await_threads(earlier)
        self.api.settle()
        assert read_records(known.report.frame) == records  # Whatever ended later.
        seen = [one for one in world.requests[start:] if not one.log_id.startswith("child")]
        event = replace(event, seen=seen, presses=self.keyboard.presses - presses)
        check_push(known, event, world.scores)
        check_names(known, event)
        return known


def _start_child(push: Callable[[], PushReport]) -> int:
    """Fork; return the end of a pipe by which the child sends its report, or its error's text."""
    read, write = os.pipe()
    if os.fork():
        os.close(write)
        return read
    answer: object = None
    try:
        answer = push()
    except BaseException:  # noqa: BLE001 - the child must go no further than here.
        answer = traceback.format_exc()
    with os.fdopen(write, "wb") as pipe:
        pickle.dump(answer, pipe)
    os._exit(0)


def _read_child(read: int) -> object:
    with os.fdopen(read, "rb") as pipe:
        readable, _, _ = select.select([pipe], [], [], PATIENCE)
        assert readable, "the child hangs"
        answer = pickle.load(pipe)
    os.wait()
    return answer


@pytest.mark.timeout(1500)  # Half a minute by itself, and several beside browsers.
# Forking while threads run is what a notebook does.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_push__reports_what_the_server_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)  # Every client would read it.
    run = settings(
        max_examples=EXAMPLES or 200,
        stateful_step_count=6,
        derandomize=not EXAMPLES,
        phases=[Phase.generate],  # Shrinking would push for many minutes.
        print_blob=False,
    )
    api, keyboard = Api(), Keyboard()
    with tempfile.TemporaryDirectory() as folder, keyboard.connected():
        given = {"api": api, "keyboard": keyboard, "folder": Path(folder)}
        machine = type("Machine", (PushMachine,), given)
        try:
            run_state_machine_as_test(machine, settings=run)
        finally:
            api.close()
