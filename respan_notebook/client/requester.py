"""Send JSON requests from any number of threads, through the gate and with retries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from respan_notebook import errors
from respan_notebook.client.answers import Answer
from respan_notebook.client.gate import gate_for
from respan_notebook.client.gate_state import Permit
from respan_notebook.client.retry import Call, RetryBudget
from respan_notebook.client.server import Server
from respan_notebook.client.settings import RequestSettings
from respan_notebook.client.transport import Transport
from respan_notebook.wording import render_foreign

_EMPTY_PAGES: Final = 3  # In a row, although each names a next one.


class Requester:
    """Send JSON requests to one server, from any number of threads."""

    def __init__(self, server: Server, settings: RequestSettings) -> None:
        self.server, self.settings = server, settings
        self.gate = gate_for(server, settings)
        self._transport = Transport(server)

    def close(self) -> None:
        """Close the connections; the next request opens a new one."""
        self._transport.close()

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        call: Call | None = None,
        longest: int | None = None,
    ) -> Answer:
        """Send a request to a path below ``/api``, as often as its budget allows.

        ``longest`` is the most bytes of the answer, by default those of a page. The error of the
        last attempt is raised, or StoppedError when the budget was cancelled before the first.
        """
        longest = self.settings.longest_page if longest is None else longest
        call = call or self.one_call().call()
        return self._send(method, self.server.root + path, body, call, longest)

    def pages(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, Any],
        *,
        budget: RetryBudget | None = None,
    ) -> Iterator[list[Any]]:
        """Iterate over the results of each page.

        Every page repeats the request, and takes nothing but the number of the page from ``next``:
        the documented ones leave out times, filters and environment, and no host that a ``next``
        names is ever asked. ``count`` is not used: by route it is the number on the page, or the
        total.
        """
        given = {name: v for name, v in params.items() if v is not None}
        number = _read_first_page(given.pop("page", 1))
        query = urlencode(given)
        url = f"{self.server.root}{path}?{query}" + (f"&page={number}" if number != 1 else "")
        empty, longest = 0, self.settings.longest_page
        while True:
            page = self._send(method, url, body, (budget or self.one_call()).call(), longest).body
            if not isinstance(page, dict) or not isinstance(page.get("results"), list):
                raise errors.UnexpectedAnswerError(
                    f"{method} {path} gave no page of results; is {self.server.base_url} a Respan?"
                )
            if not all(isinstance(result, dict) for result in page["results"]):
                raise errors.UnexpectedAnswerError(f"{method} {path} gave results of another kind")
            yield page["results"]
            if page.get("next") in (None, ""):
                return
            empty = 0 if page["results"] else empty + 1
            following = _read_page_number(page["next"])
            if following != number + 1 or empty > _EMPTY_PAGES:
                raise errors.UnexpectedAnswerError(
                    f"{method} {path}: after page {number} with {len(page['results'])} results "
                    f"the server names {render_foreign(repr(page['next']), 200)} as the next one"
                )
            number = following
            url = f"{self.server.root}{path}?{query}&page={number}"

    def one_call(self) -> RetryBudget:
        """Return the budget of a call that is not part of a push."""
        deadline = self.settings.call_deadline + self.server.timeout
        return RetryBudget(self.settings, attempts=self.settings.call_attempts, deadline=deadline)

    def _send(
        self, method: str, url: str, body: Mapping[str, Any] | None, call: Call, longest: int
    ) -> Answer:
        data = None if body is None else _encode_body(body)
        budget = call.budget
        last: errors.RespanError | None = None
        with self.gate.giving_back():
            while (permit := self._pass_gate(budget)) is not None and (left := budget.begin(call)):
                try:
                    answer = self._transmit(method, url, data, call, left, longest)
                except errors.RespanError as error:
                    last = error
                    error.attempts = call.attempts
                    call.may_have_arrived |= not _is_refusal(error)
                    if isinstance(error, errors.RateLimitError):
                        self._hold(permit, error, budget)
                        continue
                    self._record(permit, error)
                    if not call.wait_to_retry(error):
                        break
                else:
                    self.gate.passed(permit)
                    budget.refund()
                    return answer
        raise last or errors.StoppedError(budget.cancelled)

    def _transmit(
        self,
        method: str,
        url: str,
        data: bytes | None,
        call: Call,
        left: float,
        longest: int,
    ) -> Answer:
        deadline = min(self.settings.longest_request, left)
        timeout = self.server.timeout
        call.is_in_flight = True
        try:
            return self._transport.send(
                method, url, data, timeout=timeout, deadline=deadline, longest=longest
            )
        finally:
            call.is_in_flight = False

    def _pass_gate(self, budget: RetryBudget) -> Permit | None:
        """Wait for a permit and return it; return None when the budget is cancelled."""
        while budget.goes_on():
            seconds, permit = self.gate.request()
            if seconds <= 0:
                return permit
            held = self.gate.held()
            reason = f"the server asks to wait {held:.0f} s" if held else "keeping to the limit"
            budget.wait(seconds, reason)
        return None

    def _hold(self, permit: Permit, error: errors.RateLimitError, budget: RetryBudget) -> None:
        self.gate.refused(permit, error.retry_after)
        longest = max(0.0, min(budget.left, self.settings.longest_hold))
        named, times = error.retry_after or 0.0, self.settings.refusals
        if named > longest:
            budget.cancel(f"the server asks to wait {named:g} s, over {longest:.0f} s")
        elif self.gate.refusals > times:
            budget.cancel(f"the server answered 429 {times} times in a row: {error.detail}")

    def _record(self, permit: Permit, error: errors.RespanError) -> None:
        if isinstance(error, errors.HTTPError):
            self.gate.passed(permit)
        else:
            self.gate.lost(permit)


def _read_first_page(page: object) -> int:
    """Return the number of the page that a caller begins with, from 1."""
    if not re.fullmatch("[1-9][0-9]{0,8}", str(page)):
        raise errors.ConfigurationError(f"page is the number of a page, from 1, not {page!r}")
    return int(str(page))


def _read_page_number(url: object) -> int | None:
    """Return the number of the page that a ``next`` names, None when it names none."""
    try:
        numbers = parse_qs(urlsplit(str(url)).query)["page"]
        return int(numbers[0]) if len(numbers) == 1 and numbers[0].isascii() else None
    except (ValueError, KeyError):
        return None


def _is_refusal(error: errors.RespanError) -> bool:
    """Return whether the server has told that it did not take the request."""
    return isinstance(error, errors.HTTPError) and 300 <= error.status < 500


def _encode_body(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:  # UnicodeEncodeError is a ValueError.
        raise errors.InvalidValueError(f"this can't be sent as JSON: {error}", value=body) from None
