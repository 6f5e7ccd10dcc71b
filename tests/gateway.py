"""A real HTTP server before a sandbox: it passes requests on, or answers them as a test orders."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

PAGE = "<html><h1>Not here</h1></html>"
Answer = tuple[int, Any]
"""Status and body: JSON, or the text of a page."""


class Gateway:
    """Pass requests on to a server.

    Attributes
    ----------
    base_url : str
        The address.
    order : Callable
        Called with method and path; the answer to give, None to pass the request on.
    change : Callable
        Called with method, path and the JSON of the answer, which it may change.
    requests : list of str
        Method and path of all that came.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.base_url = ""
        self.order: Callable[[str, str], Answer | None] = lambda *_: None
        self.change: Callable[[str, str, Any], Any] = lambda _method, _path, body: body
        self.requests: list[str] = []

    def handle(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        self.requests.append(f"{method} {path}")
        ordered = self.order(method, path)
        if ordered is not None:
            status, content = ordered
            return status, (content if isinstance(content, str) else json.dumps(content)).encode()
        connection = HTTPConnection(self.upstream)
        connection.request(method, path, body or None, dict(headers))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if content:
            content = json.dumps(self.change(method, path, json.loads(content))).encode()
        return answer.status, content


@contextmanager
def gateway_before(upstream: str) -> Iterator[Gateway]:
    """Open a gateway before a server."""
    gateway = Gateway(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, content = gateway.handle(self.command, self.path, self.headers, body)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/login")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one  # noqa: N815

        def log_message(self, *_args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    gateway.base_url = f"http://127.0.0.1:{http.server_port}"
    try:
        yield gateway
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
