"""Memory of a push whose every answer is endless, over that of a push that is answered.

Run with ``python tests/benchmarks/endless.py`` in the environment of the tests. Each push is a
process of its own, and so is the server; the peak is that of the resident memory.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import zlib
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from raw import raw_server, reply

from respan_notebook import Evaluator, RespanClient
from respan_notebook.client.settings import RequestSettings

ROWS, THREADS = 200, 16
HEAD = b"HTTP/1.1 201 Created\r\n"
PIECE = b" " * 65_536
STARS = Evaluator(evaluator_slug="stars", score_value_type="numerical")


def bomb(size: int = 2**28) -> bytes:
    """Return a gzip body of so many bytes."""
    gzip = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(gzip.compress(bytes(2**20)) for _ in range(size >> 20)), gzip.flush()])


def start_of(kind: str) -> tuple[bytes, bytes]:
    """Return the start of an answer, and what is repeated after it."""
    return {
        "right": (reply(b'{"id": "s"}', status="201 Created"), b""),
        "endless": (HEAD + b"\r\n", PIECE),
        "error": (b"HTTP/1.1 400 Bad Request\r\n\r\n", PIECE),
        "chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n", PIECE),
        "chunk of -1": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", PIECE),
        "headers": (HEAD, b"x: " + b"y" * 65_000 + b"\r\n"),
        "103s": (b"", b"HTTP/1.1 103 Early Hints\r\nx: " + b"y" * 65_000 + b"\r\n\r\n"),
    }.get(kind) or (reply(bomb(), "Content-Encoding: gzip", status="201 Created"), b"")


KINDS = ["endless", "error", "chunk", "chunk of -1", "headers", "103s", "gzip bomb"]


def serve(kind: str) -> None:
    """Serve until the end of standard input."""
    start, piece = start_of(kind)

    def answer(connection, _request: bytes) -> None:  # type: ignore[no-untyped-def]
        connection.sendall(start)
        while piece:
            connection.sendall(piece)

    with raw_server(answer) as server:
        print(server.base_url, flush=True)
        sys.stdin.read()


def push(url: str) -> None:
    """Print the peak of the resident memory in MB, and what the push came to."""
    frame = pd.DataFrame({"log_id": [f"log_{n}" for n in range(ROWS)], "stars": range(ROWS)})
    settings = RequestSettings(attempts=2, backoff=0.01, longest_request=1.0)
    with RespanClient("key", url, settings=settings) as client:
        report = frame.respan.push_scores(
            [STARS], client=client, progress=False, concurrency=THREADS
        )
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, report.counts)


def peak(kind: str) -> tuple[float, str]:
    command = [sys.executable, __file__]
    with subprocess.Popen(
        [*command, "serve", kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        run = subprocess.run([*command, "push", url], capture_output=True, text=True, check=True)
        server.communicate()
    megabytes, _, counts = run.stdout.strip().partition(" ")
    return float(megabytes), counts


def main() -> None:
    usual, counts = peak("right")
    print(f"{ROWS} rows, {THREADS} threads, answered: {usual:.0f} MB {counts}")
    for kind in KINDS:
        megabytes, counts = peak(kind)
        print(f"{kind:12} {megabytes - usual:+6.1f} MB over it {counts}")


if __name__ == "__main__":
    {"serve": serve, "push": push}.get(" ".join(sys.argv[1:2]), main)(*sys.argv[2:])
