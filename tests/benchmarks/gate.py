"""One limit for all processes of a key: how near to the ideal it is kept, and what it costs.

Run with ``python tests/benchmarks/gate.py`` in the environment of the tests, about eight minutes.
Every pusher is a process of its own, against a server with a sliding window. The ideal of n rows
at c in s seconds is floor((n - 1) / c) x s.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RUNS = 3


@contextlib.contextmanager
def stub(*options: float) -> Iterator[str]:
    """Serve on loopback, with latency in ms, and number and seconds of a limit."""
    command = [sys.executable, str(HERE / "stub.py"), *map(str, options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.kill()


@contextlib.contextmanager
def own_folder() -> Iterator[None]:
    """Use a gate of this run alone."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = folder
        yield
        del os.environ["TMPDIR"]


def start_pusher(url: str, first: int, rows: int, rate: str | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / "pusher.py"), url, str(first), str(rows)]
    command += [rate] if rate else []
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def result(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = process.communicate()
    found: dict[str, Any] = json.loads(out)
    return found


def push(url: str, rows: int, processes: int, rate: str | None = None) -> tuple[float, int]:
    """Push rows over some processes at once; return seconds, and requests answered 429."""
    with own_folder():
        share = rows // processes
        pushers = [start_pusher(url, n * share, share, rate) for n in range(processes)]
        for pusher in pushers:
            go(pusher)
        results = [result(pusher) for pusher in pushers]
    seconds = max(r["end"] for r in results) - min(r["start"] for r in results)
    return seconds, sum(r["requests"] - r["rows"] for r in results)


def median(runs: list[tuple[float, int]]) -> tuple[float, float]:
    return statistics.median(s for s, _ in runs), statistics.median(n for _, n in runs)


def against_ideal() -> None:
    count, span = 60, 6.0
    for rows, processes, rate in (
        (300, 2, None),
        (300, 4, None),
        (600, 1, "60/6s"),
        (600, 1, None),
    ):
        runs = []
        for _ in range(RUNS):
            with stub(0, count, span) as url:
                runs.append(push(url, rows, processes, rate))
        seconds, refused = median(runs)
        ideal = (rows - 1) // count * span
        print(
            f"{rows} rows, {processes} processes, rate_limit={rate}: {seconds:.1f} s, "
            f"{seconds / ideal:.2f}x the ideal {ideal:g} s; "
            f"{refused / (rows + refused):.1%} answered 429",
            flush=True,
        )


def against_one_process() -> None:
    rows, alone = 3_000, 0.0
    for processes in (1, 2, 4):
        runs = []
        for _ in range(RUNS):
            with stub(0, 500, 1.0) as url:
                runs.append(push(url, rows, processes))
        seconds, refused = median(runs)
        alone = alone or seconds
        print(
            f"{rows} rows at 500/s, {processes} processes: {seconds:.2f} s, "
            f"{seconds / alone:.2f}x one process; {refused / (rows + refused):.1%} answered 429",
            flush=True,
        )


def without_limit() -> None:
    for latency, rows in ((0, 20_000), (50, 3_000)):
        seconds: dict[str, list[float]] = {"shared": [], "process": []}
        with stub(latency) as url:
            for _ in range(2 * RUNS + 1):
                for kind, times in seconds.items():
                    os.environ["RESPAN_GATE"] = kind
                    times.append(push(url, rows, 1)[0])
        del os.environ["RESPAN_GATE"]
        shared, alone = (statistics.median(times) for times in seconds.values())
        print(
            f"no limit, {latency} ms, {rows} rows: {rows / shared:,.0f} rows/s shared, "
            f"{rows / alone:,.0f} alone, {alone / shared:.1%}",
            flush=True,
        )


OPEN = "from respan_notebook import RespanClient as R; R('key', 'http://127.0.0.1:9').gate.held()"


def open_at_once() -> None:
    failed = 0
    for _ in range(20):
        with own_folder():
            command = [sys.executable, "-c", OPEN]
            pipe = subprocess.PIPE
            opening = [subprocess.Popen(command, stderr=pipe, text=True) for _ in range(20)]
            failed += sum(bool(process.communicate()[1]) for process in opening)
    print(f"20 processes that open a new gate at once, 20 times: {failed} of 400 with an error")


def later_notebook() -> None:
    runs = []
    for _ in range(RUNS):
        with stub(0, 60, 6.0) as url, own_folder():
            first = start_pusher(url, 0, 300)
            second = start_pusher(url, 300, 120)
            go(first)
            time.sleep(15)
            go(second)
            result(first)
            found = result(second)
            runs.append(found["requests"] - found["rows"])
    print(f"a notebook that starts 15 s after another: {statistics.median(runs):g} 429s of its own")


PROBE = """
import sys, time
from respan_notebook import RespanClient
gate = RespanClient('key', 'http://127.0.0.1:9').gate
def ask():
    while (seconds := gate.request()[0]) > 0:
        time.sleep(seconds)
gate.refused(gate.request()[1], 0.1)
ask()
print('probing', flush=True)
time.sleep(60)
"""
NEXT = """
import time
from respan_notebook import RespanClient
gate = RespanClient('key', 'http://127.0.0.1:9').gate
assert gate.request()[0] > 0
print('waiting', flush=True)
while (seconds := gate.request()[0]) > 0:
    time.sleep(seconds)
print(time.monotonic())
"""


def killed_prober() -> None:
    waits = []
    for _ in range(2 * RUNS + 1):
        with own_folder():
            prober = subprocess.Popen([sys.executable, "-c", PROBE], stdout=-1, text=True)
            assert prober.stdout is not None
            prober.stdout.readline()
            other = subprocess.Popen([sys.executable, "-c", NEXT], stdout=-1, text=True)
            assert other.stdout is not None
            other.stdout.readline()
            time.sleep(0.5)
            killed = time.monotonic()
            prober.send_signal(signal.SIGKILL)
            waits.append(float(other.communicate()[0]) - killed)
            prober.communicate()
    print(f"the prober killed -9: the next permit after {statistics.median(waits):.2f} s")


def killed_pusher() -> None:
    runs = []
    for _ in range(RUNS):
        with stub(0, 60, 6.0) as url, own_folder():
            pushers = [start_pusher(url, n * 300, 300) for n in range(3)]
            for pusher in pushers:
                go(pusher)
            time.sleep(10)
            pushers[0].send_signal(signal.SIGKILL)
            killed = time.monotonic()
            pushers[0].communicate()
            start = time.monotonic()
            results = [result(pusher) for pusher in pushers[1:]]
            del start
            begin = min(r["start"] for r in results)
            rows = sum(r["rows"] for r in results)
            # What the killed one may have sent until then, at a third of the rate.
            rows += int((killed - begin) / 6.0 + 1) * 20
            ideal = (rows - 1) // 60 * 6.0
            runs.append((max(r["end"] for r in results) - begin) / ideal)
    print(
        f"one of three pushers killed -9: the others take {statistics.median(runs):.2f}x the ideal"
    )


def main() -> None:
    for part in sys.argv[1:] or list(PARTS):
        PARTS[part]()


PARTS = {
    "ideal": against_ideal,
    "fast": against_one_process,
    "unlimited": without_limit,
    "open": open_at_once,
    "later": later_notebook,
    "prober": killed_prober,
    "pusher": killed_pusher,
}

if __name__ == "__main__":
    main()
