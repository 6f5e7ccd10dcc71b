"""Send one request, once.

Requests go over the pool of connections that requests' own adapter makes, so proxies, CA bundles
and TLS are those of requests. The environment is read once, ``~/.netrc`` never replaces the bearer,
and redirects are never followed.
"""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path
from typing import Any, Final, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Retry, Timeout
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ClosedPoolError, LocationValueError, NewConnectionError
from urllib3.exceptions import HTTPError as Urllib3Error
from urllib3.exceptions import TimeoutError as Urllib3TimeoutError

from respan_notebook import errors
from respan_notebook.client.answers import Answer, Received, read_answer
from respan_notebook.client.connection import Patience, bound_connection
from respan_notebook.client.server import Server
from respan_notebook.wording import render_foreign

_MOST_CONNECTIONS: Final = 1000  # That wait for the next request.
_CHUNK: Final = 65_536  # Bytes of an answer that are read at once.


class _Hidden(str):
    """Hide text from tracebacks that show local variables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'[key]'"


class Transport:
    """Send requests to one server, from any number of threads.

    Each process has a pool of connections of its own: after a fork the child starts anew, and
    neither uses nor closes the connections of its parent.

    ConfigurationError is raised when the environment names a proxy or CA bundle that can't be used.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._patience = Patience()
        self._pools: dict[int, HTTPConnectionPool] = {}  # By process id.
        self._headers = {
            "Authorization": _Hidden(f"Bearer {server.bearer.get_secret_value()}"),
            "Accept": "application/json",
            "User-Agent": "respan-notebook",
        }
        self._pool()

    def close(self) -> None:
        """Close the connections of this process; the next request opens a new one.

        Those in use are closed at the end of their requests.
        """
        pool = self._pools.pop(os.getpid(), None)
        if pool is not None:
            pool.close()

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        timeout: float,
        deadline: float,
        longest: int,
    ) -> Answer:
        """Send one request, once.

        Parameters
        ----------
        method, path : str
            The path is percent-encoded and has the query.
        body : bytes, optional
            JSON.
        timeout : float
            Seconds to wait for a connection, and then for each part of the answer.
        deadline : float
            Seconds that the request may take with the whole of its answer. Looking up the
            server's name is not bounded.
        longest : int
            The most bytes of an answer's body, decompressed; the rest is not read.

        Raises
        ------
        TransportError
            There is no answer, or one that broke off.
        HTTPError
            Any answer but a 2xx with JSON.
        """
        shown = path if len(path) <= 120 else f"{path[:100]}...{path[-16:]}"
        answer = read_answer(
            f"{method} {shown}",
            # Not a variable, since the server may quote the key.
            self._exchange(method, path, body, timeout, deadline, longest),
            key=self._server.bearer.get_secret_value(),
        )
        if isinstance(answer, errors.HTTPError):
            raise answer
        return answer

    def _exchange(
        self,
        method: str,
        path: str,
        body: bytes | None,
        timeout: float,
        deadline: float,
        longest: int,
    ) -> Received:
        headers = self._headers if body is None else {**self._headers, **_JSON}
        wait = min(timeout, deadline)
        failure: type[errors.TransportError] | None = None
        reason, is_closed = "", False
        self._patience.start(timeout, deadline)
        try:
            response = self._pool().urlopen(
                method,
                path,
                body,
                headers,
                retries=_NO_RETRIES,
                redirect=False,
                timeout=Timeout(connect=wait, read=wait),
                preload_content=False,
            )
            return _receive(response, longest)
        except ClosedPoolError:  # By another thread, before anything was sent.
            is_closed = True
        except (Urllib3Error, OSError) as error:
            failure, reason = _failure(error), _reason(error)
        except KeyboardInterrupt:
            pass
        if is_closed:
            return self._exchange(method, path, body, timeout, deadline, longest)
        # Raised out here, since the frames that the caught exceptions hold show the key.
        if failure is None:
            raise KeyboardInterrupt
        hint = "; is the sandbox running?" if self._server.is_local else ""
        raise failure(f"no answer from {self._server.origin}: {render_foreign(reason)}{hint}")

    def _pool(self) -> HTTPConnectionPool:
        """Return the pool of this process. What a parent process had stays open and unused."""
        process = os.getpid()
        pool = self._pools.get(process)
        if pool is None:
            pool = _make_pool(self._server)
            kind = cast("type[HTTPConnection]", pool.ConnectionCls)
            pool.ConnectionCls = bound_connection(kind, self._patience)
            pool = self._pools.setdefault(process, pool)
        return pool


_NO_RETRIES: Final = Retry(False, redirect=False)
# Decompressed bit by bit; not so Brotli, with some versions of its library.
_DECODED: Final = frozenset({"gzip", "deflate"})
_JSON: Final = {"Content-Type": "application/json"}


def _receive(response: BaseHTTPResponse, longest: int) -> Received:
    """Read an answer; one that is too long is cut, and its connection closed."""
    chunks, size = [], 0
    encoding = response.headers.get("Content-Encoding", "").lower()
    try:
        while chunk := response.read(min(_CHUNK, longest + 1 - size), encoding in _DECODED):
            chunks.append(chunk)
            size += len(chunk)
            if size > longest:
                response.close()
                chunks[-1] = chunk[: len(chunk) + longest - size]
                break
    except BaseException:
        response.close()
        raise
    finally:
        response.release_conn()
    return Received(response.status, b"".join(chunks), response.headers, is_cut=size > longest)


def _make_pool(server: Server) -> HTTPConnectionPool:
    """Return requests' own pool of connections to a server, with the environment's settings."""
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=_MOST_CONNECTIONS, max_retries=0)
    request = requests.PreparedRequest()
    request.method, request.url = "GET", server.origin
    try:
        with requests.Session() as session:
            settings = session.merge_environment_settings(server.base_url, {}, None, None, None)
        # A proxy elsewhere can't reach this machine's sandbox.
        proxies: dict[str, Any] = {} if server.is_local else dict(settings["proxies"])
        verify = settings["verify"]
        pool = adapter.get_connection_with_tls_context(request, verify, proxies)
        adapter.cert_verify(pool, server.origin, verify, None)  # type: ignore[no-untyped-call]
        _check_bundle(verify)
        return cast("HTTPConnectionPool", pool)
    except (LocationValueError, requests.exceptions.InvalidURL):
        reason = "the proxy's URL is malformed"  # The error quotes it, perhaps with a password.
    except (requests.RequestException, Urllib3Error, OSError) as error:
        reason = str(error)
    raise errors.ConfigurationError(
        f"the proxy or CA bundle that the environment names can't be used: {render_foreign(reason)}"
    )


def _check_bundle(verify: object) -> None:
    """Raise OSError unless the CA bundle that the environment names can be read."""
    if isinstance(verify, str):
        is_folder = Path(verify).is_dir()
        try:
            ssl.create_default_context(
                cafile=None if is_folder else verify, capath=verify if is_folder else None
            )
        except ssl.SSLError as error:
            raise OSError(f"{verify}: {error}") from None


def _failure(error: Exception) -> type[errors.TransportError]:
    # urllib3 wraps the timeout of sending in another error.
    found = (error, *error.args)
    is_timeout = any(isinstance(one, Urllib3TimeoutError | TimeoutError) for one in found)
    # urllib3 takes a refused connection for a kind of timeout.
    is_timeout = is_timeout and not isinstance(error, NewConnectionError)
    return errors.RequestTimeoutError if is_timeout else errors.TransportError


def _reason(error: BaseException) -> str:
    """Return the reason of a failure, without urllib3's words on retries that were never made."""
    cause = error.args[0] if error.args else error
    text = str(getattr(cause, "reason", None) or error)
    return re.sub(r"^<?[\w.]+(Connection|Pool)\b.*?>?: ", "", text)
