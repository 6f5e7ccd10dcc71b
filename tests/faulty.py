"""An HTTP proxy on loopback that breaks a share of the requests on their way to a sandbox.

Run as a process of its own: ``python faulty.py UPSTREAM_PORT PLAN``, with the plan as JSON:
``drop_before``, ``drop_after``, ``error_500``, ``html_502``, ``cut``, ``interim`` (a 103 first),
``twice`` (the answer two times), ``wrong`` (the answer to the request before), ``huge`` (an endless
body), ``drip_head`` and ``drip_body`` (byte by byte) are rates from 0 to 1; ``refuse`` is
``[first, last, body]``, the numbers of the requests that are answered 429 with this body;
``revoke_after`` is the number of the request from which on all are answered 401. It prints its
port.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
from typing import Any

RATES = (
    *("drop_before", "drop_after", "error_500", "html_502", "cut", "interim", "twice", "wrong"),
    *("huge", "drip_head", "drip_body"),
)
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"


def answer(status: str, body: str, kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


async def read_message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.I)
    return head + await reader.readexactly(int(length[1]) if length else 0)


class Proxy:
    def __init__(self, upstream: int, plan: dict[str, Any]) -> None:
        self.upstream, self.plan = upstream, plan
        self.random = random.Random(7)
        self.number = 0
        self.last = b""  # The answer to the request before.

    def fault(self) -> str:
        self.number += 1
        if self.number > self.plan.get("revoke_after", float("inf")):
            return "revoked"
        first, last, _ = self.plan.get("refuse", (0, 0, None))
        if first <= self.number <= last:
            return "refused"
        roll = self.random.random()
        for name in RATES:
            roll -= self.plan.get(name, 0)
            if roll < 0:
                return name
        return ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        try:
            while await self.exchange(reader, writer, up_reader, up_writer):
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            up_writer.close()

    async def exchange(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
    ) -> bool:
        """Pass one request on; return whether the connection lives."""
        request = await read_message(reader)
        fault = self.fault()
        if fault == "drop_before":
            return False
        if fault == "refused":
            writer.write(answer("429 Too Many Requests", self.plan["refuse"][2]))
        elif fault == "revoked":
            writer.write(answer("401 Unauthorized", '{"detail": "Key revoked."}'))
        elif fault == "error_500":
            writer.write(answer("500 Internal Server Error", '{"detail": "oops"}'))
        elif fault == "html_502":
            writer.write(answer("502 Bad Gateway", "<h1>Bad gateway</h1>", "text/html"))
        else:
            up_writer.write(request)
            response = await read_message(up_reader)
            self.last, before = response, self.last or response
            await self.give(writer, response, before, fault)
            return fault not in ("drop_after", "cut")
        return True

    async def give(
        self, writer: asyncio.StreamWriter, response: bytes, before: bytes, fault: str
    ) -> None:
        """Give an answer, or what a fault makes of it."""
        head = response.index(b"\r\n\r\n") + 4
        whole = {
            "drop_after": b"",
            "cut": response[:-20],
            "interim": EARLY * self.random.randint(1, 3) + response,
            "twice": response * 2,
            "wrong": before,
            "huge": b"HTTP/1.1 201 Created\r\n\r\n",
            "drip_head": b"",
            "drip_body": response[:head],
        }
        writer.write(whole.get(fault, response))
        while fault == "huge":
            writer.write(b" " * 65_536)
            await writer.drain()
        drops = {"drip_head": response, "drip_body": response[head:]}.get(fault, b"")
        for drop in drops:
            writer.write(bytes([drop]))
            await writer.drain()
            await asyncio.sleep(0.02)


async def main(upstream: int, plan: dict[str, Any]) -> None:
    server = await asyncio.start_server(Proxy(upstream, plan).serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), json.loads(sys.argv[2])))
