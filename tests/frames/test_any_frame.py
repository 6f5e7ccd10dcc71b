"""Frames of every library go through the functions of the package, and reports back to them."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from any_frames import Streamed, each_engine, pa

import respan_notebook
from respan_notebook import (
    Evaluator,
    FrameError,
    RespanAccessor,
    RespanClient,
    annotate,
    measure_agreement,
    pull_scores,
    push_scores,
)
from respan_notebook.frames.arrow import as_pandas

STARS = Evaluator(evaluator_slug="stars", score_value_type="numerical")
TABLE = pa.table({"log_id": ["demo_01", "demo_02", "demo_03"], "helpfulness": [4, None, 9]})


@each_engine
def test_push_scores__reports_as_for_pandas(
    make: Callable[[pa.Table], Any], client: RespanClient
) -> None:
    report = push_scores(make(TABLE), "helpfulness", client=client, progress=False)
    frame = pd.DataFrame({"log_id": ["demo_01", "demo_02", "demo_03"], "helpfulness": [4, None, 9]})
    again = push_scores(frame, "helpfulness", client=client, progress=False)
    assert report.counts == {"created": 1, "skipped": 1, "invalid": 1}
    assert f"{report}" == f"{again}".replace("updated", "created").replace("9.0 (float)", "9 (int)")
    assert report.frame.index.equals(pd.RangeIndex(3, name="row"))
    assert report.frame["digest"].tolist() == again.frame["digest"].tolist()


@each_engine
def test_push_scores__resumes_from_a_report_of_any_library(
    make: Callable[[pa.Table], Any], client: RespanClient
) -> None:
    first = push_scores(TABLE, "helpfulness", client=client, progress=False)
    earlier = make(first.to_arrow())
    report = push_scores(TABLE, "helpfulness", client=client, resume=earlier, progress=False)
    assert report.counts == {"resumed": 1, "skipped": 1, "invalid": 1}


@each_engine
def test_pull_scores__gives_pandas_with_row_numbers(
    make: Callable[[pa.Table], Any], client: RespanClient
) -> None:
    push_scores(TABLE, "helpfulness", client=client, progress=False)
    pulled = pull_scores(make(TABLE.select(["log_id"])), "helpfulness", client=client)
    index = pd.RangeIndex(3, name="row")
    expected = pd.DataFrame({"helpfulness": [4.0, None, None]}, index=index)
    pd.testing.assert_frame_equal(pulled, expected)


@each_engine
def test_measure_agreement__takes_any_frame(make: Callable[[pa.Table], Any]) -> None:
    scores = pa.table(
        {
            "log_id": ["a", "b", "a", "b"],
            "evaluator_slug": ["stars"] * 4,
            "scorer": ["ann", "ann", "bob", "bob"],
            "value": [1.0, 2.0, 1.0, 3.0],
        }
    )
    table = measure_agreement(make(scores), STARS).table
    assert table.loc["stars", ["logs", "percent"]].tolist() == [2, 50.0]


@each_engine
def test_annotate__takes_any_frame(
    make: Callable[[pa.Table], Any], client: RespanClient, tmp_path: Path
) -> None:
    logs = pa.table({"unique_id": ["demo_01", "demo_02"], "input": ["Hello?", "And?"]})
    annotator = annotate(make(logs), "helpfulness", client=client, outbox=tmp_path / "outbox")
    try:
        assert annotator.progress["left"] == 2
    finally:
        annotator.close()


def test_polars__frames_have_the_accessor(client: RespanClient) -> None:
    pl = pytest.importorskip("polars", reason="Polars is not installed")
    import respan_notebook.polars  # noqa: F401

    frame = pl.from_arrow(TABLE)
    report = frame.respan.push_scores("helpfulness", client=client, progress=False)
    assert report.counts == {"created": 1, "skipped": 1, "invalid": 1}
    assert frame.lazy().respan.pull_scores("helpfulness", client=client).shape == (3, 1)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ([{"log_id": "a"}], "a frame is needed: .* not a list"),
        (None, "not a NoneType"),
        (
            pa.array([1, 2]),
            "this pyarrow Int64Array can't be read through Arrow",
        ),
        (pd.Series([1, 2]), "Series"),
        (Streamed(pa.chunked_array([[1, 2]])), "any_frames Streamed can't be read through Arrow"),
    ],
    ids=["list", "none", "array", "series", "stream-of-no-table"],
)
def test_push_scores__refuses_what_is_no_frame(frame: Any, message: str) -> None:
    with pytest.raises(FrameError, match=message):
        push_scores(frame, [STARS], dry_run=True)


def test_push_scores__reads_columns_of_polars_that_arrow_lacks() -> None:
    pl = pytest.importorskip("polars", reason="Polars is not installed")
    frame = pl.DataFrame({"id": pl.Series([7, 8], dtype=pl.Int128), "tags": [{"b", "a"}, object()]})
    tags = Evaluator(evaluator_slug="tags", score_value_type="multi_select")
    report = push_scores(frame, [tags], dry_run=True)
    assert frame.schema["tags"] == pl.Object
    assert report.frame["log_id"].tolist() == ["7", "8"]
    assert report.frame["status"].tolist() == ["not_sent", "invalid"]
    assert report.payloads["body"][0]["categorical_value"] == ["a", "b"]


def test_push_scores__two_columns_of_one_name_are_an_error() -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array([1]), pa.array([2])], ["id", "s", "s"])
    with pytest.raises(FrameError, match="'s' is there 2 times"):
        push_scores(table, {"stars": "s"}, evaluators=[STARS], dry_run=True)


def test_as_pandas__keeps_the_mark_of_a_frame_of_logs(client: RespanClient) -> None:
    logs = client.logs(start_time="2026-01-01").head(3)[["unique_id", "environment"]]
    table = pa.Table.from_pandas(logs)
    if b'"attributes"' not in table.schema.metadata[b"pandas"]:
        pytest.skip("this pandas or pyarrow does not carry df.attrs to Arrow")
    frame = as_pandas(table)
    assert frame.attrs == logs.attrs
    report = push_scores(frame.assign(stars=1), [STARS], dry_run=True)
    assert {body["environment"] for body in report.payloads["body"]} == {"prod", "staging"}


def test_report__goes_to_arrow_and_polars() -> None:
    pl = pytest.importorskip("polars", reason="Polars is not installed")
    frame = pd.DataFrame({"log_id": ["a", 1.5, None], "stars": [1, 2, 3]}, index=["x", 2, None])
    report = push_scores(frame, [STARS], dry_run=True)
    table = report.to_arrow()
    assert table.column_names == ["row", *report.frame.columns]
    assert table["row"].to_pylist() == ["x", "2", None]
    assert table["log_id"].to_pylist() == ["a", "1.5", None]
    assert table["status"].to_pylist() == ["not_sent", "invalid", "invalid"]
    assert table["http_status"].type == pa.int16()
    assert table["seconds"].null_count == 3
    assert report.to_polars().equals(pl.from_arrow(table))


def test_report__goes_to_arrow_with_every_level_of_its_index() -> None:
    index = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["status", None])
    report = push_scores(pd.DataFrame({"id": ["a", "b"], "stars": 1}, index), [STARS], dry_run=True)
    table = report.to_arrow()
    assert table.select(["row_0", "row_1", "status"]).to_pylist() == [
        {"row_0": "a", "row_1": 1, "status": "not_sent"},
        {"row_0": "b", "row_1": 2, "status": "not_sent"},
    ]


def test_functions__have_the_signatures_of_the_accessor() -> None:
    for name in ("push_scores", "pull_scores", "annotate"):
        function, method = getattr(respan_notebook, name), getattr(RespanAccessor, name)
        first, *rest = inspect.signature(function).parameters.values()
        assert first.name == "frame"
        assert rest == list(inspect.signature(method).parameters.values())[1:]
        assert function.__doc__.splitlines()[1:9] == method.__doc__.splitlines()[1:9]


def test_import__brings_no_engine() -> None:
    code = (
        "import sys, pandas\n"
        "before = set(sys.modules)\n"
        "import respan_notebook\n"
        "from respan_notebook import push_scores, pull_scores\n"
        "push_scores(pandas.DataFrame({'id': ['a'], 's': [1]}), [respan_notebook.Evaluator("
        "evaluator_slug='s', score_value_type='numerical')], dry_run=True)\n"
        "engines = ('polars', 'duckdb', 'dask', 'distributed', 'pyspark', 'pyarrow', 'fsspec')\n"
        "print([name for name in engines if name in set(sys.modules) - before])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
