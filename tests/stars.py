"""Push rows of stars to a sandbox that has their logs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
from seed import add_logs

from respan_notebook import Evaluator, PushReport, RespanClient, Sandbox

STARS = Evaluator(evaluator_slug="stars", score_value_type="numerical")
FIVE_STARS = Evaluator(
    evaluator_slug="stars",
    score_value_type="numerical",
    score_config={"min_score": 1, "max_score": 5},
)
QUIET = {"progress": False}


def frame_of(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"log_id": [f"log_{n}" for n in range(rows)], "stars": range(rows)})


@contextmanager
def sandbox_of(rows: int, **options: Any) -> Iterator[Sandbox]:
    """Give a sandbox that has this many logs."""
    with Sandbox(annotators=["ann@example.com", "maker@example.com"], **options) as sandbox:
        add_logs(
            sandbox.base_url, sandbox.api_keys["maker@example.com"], list(frame_of(rows)["log_id"])
        )
        yield sandbox


@contextmanager
def serving(rows: int, **options: Any) -> Iterator[RespanClient]:
    """Give a client of a sandbox that has this many logs."""
    with (
        sandbox_of(rows, **options) as sandbox,
        RespanClient(sandbox.api_key, sandbox.base_url) as client,
    ):
        yield client


def push(frame: pd.DataFrame, client: RespanClient, **options: Any) -> PushReport:
    return frame.respan.push_scores([STARS], client=client, **{"progress": False, **options})
