"""One connection to one server, and its answers as objects or errors.

Requests go straight to a `requests` adapter: the environment's proxies and CA bundle are read once
per connection, so ``~/.netrc`` never replaces the bearer, redirects are never followed, and no
request pays for reading the environment again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import requests
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
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


class _Hidden(str):
    """Text that a traceback with local variables does not show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'[key]'"


class Answer(NamedTuple):
    """A successful answer: status code, the body's JSON (None when empty), requests sent."""

    status: int
    body: Any
    attempts: int = 1


class _Adapter(HTTPAdapter):
    """An adapter that looks for its pool of connections once: it speaks to one server only."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        if not hasattr(self, "_pool"):
            self._pool = super().get_connection_with_tls_context(*args, **kwargs)
        return self._pool


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
        self._adapter = _Adapter(pool_connections=1, pool_maxsize=1, max_retries=0)
        with requests.Session() as session:
            settings = session.merge_environment_settings(base_url, {}, None, None, None)
        self._is_local = is_loopback(urlsplit(base_url).hostname or "")
        if self._is_local:
            settings["proxies"] = {}  # A proxy elsewhere can't reach this machine's sandbox.
        self._settings: dict[str, Any] = {**settings, "stream": False}
        self._timeout = timeout
        url = urlsplit(base_url)
        self._origin = f"{url.scheme}://{url.netloc}"
        self._headers = {
            "Authorization": _Hidden(f"Bearer {bearer.get_secret_value()}"),
            "Accept": "application/json",
            "User-Agent": "respan-notebook",
        }

    def close(self) -> None:
        """Close the socket, if one is open."""
        self._adapter.close()

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        timeout: float | None = None,
    ) -> Answer:
        """Send one request, once.

        Parameters
        ----------
        method : str
            HTTP method.
        path : str
            From the server's root, percent-encoded, with the query.
        body : bytes, optional
            JSON.
        timeout : float, optional
            Seconds, when this request is to have less than the connection's.

        Raises
        ------
        TransportError
            No answer, or one that broke off.
        HTTPError
            Any answer but a 2xx with JSON; the class says which.
        """
        response = self._exchange(self._request(method, path, body), timeout or self._timeout)
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
        request.headers = dict(self._headers)  # type: ignore[assignment] # Quicker to make.
        if method != "GET":
            request.headers["Content-Length"] = str(len(body or b""))
        if body is not None:
            request.headers["Content-Type"] = "application/json"
        return request

    def _exchange(self, request: requests.PreparedRequest, timeout: float) -> requests.Response:
        failure: type[errors.TransportError] | None
        reason = ""
        try:
            response = self._adapter.send(request, timeout=timeout, **self._settings)
            response.content  # noqa: B018 - reads the body, which may break off
            return response
        except requests.Timeout as error:
            failure, reason = errors.RequestTimeoutError, _reason(error)
        except (requests.RequestException, Urllib3Error, OSError) as error:
            failure, reason = errors.TransportError, _reason(error)
        except KeyboardInterrupt:
            failure = None
        # Raised out here, since the frames that the caught exceptions hold show the key.
        if failure is None:
            raise KeyboardInterrupt
        hint = "; is the sandbox running?" if self._is_local else ""
        raise failure(f"no answer from {self._origin}: {reason}{hint}")

    def _error(self, method: str, path: str, response: requests.Response) -> errors.HTTPError:
        status = response.status_code
        key = self._bearer.get_secret_value()
        text = response.content.decode(errors="replace").replace(key, "[key]")
        detail, fields, retry_after = _read_error(text, response.headers)
        if 300 <= status < 400:
            location = response.headers.get("Location", "nowhere")
            detail = (
                f"redirected to {location[:200]}, which is not followed; give the base URL that "
                "answers itself (https, right host, no path but /api)"
            )
        # A server may quote the key back, also in a header or escaped in its JSON.
        detail = detail.replace(key, "[key]")
        fields = {
            name.replace(key, "[key]"): [message.replace(key, "[key]") for message in messages]
            for name, messages in fields.items()
        }
        kind = _ERRORS.get(status) or _FAMILIES.get(status // 100, errors.UnexpectedAnswerError)
        shown = path if len(path) <= 120 else f"{path[:100]}...{path[-16:]}"
        return kind(
            f"{method} {shown} answered {status}: {detail.rstrip('.')}{_HINTS.get(status, '')}",
            status=status,
            detail=detail,
            field_errors=fields,
            retry_after=retry_after,
        )


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
    except (TypeError, ValueError, OverflowError):
        return _seconds_until(wait) if isinstance(wait, str) else None
    return seconds if 0 <= seconds < float("inf") else None


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
