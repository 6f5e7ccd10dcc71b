"""Pass connections on to a server, and note which processes have opened them."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import psutil


class Relay:
    """Listen on loopback; ``pids`` are the processes that have connected so far."""

    def __init__(self, url: str) -> None:
        self._server = urlsplit(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.pids: set[int | None] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # It was closed.
            while True:
                near, (_, port) = self._listener.accept()
                self.pids.add(self._find_owner(port))
                far = socket.create_connection((self._server.hostname, self._server.port))
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=pump, args=(one, other), daemon=True).start()

    def _find_owner(self, port: int) -> int | None:
        for one in psutil.net_connections("tcp"):
            if one.laddr.port == port and one.raddr and one.raddr.port == self.port:
                return int(one.pid) if one.pid else None
        return None


def pump(source: socket.socket, target: socket.socket) -> None:
    """Copy what comes until the end."""
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def relayed(url: str) -> Iterator[Relay]:
    """Give a relay to a server."""
    relay = Relay(url)
    try:
        yield relay
    finally:
        relay.close()
