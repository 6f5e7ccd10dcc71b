"""JSON requests on any number of threads: through the gate, and again when that may help."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

from pydantic import SecretStr

from respan_notebook import errors
from respan_notebook.connection import Answer, Connection
from respan_notebook.keys import fingerprint
from respan_notebook.retry import REFUSALS, Effort, StoppedError
from respan_notebook.throttle import LONGEST_HOLD, gate_for

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_CALL_ATTEMPTS: Final = 5
_CALL_DEADLINE: Final = 60.0  # Seconds, with the timeout, that a call may wait and try again.


class Transport:
    """JSON requests to one server from any number of threads, each on its own connection.

    Parameters
    ----------
    base_url : str
        As :func:`respan_notebook.urls.parse_base_url` gives it.
    bearer : SecretStr
        API key or dashboard JWT.
    timeout : float
        Seconds.
    """

    def __init__(self, base_url: str, bearer: SecretStr, timeout: float) -> None:
        self.base_url, self.timeout = base_url, timeout
        self._bearer = bearer
        self._root = urlsplit(base_url).path + "/api"
        self._local = threading.local()
        self.gate = gate_for(base_url, bearer)
        self.fingerprint = fingerprint(bearer)

    def close(self) -> None:
        """Close the connection of this thread; the next request opens a new one."""
        connection: Connection | None = self._local.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        effort: Effort | None = None,
    ) -> Answer:
        """Send a request to a path below ``/api``, as often as the effort allows.

        Raises
        ------
        TransportError, HTTPError
            As :meth:`Connection.send`, from the last attempt.
        StoppedError
            When the effort ended before the first.
        """
        return self._send(method, self._root + path, body, effort or self._one_call())

    def pages(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, Any],
        *,
        effort: Effort | None = None,
    ) -> Iterator[list[Any]]:
        """Iterate over the results of each page, following ``next``.

        ``count`` is not looked at: by route it is the number on the page, or the total.
        """
        query = urlencode({name: v for name, v in params.items() if v is not None})
        url = f"{self._root}{path}?{query}"
        seen = set[str]()
        while url:
            seen.add(url)
            page = self._send(method, url, body, effort or self._one_call()).body
            if not isinstance(page, dict) or not isinstance(page.get("results"), list):
                raise errors.UnexpectedAnswerError(
                    f"{method} {path} gave no page of results; is {self.base_url} a Respan?"
                )
            if not all(isinstance(result, dict) for result in page["results"]):
                raise errors.UnexpectedAnswerError(f"{method} {path} gave results of another kind")
            yield page["results"]
            url = self._next(url, page.get("next"))
            if url in seen:
                raise errors.UnexpectedAnswerError(f"{method} {path}: the pages go in a circle")

    def _one_call(self) -> Effort:
        return Effort(attempts=_CALL_ATTEMPTS, deadline=_CALL_DEADLINE + self.timeout)

    def _send(
        self, method: str, url: str, body: Mapping[str, Any] | None, effort: Effort
    ) -> Answer:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = Connection(
                self.base_url, self._bearer, self.timeout
            )
        data = None if body is None else _encode(body)
        attempts, failures = 0, 0
        effort.tried[threading.get_ident()] = 0
        last: errors.RespanError | None = None
        while (ticket := self._pass_gate(effort)) is not None:
            attempts += 1
            try:
                left = max(0.01, effort.left)
                effort.tried[threading.get_ident()] = attempts
                answer = connection.send(method, url, data, timeout=min(self.timeout, left))
            except errors.RespanError as error:
                last = error
                error.attempts = attempts
                if isinstance(error, errors.RateLimitError):
                    self._hold(ticket, error, effort)
                    continue
                self._note(ticket, error)
                failures += 1
                if not effort.wait_to_retry(error, failures):
                    break
            except BaseException:  # An interrupt, too, ends the probe that this may have been.
                self.gate.lost(ticket)
                raise
            else:
                self.gate.passed(ticket)
                effort.succeeded()
                return answer._replace(attempts=attempts)
        raise last or StoppedError(effort.ended)

    def _pass_gate(self, effort: Effort) -> int | None:
        """Wait until a request may go and return its ticket, None when the effort ended."""
        while effort.goes_on():
            seconds, ticket = self.gate.ask()
            if seconds <= 0:
                return ticket
            held = self.gate.held()
            reason = f"the server asks to wait {held:.0f} s" if held else "keeping to the limit"
            effort.wait(seconds, reason)
        return None

    def _hold(self, ticket: int, error: errors.RateLimitError, effort: Effort) -> None:
        self.gate.refused(ticket, error.retry_after)
        longest = min(effort.left, LONGEST_HOLD)
        if (error.retry_after or 0.0) > longest:
            effort.end(f"the server asks to wait {error.retry_after:g} s, over {longest:.0f} s")
        elif self.gate.refusals > REFUSALS:
            effort.end(f"the server answered 429 {REFUSALS} times in a row: {error.detail}")

    def _note(self, ticket: int, error: errors.RespanError) -> None:
        if isinstance(error, errors.HTTPError):
            self.gate.passed(ticket)
        else:
            self.gate.lost(ticket)

    def _next(self, current: str, url: object) -> str:
        """Return path and query of the next page, empty after the last."""
        if url is None or url == "":
            return ""
        own = urlsplit(self.base_url)
        try:
            # Only path and query are used: behind a gateway the server may name another scheme,
            # and what follows the host can't become part of it.
            given = urlsplit(urljoin(f"{own.scheme}://{own.netloc}{current}", str(url)))
            port = given.port or _DEFAULT_PORTS.get(own.scheme)
        except ValueError:
            given, port = urlsplit(""), None
        own_port = own.port or _DEFAULT_PORTS.get(own.scheme)
        if (given.hostname, port) != (own.hostname, own_port) or not given.path.startswith("/"):
            raise errors.UnexpectedAnswerError(
                f"the next page, {str(url)[:200]!r}, is on another host, which is not followed; "
                "set base_url to the host that the server calls itself"
            )
        return f"{given.path}?{given.query}"


def _encode(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:  # UnicodeEncodeError is a ValueError.
        raise errors.InvalidValueError(f"this can't be sent as JSON: {error}", value=body) from None
