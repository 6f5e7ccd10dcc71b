"""Whose scores a push writes: rows that name a scorer, and an owner that is known or not."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from canned import Canned, CannedServer
from dry import statuses
from stars import QUIET, STARS

from respan_notebook import (
    FrameError,
    PushReport,
    RespanClient,
    Sandbox,
    ScoreWrite,
)
from respan_notebook.push.engine import Engine

ANN, BOB, JUDGE = "ann@example.com", "bob@example.com", "judge"
LOGS = ["demo_01", "demo_02"]
Stored = dict[tuple[str, str], tuple[float, str | None]]


def client_of(sandbox: Sandbox, email: str) -> RespanClient:
    return RespanClient(sandbox.api_keys[email], sandbox.base_url)


def stored(sandbox: Sandbox) -> Stored:
    """Return value and explanation by log and scorer; each scorer has one score of a log."""
    with client_of(sandbox, ANN) as client:
        scores = client.filter_scores()
    found = {
        (str(one.log_id), str(one.scorer)): (one.numerical_value, one.explanation) for one in scores
    }
    assert len(found) == len(scores)
    return found


@pytest.fixture
def scored(sandbox: Sandbox) -> Sandbox:
    """Give a sandbox in which both logs have scores by Ann, Bob and a judge."""
    for email, value in ((ANN, 1), (BOB, 2)):
        with client_of(sandbox, email) as client:
            for log_id in LOGS:
                client.upsert_score(log_id, write(value))
                if email == BOB:
                    client.create_score(log_id, write(3), scorer=JUDGE)
    return sandbox


def write(value: float) -> ScoreWrite:
    return ScoreWrite(
        evaluator_slug="helpfulness", numerical_value=value, explanation=f"was {value}"
    )


def pull_all(sandbox: Sandbox, email: str) -> pd.DataFrame:
    with client_of(sandbox, email) as client:
        logs = pd.DataFrame({"log_id": LOGS})
        return logs.respan.pull_scores("helpfulness", client=client, scorer="all")


def push_as(
    sandbox: Sandbox, email: str, frame: pd.DataFrame, *, known: bool = False, **options: Any
) -> PushReport:
    with client_of(sandbox, email) as client:
        client.scorer = email if known else None
        return frame.respan.push_scores(client=client, **QUIET, **options)


TABLE = list(
    product(
        [ANN, BOB],
        [ANN, BOB],
        [True, False],
        [None, "first", "last"],
        ["named", "own unnamed", "others only"],
    )
)


@pytest.mark.parametrize(("pulled_by", "pushed_by", "known", "duplicates", "rows"), TABLE)
def test_push_scores__writes_ones_own_and_nobody_elses(
    scored: Sandbox, pulled_by: str, pushed_by: str, known: bool, duplicates: Any, rows: str
) -> None:
    before = stored(scored)
    frame = pull_all(scored, pulled_by)
    frame = frame.assign(value=frame["value"].astype(float) + 1, explanation="new")
    if rows == "others only":
        frame = frame[frame["scorer"] != pushed_by]
    if rows == "own unnamed":
        frame = frame.assign(scorer=frame["scorer"].replace({pushed_by: None}))
    options: dict[str, Any] = {}
    if duplicates:
        again = frame.assign(value=frame["value"] + 1)
        frame = pd.concat([frame, again], ignore_index=True)
        options["on_duplicate"] = duplicates
    report = push_as(scored, pushed_by, frame, known=known, **options)
    mine = {(log_id, pushed_by) for log_id in LOGS} if rows != "others only" else set()
    more = 2 if duplicates == "last" else 1
    wanted = {
        one: (value + more, "new") if one in mine else (value, text)
        for one, (value, text) in before.items()
    }
    assert stored(scored) == wanted
    foreign = (~frame["scorer"].isin([None, pushed_by])) & frame["scorer"].notna()
    assert (report.frame["status"].astype(str)[foreign.to_numpy()] == "invalid").all()
    errors = report.frame["error"][foreign.to_numpy()]
    assert errors.str.contains(f"and this key writes scores of '{pushed_by}'; as_scorer=True").all()
    again_report = report.retry(client_of(scored, pushed_by))
    assert stored(scored) == wanted
    assert statuses(again_report) == statuses(report)


@pytest.mark.parametrize(("pushed_by", "known"), [*product([ANN, BOB], [True, False])])
def test_push_scores__as_scorer_writes_each_under_its_name(
    scored: Sandbox, pushed_by: str, known: bool
) -> None:
    before = stored(scored)
    frame = pull_all(scored, ANN)
    new = frame[frame["scorer"] == JUDGE].assign(scorer="new judge")
    frame = pd.concat([frame, new], ignore_index=True)
    frame = frame.assign(value=frame["value"].astype(float) + 1, explanation=None)
    report = push_as(scored, pushed_by, frame, known=known, as_scorer=True)
    wanted = {one: (value + 1, text) for one, (value, text) in before.items()}
    wanted |= {(log_id, "new judge"): (4.0, None) for log_id in LOGS}
    assert stored(scored) == wanted
    assert report.counts == {"created": 2, "updated": 6}
    again = push_as(scored, pushed_by, frame, as_scorer=True, skip_unchanged=True)
    assert stored(scored) == wanted
    assert again.counts["unchanged"] >= 6
    resumed = push_as(scored, pushed_by, frame, as_scorer=True, resume=report)
    assert resumed.counts == {"resumed": 8}


def test_push_scores__a_dry_run_says_whether_the_owner_is_known(scored: Sandbox) -> None:
    frame = pull_all(scored, ANN)
    unknown = push_as(scored, ANN, frame, dry_run=True)
    assert "owner of the key not known: the column 'scorer' was not checked" in repr(unknown)
    known = push_as(scored, ANN, frame, dry_run=True, known=True)
    assert known.counts == {"invalid": 4, "not_sent": 2}
    assert known.warnings == []


def test_push_scores__without_a_scorer_no_request_more(
    scored: Sandbox, requests: list[str]
) -> None:
    frame = pull_all(scored, ANN).drop_duplicates("log_id").drop(columns="scorer")
    requests.clear()
    push_as(scored, ANN, frame)
    assert sorted(r.split("?")[0] for r in requests) == [
        "POST /api/evaluators/list/",
        "POST /api/logs/demo_01/scores/",
        "POST /api/logs/demo_02/scores/",
    ]


def test_push_scores__an_earlier_report_tells_the_owner(
    scored: Sandbox, requests: list[str], tmp_path: Path
) -> None:
    frame = pull_all(scored, ANN)
    push_as(scored, ANN, frame).save(tmp_path / "report.csv")
    requests.clear()
    report = push_as(scored, ANN, frame, resume=tmp_path / "report.csv")
    assert report.counts == {"resumed": 2, "invalid": 4}
    assert [r for r in requests if "/logs/" in r] == []


@pytest.mark.parametrize("cell", [3, ["ann"], "\ud83d"], ids=ascii)
def test_push_scores__an_odd_scorer_is_invalid(scored: Sandbox, cell: Any) -> None:
    frame = pd.DataFrame(
        {"log_id": LOGS, "scorer": pd.Series([cell, " "], dtype=object), "helpfulness": [5, 5]}
    )
    with client_of(scored, ANN) as client:
        report = frame.respan.push_scores("helpfulness", client=client, **QUIET)
    assert statuses(report) == ["invalid", "updated"]
    assert report.frame["error"][0].startswith("column 'scorer' takes ")


def test_push_scores__as_scorer_needs_the_column(scored: Sandbox) -> None:
    frame = pull_all(scored, ANN).drop(columns="scorer")
    with pytest.raises(FrameError, match="as_scorer=True needs a column 'scorer'"):
        push_as(scored, ANN, frame, as_scorer=True)


def served(canned: Any, refuse: str) -> CannedServer:
    """Serve Ann's key; requests whose method and path begin with ``refuse`` are answered 403."""

    def answer(path: str) -> Canned:
        method = server.requests[-1][0]
        if f"{method} {path}".startswith(refuse):
            return Canned(403, b'{"detail": "no"}')
        if method == "GET":
            return Canned(200, b'{"next": null, "results": []}')
        return Canned(201, b'{"id": "s1", "scorer": "ann@example.com"}')

    server: CannedServer = canned(answer)
    return server


def push_bobs(server: CannedServer) -> PushReport:
    frame = pd.DataFrame({"log_id": ["log_1"], "scorer": [BOB], "stars": [4]})
    with RespanClient("key", server.base_url) as client:
        return frame.respan.push_scores([STARS], client=client, **QUIET)


def test_push_scores__says_when_a_probe_could_not_be_taken_back(canned: Any) -> None:
    report = push_bobs(served(canned, "DELETE"))
    (error,) = report.frame["error"]
    assert statuses(report) == ["failed"]
    assert error.startswith(f"the score is {BOB!r}'s, but it is stored as the score s1 of {ANN!r}")
    assert "could not be taken back: DELETE /api/logs/log_1/scores/s1/ answered 403: no" in error


def test_push_scores__sends_no_probe_when_nothing_could_be_put_back(canned: Any) -> None:
    server = served(canned, "GET /api/logs/log_1/scores/")
    report = push_bobs(server)
    assert statuses(report) == ["failed"]
    assert "not sent, since its log's scores could not be read" in report.frame["error"][0]
    assert [method for method, *_ in server.requests] == ["GET"]


def test_push_scores__sends_nobodys_score_when_no_answer_names_the_owner(canned: Any) -> None:
    def answer(_path: str) -> Canned:
        method = server.requests[-1][0]
        if method == "GET":
            return Canned(200, b'{"next": null, "results": []}')
        return Canned(204) if method == "DELETE" else Canned(201, b'{"id": "s1"}')

    server: CannedServer = canned(answer)
    frame = pd.DataFrame({"log_id": [f"log_{i}" for i in range(12)], "scorer": BOB, "stars": 4})
    with RespanClient("key", server.base_url) as client:
        report = frame.respan.push_scores([STARS], client=client, **QUIET)
    assert statuses(report) == ["invalid"] * 10 + ["failed"] * 2
    assert report.frame["error"].str.contains("no answer named the owner of this key").all()
    written = [path for method, path, *_ in server.requests if method == "POST"]
    deleted = [path for method, path, *_ in server.requests if method == "DELETE"]
    assert deleted == [f"{path}s1/" for path in written]
    assert len(written) == 10


@pytest.mark.parametrize("status", [500, 404])
def test_push_scores__sends_a_failed_probe_no_second_time(canned: Any, status: int) -> None:
    def answer(_path: str) -> Canned:
        if server.requests[-1][0] == "GET":
            return Canned(200, b'{"next": null, "results": []}')
        return Canned(status, b'{"detail": "no"}')

    server: CannedServer = canned(answer)
    report = push_bobs(server)
    assert statuses(report) == ["failed"]
    assert f"perhaps not {BOB!r}'s" in report.frame["error"][0]
    assert len(server.requests) == 1 + report.frame["attempts"][0]


def test_push_scores__as_scorer_says_when_the_server_takes_it_for_the_owners(canned: Any) -> None:
    frame = pd.DataFrame({"log_id": ["log_1"], "scorer": [BOB], "stars": [4]})
    with RespanClient("key", served(canned, "PUT").base_url) as client:
        report = frame.respan.push_scores([STARS], client=client, as_scorer=True, **QUIET)
    assert statuses(report) == ["failed"]
    assert f"stored it as the score of {ANN!r}, not of {BOB!r}" in report.frame["error"][0]


@pytest.mark.parametrize("status", [500, 200])
def test_push_scores__as_scorer_creates_once_and_says_what_may_be(canned: Any, status: int) -> None:
    def answer(_path: str) -> Canned:
        if server.requests[-1][0] == "GET":
            return Canned(200, b'{"next": null, "results": []}')
        return Canned(status, b"<html>")

    server: CannedServer = canned(answer)
    frame = pd.DataFrame({"log_id": ["log_1"], "scorer": [BOB], "stars": [4]})
    with RespanClient("key", server.base_url) as client:
        report = frame.respan.push_scores([STARS], client=client, as_scorer=True, **QUIET)
    assert statuses(report) == ["failed"]
    assert "it may have been created: retry() and resume= look before" in report.frame["error"][0]
    assert [method for method, *_ in server.requests] == ["GET", "POST"]


@pytest.mark.parametrize("stop", ["interrupt", "deadline"])
def test_push_scores__takes_a_probe_back_when_the_push_ends_meanwhile(
    scored: Sandbox, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    before, frame = stored(scored), pull_all(scored, ANN)
    frame = frame[frame["scorer"] == BOB].assign(value=5.0)
    send_one = Engine.send_one

    def stopped(self: Engine, *given: Any) -> None:
        send_one(self, *given)
        if stop == "interrupt":
            raise KeyboardInterrupt
        self._budget.cancel("the deadline of 1 s")

    monkeypatch.setattr(Engine, "send_one", stopped)
    report = push_as(scored, ANN, frame)
    assert stored(scored) == before
    assert report.ok is False
