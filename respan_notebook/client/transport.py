"""Send one request, once.

Requests go straight to an adapter of `requests`: the environment's proxies and CA bundle are read
once per transport, ``~/.netrc`` never replaces the bearer, and redirects are never followed.
"""

from __future__ import annotations

import re
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError as Urllib3Error

from respan_notebook import errors
from respan_notebook.client.answers import Answer, read_answer
from respan_notebook.client.server import Server


class _Hidden(str):
    """Hide text from tracebacks that show local variables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'[key]'"


class _Adapter(HTTPAdapter):
    """Look up the pool of connections once, since there is one server only."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        if not hasattr(self, "_pool"):
            self._pool = super().get_connection_with_tls_context(*args, **kwargs)
        return self._pool


class Transport:
    """Send requests to one server over one connection, which one thread uses."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._adapter = _Adapter(pool_connections=1, pool_maxsize=1, max_retries=0)
        with requests.Session() as session:
            settings = session.merge_environment_settings(server.base_url, {}, None, None, None)
        if server.is_local:
            settings["proxies"] = {}  # A proxy elsewhere can't reach this machine's sandbox.
        self._settings: dict[str, Any] = {**settings, "stream": False}
        self._headers = {
            "Authorization": _Hidden(f"Bearer {server.bearer.get_secret_value()}"),
            "Accept": "application/json",
            "User-Agent": "respan-notebook",
        }

    def close(self) -> None:
        """Close the socket, if one is open."""
        self._adapter.close()

    def send(self, method: str, path: str, body: bytes | None = None, *, timeout: float) -> Answer:
        """Send one request, once.

        ``path`` is percent-encoded and has the query; ``timeout`` is the seconds to wait for a
        connection, and then for each part of the answer. TransportError is raised when there is
        no answer or one that broke off, HTTPError for any answer but a 2xx with JSON.
        """
        response = self._exchange(self._request(method, path, body), timeout)
        shown = path if len(path) <= 120 else f"{path[:100]}...{path[-16:]}"
        answer = read_answer(
            f"{method} {shown}",
            response.status_code,
            response.content,
            response.headers,
            key=self._server.bearer.get_secret_value(),
        )
        if isinstance(answer, errors.HTTPError):
            raise answer
        return answer

    def _request(self, method: str, path: str, body: bytes | None) -> requests.PreparedRequest:
        request = requests.PreparedRequest()
        request.method, request.url, request.body = method, self._server.origin + path, body
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
        hint = "; is the sandbox running?" if self._server.is_local else ""
        raise failure(f"no answer from {self._server.origin}: {reason}{hint}")


def _reason(error: BaseException) -> str:
    """Return the reason of a failure, without urllib3's words on retries that were never made."""
    cause = error.args[0] if error.args else error
    text = str(getattr(cause, "reason", None) or cause)
    return re.sub(r"^<?[\w.]+(Connection|Pool)\b.*?>?: ", "", text)
