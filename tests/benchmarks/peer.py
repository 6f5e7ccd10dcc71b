"""One way to send scores, timed: ``python peer.py NAME URL ROWS THREADS``; prints JSON.

``seconds`` is the wall clock from the data to the last answer, ``cpu`` this process's user and
system time in it. Imports and set-up of a client do not count.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

Send = Callable[[int], Any]
HEADERS = {"Authorization": "Bearer key"}


def body(row: int) -> dict[str, Any]:
    return {"evaluator_slug": "stars", "numerical_value": float(row % 5 + 1)}


def in_threads(make_send: Callable[[], Send], rows: int, threads: int) -> None:
    numbers = iter(range(rows))
    lock = threading.Lock()

    def work() -> None:
        send = make_send()
        while True:
            with lock:
                row = next(numbers, None)
            if row is None:
                return
            send(row)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def requests_session(url: str, rows: int, threads: int) -> Callable[[], None]:
    import requests

    def make_send() -> Send:
        session = requests.Session()
        return lambda row: session.post(
            f"{url}/api/logs/log_{row}/scores/", json=body(row), headers=HEADERS
        ).json()

    return lambda: in_threads(make_send, rows, threads)


def urllib3_pool(url: str, rows: int, threads: int) -> Callable[[], None]:
    import urllib3

    pool = urllib3.connection_from_url(url, maxsize=threads)
    headers = {**HEADERS, "Content-Type": "application/json"}

    def send(row: int) -> Any:
        path = f"/api/logs/log_{row}/scores/"
        return pool.urlopen("POST", path, json.dumps(body(row)), headers, retries=False).data

    return lambda: in_threads(lambda: send, rows, threads)


def respan_api(url: str, rows: int, threads: int) -> Callable[[], None]:
    import respan

    client = respan.RespanClient(base_url=url, authorization="Bearer key")

    def send(row: int) -> Any:
        return client.scores.create_span_score(
            f"log_{row}", evaluator_slug="stars", numerical_value=float(row % 5 + 1)
        )

    return lambda: in_threads(lambda: send, rows, threads)


def aiohttp_client(url: str, rows: int, threads: int) -> Callable[[], None]:
    import asyncio

    import aiohttp

    async def run() -> None:
        numbers = iter(range(rows))

        async def work(session: aiohttp.ClientSession) -> None:
            for row in numbers:
                path = f"{url}/api/logs/log_{row}/scores/"
                async with session.post(path, json=body(row), headers=HEADERS) as answer:
                    await answer.json()

        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(work(session) for _ in range(threads)))

    return lambda: asyncio.run(run())


def push_scores(url: str, rows: int, threads: int) -> Callable[[], None]:
    import pandas as pd

    from respan_notebook import Evaluator, RespanClient

    frame = pd.DataFrame(
        {
            "log_id": [f"log_{row}" for row in range(rows)],
            "stars": [float(row % 5 + 1) for row in range(rows)],
        }
    )
    stars = Evaluator(
        evaluator_slug="stars",
        score_value_type="numerical",
        score_config={"min_score": 1, "max_score": 5},
    )
    client = RespanClient("key", url)
    frame.respan.push_scores([stars], dry_run=True)

    def run() -> None:
        report = frame.respan.push_scores(
            [stars], client=client, concurrency=threads, progress=False
        )
        assert report.counts == {"created": rows}, report

    return run


PEERS = {
    "requests.Session": requests_session,
    "urllib3 pool": urllib3_pool,
    "respan-api": respan_api,
    "aiohttp": aiohttp_client,
    "push_scores": push_scores,
}


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    name, url, rows, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    run = PEERS[name](url, rows, threads)
    used, start = cpu(), time.perf_counter()
    run()
    print(json.dumps({"seconds": time.perf_counter() - start, "cpu": cpu() - used}))


if __name__ == "__main__":
    main()
