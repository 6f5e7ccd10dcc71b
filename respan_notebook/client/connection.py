"""Read answers within a deadline, past every 1xx, and nothing beyond their end.

urllib3's own timeouts bound each part of an answer, and so neither headers nor a body that drip.
"""

from __future__ import annotations

import http.client
import io
import math
import socket
import threading
import time
from typing import Any, Final

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

_SWITCHING_PROTOCOLS: Final = 101
_LONGEST_HEAD: Final = 2**18  # Bytes of headers, with those of every 1xx before.


class Patience(threading.local):
    """Hold the time that the request of this thread has left.

    Attributes
    ----------
    timeout : float
        Seconds to wait for each part of an answer.
    until : float
        The end of the whole request, by ``time.monotonic``.
    """

    timeout = until = float("inf")

    def start(self, timeout: float, deadline: float) -> None:
        """Begin a request that may take ``deadline`` seconds."""
        self.timeout, self.until = timeout, time.monotonic() + deadline

    def left(self) -> float:
        """Return the seconds to wait for the next part; raise TimeoutError when all are over."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for the whole request is over")
        return min(self.timeout, left)


class _Socket(io.RawIOBase):
    """Read from a socket, each part within the time that is left."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, patience: Patience) -> None:
        self.sock, self.is_over = sock, False
        self.allowance = float(_LONGEST_HEAD)  # Bytes that may still be read.
        self._raw, self._patience = raw, patience

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.is_over:
            return None
        self.sock.settimeout(self._patience.left())
        size = self._raw.readinto(buffer)
        self.allowance -= size or 0
        if self.allowance < 0:
            raise http.client.HTTPException(f"headers of more than {_LONGEST_HEAD:,} bytes")
        return size

    def has_more(self, stream: io.BufferedReader) -> bool:
        """Return whether something is read from the network already, and not by the answer."""
        self.is_over = True
        return bool(stream.peek(1)) or bool(getattr(self.sock, "pending", int)())

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Stream(io.BufferedReader):
    """Close the connection when there is more than one answer to a request."""

    def __init__(self, raw: _Socket, connection: HTTPConnection) -> None:
        super().__init__(raw)
        self._socket, self._connection = raw, connection

    def close(self) -> None:
        if not self.closed and self._connection.sock and self._socket.has_more(self):
            self._connection.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """Read past 103 and every other 1xx to the final answer; http.client does so for 100 only."""

    def __init__(
        self, connection: HTTPConnection, patience: Patience, sock: Any, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(sock, *args, **kwargs)
        self._socket = _Socket(self.fp.detach(), sock, patience)
        self.fp = _Stream(self._socket, connection)

    def begin(self) -> None:
        super().begin()
        while 100 <= self.status < 200 and self.status != _SWITCHING_PROTOCOLS:
            self.headers = None  # type: ignore[assignment] # Else begin() does nothing.
            super().begin()
        self._socket.allowance = math.inf  # The body is counted where it is decompressed.
        # What follows a 101 is in another protocol.
        self.will_close = self.will_close or self.status == _SWITCHING_PROTOCOLS

    def _read_next_chunk_size(self) -> int:
        size: int = super()._read_next_chunk_size()  # type: ignore[misc]
        if size < 0:  # http.client would take -1 for all that there is.
            raise ValueError(f"a chunk of {size} bytes")
        return size


def bound_connection(kind: type[HTTPConnection], patience: Patience) -> type[HTTPConnection]:
    """Return a class of connections like ``kind``, whose requests keep to a patience."""

    class Connection(kind):  # type: ignore[misc, valid-type]
        _parts: list[Any] | None = None  # Of a request that is being made.

        def request(self, *args: Any, **kwargs: Any) -> None:
            """Send headers and body at once: one packet less, and one call of the system."""
            parts: list[Any] = []
            self._parts = parts
            try:
                super().request(*args, **kwargs)
            finally:
                self._parts = None
            self.send(b"".join(parts))

        def send(self, data: Any) -> None:
            if self._parts is None:
                super().send(data)
            else:
                self._parts.append(data)

        def response_class(self, sock: Any, *args: Any, **kwargs: Any) -> _Response:
            return _Response(self, patience, sock, *args, **kwargs)

    class DirectConnection(Connection):
        def _new_conn(self) -> socket.socket:
            """Try the addresses of the host one by one, all of them within the time left."""
            host = self._dns_host  # type: ignore[has-type]
            try:
                found = socket.getaddrinfo(host, self.port, type=socket.SOCK_STREAM)
            except socket.gaierror as error:
                raise NameResolutionError(host, self, error) from error
            try:
                for *_, address in found[:-1]:
                    try:
                        return self._connect_to(str(address[0]))
                    except (ConnectTimeoutError, NewConnectionError):
                        continue
                return self._connect_to(str(found[-1][-1][0]))
            finally:
                self._dns_host = host

        def _connect_to(self, address: str) -> socket.socket:
            self._dns_host, self.timeout = address, patience.left()
            sock: socket.socket = super()._new_conn()
            return sock

    # One through a SOCKS proxy connects in its own way: the proxy looks the host up.
    is_direct = kind._new_conn is HTTPConnection._new_conn
    return DirectConnection if is_direct else Connection
