"""An HTTP server on loopback that answers every request with its log's score, as fast as it can.

Run as a process of its own: ``python stub.py [LATENCY_MS [NUMBER SECONDS]]``. It prints its port.
With a number it takes so many requests in any so many seconds, and answers 429 to the others.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections import deque
from math import ceil
from typing import ClassVar

BODY = (
    b'{"id": "score_1", "created_at": "2026-01-05T10:00:00Z", "type": "human", '
    b'"environment": "prod", "numerical_value": 4.0, "string_value": null, "boolean_value": null, '
    b'"categorical_value": null, "json_value": null, "is_passed": true, "cost": null, '
    b'"evaluator_id": "ev_1", "evaluator_slug": "stars", "evaluator_name": "Stars", '
    b'"scorer": "ann@example.com", "log_id": "%b", "status": null}'
)
HEAD = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
REFUSED = (
    b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b"
)
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Stub(asyncio.Protocol):
    latency = 0.0
    limit: tuple[int, float] | None = None
    taken: ClassVar[deque[float]] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self.buffer, 0, end)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self.buffer) < size:
                return
            log_id = self.buffer.split(b"/", 4)[3]  # POST /api/logs/LOG_ID/scores/
            self.buffer = self.buffer[size:]
            if self.latency:
                asyncio.get_running_loop().call_later(self.latency, self.answer, log_id)
            else:
                self.answer(log_id)

    def answer(self, log_id: bytes) -> None:
        if self.transport.is_closing():
            return
        if wait := self.wait():
            body = b'{"detail": "Rate limit exceeded", "retry_after": %d}' % ceil(wait)
            self.transport.write(REFUSED % (len(body), body))  # type: ignore[attr-defined]
        else:
            body = BODY % log_id
            self.transport.write(HEAD % len(body) + body)  # type: ignore[attr-defined]

    def wait(self) -> float:
        """Count a request; return the seconds to wait when there are too many."""
        if self.limit is None:
            return 0.0
        number, seconds = self.limit
        now = time.monotonic()
        while self.taken and self.taken[0] + seconds <= now:
            self.taken.popleft()
        if len(self.taken) >= number:
            return self.taken[0] + seconds - now
        self.taken.append(now)
        return 0.0


async def main() -> None:
    Stub.latency = float(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 0.0
    if len(sys.argv) > 2:
        Stub.limit = int(sys.argv[2]), float(sys.argv[3])
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
