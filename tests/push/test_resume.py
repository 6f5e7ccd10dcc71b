"""A resumed push sends what did not arrive just so, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from canned import Canned, CannedServer
from dry import statuses
from stars import STARS, frame_of, push, sandbox_of, serving

from respan_notebook import ConfigurationError, FrameError, PushReport, RespanClient

Start = Callable[..., CannedServer]
Source = Callable[[PushReport, Path], Any]


def by_file(ending: str) -> Source:
    def save(report: PushReport, folder: Path) -> Path:
        report.save(folder / f"report{ending}")
        return folder / f"report{ending}"

    return save


def read_again(report: PushReport, folder: Path) -> pd.DataFrame:
    return pd.read_csv(by_file(".csv")(report, folder))


def frame_by_csv(report: PushReport, _folder: Path) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(report.frame.to_csv()))


SOURCES: dict[str, Source] = {
    "report": lambda report, _folder: report,
    "CSV": by_file(".csv"),
    "Parquet": by_file(".parquet"),
    "file read by pandas": read_again,
    "frame": lambda report, _folder: report.frame,
    "frame by CSV": frame_by_csv,
}
each_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)


def values_of(client: RespanClient, *log_ids: str) -> list[Any]:
    return [[one.numerical_value for one in client.list_scores(log_id)] for log_id in log_ids]


@each_source
def test_resume__sends_what_did_not_arrive(
    source: Source, tmp_path: Path, requests: list[str]
) -> None:
    with serving(5) as client:
        earlier = source(push(frame_of(3), client), tmp_path)
        requests.clear()
        report = push(frame_of(5), client, resume=earlier)
        assert report.counts == {"created": 2, "resumed": 3}
        assert requests == [f"POST /api/logs/log_{n}/scores/" for n in (3, 4)]
        assert (report.ok, report.warnings) == (True, [])
        assert repr(report) == "PushReport pushed: 2 created, 3 resumed"


@each_source
def test_resume__a_mended_value_is_sent(
    source: Source, tmp_path: Path, requests: list[str]
) -> None:
    with serving(3) as client:
        earlier = source(push(frame_of(3), client), tmp_path)
        requests.clear()
        report = push(frame_of(3).assign(stars=[0, 9, 2]), client, resume=earlier)
        assert statuses(report) == ["resumed", "updated", "resumed"]
        assert requests == ["POST /api/logs/log_1/scores/"]
        assert values_of(client, "log_0", "log_1", "log_2") == [[0.0], [9.0], [2.0]]


@each_source
@pytest.mark.parametrize(
    "column",
    [
        {"explanation": ["because", "of this"]},
        {"environment": ["prod", "test"]},
        {"timestamp": pd.to_datetime(["2026-01-01T00:00Z", "2026-01-03T00:00Z"])},
    ],
    ids=lambda column: next(iter(column)),
)
def test_resume__a_mended_travelling_column_is_sent(
    source: Source, column: dict[str, Any], tmp_path: Path, canned: Start
) -> None:
    server = canned(status=201, body=b'{"id": "s"}')
    with RespanClient("key", server.base_url) as client:
        frame = frame_of(2).assign(**column)
        earlier = source(push(frame, client, context=True), tmp_path)
        again = push(frame, client, resume=earlier, context=True)
        assert statuses(again) == ["resumed"] * 2
        name, (first, _) = next(iter(column.items()))
        mended = frame.assign(**{name: [first, first]})
        again = push(mended, client, resume=earlier, context=True)
        assert statuses(again) == ["resumed", "created"]


@each_source
def test_resume__zeros_before_a_log_id_are_not_lost(source: Source, tmp_path: Path) -> None:
    with serving(0) as client:
        for log_id in ("00123", "123"):
            client.create_log({"unique_id": log_id})
        first = push(pd.DataFrame({"log_id": ["00123"], "stars": [4]}), client)
        earlier = source(first, tmp_path)
        frame = pd.DataFrame({"log_id": ["00123", "123"], "stars": [4, 4]})
        report = push(frame, client, resume=earlier)
        assert statuses(report) == ["resumed", "created"]
        assert values_of(client, "00123", "123") == [[4.0], [4.0]]


@each_source
def test_resume__a_missing_log_id_leaves_the_others_as_they_are(
    source: Source, tmp_path: Path, requests: list[str]
) -> None:
    with serving(0) as client:
        for log_id in ("7", "8"):
            client.create_log({"unique_id": log_id})
        frame = pd.DataFrame({"log_id": ["7", None, "8"], "stars": [1, 2, 3]})
        earlier = source(push(frame, client), tmp_path)
        requests.clear()
        report = push(frame, client, resume=earlier)
        assert statuses(report) == ["resumed", "invalid", "resumed"]
        assert requests == []


@each_source
def test_resume__takes_over_score_id_verdict_and_http_status(
    source: Source, tmp_path: Path, canned: Start
) -> None:
    answers = [
        Canned(201, b'{"id": "s0", "is_passed": true}'),
        Canned(200, b'{"id": "s1", "is_passed": false}'),
        Canned(200, b'{"id": "s2"}'),
        Canned(404, b'{"detail": "no"}'),
    ]
    server = canned(lambda path: answers[int(path.split("log_")[1][0])])
    with RespanClient("key", server.base_url) as client:
        earlier = source(push(frame_of(4), client), tmp_path)
        answers[3] = Canned(201, b'{"id": "s3"}')
        report = push(frame_of(4), client, resume=earlier)
    columns = ["status", "http_status", "is_passed", "attempts", "score_id"]
    assert report.frame[columns].astype(object).values.tolist() == [
        ["resumed", 201, True, 0, "s0"],
        ["resumed", 200, False, 0, "s1"],
        ["resumed", 200, pd.NA, 0, "s2"],
        ["created", 201, pd.NA, 1, "s3"],
    ]
    assert report.frame["seconds"].isna().tolist() == [True, True, True, False]
    assert len(server.requests) == 5


def test_resume__a_number_for_a_score_id_is_none(canned: Start) -> None:
    server = canned(status=201, body=b'{"id": "007"}')
    with RespanClient("key", server.base_url) as client:
        first = push(frame_of(1), client)
        report = push(frame_of(1), client, resume=first)
        assert report.frame["score_id"].tolist() == ["007"]
        earlier = frame_by_csv(first, Path())
        assert earlier["score_id"].tolist() == [7]
        report = push(frame_of(1), client, resume=earlier)
        assert report.frame["score_id"].tolist() == [None]


@each_source
def test_resume__a_duplicate_that_counts_at_last_is_sent(source: Source, tmp_path: Path) -> None:
    frame = pd.DataFrame({"log_id": ["log_0", "log_0"], "stars": [3, 4]})
    with serving(1) as client:
        earlier = source(push(frame, client), tmp_path)
        assert values_of(client, "log_0") == [[4.0]]
        assert statuses(push(frame, client, resume=earlier)) == ["duplicate", "resumed"]
        report = push(frame.iloc[:1], client, resume=earlier)
        assert statuses(report) == ["updated"]
        assert values_of(client, "log_0") == [[3.0]]


@each_source
def test_resume__of_a_resumed_push(source: Source, tmp_path: Path, requests: list[str]) -> None:
    with serving(3) as client:
        report = push(frame_of(1), client)
        for rows in (2, 3):
            report = push(frame_of(rows), client, resume=source(report, tmp_path))
            assert statuses(report) == ["resumed"] * (rows - 1) + ["created"]
        assert len([one for one in requests if one.startswith("POST")]) == 3
        assert report.retry().counts == report.counts
        assert len([one for one in requests if one.startswith("POST")]) == 3


@each_source
def test_resume__of_what_skip_unchanged_found(source: Source, tmp_path: Path) -> None:
    with serving(2) as client:
        push(frame_of(2), client)
        earlier = push(frame_of(2), client, skip_unchanged=True)
        assert earlier.counts == {"unchanged": 2}
        report = push(frame_of(2), client, resume=source(earlier, tmp_path))
        assert report.counts == {"resumed": 2}
        assert report.frame["score_id"].tolist() == earlier.frame["score_id"].tolist()


@each_source
def test_resume__after_a_dry_run_sends_everything(source: Source, tmp_path: Path) -> None:
    earlier = source(frame_of(2).respan.push_scores([STARS], dry_run=True), tmp_path)
    with serving(2) as client:
        report = push(frame_of(2), client, resume=earlier)
    assert (report.counts, report.warnings) == ({"created": 2}, [])


def test_resume__without_digests_sends_again_and_warns_once() -> None:
    with serving(2) as client:
        earlier = push(frame_of(2), client).frame.drop(columns="digest")
        report = push(frame_of(2), client, resume=earlier)
    assert report.counts == {"updated": 2}
    assert report.warnings == [
        "the earlier report has no digests, which say what had arrived, so all scores were sent "
        "again"
    ]


@pytest.mark.parametrize("name", ["report", "CSV", "Parquet", "file read by pandas"])
def test_resume__elsewhere_is_refused(name: str, tmp_path: Path, requests: list[str]) -> None:
    with (
        sandbox_of(2) as sandbox,
        serving(2) as other,
        RespanClient(sandbox.api_key, sandbox.base_url) as client,
        RespanClient(sandbox.api_keys["maker@example.com"], sandbox.base_url) as maker,
    ):
        earlier = SOURCES[name](push(frame_of(1), client), tmp_path)
        requests.clear()
        with pytest.raises(ConfigurationError) as caught:
            push(frame_of(2), other, resume=earlier)
        assert str(caught.value) == (
            f"the report is of scores that arrived on {client.base_url}, and the client is of "
            f"{other.base_url}; use a client of that server and key, or push the frame without "
            "resume=, perhaps with skip_unchanged=True"
        )
        with pytest.raises(ConfigurationError, match="by another key than the client's"):
            push(frame_of(2), maker, resume=earlier)
        assert requests == []


def test_resume__elsewhere_is_fine_when_nothing_had_arrived(canned: Start) -> None:
    server = canned(status=404, body=b'{"detail": "no"}')
    with RespanClient("key", server.base_url) as client, serving(2) as other:
        earlier = push(frame_of(2), client)
        assert push(frame_of(2), other, resume=earlier).counts == {"created": 2}


def test_resume__a_dry_run_without_a_client_compares_nothing_and_keeps_the_origin() -> None:
    with serving(2) as client, serving(2) as other:
        earlier = push(frame_of(1), client)
        dry = frame_of(2).respan.push_scores([STARS], dry_run=True, resume=earlier)
        assert dry.counts == {"resumed": 1, "not_sent": 1}
        assert repr(dry) == "PushReport of a dry run: 1 resumed, 1 ready to send"
        assert dry.payloads["log_id"].tolist() == ["log_1"]
        with pytest.raises(ConfigurationError, match="scores that arrived on"):
            push(frame_of(2), other, resume=dry)
        assert push(frame_of(2), client, resume=dry).counts == {"created": 1, "resumed": 1}


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_resume__a_file_that_lost_its_facts_is_compared_by_digest(
    ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"report{ending}"
    with serving(3) as client:
        push(frame_of(3), client).save(path)
        if ending == ".csv":
            pd.read_csv(path).iloc[1:].to_csv(path, index=False)
        else:
            pd.read_parquet(path).iloc[1:].to_parquet(path)
        report = push(frame_of(3), client, resume=path)
    assert statuses(report) == ["updated", "resumed", "resumed"]
    assert report.warnings == [
        "the earlier report does not say to which server and with which key it was sent, so these "
        "could not be compared"
    ]


def test_resume__warns_of_nothing_when_nothing_had_arrived(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    dry = frame_of(2).respan.push_scores([STARS], dry_run=True)
    dry.save(path)
    pd.read_csv(path).iloc[1:].to_csv(path, index=False)
    for earlier in (path, dry.frame.drop(columns="digest")):
        report = frame_of(2).respan.push_scores([STARS], dry_run=True, resume=earlier)
        assert (report.counts, report.warnings) == ({"not_sent": 2}, [])


def test_resume__needs_the_columns() -> None:
    columns = r"with \['evaluator', 'log_id', 'status'\]; the columns of 'the frame' are 'a'"
    with pytest.raises(FrameError, match=columns):
        frame_of(1).respan.push_scores([STARS], dry_run=True, resume=pd.DataFrame({"a": [1]}))


def test_resume__takes_nothing_but_a_report() -> None:
    with pytest.raises(ConfigurationError, match=r"resume takes the report .*, not 7 \(int\)"):
        frame_of(1).respan.push_scores([STARS], dry_run=True, resume=7)


def test_resume__is_read_before_anything_is_asked(tmp_path: Path, requests: list[str]) -> None:
    frame = pd.DataFrame({"log_id": ["log_0"], "helpfulness": [4]})
    with serving(1) as client, pytest.raises(FileNotFoundError):
        frame.respan.push_scores("helpfulness", client=client, resume=tmp_path / "none.csv")
    assert requests == []


def test_resume__is_by_scores_and_not_by_rows(tmp_path: Path) -> None:
    """Rows may be sorted, dropped and added, and columns of scores be renamed."""
    with serving(4) as client:
        earlier = push(frame_of(3), client)
        frame = frame_of(4).iloc[[3, 2, 0]].rename(columns={"stars": "points"})
        options: dict[str, Any] = {"client": client, "evaluators": [STARS], "progress": False}
        report = frame.respan.push_scores({"stars": "points"}, resume=earlier, **options)
    assert statuses(report) == ["created", "resumed", "resumed"]
    assert report.frame.index.tolist() == [3, 2, 0]
    assert report.frame["digest"].notna().all()
    assert np.array_equal(report.frame["digest"][[2, 0]], earlier.frame["digest"][[2, 0]])
