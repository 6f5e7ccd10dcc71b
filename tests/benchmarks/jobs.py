"""Pushes to a folder: planning, sending, kills, memory; every measurement in a process of its own.

Run with ``python tests/benchmarks/jobs.py`` in the environment of the tests (about ten minutes), or
with the names of some measurements: plan, tenfold, dask-plan, dask-kills, dask-push, sender-kills,
sending, sources, deadline, key. ``tenfold`` and Spark among the ``sources`` are measured when they
are asked for, or when pyspark is installed.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from relay import relayed

from respan_notebook import Evaluator, PushJob, RespanClient, push_scores, resume_push
from respan_notebook.push.jobs.folder import JobFolder

HERE = Path(__file__).parent
STARS = Evaluator(
    evaluator_slug="stars",
    score_value_type="numerical",
    score_config={"min_score": 1, "max_score": 5},
)
LIMIT, SPAN, ROWS = 60, 6.0, 600
IDEAL = (ROWS // LIMIT - 1) * SPAN
DRY = {"dry_run": True, "progress": False}


def peak() -> float:
    """Return the most memory that this process had, in MB, on Linux."""
    # The ru_maxrss of a process is that of its parent, too.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def values_of(start: int, stop: int, logs: int) -> pa.Table:
    rows = np.arange(start, stop)
    ids = [f"log_{row:010d}" for row in (rows % logs).tolist()]
    return pa.table({"log_id": ids, "stars": (rows * 7 // logs % 5 + 1).astype(float)})


def write_rows(folder: Path, rows: int, files: int = 8) -> Path:
    """Write rows as Parquet, a fortieth of them duplicates; return the folder of the files."""
    folder.mkdir()
    bounds = np.linspace(0, rows, files + 1).astype(int).tolist()
    for number, (start, stop) in enumerate(itertools.pairwise(bounds)):
        path = folder / f"{number:03d}.parquet"
        with pq.ParquetWriter(path, values_of(0, 1, 1).schema) as writer:
            for first in range(start, stop, 250_000):
                last = min(first + 250_000, stop)
                writer.write_table(values_of(first, last, rows * 39 // 40))
    return folder


def run(name: str, *arguments: object, **environment: str) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, __file__, f"own-{name}", *map(str, arguments)]
    done = subprocess.run(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextlib.contextmanager
def sandbox_process(folder: Path, rows: int, *options: str) -> Iterator[tuple[str, str]]:
    """Run a sandbox that has these logs in a process of its own; give its address and key."""
    from respan_notebook import Sandbox  # The processes whose memory is measured need none.

    db = str(folder / "respan.sqlite")
    with Sandbox(db=db) as free, RespanClient(free.api_key, free.base_url) as maker:
        for row in range(rows):
            maker.create_log({"unique_id": f"log_{row:010d}"})
    command = [sys.executable, "-m", "respan_notebook.sandbox", "--db", db, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        yield facts["base_url"], next(iter(facts["api_keys"].values()))
        process.terminate()


@contextlib.contextmanager
def stub() -> Iterator[str]:
    command = [sys.executable, str(HERE / "stub.py"), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.kill()


def stored(url: str, key: str) -> dict[str, float]:
    with RespanClient(key, url) as client:
        scores = client.filter_scores()
    found = {score.log_id or "": score.numerical_value for score in scores}
    assert len(found) == len(scores), "a score is there twice"
    return found


# -- planning -----------------------------------------------------------------------------------


def own_plan(source: str, to: str) -> dict[str, Any]:
    before, start = peak(), time.perf_counter()
    job = push_scores(source, [STARS], to=to, **DRY)
    took = time.perf_counter() - start
    return {"seconds": took, "rows": len(job), "peak": peak(), "before": before, **job.counts}


def plan(folder: Path, rows: int = 4_000_000) -> float:
    source = write_rows(folder / f"rows-{rows}", rows)
    found = run("plan", source, folder / "job")
    shutil.rmtree(folder / "job")
    print(
        f"plan of {rows:,} rows from Parquet in one process: {rows / found['seconds']:,.0f} rows a "
        f"second, peak {found['peak']:.0f} MB ({found['before']:.0f} MB before it began)"
    )
    return float(found["peak"])


def tenfold(folder: Path) -> None:
    one = plan(folder)
    ten = plan(folder, 40_000_000)
    print(f"ten times the rows: {ten / one:.2f}x the memory")


def own_dask_plan(source: str, to: str, kills: str, url: str) -> dict[str, Any]:
    import dask.dataframe as dd
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        Client(cluster),
        RespanClient("key", url) as client,
    ):
        frame = dd.read_parquet(source)
        start = time.perf_counter()
        killer = threading.Thread(target=kill_workers, args=(cluster, json.loads(kills)))
        killer.start()
        job = push_scores(frame, [STARS], to=to, client=client, **DRY)
        took = time.perf_counter() - start
        killer.join()
        partitions = frame.npartitions
    return {"seconds": took, "peak": peak(), "partitions": partitions, **job.counts}


def kill_workers(cluster: Any, moments: list[float]) -> None:
    start = time.monotonic()
    for moment in moments:
        time.sleep(max(0.0, start + moment - time.monotonic()))
        pids = [nanny.pid for nanny in cluster.workers.values() if nanny.pid]
        os.kill(pids[0], signal.SIGKILL)


def dask_plan(folder: Path, rows: int = 4_000_000) -> float:
    source = write_rows(folder / "dask-rows", rows, 12)
    with stub() as url, relayed(url) as relay:
        found = run("dask_plan", source, folder / "dask-job", "[]", relay.url)
    print(
        f"plan of {rows:,} rows in {found['partitions']} partitions, Dask with 2 workers: "
        f"{found['seconds']:.1f} s, peak of this process {found['peak']:.0f} MB"
    )
    shutil.rmtree(folder / "dask-job")
    return float(found["seconds"])


def dask_kills(folder: Path, rows: int = 4_000_000) -> None:
    usual = dask_plan(folder, rows)
    source, to = folder / "dask-rows", folder / "dask-killed"
    moments = [share * usual for share in (0.2, 0.5, 0.8)]
    with stub() as url, relayed(url) as relay:
        found = run("dask_plan", source, to, json.dumps(moments), relay.url)
    lines = pc.unique(JobDataset(to).column("line"))
    expected = {"duplicate": rows - rows * 39 // 40, "not_sent": rows * 39 // 40}
    counts = {name: found[name] for name in expected}
    print(
        f"a Dask worker killed at {', '.join(f'{one:.1f}' for one in moments)} s: "
        f"{found['seconds']:.1f} s in all, {len(lines):,} different lines, {counts}; processes "
        f"that connected to the server: {len(relay.pids)}"
    )
    assert not relay.pids, "something was sent while it was planned"
    assert len(lines) == rows
    assert counts == expected


class JobDataset:
    """Read columns of a job's lines."""

    def __init__(self, folder: Path) -> None:
        self._dataset = PushJob(JobFolder.at(folder), None).dataset()

    def column(self, name: str) -> pa.ChunkedArray:
        return self._dataset.to_table(columns=[name])[name]


# -- sending ------------------------------------------------------------------------------------


def own_dask_push(url: str, to: str, workers: str, partitions: str) -> dict[str, Any]:
    import dask.dataframe as dd
    from distributed import Client, LocalCluster

    rows = [*range(ROWS), *range(0, ROWS, 4)]  # A quarter lies in two partitions.
    ids = [f"log_{row:010d}" for row in rows]
    stars = [1.0] * ROWS + [2.0] * (len(rows) - ROWS)
    frame = pd.DataFrame({"log_id": ids, "stars": stars})
    secret = os.environ.pop("KEY")  # The workers would inherit it.
    with (
        LocalCluster(
            n_workers=int(workers), threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as cluster,
        Client(cluster) as connected,
        RespanClient(secret, url) as client,
    ):
        start = time.perf_counter()
        source = dd.from_pandas(frame, npartitions=int(partitions))
        push_scores(source, [STARS], to=to, client=client, **DRY)
        planned = time.perf_counter()
        job = resume_push(to, client=client, progress=False)
        end = time.perf_counter()
        environments = connected.run(lambda: "\0".join(os.environ.values()))
    return {
        "all": end - start,
        "sending": end - planned,
        "counts": job.counts,
        "env": environments,
        "pid": os.getpid(),
    }


def dask_push(folder: Path) -> None:
    for workers, partitions in ((2, 6), (4, 12)):
        own = folder / f"push-{workers}"
        own.mkdir()
        limit = ("--rate-limit", f"{LIMIT}/{SPAN:g}")
        with sandbox_process(own, ROWS, *limit) as (url, key), relayed(url) as relay:
            found = run("dask_push", relay.url, own / "job", workers, partitions, KEY=key)
        # The limit counts reading, too: another server, without one, on the same file.
        with sandbox_process(own, 0) as (url, key):
            values = stored(url, key)
        print(
            f"Dask, {workers} workers, {partitions} partitions, {ROWS} logs, a quarter of them "
            f"twice: sending {found['sending'] / IDEAL:.3f}x, in all {found['all'] / IDEAL:.3f}x "
            f"the ideal {IDEAL:g} s; {found['counts']}; connections of this process alone: "
            f"{relay.pids == {found['pid']}}"
        )
        assert relay.pids == {found["pid"]}, "a worker has connected to the server"
        assert found["counts"] == {"created": ROWS, "duplicate": ROWS // 4}
        assert values == {f"log_{row:010d}": 1.0 if row % 4 else 2.0 for row in range(ROWS)}


def sender_kills(folder: Path, kills: int = 5, concurrency: int = 16) -> None:
    own = folder / "sender-kills"
    own.mkdir()
    limit = ("--rate-limit", f"{LIMIT}/{SPAN:g}")
    with sandbox_process(own, ROWS, *limit) as (url, key):
        with RespanClient(key, url) as client:
            frame = values_of(0, ROWS, ROWS)
            push_scores(frame, [STARS], to=own / "job", client=client, **DRY)
        environment = {**os.environ, "RESPAN_API_KEY": key, "RESPAN_BASE_URL": url}
        command = [sys.executable, "-m", "respan_notebook.push", str(own / "job"), "--quiet"]
        start = time.perf_counter()
        subprocess.run([*command, "--help"], stdout=subprocess.PIPE, check=True)
        startup, start = time.perf_counter() - start, time.perf_counter()
        for _ in range(kills):
            with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
                time.sleep(IDEAL / (kills + 1))
                process.kill()
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
        took = time.perf_counter() - start
    with sandbox_process(own, 0) as (url, key):
        values = stored(url, key)
    job = PushJob(JobFolder.at(own / "job"), None)
    print(
        f"sender killed {kills} times: {took / IDEAL:.3f}x the ideal {IDEAL:g} s, {job.counts}, "
        f"exit code {done.returncode}; without {kills} starts of {startup:.1f} s "
        f"{(took - kills * startup) / IDEAL:.3f}x"
    )
    assert set(job.counts) <= {"created", "updated"}
    assert job.counts.get("updated", 0) <= kills * concurrency
    assert values == dict(zip(frame["log_id"].to_pylist(), frame["stars"].to_pylist(), strict=True))


def own_send(url: str, source: str, to: str) -> dict[str, Any]:
    """Send a planned job, or with ``to`` empty the same rows from memory."""
    with RespanClient("key", url) as client:
        if to:
            before, start = peak(), time.perf_counter()
            counts = resume_push(to, client=client, progress=False).counts
        else:
            frame = pd.read_parquet(source)
            before, start = peak(), time.perf_counter()
            counts = push_scores(frame, [STARS], client=client, progress=False).counts
        took = time.perf_counter() - start
    return {"seconds": took, "peak": peak(), "before": before, "counts": counts}


def sending(folder: Path, rows: int = 1_000_000, runs: int = 5) -> None:
    source = write_rows(folder / "send-rows", rows)
    with stub() as url, RespanClient("key", url) as client:
        push_scores(source, [STARS], to=folder / "send-job", client=client, **DRY)
        found = run("send", url, source, folder / "send-job")
    print(
        f"sending {rows:,} planned scores: {rows / found['seconds']:,.0f} a second, peak "
        f"{found['peak']:.0f} MB; {found['counts']}"
    )
    small = write_rows(folder / "small-rows", rows // 20)
    seconds: dict[str, list[float]] = {"job": [], "memory": []}
    for number in range(runs):
        with stub() as url:
            to = folder / f"small-job-{number}"
            with RespanClient("key", url) as client:
                push_scores(small, [STARS], to=to, client=client, **DRY)
            seconds["job"].append(run("send", url, small, to)["seconds"])
            seconds["memory"].append(run("send", url, small, "")["seconds"])
    job, memory = (statistics.median(times) for times in seconds.values())
    print(f"its rate against a push from memory, {rows // 20:,} rows, in turn: {memory / job:.1%}")


# -- the same from every source -----------------------------------------------------------------


def own_source(kind: str, source: str, to: str) -> dict[str, Any]:
    order = None
    frame: Any = source
    if kind == "pandas":
        frame = pd.read_parquet(source)
    elif kind == "polars-lazy":
        import polars as pl

        frame = pl.scan_parquet(f"{source}/*.parquet")
    elif kind == "duckdb":
        import duckdb

        frame, order = duckdb.read_parquet(f"{source}/*.parquet"), "at"
    elif kind == "dask":
        import dask.dataframe as dd

        frame = dd.read_parquet(source)
    elif kind == "spark":
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        frame, order = builder.getOrCreate().read.parquet(source), "at"
    start = time.perf_counter()
    job = push_scores(frame, [STARS], to=to, order_by=order, **DRY)
    return {"seconds": time.perf_counter() - start, "peak": peak(), "counts": job.counts}


def sources(folder: Path, rows: int = 1_000_000) -> None:
    source = folder / "numbered-rows"
    source.mkdir()
    table = values_of(0, rows, rows * 39 // 40).append_column("at", pa.array(np.arange(rows)))
    for number in range(8):
        start, stop = rows * number // 8, rows * (number + 1) // 8
        pq.write_table(table.slice(start, stop - start), source / f"{number}.parquet")
    plans = {}
    kinds = ["pandas", "parquet", "polars-lazy", "duckdb", "dask"]
    with contextlib.suppress(ImportError):
        import pyspark  # noqa: F401

        kinds.append("spark")
    for kind in kinds:
        to = folder / f"source-{kind}"
        found = run("source", kind, source, to)
        print(f"{rows:,} rows from {kind:11} {found['seconds']:5.1f} s  {found['counts']}")
        whole = pa.concat_tables(pq.read_table(path) for path in sorted((to / "plan").iterdir()))
        sent = whole.filter(pc.equal(whole["status"], "not_sent"))
        sent = sent.select(["log_id", "evaluator", "numerical_value"]).sort_by("log_id")
        plans[kind] = sent.combine_chunks(), found["counts"]
        shutil.rmtree(to)
    first = plans["pandas"]
    assert all(one == first for one in plans.values()), "the plans differ"
    print(f"all {len(plans)} plans and counts are equal")


# -- deadline and key ---------------------------------------------------------------------------


def deadline(folder: Path) -> None:
    own = folder / "deadline"
    own.mkdir()
    rows = write_rows(own / "rows", 400_000)
    with stub() as url, RespanClient("key", url) as client:
        push_scores(rows, [STARS], to=own / "job", client=client, **DRY)
        parts = len(list((own / "job" / "plan").iterdir()))
        start = time.perf_counter()
        job = resume_push(own / "job", client=client, deadline=20, progress=False)
        took, counts = time.perf_counter() - start, job.counts
        finished = resume_push(own / "job", client=client, progress=False).counts
    print(f"deadline=20 over {parts} parts: {took:.2f} s, {counts}; resumed: {finished}")


def key(folder: Path) -> None:
    own = folder / "key"
    own.mkdir()
    with sandbox_process(own, ROWS) as (url, secret):
        environment = {**os.environ, "KEY": secret}
        command = [sys.executable, __file__, "own-dask_push", url, str(own / "job"), "2", "6"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found = [
        p for p in (own / "job").rglob("*") if p.is_file() and secret.encode() in p.read_bytes()
    ]
    said = secret in done.stdout + done.stderr  # With the workers' environments and logs.
    print(f"the key's bytes: in {len(found)} files of the job, in output and environments: {said}")


MEASUREMENTS = {
    "plan": plan,
    "dask-kills": dask_kills,
    "dask-push": dask_push,
    "sender-kills": sender_kills,
    "sending": sending,
    "sources": sources,
    "deadline": deadline,
    "key": key,
}


def main(names: list[str]) -> None:
    chosen = {**MEASUREMENTS, "tenfold": tenfold, "dask-plan": dask_plan}
    for name in names or MEASUREMENTS:
        with tempfile.TemporaryDirectory() as folder:
            chosen[name](Path(folder))  # type: ignore[operator]


if __name__ == "__main__":
    first, *rest = sys.argv[1:] or [""]
    if first.startswith("own-"):
        print(json.dumps(globals()[first.replace("-", "_")](*rest)))
    else:
        main(sys.argv[1:])
