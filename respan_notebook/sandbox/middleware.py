"""Check the size, API key and rate of every request before its route, and inject faults."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from respan_notebook.sandbox.errors import HttpError
from respan_notebook.sandbox.keys import Caller, identify_caller

MAX_BODY = 2**20


@dataclass(frozen=True)
class Behaviour:
    """Validate the options of `Sandbox` that delay, limit and fail requests."""

    latency_ms: float = 0
    rate_limit: tuple[int, float] | None = None
    fail: float = 0.0
    log_routes_take_jwt: bool = True

    def __post_init__(self) -> None:
        if not (math.isfinite(self.latency_ms) and self.latency_ms >= 0):
            raise ValueError(f"latency_ms must be 0 or more, not {self.latency_ms!r}")
        if not 0 <= self.fail <= 1:
            raise ValueError(f"fail must be a rate from 0 to 1, not {self.fail!r}")
        if self.rate_limit is not None and not _is_rate(self.rate_limit):
            raise ValueError(
                "rate_limit must be (number of requests, seconds), both above 0, "
                f"not {self.rate_limit!r}"
            )


def _is_rate(rate_limit: object) -> bool:
    match rate_limit:
        case (int(number), int(seconds) | float(seconds)):
            return number > 0 and seconds > 0 and math.isfinite(seconds)
    return False


class RateLimit:
    """Limit the rate of requests by a sliding window over those that passed."""

    def __init__(self, number: int, seconds: float) -> None:
        self._number = number
        self._seconds = seconds
        self._times: deque[float] = deque()

    def check(self) -> None:
        """Count a request, or answer 429 without counting it."""
        moment = time.monotonic()
        while self._times and self._times[0] + self._seconds <= moment:
            self._times.popleft()
        if len(self._times) >= self._number:
            wait = self._times[0] + self._seconds - moment
            body = {"detail": "Rate limit exceeded", "retry_after": max(1, math.ceil(wait))}
            raise HttpError(429, body)
        self._times.append(moment)


class SandboxMiddleware:
    """Pass checked requests on to `app`, with scorer, environment and body in their `state`.

    `keys` has the API key of each scorer.
    """

    def __init__(self, app: ASGIApp, keys: Mapping[str, str], behaviour: Behaviour) -> None:
        self._app = app
        self._keys = keys
        self._behaviour = behaviour
        self._limit = RateLimit(*behaviour.rate_limit) if behaviour.rate_limit else None
        self._random = random.Random(0)  # noqa: S311 - faults that a test can repeat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            _check_host_header(scope)
            body = await _read_body(scope, receive)
            if body is None:
                return
            state = scope.setdefault("state", {})
            caller = self._identify(scope)
            state["scorer"], state["environment"] = caller.scorer, caller.environment
            state["body"] = body
            self._inject_faults()
        except HttpError as error:
            answer = JSONResponse(error.body, error.status, error.headers)
            await answer(scope, receive, send)
            return
        if self._behaviour.latency_ms:
            await asyncio.sleep(self._behaviour.latency_ms / 1000)
        # Routes match the path as it was sent: an encoded slash is part of a log's id.
        scope["path"] = scope["raw_path"].decode("ascii")
        await self._app(scope, receive, send)

    def _identify(self, scope: Scope) -> Caller:
        scheme, _, bearer = _header(scope, b"authorization").partition(" ")
        caller = identify_caller(bearer.strip() if scheme.lower() == "bearer" else "", self._keys)
        is_log_route = scope["path"].startswith("/api/request-logs/")
        if caller.has_jwt and is_log_route and not self._behaviour.log_routes_take_jwt:
            raise HttpError(401, {"detail": "This route takes an API key."})
        return caller

    def _inject_faults(self) -> None:
        if self._limit is not None:
            self._limit.check()
        if self._random.random() < self._behaviour.fail:
            raise HttpError(500, {"detail": "The sandbox was told to fail."})


def _check_host_header(scope: Scope) -> None:
    # Older Starlettes break on such a host when they build the URL of the next page.
    try:
        _ = urlsplit(f"//{_header(scope, b'host')}").port
    except ValueError:
        raise HttpError(400, {"detail": "The Host header is not a host."}) from None


async def _read_body(scope: Scope, receive: Receive) -> bytes | None:
    """Return the body, None if the client has gone, or answer 413 if it is too large.

    The server discards what is left of a refused body as it arrives, so that the client, which
    may send it all before it listens, gets its answer.
    """
    length = _header(scope, b"content-length")
    if length.isdecimal() and int(length) > MAX_BODY:
        raise _too_large()
    body = bytearray()
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise _too_large()
        if not message.get("more_body", False):
            return bytes(body)


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


def _too_large() -> HttpError:
    return HttpError(413, {"detail": f"The body is larger than {MAX_BODY} bytes."})
