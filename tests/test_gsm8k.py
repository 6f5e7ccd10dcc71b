"""The main job on real input: four evaluators of real logs, compared value by value in SQLite."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from seed import add_logs

from respan_notebook import Evaluator, RespanClient

DATA = Path(__file__).parents[2] / "shared" / "data" / "gsm8k_logs.jsonl.gz"

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"the real logs are not at {DATA.name}")

EVALUATORS = [
    Evaluator(evaluator_slug="correct", name="Correct", score_value_type="boolean"),
    Evaluator(evaluator_slug="brevity", name="Brevity", score_value_type="percentage"),
    Evaluator(
        evaluator_slug="family",
        name="Model family",
        score_value_type="single_select",
        score_config={
            "choices": [
                {"name": "Fine-tuned", "value": "finetuning"},
                {"name": "Verifier", "value": "verification"},
            ]
        },
    ),
    Evaluator(evaluator_slug="steps", name="Calculations", score_value_type="json"),
]


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "respan.sqlite"


@pytest.fixture
def client(db: Path) -> Iterator[RespanClient]:
    """Give a client of a sandbox that has the real logs, in a process of its own."""
    command = [sys.executable, "-m", "respan_notebook.sandbox", "--db", str(db)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        add_logs(ready["base_url"], ready["api_key"], read_logs())
        with RespanClient(ready["api_key"], ready["base_url"]) as client:
            yield client
        process.terminate()
        assert process.wait(10) == 0


def read_logs() -> list[dict[str, Any]]:
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def scores_of(logs: pd.DataFrame) -> pd.DataFrame:
    """Return a column per evaluator, each derived from the logs."""
    longest = logs["output"].str.len().max()
    calculation = re.compile(r"<<([^=<>]+)=([^<>]+)>>")
    return logs[["unique_id", "timestamp", "environment"]].assign(
        correct=[metadata["is_correct"] for metadata in logs["metadata"]],
        brevity=100 * (1 - logs["output"].str.len() / longest),
        family=logs["model"].str.split("-").str[-1],
        steps=[
            [{"left": left, "right": right} for left, right in calculation.findall(text)]
            for text in logs["output"]
        ],
    )


def a_tenth(logs: pd.DataFrame) -> pd.DataFrame:
    """Return every tenth log, and all whose text has other letters or no calculation."""
    odd = ~logs["output"].map(str.isascii) | ~logs["output"].str.contains("<<")
    return logs[odd | (logs.index % 10 == 0)]


def test_push_scores__real_logs(client: RespanClient, db: Path) -> None:
    for evaluator in EVALUATORS:
        client.create_evaluator(evaluator)
    logs = client.logs(start_time="2026-01-01")
    sent = pd.DataFrame(read_logs()).set_index("unique_id").reindex(logs["unique_id"])
    assert len(logs) == len(sent) == 5276
    for column in ("model", "output", "metadata"):
        assert logs[column].tolist() == sent[column].tolist(), column
    frame = scores_of(a_tenth(logs))
    assert len(frame) > 700

    names = [evaluator.slug_or_id for evaluator in EVALUATORS]
    report = frame.respan.push_scores(names, client=client, progress=False)
    report.raise_for_errors()
    assert report.counts == {"created": 4 * len(frame)}

    with sqlite3.connect(db) as connection:
        stored = pd.read_sql(
            "select log_id, evaluator_slug, numerical_value, string_value, boolean_value, "
            "categorical_value, json_value, scorer from scores",
            connection,
        )
    connection.close()
    assert len(stored) == 4 * len(frame)
    assert stored["scorer"].nunique() == 1
    wide = stored.set_index(["log_id", "evaluator_slug"]).unstack().reindex(frame["unique_id"])
    expected = {
        ("boolean_value", "correct"): frame["correct"].astype(int).tolist(),
        ("numerical_value", "brevity"): frame["brevity"].tolist(),
        ("categorical_value", "family"): [json.dumps([name]) for name in frame["family"]],
        ("json_value", "steps"): [
            json.dumps(steps, ensure_ascii=False) for steps in frame["steps"]
        ],
    }
    for column in wide.columns.drop("scorer", level=0):
        if column in expected:
            assert wide[column].tolist() == expected[column], column
        else:
            assert wide[column].isna().all(), column

    again = frame.respan.push_scores(names, client=client, progress=False)
    assert again.counts == {"updated": 4 * len(frame)}
