"""The plan of a job says what a push in memory would send, whatever the source."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from any_frames import each_engine, pa
from small_jobs import files, lines, plan_in_parts, plan_of
from stars import FIVE_STARS, STARS

from respan_notebook import (
    ConfigurationError,
    DuplicateScoreError,
    Evaluator,
    FrameError,
    RespanClient,
    UnknownEvaluatorError,
    push_scores,
)
from respan_notebook.catalogue import Catalogue
from respan_notebook.push.jobs.chunk import ChunkReader
from respan_notebook.push.jobs.planner import Planner
from respan_notebook.push.jobs.sources import FrameSource
from respan_notebook.push.options import PushOptions

TONE = Evaluator(
    evaluator_slug="tone",
    score_value_type="multi_select",
    score_config={"choices": [{"name": "warm"}, {"name": "cold"}]},
)
DRY = {"dry_run": True, "progress": False}
WIDE = pd.DataFrame(
    {
        "log_id": ["a", "b", "a", None, "c", "d/e", "f"],
        "stars": [1.0, 2.0, 3.0, 4.0, None, 9.0, 0.0],
        "tone": [["warm"], None, ["cold"], ["warm"], ["warm", "cold"], [], ["tepid"]],
        "explanation": ["x", None, "", "y", "z", "z", "z"],
        "timestamp": pd.to_datetime(["2026-01-05T10:00:00Z"] * 6 + [None]),
    }
)


def bodies(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what the lines of a plan send, as their columns have it."""
    sent = table[table["status"] == "not_sent"]
    named = sent.drop(columns=["line", "evaluator_code", "status", "error"])
    return [
        {key: cell for key, cell in row.items() if cell is not None}
        for row in named.to_dict("records")
    ]


def test_plan__says_what_a_push_in_memory_says(tmp_path: Path) -> None:
    job = push_scores(WIDE, [FIVE_STARS, TONE], to=tmp_path, context="timestamp", **DRY)
    report = push_scores(WIDE, [FIVE_STARS, TONE], context="timestamp", **DRY)
    plan, expected = plan_of(tmp_path), report.frame
    assert job.counts == report.counts
    assert len(job) == len(report)
    assert plan["line"].tolist() == list(range(14))
    assert plan["status"].tolist() == expected["status"].tolist()
    assert plan["error"].tolist() == expected["error"].tolist()
    assert plan["log_id"].tolist() == expected["log_id"].replace({float("nan"): None}).tolist()
    assert plan["evaluator"].tolist() == expected["evaluator"].tolist()
    sent = [
        {"log_id": row.log_id, "evaluator": row.body.pop("evaluator_slug"), **row.body}
        for row in report.payloads.itertuples()
    ]
    assert bodies(plan) == sent
    assert sent[0]["timestamp"] == "2026-01-05T10:00:00Z"


@each_engine
def test_plan__is_the_same_for_every_source(
    make: Callable[[pa.Table], Any], tmp_path: Path
) -> None:
    table = pa.Table.from_pandas(WIDE.drop(index=0), preserve_index=False)
    of_pandas = push_scores(WIDE.drop(index=0), [FIVE_STARS, TONE], to=tmp_path / "pandas", **DRY)
    job = push_scores(make(table), [FIVE_STARS, TONE], to=tmp_path / "other", **DRY)
    assert job.counts == of_pandas.counts
    pd.testing.assert_frame_equal(plan_of(tmp_path / "other"), plan_of(tmp_path / "pandas"))


def test_plan__numbers_the_lines_of_parquet_files_by_file_and_row(tmp_path: Path) -> None:
    source = tmp_path / "scores"
    source.mkdir()
    for name, part in (("2.parquet", WIDE.tail(3)), ("1.parquet", WIDE.head(4))):
        part.to_parquet(source / name, index=False)
    for number, given in enumerate([source, str(source), f"{source}/*.parquet"]):
        job = push_scores(given, [FIVE_STARS], to=tmp_path / f"job-{number}", **DRY)
        shown = job.errors()
        assert shown["partition"].tolist() == [0, 1, 1]
        assert shown["row"].tolist() == [3, 1, 2]
        assert plan_of(tmp_path / f"job-{number}")["line"].tolist() == [
            *range(4),
            *range(1 << 32, (1 << 32) + 3),
        ]


def test_plan__duplicates_are_settled_over_chunks_and_parts(tmp_path: Path) -> None:
    frame = pd.DataFrame({"log_id": [f"log_{n % 200}" for n in range(600)], "stars": range(600)})
    frame = frame.astype({"stars": "float"})
    for which, winners in (("last", range(400, 600)), ("first", range(200))):
        job = plan_in_parts(frame, tmp_path / which, None, on_duplicate=which)
        plan = plan_of(tmp_path / which)
        assert job.counts == {"duplicate": 400, "not_sent": 200}
        assert len(files(tmp_path / which)) > 20
        assert plan.loc[plan["status"] == "not_sent", "line"].tolist() == list(winners)
        assert plan["line"].is_unique
        error = f"same log and evaluator as row {401 if which == 'last' else 1}, which counts"
        assert plan["error"][201] == error
    with pytest.raises(DuplicateScoreError, match=r"400 rows score a log .* row \d+, which has"):
        plan_in_parts(frame, tmp_path / "error", None, on_duplicate="error")


@pytest.mark.parametrize(
    "order",
    [
        [3, 1, 2],
        [3.5, 1.0, None],
        ["c", "b", None],
        pd.to_datetime(["2026-03-01", "2026-01-01", None]),
        [2**62 + 1, 2**62 - 1, 2**62],
        [pd.Timestamp("2026-03-01").date(), pd.Timestamp("2026-01-01").date(), None],
    ],
    ids=["int", "float", "text", "time", "large-int", "date"],
)
def test_plan__order_by_says_which_row_is_the_last(order: Any, tmp_path: Path) -> None:
    frame = pd.DataFrame({"log_id": ["a", "a", "a"], "stars": [1.0, 2.0, 3.0], "at": order})
    push_scores(frame, [STARS], to=tmp_path / "last", order_by="at", **DRY)
    options = {"order_by": ["at"], "on_duplicate": "first"}
    push_scores(frame, [STARS], to=tmp_path / "first", **options, **DRY)
    last, first = plan_of(tmp_path / "last"), plan_of(tmp_path / "first")
    assert last.loc[last["status"] == "not_sent", "line"].tolist() == [0]
    # A row that does not say when it was written is older than any that does.
    expected = 2 if frame["at"].isna().any() else 1
    assert first.loc[first["status"] == "not_sent", "line"].tolist() == [expected]


def test_plan__order_by_a_tie_takes_the_order_of_the_source(tmp_path: Path) -> None:
    frame = pd.DataFrame({"log_id": ["a", "a"], "stars": [1.0, 2.0], "at": [1, 1]})
    push_scores(frame, [STARS], to=tmp_path, order_by="at", **DRY)
    assert plan_of(tmp_path)["status"].tolist() == ["duplicate", "not_sent"]


def test_plan__of_many_evaluators_is_read_in_short_chunks(tmp_path: Path) -> None:
    width, rows = 1000, 210
    slugs = [f"e{n}" for n in range(width)]
    evaluators = [Evaluator(evaluator_slug=one, score_value_type="numerical") for one in slugs]
    reader = ChunkReader({one: one for one in slugs}, Catalogue(None, None), PushOptions())
    assert reader.rows == 200
    cells = {one: np.arange(rows) + n for n, one in enumerate(slugs)}
    frame = pd.DataFrame({"log_id": [f"log_{n}" for n in range(rows)], **cells})
    job = push_scores(frame, evaluators, to=tmp_path, **DRY)
    assert job.counts == {"not_sent": width * rows}
    read = [pq.read_table(path) for path in (tmp_path / "plan").iterdir()]
    plan = pa.concat_tables(read).sort_by("line")
    assert plan["line"].to_pylist() == list(range(width * rows))
    # Over the end of a chunk: the last score of row 199, and the first of row 200.
    border = plan.slice(200 * width - 1, 2).select(["log_id", "evaluator", "numerical_value"])
    assert border.to_pylist() == [
        {"log_id": "log_199", "evaluator": "e999", "numerical_value": 1198.0},
        {"log_id": "log_200", "evaluator": "e0", "numerical_value": 200.0},
    ]


def test_plan__without_an_order_differing_duplicates_are_an_error(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    table = pa.table({"log_id": ["a", "a"], "stars": [1.0, 2.0], "at": [5, 5], "seq": [2, 1]})
    relation = duckdb.from_arrow(table)
    with pytest.raises(DuplicateScoreError, match=r"log 'a' by 'stars' differently.*order_by="):
        push_scores(relation, [STARS], to=tmp_path / "none", **DRY)
    with pytest.raises(DuplicateScoreError, match=r"order_by=\('at',\) are equal"):
        push_scores(relation, [STARS], to=tmp_path / "tie", order_by="at", **DRY)
    push_scores(relation, [STARS], to=tmp_path / "told", order_by=["at", "seq"], **DRY)
    assert plan_of(tmp_path / "told")["status"].tolist() == ["not_sent", "duplicate"]
    same = duckdb.from_arrow(table.drop_columns(["at", "seq"]).set_column(1, "stars", [[1.0, 1.0]]))
    assert push_scores(same, [STARS], to=tmp_path / "same", **DRY).counts == {
        "duplicate": 1,
        "not_sent": 1,
    }


def test_plan__without_an_order_a_possible_owners_row_is_an_error(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    cells = {"log_id": ["a", "a", "b", "b"], "stars": [1.0, 2.0, 3.0, 3.0], "at": [1, 2, 1, 1]}
    table = pa.table({**cells, "scorer": [None, "ann", None, "ann"]})
    relation = duckdb.from_arrow(table)
    with pytest.raises(DuplicateScoreError, match=r"log 'a' .* of 'ann', who may be the owner"):
        push_scores(relation, [STARS], to=tmp_path / "none", **DRY)
    job = push_scores(relation, [STARS], to=tmp_path / "at", order_by="at", **DRY)
    assert job.counts == {"not_sent": 4}
    job = push_scores(relation, [STARS], to=tmp_path / "as", as_scorer=True, **DRY)
    assert job.counts == {"not_sent": 4}


def test_plan__tidy_rows_and_custom_evaluators(tmp_path: Path) -> None:
    tidy = pd.DataFrame(
        {
            "log_id": ["a", "b", "c", "d", "e"],
            "evaluator_slug": ["stars", "stars", "mine", "mine", "tone"],
            "numerical_value": [1.0, 2.0, None, None, None],
            "string_value": [None, None, "fine", "so so", "warm"],
        }
    )
    options = {"evaluators": [STARS, TONE], "custom_evaluators": True, **DRY}
    job = push_scores(tidy, to=tmp_path, **options)
    report = push_scores(tidy, **options)
    assert job.counts == report.counts == {"invalid": 1, "not_sent": 4}
    assert job.warnings == report.warnings
    assert "it becomes a custom one of type text, for 2 rows" in job.warnings[0]
    assert job.errors()["error"].tolist() == report.errors["error"].tolist()


def test_plan__warns_of_shares_over_all_chunks(tmp_path: Path) -> None:
    percent = Evaluator(evaluator_slug="share", score_value_type="percentage")
    frame = pd.DataFrame({"log_id": [f"log_{n}" for n in range(300)], "share": 0.5})
    job = push_scores(frame, [percent], to=tmp_path / "shares", **DRY)
    assert job.warnings == push_scores(frame, [percent], **DRY).warnings
    assert "lie between 0 and 1" in job.warnings[0]
    frame.loc[299, "share"] = 50.0
    assert push_scores(frame, [percent], to=tmp_path / "percent", **DRY).warnings == []


def test_plan__says_what_a_dry_run_in_memory_says(tmp_path: Path) -> None:
    frame = pd.DataFrame({"log_id": [f"log_{n}" for n in range(601)], "stars": 1.0})
    job = push_scores(frame, [STARS], to=tmp_path, rate_limit="60/min", **DRY)
    assert f"{job}".splitlines() == [
        f"PushJob in '{tmp_path}' planned: 601 ready to send",
        "  601 scores will be written, about 10 min at 60 in 60 s",
    ]
    assert "10 min" in job._repr_html_()
    assert job.ok
    assert job.errors().empty
    facts = json.loads((tmp_path / "job.json").read_text())
    assert facts["columns"] == {"stars": "stars"}
    assert facts["origin"] is None


@pytest.mark.parametrize(
    ("frame", "options", "error", "message"),
    [
        (pd.DataFrame({"log_id": ["a"]}), {}, FrameError, "no column 'stars'"),
        (pd.DataFrame({"stars": [1]}), {}, FrameError, "no log id"),
        (WIDE, {"order_by": "at"}, FrameError, "no column 'at'"),
        (WIDE, {"order_by": [3]}, ConfigurationError, "order_by takes a column"),
        (WIDE, {"order_by": "tone"}, FrameError, "order_by='tone' takes a column of numbers"),
        (WIDE, {"concurrency": 0}, ConfigurationError, "concurrency"),
        (WIDE, {"skip_unchanged": True}, ConfigurationError, "skip_unchanged=True reads"),
        (WIDE, {"resume": "report.csv"}, ConfigurationError, "resume= is for a push without to="),
        ([1, 2], {}, FrameError, "a frame is needed"),
        ("no/such/*.parquet", {}, FrameError, "no file is named like"),
        ("no/such.parquet", {}, FrameError, "can't be read as Parquet"),
    ],
)
def test_plan__refuses_before_it_writes(
    frame: Any, options: dict[str, Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        push_scores(frame, [STARS], to=tmp_path / "job", **options, **DRY)
    assert not list(tmp_path.rglob("*.parquet"))
    assert not (tmp_path / "job" / "job.json").exists()


def test_plan__refuses_a_folder_without_files(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(FrameError, match=r"no Parquet file in .*empty"):
        push_scores(tmp_path / "empty", [STARS], to=tmp_path / "job", **DRY)


def test_plan__refuses_an_unknown_evaluator(tmp_path: Path, client: RespanClient) -> None:
    with pytest.raises(UnknownEvaluatorError, match="'stras'"):
        push_scores(WIDE, {"stras": "stars"}, to=tmp_path, client=client, **DRY)


def test_order_by__is_for_jobs() -> None:
    with pytest.raises(ConfigurationError, match="order_by= is for a push with to="):
        push_scores(WIDE, [STARS], order_by="stars", **DRY)  # type: ignore[call-overload]


def test_plan__shows_how_far_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    WIDE.to_parquet(tmp_path / "scores.parquet", index=False)
    sources: list[tuple[Any, str]] = [
        (WIDE, "100%"),
        (str(tmp_path / "scores.parquet"), "100%"),
        (pa.Table.from_pandas(WIDE).to_reader(), "7 rows"),  # Of how many it does not say.
    ]
    for number, (source, said) in enumerate(sources):
        to = tmp_path / f"{number}"
        push_scores(source, [FIVE_STARS, TONE], to=to, dry_run=True)
        shown = capsys.readouterr().err
        assert re.search(f"checking: .*{said}", shown)
        assert re.search("planning: 100%.* 14/14 ", shown)
    push_scores(WIDE, [FIVE_STARS, TONE], to=tmp_path / "quiet", **DRY)
    assert capsys.readouterr().err == ""


def test_plan__ends_the_reading_when_it_breaks_off(tmp_path: Path) -> None:
    ended = []

    class Odd(FrameSource):
        def read(self, reader: ChunkReader) -> Generator[pa.Table, None, None]:
            try:
                yield next(super().read(reader)).drop_columns("hash")
            finally:
                ended.append(True)

    reader = ChunkReader({"stars": "stars"}, Catalogue([STARS], None).detach(), PushOptions())
    planner = Planner(Odd(WIDE), reader, Catalogue([STARS], None), None)
    with pytest.raises(KeyError) as caught:  # Its traceback holds what ran.
        planner.plan(tmp_path, lambda _number, _part: None)
    assert ended, caught


def test_plan__of_no_rows_is_a_job_of_no_lines(tmp_path: Path, client: RespanClient) -> None:
    job = push_scores(WIDE.head(0), [STARS], to=tmp_path, client=client, progress=False)
    assert job.counts == {}
    assert job.ok
    assert lines(job).empty
    assert job.errors().empty
    assert job.reasons.empty
    assert f"{job}" == f"PushJob in '{tmp_path}' pushed: no rows"
