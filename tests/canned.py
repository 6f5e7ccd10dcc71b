"""A real HTTP server that gives the answers a test orders, right or wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Canned:
    """An answer that a :class:`CannedServer` gives."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    missing: int = 0  # Bytes that the Content-Length promises too much.


@dataclass
class CannedServer:
    """A real HTTP server that gives the same answer to everything and keeps what it was asked."""

    base_url: str
    answer: Callable[[str], Canned]
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    connections: int = 0


@contextmanager
def canned_servers() -> Iterator[Callable[..., CannedServer]]:
    """Give a function that starts such servers; they stop at the end."""
    with ExitStack() as stack:

        def start(answer: Callable[[str], Canned] | None = None, **fields: object) -> CannedServer:
            server = CannedServer("", answer or (lambda _path: Canned(**fields)))  # type: ignore[arg-type]

            class Handler(BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"

                def setup(self) -> None:
                    server.connections += 1
                    super().setup()

                def handle_one(self) -> None:
                    length = int(self.headers.get("Content-Length", 0))
                    body = self.rfile.read(length)
                    server.requests.append((self.command, self.path, dict(self.headers), body))
                    canned = server.answer(self.path)
                    self.send_response(canned.status)
                    for name, value in canned.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(canned.body) + canned.missing))
                    self.end_headers()
                    self.wfile.write(canned.body)
                    self.close_connection = bool(canned.missing)

                do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one  # noqa: N815

                def log_message(self, *_args: object) -> None:
                    pass

            http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            http.daemon_threads = True
            thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            stack.callback(thread.join)
            stack.callback(http.server_close)
            stack.callback(http.shutdown)
            server.base_url = f"http://127.0.0.1:{http.server_port}"
            return server

        yield start
