"""A server of scores whose every answer is ordered, on a clock that only waits move on."""

from __future__ import annotations

import itertools
import json
import math
import select
import signal
import socket
import socketserver
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final
from urllib.parse import unquote

from tqdm import TMonitor

from respan_notebook.client.retry import RetryBudget
from respan_notebook.push.engine import Engine

PATIENCE: Final = 10.0  # Real seconds after which a wait of the tests is taken for a hang.
_STEP: Final = 10.0  # The clock shows multiples of it, so that no request has next to no time.
_COMPANY: Final = 0.03  # Real seconds that a late answer waits for another request.
_IDS: Final = {"stars": "ev_stars", "moons": "ev_moons"}
_LOOK: Final = RetryBudget.left.fget.__code__
_REFUSAL: Final = b'{"detail": "no"}'


@dataclass(frozen=True)
class Fault:
    """Order the answer to one request.

    Attributes
    ----------
    kind : str
        What a push makes of it: ``arrives``, ``wrong``, ``renamed``, ``refused``, ``unread``,
        ``again`` (tried again) or ``held``.
    status : int or None
        Of an answer with ``body``; 0 for the API's own answer, None for no answer.
    stores : bool
        Whether the score is stored.
    early : str
        ``press`` (Ctrl-C), ``slow`` (the clock moves on), ``late`` (waits for company) or
        ``outlast`` (the push ends first), before the answer.
    shape : str
        ``cut`` or ``hints`` (a 103 before the answer).
    """

    kind: str
    status: int | None = 0
    body: bytes = _REFUSAL
    stores: bool = False
    early: str = ""
    shape: str = ""


def _hold(**fields: Any) -> Fault:
    return Fault("held", 429, json.dumps({"detail": "slow down", **fields}).encode())


FAULTS: Final = {
    "fine": Fault("arrives", stores=True),
    "hints": Fault("arrives", stores=True, shape="hints"),
    "late": Fault("arrives", stores=True, early="late"),
    "slow": Fault("arrives", stores=True, early="slow"),
    "press": Fault("arrives", stores=True, early="press"),
    "press, drop": Fault("again", None, stores=True, early="press"),
    "outlast": Fault("arrives", stores=True, early="outlast"),
    "outlast, drop": Fault("again", None, early="outlast"),
    "renamed": Fault("renamed", stores=True),
    "wrong log": Fault("wrong"),
    "wrong log, stored": Fault("wrong", stores=True),
    "empty": Fault("unread", 201, b"", stores=True),
    "no score": Fault("unread", 200, b'{"ok": true}'),
    "no JSON": Fault("again", 200, b"<h1>Hello</h1>", stores=True),
    "drop": Fault("again", None),
    "stored, drop": Fault("again", None, stores=True),
    "cut": Fault("again", None, stores=True, shape="cut"),
    "500": Fault("again", 500, b'{"detail": "oops"}'),
    "502": Fault("again", 502, b"<h1>Bad gateway</h1>"),
    "409": Fault("again", 409, b'{"error": "exists"}'),
    **{str(status): Fault("refused", status) for status in (400, 401, 403, 404, 413, 422, 308)},
    "429": _hold(),
    "429, 0 s": _hold(retry_after=0),
    "429, 30 s": _hold(retry_after=30),
    "429, 5000 s": _hold(retry_after=5000),
}


@dataclass(frozen=True)
class Seen:
    """Hold one request as the server saw it, and what became of it."""

    log_id: str
    evaluator: str
    body: dict[str, Any]
    fault: Fault
    score_id: str | None  # None unless it was stored.
    is_first: bool  # Whether the server had no score there.


class FakeClock:
    """Tell a time that moves on only when somebody waits, and then at once.

    Attributes
    ----------
    presses_at : int
        The wait during which Ctrl-C is pressed; 0 for none.
    stalls_at : int
        The look at the time left at which a thread stops until its push is over; 0 for none.
    """

    def __init__(self, press: Callable[[], bool], stall: Callable[[], object]) -> None:
        self.now = 0.0
        self.presses_at = self.stalls_at = 0
        self._press, self._stall = press, stall
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        # The gate reads it, too, under a lock that the end of a push needs.
        is_look = sys._getframe(1).f_code is _LOOK
        if is_look and threading.current_thread() is not threading.main_thread():
            self.stalls_at -= 1
            if self.stalls_at == 0:
                self._stall()
        return self.now

    def move_on(self, seconds: float) -> None:
        with self._lock:
            self.now = math.ceil((self.now + seconds) / _STEP) * _STEP

    def wait(self, event: threading.Event, seconds: float) -> bool:
        if event.is_set():
            return True
        self.move_on(seconds)
        self.presses_at -= 1
        if self.presses_at == 0 and self._press():
            return event.wait(PATIENCE)
        return event.wait(0.0002)  # Others get their turn.


class Keyboard:
    """Press Ctrl-C while a push sends; at any other moment it is no push that is interrupted."""

    def __init__(self) -> None:
        self.presses = 0  # Those that interrupted something.
        self._is_ordered = False
        self._handled = threading.Event()
        self._lock = threading.Lock()

    @contextmanager
    def connected(self) -> Iterator[None]:
        previous = signal.signal(signal.SIGINT, self._interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)

    def press(self) -> bool:
        """Press Ctrl-C; return whether a push was interrupted."""
        with self._lock:
            self._handled.clear()
            presses, self._is_ordered = self.presses, True
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            assert self._handled.wait(PATIENCE)
            return self.presses > presses

    def _interrupt(self, _signal: int, frame: FrameType | None) -> None:
        if not self._is_ordered:
            raise KeyboardInterrupt
        codes = set()
        while frame is not None:
            codes.add(frame.f_code)
            frame = frame.f_back
        # Beyond the sending and its wait for requests in flight, it ends what called the push.
        waits = {Engine.__exit__.__code__, threading.Thread.join.__code__}
        is_sending = Engine.send.__code__ in codes or waits <= codes
        self._is_ordered = False
        self.presses += is_sending
        self._handled.set()
        if is_sending:
            raise KeyboardInterrupt


@dataclass
class World:
    """Hold the scores of one key, the requests that were seen, and the answers that are ordered."""

    keyboard: Keyboard
    scores: dict[tuple[str, str], tuple[str, dict[str, Any]]] = field(default_factory=dict)
    requests: list[Seen] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)
    child_faults: deque[str] = field(default_factory=deque)
    log_ids: set[str] = field(default_factory=set)  # Of the push.
    has_deadline: bool = False
    pushed: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.clock = FakeClock(self.keyboard.press, self.outlast)

    def answer(self, log_id: str, body: dict[str, Any]) -> tuple[bytes, bool]:
        """Return the bytes of the answer, and whether the connection goes on."""
        with self.changed:
            faults = self.child_faults if log_id.startswith("child") else self.faults
            name = faults.popleft() if faults else "fine"
            others = self.log_ids - {log_id}
            if name.startswith("wrong") and not others:
                name = "fine"
            fault = FAULTS[name]
            evaluator = body.get("evaluator_slug") or str(body["evaluator_id"])[3:]
            is_first = (log_id, evaluator) not in self.scores
            if fault.stores:
                score_id, _ = self.scores.get((log_id, evaluator), (f"s{len(self.scores)}", body))
                self.scores[log_id, evaluator] = score_id, body
            seen = Seen(
                log_id, evaluator, body, fault, score_id if fault.stores else None, is_first
            )
            self.requests.append(seen)
            self.changed.notify_all()
        _EARLY[fault.early](self)
        named = {"wrong": min(others, default=""), "renamed": f"srv-{log_id}"}
        return _render(seen, named.get(fault.kind, log_id))

    def wait_for_company(self) -> None:
        with self.changed:
            seen = len(self.requests)
            self.changed.wait_for(lambda: len(self.requests) > seen, _COMPANY)

    def outlast(self) -> None:
        if self.has_deadline:
            self.clock.move_on(1e6)
            assert self.pushed.wait(PATIENCE)


_EARLY: Final[dict[str, Callable[[World], object]]] = {
    "": lambda _world: None,
    "press": lambda world: world.keyboard.press(),
    "slow": lambda world: world.clock.move_on(_STEP),
    "late": World.wait_for_company,
    "outlast": World.outlast,
}


def _render(seen: Seen, log_id: str) -> tuple[bytes, bool]:
    fault, status = seen.fault, seen.fault.status
    if status is None and fault.shape != "cut":
        return b"", False
    body = fault.body
    if not status:
        status = 201 if seen.is_first else 200
        names = {"evaluator_slug": seen.evaluator, "evaluator_id": _IDS[seen.evaluator]}
        score = {"id": seen.score_id or "s", "log_id": log_id, "is_passed": True, **names}
        body = json.dumps(score).encode()
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" if fault.shape == "hints" else b""
    is_cut = fault.shape == "cut"
    size = len(body) + 5 * is_cut
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n"
    return early + head.encode() + b"Location: /elsewhere\r\n\r\n" + body, not is_cut


class _Handler(socketserver.StreamRequestHandler):
    server: Api

    def handle(self) -> None:
        goes_on = True
        while goes_on:
            select.select([self.connection], [], [])
            with self.server.handling(self.connection):  # From before anything of it is read.
                try:
                    line = self.rfile.readline()
                    goes_on = bool(line) and self._answer(line.decode())
                except ConnectionError:
                    goes_on = False  # The client has gone.

    def _answer(self, line: str) -> bool:
        method, path, _ = line.split(" ")
        headers = {}
        while header := self.rfile.readline().strip():
            name, _, value = header.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0)))
        *start, log_id, scores, end = path.split("/")
        assert (method, start, scores, end) == ("POST", ["", "api", "logs"], "scores", "")
        world = self.server.worlds[headers["authorization"].removeprefix("Bearer ")]
        answer, goes_on = world.answer(unquote(log_id), json.loads(body))
        self.wfile.write(answer)
        return goes_on


class Api(socketserver.ThreadingTCPServer):
    """A server with a world for each key."""

    daemon_threads = allow_reuse_address = True
    request_queue_size = 100

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.worlds: dict[str, World] = {}
        self.errors: list[str] = []
        self._numbers = itertools.count()
        self._idle: set[socket.socket] = set()
        self._busy = 0
        self._lock = threading.Lock()
        self.base_url = f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.01}, name="api", daemon=True
        )
        self._thread.start()

    def get_request(self) -> tuple[socket.socket, Any]:
        with self._lock:
            request, address = super().get_request()
            self._idle.add(request)
        return request, address

    @contextmanager
    def handling(self, connection: socket.socket) -> Iterator[None]:
        with self._lock:
            self._idle.discard(connection)
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._idle.add(connection)
                self._busy -= 1

    def close_request(self, request: Any) -> None:
        with self._lock:
            self._idle.discard(request)
        super().close_request(request)

    def settle(self) -> None:
        """Wait until everything that was sent has been read and answered."""
        latest = time.monotonic() + PATIENCE
        while self._is_open():
            assert time.monotonic() < latest, "a request has no answer"
            time.sleep(0.0005)

    def _is_open(self) -> bool:
        with self._lock:
            unread, _, _ = select.select([self.socket, *self._idle], [], [], 0)
            return bool(unread or self._busy)

    def process_request(self, request: Any, client_address: Any) -> None:
        threading.Thread(
            target=self.process_request_thread,
            args=[request, client_address],
            name="api",
            daemon=True,
        ).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        self.errors.append(traceback.format_exc())

    def close(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def add_world(self, keyboard: Keyboard) -> str:
        """Return the key of a new world without scores."""
        key = f"key_{next(self._numbers)}"  # Not one of before: its gate may live still.
        self.worlds.clear()
        self.worlds[key] = World(keyboard)
        return key


def await_threads(earlier: set[threading.Thread]) -> None:
    """Wait for the threads that a push has started, but not for those of the server."""
    latest = time.monotonic() + PATIENCE
    for thread in set(threading.enumerate()) - earlier:
        if thread.name != "api" and not isinstance(thread, TMonitor):  # Of the progress bars.
            thread.join(latest - time.monotonic())
            assert not thread.is_alive(), "a thread of a push goes on"
