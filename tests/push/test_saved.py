"""A saved report comes back as it was, and goes on from there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from canned import Canned, CannedServer
from dry import BOTH, statuses
from stars import FIVE_STARS, QUIET, STARS, frame_of, push, serving

from respan_notebook import ConfigurationError, Evaluator, PushReport, RespanClient

Start = Callable[..., CannedServer]
KEY = "key-of-nobody-but-me"
each_ending = pytest.mark.parametrize("ending", [".csv", ".parquet", ".CSV"])


def assert_same(one: PushReport, other: PushReport) -> None:
    """Assert that two reports show the same."""
    for name in ("frame", "errors", "reasons", "payloads"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))
    for name in ("counts", "warnings", "dry_run", "ok", "origin"):
        assert getattr(one, name) == getattr(other, name), name
    assert repr(one) == repr(other)
    assert one._repr_html_() == other._repr_html_()
    assert len(one) == len(other)


def save_and_load(report: PushReport, folder: Path, ending: str = ".csv") -> PushReport:
    path = folder / f"report{ending}"
    report.save(path)
    return PushReport.load(path)


@dataclass
class Faulty:
    """A server whose answers to log_2 and log_3 a test may mend."""

    server: CannedServer
    answers: dict[str, Canned] = field(default_factory=dict)

    @property
    def bodies(self) -> list[Any]:
        return [(path, json.loads(body)) for _, path, _, body in self.server.requests]


def faulty(canned: Start) -> Faulty:
    answers = {
        "log_0": Canned(201, b'{"id": "s0", "is_passed": true}'),
        "log_1": Canned(200, b'{"id": "007", "is_passed": false}'),
        "log_2": Canned(404, b'{"detail": "No such log, \\"=2\\"\\n."}'),
        "log_3": Canned(401, b'{"detail": "Revoked."}'),
    }
    rest = Canned(201, b'{"id": "s"}')
    server = canned(lambda path: answers.get(path.split("/")[3], rest))
    return Faulty(server, answers)


@contextmanager
def pushed(canned: Start) -> Iterator[tuple[PushReport, RespanClient, Faulty]]:
    """Give a report with a line of nearly every status, its client and its server."""
    there = faulty(canned)
    frame = pd.DataFrame(
        {
            "log_id": ["log_1", "log_0", "log_1", None, "log_7", "log_2", "log_3", "log_4"],
            "stars": [1, 2, 3, 4, None, 1, 2, 3],
            "explanation": ["a", None, 'say "so",\nplease', None, "é \U0001f600", "=1+1", "b", "c"],
        },
        index=pd.Index(["00", "NA", "x", "x", "=1", "", "True", "1e5"], name="row"),
    )
    with RespanClient(KEY, there.server.base_url) as client:
        yield push(frame, client, concurrency=1), client, there


@each_ending
def test_load__gives_back_the_report(ending: str, canned: Start, tmp_path: Path) -> None:
    with pushed(canned) as (report, _, _):
        assert statuses(report) == [
            *("duplicate", "created", "updated", "invalid", "skipped"),
            *("failed", "failed", "not_sent"),
        ]
        loaded = save_and_load(report, tmp_path, ending)
        assert_same(report, loaded)
        again = save_and_load(loaded, tmp_path, ending)
        assert_same(report, again)


@each_ending
def test_load__retry_sends_the_stored_bodies(ending: str, canned: Start, tmp_path: Path) -> None:
    with pushed(canned) as (report, client, there):
        loaded = save_and_load(report, tmp_path, ending)
        there.server.requests.clear()
        there.answers.clear()
        again = loaded.retry(client)
        assert statuses(again) == [
            *("duplicate", "created", "updated", "invalid", "skipped"),
            *("created", "created", "created"),
        ]
        assert sorted(there.bodies, key=str) == [
            ("/api/logs/log_2/scores/", body_of(1.0, "=1+1")),
            ("/api/logs/log_3/scores/", body_of(2.0, "b")),
            ("/api/logs/log_4/scores/", body_of(3.0, "c")),
        ]
        assert_same(again, save_and_load(again, tmp_path, ending))
        whole = report.retry()
        columns = ["log_id", "status", "http_status", "attempts", "score_id", "digest", "error"]
        pd.testing.assert_frame_equal(again.frame[columns], whole.frame[columns])


def body_of(stars: float, explanation: str) -> dict[str, Any]:
    return {"evaluator_slug": "stars", "numerical_value": stars, "explanation": explanation}


def test_load__retry_without_a_client_makes_one(
    canned: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pushed(canned) as (report, _, there):
        loaded = save_and_load(report, tmp_path)
        with pytest.raises(ConfigurationError, match="no API key"):
            loaded.retry()
        monkeypatch.setenv("RESPAN_API_KEY", KEY)
        monkeypatch.setenv("RESPAN_BASE_URL", there.server.base_url)
        there.answers.clear()
        assert loaded.retry().counts["created"] == 4


def test_load__retry_that_stops_again_says_why(canned: Start, tmp_path: Path) -> None:
    with pushed(canned) as (report, client, there):
        loaded = save_and_load(report, tmp_path)
        there.answers["log_2"] = Canned(401, b'{"detail": "Expired."}')
        again = loaded.retry(client)
        assert again.counts["not_sent"] == 1
        assert "Expired" in again.frame["error"].iloc[-1]
        assert_same(again, save_and_load(again, tmp_path))


def test_load__retry_finds_what_is_unchanged_by_the_evaluators_id(
    client: RespanClient, tmp_path: Path, requests: list[str]
) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01", "demo_02"], "helpfulness": [4, 5]})
    frame.respan.push_scores("helpfulness", client=client, **QUIET)
    options: dict[str, Any] = {"skip_unchanged": True, "deadline": 1e-9, **QUIET}
    known = client.list_evaluators()  # The deadline bounds their list as well.
    report = frame.respan.push_scores("helpfulness", client=client, evaluators=known, **options)
    assert report.counts == {"not_sent": 2}
    path = tmp_path / "report.csv"
    report.save(path)
    path.write_text(path.read_text().replace("1e-09", "null"))  # The deadline.
    loaded = PushReport.load(path)
    requests.clear()
    assert loaded.retry(client).counts == {"unchanged": 2}
    assert not [one for one in requests if one.startswith("POST /api/logs/")]


def test_load__retry_elsewhere_is_refused(canned: Start, tmp_path: Path) -> None:
    with pushed(canned) as (report, _, there):
        loaded = save_and_load(report, tmp_path)
        there.server.requests.clear()
        with (
            RespanClient("another", there.server.base_url) as stranger,
            pytest.raises(ConfigurationError, match="by another key than the client's"),
        ):
            loaded.retry(stranger)
        assert there.server.requests == []


@each_ending
def test_load__keeps_the_options(ending: str, tmp_path: Path, requests: list[str]) -> None:
    """A retry that skips what is unchanged reads it first."""
    with serving(3) as client:
        push(frame_of(3), client)
        limit = {"rate_limit": "600/min", "deadline": 60.0, "concurrency": 2}
        dry = push(frame_of(3), client, skip_unchanged=True, dry_run=True, **limit)
        assert "about" in repr(dry)
        assert_same(dry, save_and_load(dry, tmp_path, ending))
        report = push(frame_of(3), client, skip_unchanged=True, deadline=1e-9, concurrency=2)
        assert report.counts == {"not_sent": 3}
        loaded = save_and_load(report, tmp_path, ending)
        assert_same(report, loaded)
        assert loaded._options == report._options
        assert save_and_load(dry, tmp_path, ending)._options == dry._options


def test_load__of_a_dry_run_sends_nothing(tmp_path: Path) -> None:
    dry = frame_of(2).respan.push_scores([STARS], dry_run=True)
    loaded = save_and_load(dry, tmp_path)
    assert_same(dry, loaded)
    assert loaded.payloads["body"].tolist() == [
        {"evaluator_slug": "stars", "numerical_value": float(n)} for n in (0, 1)
    ]
    with pytest.raises(ConfigurationError, match="this was a dry run"):
        loaded.retry()


@each_ending
def test_load__of_a_report_without_lines(ending: str, tmp_path: Path) -> None:
    report = frame_of(0).respan.push_scores([STARS], dry_run=True)
    loaded = save_and_load(report, tmp_path, ending)
    assert_same(report, loaded)
    assert loaded.frame["evaluator"].cat.categories.tolist() == ["stars"]


@each_ending
def test_load__of_several_evaluators_in_a_row(ending: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"log_id": ["a", "b"], "good": [True, "x"], "stars": [1, None]})
    report = frame.respan.push_scores(["good", "stars"], evaluators=BOTH, dry_run=True)
    loaded = save_and_load(report, tmp_path, ending)
    assert_same(report, loaded)
    assert loaded.payloads["body"].tolist() == report.payloads["body"].tolist()


INDEXES: dict[str, pd.Index[Any]] = {
    "range": pd.RangeIndex(3, 9, 3),
    "whole numbers": pd.Index([2**53 + 1, 7], dtype="uint64"),
    "numbers with gaps": pd.Index([1, None], dtype="Int64"),
    "numbers": pd.Index([0.1, float("nan")]),
    "infinite": pd.Index([float("inf"), -0.0], dtype="float32"),
    "bools": pd.Index([True, False]),
    "text": pd.Index(["00123", ""], dtype="str"),
    "text objects": pd.Index(["nan", "\0\r\n\\"], dtype=object, name="=name"),
    "half a pair": pd.Index(["\ud800", "-1"], dtype=object),
    "mixed": pd.Index(["1", 1], dtype=object),
    "missing": pd.Index([None, True], dtype=object),
    "times": pd.DatetimeIndex(["2026-01-01T00:00:00.123456789", None], name="at"),
    "local times": pd.DatetimeIndex(
        ["2026-10-25T00:30Z", "2026-10-25T01:30Z"], tz="UTC"
    ).tz_convert("Europe/Berlin"),
    "seconds": pd.DatetimeIndex(np.array(["2026-01-01", "9000-01-01"], "datetime64[s]")),
    "twice": pd.Index(["a", "a"], dtype=object),
    "levels": pd.MultiIndex.from_arrays([[1, 2], ["01", "x"], [0.5, None]], names=["n", None, "3"]),
}


@each_ending
@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_load__gives_back_index_labels(index: pd.Index[Any], ending: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"log_id": ["a", "b"], "stars": [9, 2]}, index=index)
    report = frame.respan.push_scores([FIVE_STARS], dry_run=True)
    assert_same(report, save_and_load(report, tmp_path, ending))


def test_load__gives_other_index_labels_as_text(tmp_path: Path) -> None:
    index = pd.PeriodIndex(["2026-01", "2026-02"], freq="M", name=("a", 1))
    frame = pd.DataFrame({"log_id": ["a", "b"], "stars": [9, 2]}, index=index)
    loaded = save_and_load(frame.respan.push_scores([FIVE_STARS], dry_run=True), tmp_path)
    expected = pd.Index(["2026-01", "2026-02"], dtype=object, name="('a', 1)")
    pd.testing.assert_index_equal(loaded.frame.index, expected)


@each_ending
def test_load__gives_back_odd_log_ids(ending: str, tmp_path: Path) -> None:
    odd = ["00123", "NA", "nan", "None", "=1+1", "-1", "a,b", '"', "a\nb", "a\rb", "\0", "\\", "é"]
    odd += [" a ", "true", "1e5", "#N/A", "x" * 100_000, "日本", "+", "@x", "'a", "1-2"]
    refused = [None, float("nan"), 1.5, "", ".", ["a"], True]
    frame = pd.DataFrame({"log_id": pd.Series(odd + refused, dtype=object), "stars": 3})
    report = frame.respan.push_scores([STARS], dry_run=True)
    assert report.counts == {"not_sent": len(odd), "invalid": len(refused)}
    loaded = save_and_load(report, tmp_path, ending)
    assert loaded.frame["log_id"].tolist()[: len(odd)] == odd
    assert_same(report.__class__.load(tmp_path / f"report{ending}"), loaded)
    frames = [one.frame.drop(index=len(odd) + 5) for one in (report, loaded)]
    pd.testing.assert_frame_equal(*frames)
    assert loaded.frame["log_id"][len(odd) + 5] == "['a']"


@each_ending
def test_load__gives_back_a_body_of_ten_megabytes(
    ending: str, canned: Start, tmp_path: Path
) -> None:
    text = 'a "long"\n, é\r\0' * 700_000
    remark = Evaluator(evaluator_slug="remark", score_value_type="text")
    frame = pd.DataFrame({"log_id": ["a"], "remark": [text]})
    report = frame.respan.push_scores([remark], dry_run=True)
    loaded = save_and_load(report, tmp_path, ending)
    assert loaded.payloads["body"].tolist() == report.payloads["body"].tolist()


@each_ending
def test_save__writes_no_key(ending: str, canned: Start, tmp_path: Path) -> None:
    with pushed(canned) as (report, client, _):
        report.save(tmp_path / f"report{ending}")
        content = (tmp_path / f"report{ending}").read_bytes()
        assert KEY.encode() not in content
        assert client.fingerprint.encode() not in content
        assert client.fingerprint[:16].encode() in content


def test_load__sorted_and_filtered_by_pandas_keeps_its_lines(canned: Start, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    with pushed(canned) as (report, client, there):
        report.save(path)
        table = pd.read_csv(path)
        is_first = table["report"].notna()
        kept = table[is_first | table["status"].isin(["created", "failed"])]
        kept.sort_values("status", ascending=False).to_csv(path, index=False)
        loaded = PushReport.load(path)
        assert loaded.counts == {"created": 1, "duplicate": 1, "failed": 2}
        assert loaded.warnings == ["the file has 4 of the 8 lines saved in it"]
        there.answers.clear()
        assert loaded.retry(client).counts == {"created": 3, "duplicate": 1}


def test_save__tidy_frame_with_evaluators_that_are_not_found(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"log_id": ["a", "b", "c"], "evaluator_slug": ["NA", "stars", None], "value": [1, 2, 3]}
    )
    report = frame.respan.push_scores(evaluators=BOTH, dry_run=True, **QUIET)
    assert report.counts == {"invalid": 2, "not_sent": 1}
    assert_same(report, save_and_load(report, tmp_path))
