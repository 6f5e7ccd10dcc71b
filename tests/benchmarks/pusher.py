"""Push rows when told to: ``python pusher.py URL FIRST ROWS [RATE_LIMIT]``; prints JSON.

It prints a line when it is ready, and waits for one.
"""

from __future__ import annotations

import json
import sys
import time

import pandas as pd

from respan_notebook import Evaluator, RespanClient

STARS = Evaluator(
    evaluator_slug="stars",
    score_value_type="numerical",
    score_config={"min_score": 1, "max_score": 5},
)


def main() -> None:
    url, first, rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rate = sys.argv[4] if len(sys.argv) > 4 else None
    numbers = range(first, first + rows)
    frame = pd.DataFrame(
        {"log_id": [f"log_{n}" for n in numbers], "stars": [float(n % 5 + 1) for n in numbers]}
    )
    frame.respan.push_scores([STARS], dry_run=True)
    client = RespanClient("key", url)
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.monotonic()
    report = frame.respan.push_scores([STARS], client=client, progress=False, rate_limit=rate)
    assert report.counts == {"created": rows}, report
    requests = int(report.frame["attempts"].sum())
    print(json.dumps({"start": start, "end": time.monotonic(), "requests": requests, "rows": rows}))


if __name__ == "__main__":
    main()
