"""A real server on loopback that answers byte by byte as a test says, with or without TLS."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


def reply(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return a whole answer."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


@dataclass
class RawServer:
    """Hand each request, as its bytes, to ``answer`` with the socket that it came over.

    The connection is closed when ``answer`` returns anything true, or when the client closes it.
    """

    answer: Callable[[socket.socket, bytes], Any]
    base_url: str = ""
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    def serve(self, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.talk, args=[connection, tls], daemon=True).start()

    def talk(self, connection: socket.socket, tls: ssl.SSLContext | None) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            if tls:
                connection = tls.wrap_socket(connection, server_side=True)
                stack.callback(connection.close)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while request := read_request(connection):
                self.requests.append(request)
                if self.answer(connection, request):
                    return


def read_request(connection: socket.socket) -> bytes:
    """Return a request with its body, b"" when the connection is closed."""
    request, size = b"", -1
    while size < 0 or len(request) < size:
        more = connection.recv(65_536)
        if not more:
            return b""
        request += more
        end = request.find(b"\r\n\r\n")
        if end >= 0 and size < 0:
            length = re.search(rb"content-length: *(\d+)", request[:end], re.I)
            size = end + 4 + (int(length[1]) if length else 0)
    return request


@contextlib.contextmanager
def raw_server(
    answer: Callable[[socket.socket, bytes], Any], *, tls: ssl.SSLContext | None = None
) -> Iterator[RawServer]:
    """Give a server that is up."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        port = listener.getsockname()[1]
        server = RawServer(answer, f"{'https' if tls else 'http'}://127.0.0.1:{port}")
        thread = threading.Thread(target=server.serve, args=[listener, tls], daemon=True)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
