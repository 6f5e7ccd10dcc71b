"""Dask DataFrames: workers check, this process settles duplicates and sends."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_jobs import plan_of, stored
from stars import FIVE_STARS, STARS, frame_of, sandbox_of, serving

from respan_notebook import Evaluator, FrameError, RespanClient, push_scores, resume_push

dask = pytest.importorskip("dask", reason="Dask is not installed")
dd = pytest.importorskip("dask.dataframe", reason="dask.dataframe is not installed")
distributed = pytest.importorskip("distributed", reason="distributed is not installed")
QUIET = {"progress": False}
DRY = {"dry_run": True, "progress": False}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Give the client of a cluster of two processes."""
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        distributed.LocalCluster(**options, silence_logs=50) as running,
        distributed.Client(running, set_as_default=True) as connected,
    ):
        yield connected


def repeated(rows: int, logs: int) -> pd.DataFrame:
    return pd.DataFrame({"log_id": [f"log_{n % logs}" for n in range(rows)], "stars": range(rows)})


def test_push_scores__a_score_in_two_partitions_is_written_once(
    cluster: Any, tmp_path: Path
) -> None:
    import respan_notebook.dask  # noqa: F401

    with serving(40) as client:
        frame = dd.from_pandas(repeated(120, 40), npartitions=6)
        job = frame.respan.push_scores([STARS], to=tmp_path, client=client, **QUIET)
        assert job.counts == {"created": 40, "duplicate": 80}
        # The later line counts, over the whole frame.
        assert stored(client) == {f"log_{n % 40}": float(n) for n in range(80, 120)}
    plan = plan_of(tmp_path)
    assert plan.loc[plan["status"] == "not_sent", "line"].map(lambda one: one >> 32).min() == 4
    assert plan["error"][0] == "same log and evaluator as row 0 of partition 4, which counts"


def test_push_scores__with_and_without_a_cluster_the_plan_is_the_same(
    cluster: Any, tmp_path: Path
) -> None:
    frame = dd.from_pandas(repeated(1000, 300).assign(stars=lambda f: f["stars"] % 7), 5)
    push_scores(frame, [FIVE_STARS], to=tmp_path / "cluster", **DRY)
    with dask.config.set(scheduler="synchronous"):
        push_scores(frame, [FIVE_STARS], to=tmp_path / "alone", **DRY)
    pd.testing.assert_frame_equal(plan_of(tmp_path / "cluster"), plan_of(tmp_path / "alone"))


def kill_once(part: pd.DataFrame, marker: str) -> pd.DataFrame:
    """Kill the worker that has the partition of row 60, once for each of three markers."""
    for number in range(3 if 60 in part.index else 0):
        path = Path(f"{marker}-{number}")
        if not path.exists():
            path.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return part


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL")
def test_push_scores__a_killed_worker_loses_and_doubles_nothing(
    cluster: Any, tmp_path: Path
) -> None:
    frame = dd.from_pandas(repeated(120, 120), npartitions=8)
    dying = frame.map_partitions(kill_once, str(tmp_path / "killed"), meta=frame._meta)
    job = push_scores(dying, [STARS], to=tmp_path / "job", **DRY)
    assert len(list(tmp_path.glob("killed-*"))) == 3
    assert job.counts == {"not_sent": 120}
    plan = plan_of(tmp_path / "job")
    assert plan["line"].is_unique
    assert plan["log_id"].tolist() == [f"log_{n}" for n in range(120)]


def test_push_scores__the_cluster_may_be_closed_before_it_is_sent(tmp_path: Path) -> None:
    with serving(20) as client:
        with dask.config.set(scheduler="threads"):
            frame = dd.from_pandas(frame_of(20), npartitions=3)
            push_scores(frame, [STARS], to=tmp_path, client=client, **DRY)
        del frame
        assert resume_push(tmp_path, client=client, **QUIET).counts == {"created": 20}


def test_push_scores__the_graph_holds_no_key_and_no_client(tmp_path: Path) -> None:
    graphs: list[bytes] = []

    def spy(graph: Any, keys: Any, **options: Any) -> Any:
        graph = graph.__dask_graph__() if hasattr(graph, "__dask_graph__") else graph
        graphs.append(pickle.dumps(dict(graph)))
        return dask.local.get_sync(graph, keys, **options)

    with (
        sandbox_of(20) as sandbox,
        RespanClient(sandbox.api_key, sandbox.base_url) as client,
        dask.config.set(scheduler=spy),
    ):
        frame = dd.from_pandas(frame_of(20), npartitions=3)
        push_scores(frame, [STARS], to=tmp_path, client=client, **QUIET)
        key = sandbox.api_key.encode()
    assert graphs
    assert all(b"ChunkReader" in graph for graph in graphs)
    assert not any(key in graph or b"RespanClient" in graph for graph in graphs)


def test_push_scores__lists_made_text_by_dask_are_found(tmp_path: Path) -> None:
    tone = Evaluator(
        evaluator_slug="tone",
        score_value_type="multi_select",
        score_config={"choices": [{"name": "warm"}, {"name": "cold"}]},
    )
    plain = pd.DataFrame({"log_id": ["a", "b"], "tone": [["warm", "cold"], ["cold"]]})
    with dask.config.set(scheduler="synchronous"):
        job = push_scores(dd.from_pandas(plain, 2), [tone], to=tmp_path / "text", **DRY)
        assert job.counts == {"invalid": 2}
        (warning,) = job.warnings
        assert "column 'tone' holds lists or dicts as text: dask.dataframe.from_pandas" in warning
        assert "dask.config.set({'dataframe.convert-string': False})" in warning
        with dask.config.set({"dataframe.convert-string": False}):
            job = push_scores(dd.from_pandas(plain, 2), [tone], to=tmp_path / "lists", **DRY)
    assert job.counts == {"not_sent": 2}
    assert job.warnings == []


def test_push_scores__missing_cells_of_dask_are_no_scores(tmp_path: Path) -> None:
    text = Evaluator(evaluator_slug="text", score_value_type="text")
    plain = pd.DataFrame({"log_id": ["a", "b", None], "text": ["fine", None, "x"]})
    with dask.config.set(scheduler="synchronous"):
        job = push_scores(dd.from_pandas(plain, 2), [text], to=tmp_path, **DRY)
    assert job.counts == {"skipped": 1, "invalid": 1, "not_sent": 1}
    assert job.errors()["error"].tolist() == ["no log id"]


def test_push_scores__dask_needs_a_folder(client: RespanClient, tmp_path: Path) -> None:
    frame = dd.from_pandas(frame_of(4), npartitions=2)
    with pytest.raises(FrameError, match='may be larger than memory: push it with to="folder"'):
        push_scores(frame, [STARS], client=client)
    with pytest.raises(FrameError, match="a Dask DataFrame is needed, not a Series"):
        push_scores(frame["stars"], [STARS], to=tmp_path, client=client)


def test_push_scores__a_column_that_is_missing_is_said_before_any_task(tmp_path: Path) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a task was run")

    frame = dd.from_pandas(frame_of(4), npartitions=2)
    with dask.config.set(scheduler=refuse), pytest.raises(FrameError, match="no column 'stras'"):
        push_scores(frame, {"stars": "stras"}, evaluators=[STARS], to=tmp_path, **DRY)
