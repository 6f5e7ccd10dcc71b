"""HTTP under the client: one connection to one server, and its answers as objects or errors.

Requests go straight to a `requests` adapter: the environment's proxies and CA bundle are read once
per connection, so ``~/.netrc`` never replaces the bearer, redirects are never followed, and no
request pays for reading the environment again.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

import requests
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError as Urllib3Error

from respan_notebook import errors
from respan_notebook.urls import is_loopback

_ERRORS: Final[Mapping[int, type[errors.HTTPError]]] = {
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    429: errors.RateLimitError,
}
_FAMILIES: Final[Mapping[int, type[errors.HTTPError]]] = {
    2: errors.UnexpectedAnswerError,
    3: errors.RedirectError,
    4: errors.BadRequestError,
    5: errors.ServerError,
}
_HINTS: Final[Mapping[int, str]] = {
    401: "; check the API key (api_key=, or the variable RESPAN_API_KEY)",
    404: "; check the id, and that the base URL is a Respan server",
}


class Answer(NamedTuple):
    """A successful answer: its status code, and the body's JSON (None when it is empty)."""

    status: int
    body: Any


class Connection:
    """A connection of one thread to one server, with its bearer.

    Parameters
    ----------
    base_url : str
        As :func:`parse_base_url` gives it.
    bearer : SecretStr
        API key or dashboard JWT.
    timeout : float
        Seconds to wait for a connection, and then for each part of the answer.
    """

    def __init__(self, base_url: str, bearer: SecretStr, timeout: float) -> None:
        self._bearer = bearer
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
        with requests.Session() as session:
            settings = session.merge_environment_settings(base_url, {}, None, None, None)
        self._is_local = is_loopback(urlsplit(base_url).hostname or "")
        if self._is_local:
            settings["proxies"] = {}  # A proxy elsewhere can't reach this machine's sandbox.
        self._settings: dict[str, Any] = {**settings, "stream": False, "timeout": timeout}
        url = urlsplit(base_url)
        self._origin = f"{url.scheme}://{url.netloc}"
        self._headers = {
            "Authorization": f"Bearer {bearer.get_secret_value()}",
            "Accept": "application/json",
            "User-Agent": "respan-notebook",
        }

    def close(self) -> None:
        """Close the socket, if one is open."""
        self._adapter.close()

    def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Send one request, once.

        Parameters
        ----------
        method : str
            HTTP method.
        path : str
            From the server's root, percent-encoded, with the query.
        body : bytes, optional
            JSON.

        Raises
        ------
        TransportError
            No answer, or one that broke off.
        HTTPError
            Any answer but a 2xx with JSON; the class says which.
        """
        response = self._exchange(self._request(method, path, body))
        if not 200 <= response.status_code < 300:
            raise self._error(method, path, response)
        if not response.content:
            return Answer(response.status_code, None)
        try:
            return Answer(response.status_code, json.loads(response.content))
        except (ValueError, RecursionError):
            pass
        raise self._error(method, path, response)

    def _request(self, method: str, path: str, body: bytes | None) -> requests.PreparedRequest:
        request = requests.PreparedRequest()
        request.method, request.url, request.body = method, self._origin + path, body
        request.headers = CaseInsensitiveDict(self._headers)
        if method != "GET":
            request.headers["Content-Length"] = str(len(body or b""))
        if body is not None:
            request.headers["Content-Type"] = "application/json"
        return request

    def _exchange(self, request: requests.PreparedRequest) -> requests.Response:
        failure: type[errors.TransportError]
        try:
            response = self._adapter.send(request, **self._settings)
            response.content  # noqa: B018 - reads the body, which may break off
            return response
        except requests.Timeout as error:
            failure, reason = errors.RequestTimeoutError, _reason(error)
        except (requests.RequestException, Urllib3Error, OSError) as error:
            failure, reason = errors.TransportError, _reason(error)
        # Raised out here, since the caught exception holds the request and so the key.
        hint = "; is the sandbox running?" if self._is_local else ""
        raise failure(f"no answer from {self._origin}: {reason}{hint}")

    def _error(self, method: str, path: str, response: requests.Response) -> errors.HTTPError:
        status = response.status_code
        # A server may quote the key back.
        text = response.content.decode(errors="replace")
        text = text.replace(self._bearer.get_secret_value(), "[key]")
        detail, fields, retry_after = _read_error(text, response.headers)
        if 300 <= status < 400:
            location = response.headers.get("Location", "nowhere")
            detail = (
                f"redirected to {location[:200]}, which is not followed; give the base URL that "
                "answers itself (https, right host, no path but /api)"
            )
        kind = _ERRORS.get(status) or _FAMILIES.get(status // 100, errors.UnexpectedAnswerError)
        shown = path if len(path) <= 120 else f"{path[:100]}...{path[-16:]}"
        return kind(
            f"{method} {shown} answered {status}: {detail.rstrip('.')}{_HINTS.get(status, '')}",
            status=status,
            detail=detail,
            field_errors=fields,
            retry_after=retry_after,
        )


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

    def close(self) -> None:
        """Close the connection of this thread; the next request opens a new one."""
        connection: Connection | None = self._local.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Send one request to a path below ``/api``; errors as :meth:`Connection.send`."""
        return self._send(method, self._root + path, body)

    def pages(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, Any],
    ) -> Iterator[list[Any]]:
        """Iterate over the results of each page, following ``next``.

        ``count`` is not looked at: by route it is the number on the page, or the total.
        """
        query = urlencode({name: v for name, v in params.items() if v is not None})
        url = f"{self._root}{path}?{query}"
        while url:
            page = self._send(method, url, body).body
            if not isinstance(page, dict) or not isinstance(page.get("results"), list):
                raise errors.UnexpectedAnswerError(
                    f"{method} {path} gave no page of results; is {self.base_url} a Respan?"
                )
            yield page["results"]
            url = self._next(page.get("next"))

    def _send(self, method: str, url: str, body: Mapping[str, Any] | None) -> Answer:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = Connection(self.base_url, self._bearer, self.timeout)
            self._local.connection = connection
        return connection.send(method, url, None if body is None else _encode(body))

    def _next(self, url: str | None) -> str:
        """Return path and query of the next page, empty after the last."""
        if not url:
            return ""
        own, given = urlsplit(self.base_url), urlsplit(url)
        # Behind a gateway the server may name another scheme; only path and query are used.
        if given.netloc and (given.hostname, given.port or own.port) != (own.hostname, own.port):
            raise errors.UnexpectedAnswerError(
                f"the next page is on another host, {given.hostname}, which is not followed; "
                "set base_url to the host that the server calls itself"
            )
        return f"{given.path}?{given.query}"


def _encode(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as error:  # UnicodeEncodeError is a ValueError.
        raise errors.InvalidValueError(f"this can't be sent as JSON: {error}", value=body) from None


def _reason(error: BaseException) -> str:
    """Return why a request failed, without urllib3's talk of retries that were never made."""
    cause = error.args[0] if error.args else error
    text = str(getattr(cause, "reason", None) or cause)
    return re.sub(r"^<?[\w.]+(Connection|Pool)\b.*?>?: ", "", text)


def _read_error(
    text: str, headers: Mapping[str, str]
) -> tuple[str, dict[str, list[str]], float | None]:
    """Return detail, errors by field, and seconds to wait, from an answer that is no success."""
    wait = headers.get("Retry-After")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        plain = " ".join(re.sub(r"<[^>]*>", " ", text).split())[:200]
        detail = f"not JSON but {plain!r}" if plain else "an empty body"
        return detail, {}, _seconds(wait)
    if not isinstance(body, dict):
        return f"an unexpected body: {text[:200]}", {}, _seconds(wait)
    named = body.get("errors")
    source = named if isinstance(named, dict) else body
    fields = {
        str(name): [str(message) for message in messages]
        for name, messages in source.items()
        if isinstance(messages, list)
    }
    detail = next((str(body[k]) for k in ("detail", "error", "message") if body.get(k)), "")
    listed = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in fields.items())
    detail = ": ".join(part for part in (detail, listed) if part) or text[:200]
    from_body = _seconds(body.get("retry_after"))
    return detail, fields, _seconds(wait) if from_body is None else from_body


def _seconds(wait: object) -> float | None:
    """Return a wait in seconds, None when it is absent or makes no sense."""
    try:
        seconds = float(wait)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return _seconds_until(wait) if isinstance(wait, str) else None
    return seconds if 0 <= seconds < float("inf") else None


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
