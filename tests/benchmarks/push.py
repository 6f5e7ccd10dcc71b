"""push_scores against its peers, all in one run, as ratios of medians.

Run with ``python tests/benchmarks/push.py`` in the environment of the tests. The peers that are
not needed otherwise (respan-api 0.1.47, aiohttp) go into an environment of their own, made in a
temporary folder. Every measurement is a process of its own; the peers take turns.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
import venv
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from respan_notebook import Evaluator, RespanClient, Sandbox

HERE = Path(__file__).parent
RUNS = 5
STARS = Evaluator(
    evaluator_slug="stars",
    score_value_type="numerical",
    score_config={"min_score": 1, "max_score": 5},
)


@contextlib.contextmanager
def stub(latency_ms: float) -> Iterator[str]:
    command = [sys.executable, str(HERE / "stub.py"), str(latency_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.kill()


def peers_python(folder: str) -> str:
    venv.create(folder, with_pip=True)
    python = str(Path(folder) / "bin" / "python")
    command = [python, "-m", "pip", "install", "--quiet", "respan-api==0.1.47", "aiohttp"]
    subprocess.run(command, check=True)
    return python


def compare(cases: list[tuple[str, str, int]], rows: int, latency_ms: float) -> dict[str, float]:
    """Print a table of the cases (name, python, threads); return rows a second by label."""
    runs: dict[str, list[dict[str, float]]] = {}
    with stub(latency_ms) as url:
        for _ in range(RUNS):
            for name, python, threads in cases:
                command = [python, str(HERE / "peer.py"), name, url, str(rows), str(threads)]
                run = subprocess.run(command, capture_output=True, text=True, check=True)
                runs.setdefault(f"{name}, {threads}", []).append(json.loads(run.stdout))
    print(f"\n{rows:,} rows, {latency_ms:g} ms latency, median of {RUNS}")
    print(f"{'sender, in flight':24} {'rows/s':>8} {'CPU ms/row':>11} {'speed':>7} {'CPU':>6}")
    own = next(label for label in runs if label.startswith("push_scores"))
    speed = {k: rows / statistics.median(r["seconds"] for r in v) for k, v in runs.items()}
    cpu = {k: statistics.median(r["cpu"] for r in v) / rows * 1000 for k, v in runs.items()}
    for label in runs:
        print(
            f"{label:24} {speed[label]:8,.0f} {cpu[label]:11.3f} "
            f"{speed[own] / speed[label]:6.2f}x {cpu[own] / cpu[label]:5.2f}x"
        )
    print("(speed: push_scores over this one; CPU: push_scores's share of this one's)")
    return speed


def frame_of(rows: int) -> pd.DataFrame:
    values = [float(row % 5 + 1) for row in range(rows)]
    return pd.DataFrame({"log_id": [f"log_{row:08d}" for row in range(rows)], "stars": values})


def median_seconds(run: object) -> float:
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run()  # type: ignore[operator]
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def preflight(rows: int = 1_000_000) -> None:
    frame = frame_of(rows)
    records = median_seconds(lambda: frame.to_dict("records"))
    dry = median_seconds(lambda: frame.respan.push_scores([STARS], dry_run=True))
    tracemalloc.start()
    report = frame.respan.push_scores([STARS], dry_run=True)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    assert report.counts == {"not_sent": rows}
    print(f"\npreflight of {rows:,} rows: {dry:.2f} s, {dry / records:.2f}x to_dict('records')")
    print(f"peak memory over the frame's own, dry run of {rows:,} rows: {peak:.0f} MB")


def memory_of_sending(rows: int = 100_000) -> None:
    frame = frame_of(rows)
    with stub(0) as url, RespanClient("key", url) as client:
        tracemalloc.start()
        report = frame.respan.push_scores([STARS], client=client, progress=False)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
    assert report.counts == {"created": rows}
    print(f"peak memory over the frame's own, {rows:,} rows sent: {peak:.0f} MB")


def rate_limited(rows: int = 600, limit: int = 60, seconds: float = 6) -> None:
    with tempfile.TemporaryDirectory() as folder:
        db = str(Path(folder) / "respan.sqlite")
        with Sandbox(db=db) as free, RespanClient(free.api_key, free.base_url) as maker:
            for row in range(rows):
                maker.create_log({"unique_id": f"log_{row:08d}"})
        with (
            Sandbox(db=db, rate_limit=(limit, seconds)) as sandbox,
            RespanClient(sandbox.api_key, sandbox.base_url) as client,
        ):
            start = time.perf_counter()
            report = frame_of(rows).respan.push_scores([STARS], client=client, progress=False)
            took = time.perf_counter() - start
    assert report.counts == {"created": rows}, report
    requests = int(report.frame["attempts"].sum())
    ideal = (rows // limit - 1) * seconds
    print(
        f"\n{rows} rows, at most {limit} in {seconds:g} s: {took:.1f} s, {took / ideal:.2f}x the "
        f"ideal {ideal:g} s; {(requests - rows) / requests:.1%} of {requests} requests answered 429"
    )


def main() -> None:
    own = sys.executable
    preflight()
    memory_of_sending()
    rate_limited()
    with tempfile.TemporaryDirectory() as folder:
        python = peers_python(folder)
        compare(
            [
                ("requests.Session", own, 1),
                ("requests.Session", own, 16),
                ("respan-api", python, 1),
                ("respan-api", python, 16),
                ("aiohttp", python, 32),
                ("push_scores", own, 16),
            ],
            6_000,
            0,
        )
        speed = compare(
            [
                ("requests.Session", own, 32),
                ("urllib3 pool", own, 32),
                ("respan-api", python, 32),
                ("aiohttp", python, 32),
                ("push_scores", own, 32),
            ],
            3_200,
            50,
        )
    ceiling = 32 / 0.050
    own_speed, raw = speed["push_scores, 32"], speed["urllib3 pool, 32"]
    print(
        f"push_scores reaches {own_speed / ceiling:.1%} of {ceiling:.0f} a second, and "
        f"{own_speed / raw:.1%} of the raw pool"
    )


if __name__ == "__main__":
    main()
