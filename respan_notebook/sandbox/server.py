"""Serve the sandbox from a thread."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ipaddress
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import uvicorn

from respan_notebook.sandbox.app import create_app
from respan_notebook.sandbox.keys import derive_test_key, sign_jwt
from respan_notebook.sandbox.middleware import Behaviour
from respan_notebook.sandbox.rules import Rules
from respan_notebook.sandbox.store import Store

DEFAULT_ANNOTATOR = "annotator@example.com"
# A log's id may take 10,000 characters, each of them up to 12 bytes once it is encoded.
MAX_HEADERS = 2**18
_GRACE: Final = 0.1  # Seconds that requests in flight have to end when the server stops.
_STEPS_OF_ACCEPT: Final = 5  # Steps of asyncio's loop in which an accepted connection is set up.


class Sandbox:
    """Serve a small local Respan from a thread of this process.

    Use it in a `with` statement, or call `start` and `stop`.

    Parameters
    ----------
    host
        The address to listen on: a loopback address, unless `allow_remote`.
    port
        The port to listen on; 0 takes a free one.
    db
        The SQLite file that stores everything; in memory if it is not given.
    demo
        Load the sample logs and evaluators.
    judged
        Load 600 made-up logs of December 2025 with the verdicts of a judge, judge@example.com,
        and the sample evaluators.
    annotators
        The emails that get an API key each. By default those stored in `db`, or else
        annotator@example.com.
    latency_ms
        The delay of every answer, in milliseconds.
    rate_limit
        `(n, seconds)`: at most `n` requests in any `seconds`, over all API keys; a 429 says in
        its body how long to wait.
    fail
        The share of requests, 0 to 1, that are answered with a 500 and do nothing. They are
        drawn from a generator with a fixed seed.
    allow_remote
        Let in other machines.
    next_keeps_parameters
        Let the `next` and `previous` of a page hold all parameters of the request. The documented
        ones hold `page` and `page_size` alone.
    log_routes_take_jwt
        Let the log routes take a dashboard JWT; Respan documents API keys alone for them.
    strict
        Refuse (400) a value field that is not the evaluator's, a number out of its bounds, and
        both id and slug of an evaluator. Respan itself takes them.
    checks_timestamp
        Answer 404 to a score whose `timestamp` is not its log's.
    meter
        Answer 402 once so many scores are stored, as when a plan is used up. How Respan answers
        then is not documented.

    Attributes
    ----------
    base_url : str
        The address, such as http://127.0.0.1:41234; empty before the first start.
    api_keys : dict
        The API key of each annotator, by email.
    test_keys : dict
        Their keys of the environment `test`; that of the API keys is `prod`.
    db : str or None
        The SQLite file.

    Raises
    ------
    ValueError
        If an argument is out of its range, or `db` is no SQLite database.
    OSError
        From `start`, if the address cannot be listened on.

    Examples
    --------
    >>> with Sandbox(annotators=["ann@example.com"]) as sandbox:
    ...     list(sandbox.api_keys)
    ['ann@example.com']
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        db: str | Path | None = None,
        demo: bool = False,
        judged: bool = False,
        annotators: Sequence[str] = (),
        latency_ms: float = 0,
        rate_limit: tuple[int, float] | None = None,
        fail: float = 0.0,
        allow_remote: bool = False,
        next_keeps_parameters: bool = False,
        log_routes_take_jwt: bool = True,
        strict: bool = False,
        checks_timestamp: bool = False,
        meter: int | None = None,
    ) -> None:
        self._host = _check_host(host, allow_remote=allow_remote)
        self._port = _check_port(port)
        self._behaviour = Behaviour(latency_ms, rate_limit, fail, log_routes_take_jwt)
        self._rules = Rules(next_keeps_parameters, strict, checks_timestamp, meter)
        self._annotators = _check_annotators(annotators)
        self._demo, self._judged = demo, judged
        self.db = None if db is None else str(db)
        self.base_url = ""
        self.api_keys: dict[str, str] = {}
        self._running: _Running | None = None

    def __repr__(self) -> str:
        return f"<Sandbox {self.base_url if self._running else 'not running'}>"

    @property
    def api_key(self) -> str:
        """The API key of the first annotator."""
        if not self.api_keys:
            raise RuntimeError("the sandbox has no API key before its first start: call start()")
        return next(iter(self.api_keys.values()))

    @property
    def test_keys(self) -> dict[str, str]:
        """The key of the environment `test` of each annotator, by email."""
        return {email: derive_test_key(key) for email, key in self.api_keys.items()}

    def jwt(self, email: str, seconds: float = 3600) -> str:
        """Return a dashboard JWT of an annotator, which expires after so many seconds."""
        return sign_jwt(email, self.api_keys[email], seconds)

    def start(self) -> Self:
        """Start serving, unless it is running, and return the sandbox itself."""
        if self._running is not None:
            return self
        store = self._open_store()
        try:
            listener = _listen(self._host, self._port)
        except OSError:
            store.close()
            raise
        self._port = listener.getsockname()[1]  # Kept when it is started again.
        self.base_url = _url(self._host, self._port)
        self._running = _Running(store, listener, self._behaviour, self._rules)
        # A notebook's kernel may end without stop.
        atexit.register(self.stop)
        return self

    def stop(self) -> None:
        """Stop serving and close everything; harmless when it is not running."""
        running, self._running = self._running, None
        if running is not None:
            atexit.unregister(self.stop)
            running.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _open_store(self) -> Store:
        try:
            store = Store(self.db or ":memory:")
        except sqlite3.Error as error:
            raise ValueError(f"cannot use {self.db} as a database: {error}") from error
        if self._demo:
            # Lazy, because the import reads the sample data.
            from respan_notebook.sandbox.demo import load_demo

            load_demo(store)
        if self._judged:
            from respan_notebook.sandbox.judged import load_judged

            load_judged(store)
        stored = tuple(store.api_keys())
        first = self._annotators or stored or (DEFAULT_ANNOTATOR,)
        store.add_annotators(first)
        keys = store.api_keys()
        self.api_keys = {email: keys[email] for email in dict.fromkeys((*first, *stored))}
        return store


class _Server(uvicorn.Server):
    """Serve until told to stop, and then stop as soon as no request is in flight.

    uvicorn's own looks ten times a second whether it should exit, and waits another tenth of a
    second before it looks at what is in flight.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._exit = asyncio.Event()

    def exit(self) -> None:
        """Tell the server, in its own thread, to stop."""
        self.should_exit = True
        self._exit.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # Which also renews the Date header.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._exit.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in sockets or ():
            asyncio.get_running_loop().remove_reader(listener)
        # A connection that was accepted just now would find its server closed, and stay open.
        for _ in range(_STEPS_OF_ACCEPT):
            await asyncio.sleep(0)
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        latest = time.monotonic() + _GRACE
        while (state.connections or state.tasks) and time.monotonic() < latest:
            await asyncio.sleep(0.001)
        for task in state.tasks:
            task.cancel()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # The sockets are closed in callbacks.


class _Running:
    """Run a server thread with its store and its socket."""

    def __init__(
        self,
        store: Store,
        listener: socket.socket,
        behaviour: Behaviour,
        rules: Rules,
    ) -> None:
        self._store = store
        self._listener = listener
        # The protocol is named, because uvicorn's choice depends on what else is installed.
        config = uvicorn.Config(
            create_app(store, behaviour, rules),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=MAX_HEADERS,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._run, name="respan-sandbox", daemon=True)
        self._thread.start()
        while self._thread.is_alive() and not self._server.started:
            time.sleep(0.002)

    def _run(self) -> None:
        # A Runner, because nest_asyncio replaces asyncio.run by one that needs the main thread.
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._server.serve(sockets=[self._listener]))

    def stop(self) -> None:
        with contextlib.suppress(RuntimeError):  # The loop is closed where the server broke off.
            self._loop.call_soon_threadsafe(self._server.exit)
        self._thread.join()
        self._listener.close()
        self._store.close()


def _check_host(host: str, *, allow_remote: bool) -> str:
    address = "127.0.0.1" if host == "localhost" else host
    try:
        loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        loopback = False
    if not loopback and not allow_remote:
        raise ValueError(
            f"{host!r} is not a loopback address, and whoever reaches the sandbox can read its "
            "logs: use 127.0.0.1, or say allow_remote"
        )
    return address


def _check_port(port: int) -> int:
    if not 0 <= port <= 65535:
        raise ValueError(f"port must be from 0 to 65535, not {port!r}")
    return port


def _check_annotators(annotators: Sequence[str]) -> tuple[str, ...]:
    if isinstance(annotators, str) or not all(
        isinstance(email, str) and email.strip() for email in annotators
    ):
        raise ValueError(f"annotators must be a list of emails, not {annotators!r}")
    return tuple(annotators)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off (40 ms an answer) only where TCP is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            # A restart on the same port need not wait for old connections to time out. On
            # Windows the option means something else: sharing a port that is in use.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        message = f"cannot listen on {_url(host, port)}: {error.strerror}; port=0 takes a free port"
        raise OSError(error.errno, message) from error
    return listener


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
