"""Spark DataFrames: executors check, this process settles duplicates and sends."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from small_jobs import plan_of, stored
from stars import FIVE_STARS, STARS, frame_of, serving

from respan_notebook import DuplicateScoreError, Evaluator, FrameError, push_scores, resume_push
from respan_notebook.catalogue import Catalogue
from respan_notebook.push.jobs.chunk import ChunkReader
from respan_notebook.push.jobs.spark import make_checker
from respan_notebook.push.options import PushOptions

# It says so of pandas 3, at every use.
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support:FutureWarning")
IS_REQUIRED = os.environ.get("RESPAN_SPARK_TESTS") == "required"
DRY = {"dry_run": True, "progress": False}


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """Give a session of Spark with two executor threads."""
    if not IS_REQUIRED:
        pytest.importorskip("pyspark", reason="pyspark is not installed")
        if shutil.which("java") is None:
            pytest.skip("Spark needs Java, and there is none")
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.session.timeZone", "UTC")
    with pytest.MonkeyPatch.context() as patch:
        # Before 4.1, the executors run the first python3 of the PATH, which may lack the packages.
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        session = builder.getOrCreate()
        yield session
        session.stop()


def repeated(spark: Any, rows: int, logs: int) -> Any:
    """Return a frame in five partitions, whose column ``at`` is the number of the row."""
    cells = [(f"log_{n % logs}", float(n), n) for n in range(rows)]
    return spark.createDataFrame(cells, "log_id string, stars double, at long").repartition(5)


def test_push_scores__order_by_says_which_row_is_the_last(spark: Any, tmp_path: Path) -> None:
    with serving(40) as client:
        frame = repeated(spark, 120, 40)
        with pytest.raises(DuplicateScoreError, match="the source has no order; pass order_by="):
            push_scores(frame, [STARS], to=tmp_path / "none", client=client, **DRY)
        job = push_scores(frame, [STARS], to=tmp_path / "at", order_by="at", client=client, **DRY)
        assert job.counts == {"duplicate": 80, "not_sent": 40}
        sent = resume_push(tmp_path / "at", client=client, progress=False)
        assert sent.counts == {"created": 40, "duplicate": 80}
        assert stored(client) == {f"log_{n % 40}": float(n) for n in range(80, 120)}
    plan = plan_of(tmp_path / "at")
    assert plan["line"].is_unique
    assert {line >> 32 for line in plan["line"]} == set(range(5))


def test_push_scores__plans_what_it_plans_from_pandas(spark: Any, tmp_path: Path) -> None:
    plain = frame_of(100)
    frame = spark.createDataFrame(plain.to_dict("records"), "log_id string, stars long")
    job = push_scores(frame, [FIVE_STARS], to=tmp_path / "spark", **DRY)
    of_pandas = push_scores(plain, [FIVE_STARS], to=tmp_path / "pandas", **DRY)
    assert job.counts == of_pandas.counts == {"invalid": 95, "not_sent": 5}
    columns = ["log_id", "status", "error", "numerical_value"]
    found, expected = (
        plan_of(tmp_path / name)[columns].sort_values("log_id").to_numpy().tolist()
        for name in ("spark", "pandas")
    )
    assert found == expected


def test_push_scores__cells_of_spark_mean_the_same(spark: Any, tmp_path: Path) -> None:
    cells = [
        ("a", ["x", "y"], {"k": 1}, Decimal("1.50"), True, dt.datetime(2026, 1, 5, 10), "fine"),
        ("b", None, None, None, None, None, None),
    ]
    schema = (
        "`log_id` string, `tags` array<string>, `data` map<string, long>, `amount` decimal(6, 2), "
        "`good` boolean, `timestamp` timestamp, `text.of` string"
    )
    types = {"tags": "multi_select", "data": "json", "amount": "numerical", "good": "boolean"}
    evaluators = [
        Evaluator(evaluator_slug=slug, score_value_type=kind)
        for slug, kind in {**types, "text.of": "text"}.items()
    ]
    frame = spark.createDataFrame(cells, schema)
    job = push_scores(frame, evaluators, to=tmp_path, context="timestamp", **DRY)
    assert job.counts == {"skipped": 5, "not_sent": 5}
    plan = plan_of(tmp_path).query("status == 'not_sent'")
    assert plan["categorical_value"].tolist()[0] == ["x", "y"]
    assert plan["json_value"].tolist()[1] == '{"k": 1}'
    assert plan["numerical_value"].tolist()[2] == 1.5
    assert plan["boolean_value"].tolist()[3] is True
    assert plan["string_value"].tolist()[4] == "fine"
    assert set(plan["timestamp"]) == {"2026-01-05T10:00:00Z"}


def test_push_scores__spark_needs_a_folder(spark: Any, tmp_path: Path) -> None:
    frame = repeated(spark, 4, 4)
    with pytest.raises(FrameError, match='push it with to="folder"'):
        push_scores(frame, [STARS], **DRY)
    with pytest.raises(FrameError, match="no column 'stras'"):
        push_scores(frame, {"stars": "stras"}, evaluators=[STARS], to=tmp_path, **DRY)


def test_checker__what_goes_to_the_executors_holds_no_client() -> None:
    reader = ChunkReader({"stars": "stars"}, Catalogue([STARS], None).detach(), PushOptions())
    packed = cloudpickle.dumps(make_checker(reader, ["log_id", "stars"]))
    assert b"ChunkReader" in packed
    assert b"RespanClient" not in packed
