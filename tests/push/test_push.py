"""push_scores end to end: a frame, the real sandbox, and what its SQLite file holds afterwards."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dry import statuses
from stars import FIVE_STARS, QUIET

from respan_notebook import ConfigurationError, PushError, RespanClient, Sandbox
from respan_notebook.values.checks import choice_text


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "respan.sqlite"


@pytest.fixture
def client(db: Path) -> Iterator[RespanClient]:
    with (
        Sandbox(demo=True, db=str(db)) as sandbox,
        RespanClient(sandbox.api_key, sandbox.base_url) as connected,
    ):
        yield connected


def stored(db: Path, columns: str = "log_id, evaluator_slug, numerical_value") -> list[Any]:
    connection = sqlite3.connect(db)
    try:
        return connection.execute(f"select {columns} from scores order by 1, 2").fetchall()
    finally:
        connection.close()


def test_push_scores__wide_all_types(client: RespanClient, db: Path) -> None:
    row: dict[str, Any] = {
        "numerical": (4, "numerical_value", 4.0),
        "percentage": (87.5, "numerical_value", 87.5),
        "boolean": (True, "boolean_value", 1),
        "single_select": (None, "categorical_value", None),
        "multi_select": (None, "categorical_value", None),
        "text": ("fine", "string_value", "fine"),
        "json": ({"a": [1, None]}, "json_value", '{"a": [1, null]}'),
        "categorical": (None, "categorical_value", None),
        "comment": ("ok", "string_value", "ok"),
    }
    by_type = {e.score_value_type: e for e in client.list_evaluators()}
    for kind in ("single_select", "multi_select", "categorical"):
        text = choice_text(by_type[kind].choices[0])
        row[kind] = (by_type[kind].choices[0].name, "categorical_value", json.dumps([text]))
    frame = pd.DataFrame({"log_id": ["demo_01"], **{k: [v[0]] for k, v in row.items()}})
    report = frame.respan.push_scores(
        {by_type[kind].slug_or_id: kind for kind in row}, client=client, **QUIET
    )
    report.raise_for_errors()
    assert statuses(report) == ["created"] * 9
    found = {
        slug: values
        for slug, *values in stored(
            db,
            "evaluator_slug, numerical_value, string_value, boolean_value, categorical_value, "
            "json_value",
        )
    }
    order = "numerical_value", "string_value", "boolean_value", "categorical_value", "json_value"
    assert found == {
        by_type[kind].slug_or_id: [value if field == name else None for name in order]
        for kind, (_, field, value) in row.items()
    }


def test_push_scores__again_updates_nothing_twice(client: RespanClient, db: Path) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01", "demo_02"], "helpfulness": [1, 5]})
    first = frame.respan.push_scores(["helpfulness"], client=client, **QUIET)
    frame["helpfulness"] = [2, 5]
    second = frame.respan.push_scores(["helpfulness"], client=client, **QUIET)
    assert (statuses(first), statuses(second)) == (["created"] * 2, ["updated"] * 2)
    assert first.frame["score_id"].tolist() == second.frame["score_id"].tolist()
    assert stored(db) == [("demo_01", "helpfulness", 2.0), ("demo_02", "helpfulness", 5.0)]


def test_push_scores__context_travels_along(client: RespanClient, db: Path) -> None:
    frame = pd.DataFrame(
        {
            "log_id": ["demo_01", "demo_02"],
            "helpfulness": [1, 5],
            "timestamp": pd.to_datetime(["2026-01-05T10:00:00+02:00", None]),
            "environment": ["prod", None],
            "prompt_id": ["p1", ""],
            "prompt_version_number": [3, None],
            "dataset_id": ["d1", pd.NA],
            "explanation": ["because", " "],
        }
    )
    frame.attrs["respan_logs"] = True
    dry = frame.respan.push_scores(["helpfulness"], client=client, dry_run=True)
    target = {"evaluator_id": client.get_evaluator("helpfulness").id}
    assert dry.payloads["body"].tolist() == [
        {
            **target,
            "numerical_value": 1.0,
            "timestamp": "2026-01-05T08:00:00Z",
            "environment": "prod",
            "prompt_id": "p1",
            "prompt_version_number": 3,
            "dataset_id": "d1",
            "explanation": "because",
        },
        {**target, "numerical_value": 5.0, "explanation": ""},
    ]
    assert stored(db) == []
    assert frame.respan.push_scores(["helpfulness"], client=client, **QUIET).ok
    columns = "log_id, explanation, environment, prompt_version_number"
    assert stored(db, columns) == [
        ("demo_01", "because", "prod", 3),
        ("demo_02", "", "prod", None),
    ]


def test_push_scores__tidy(client: RespanClient, db: Path) -> None:
    frame = pd.DataFrame(
        {
            "unique_id": ["demo_01", "demo_01", "demo_02"],
            "evaluator_slug": ["helpfulness", "nobody", "helpfulness"],
            "value": [3, 4, "five"],
        }
    )
    report = frame.respan.push_scores(client=client, **QUIET)
    assert statuses(report) == ["created", "invalid", "invalid"]
    reasons = report.frame["error"].tolist()
    assert "no evaluator has the slug or id 'nobody'" in reasons[1]
    assert "takes a number from 1 to 5, got 'five' (str)" in reasons[2]
    assert stored(db) == [("demo_01", "helpfulness", 3.0)]


def test_push_scores__tidy_raw_fields(client: RespanClient, db: Path) -> None:
    frame = pd.DataFrame(
        [
            {"evaluator_slug": "mine", "numerical_value": 0.5},
            {"evaluator_slug": "helpfulness", "numerical_value": 2},
            {"evaluator_slug": "helpfulness", "string_value": "two"},
            {"evaluator_slug": "mine", "numerical_value": 1, "string_value": "one"},
            {"evaluator_slug": "mine"},
            {"evaluator_id": "nobody", "numerical_value": 1},
            {"numerical_value": 1},
            {"evaluator_id": "eval_helpfulness", "evaluator_slug": "mine", "numerical_value": 1},
        ],
    ).assign(log_id=[f"demo_0{n}" for n in range(1, 9)])
    report = frame.respan.push_scores(client=client, custom_evaluators=True, **QUIET)
    invalid = ["invalid"] * 3
    assert statuses(report) == ["created", "created", *invalid[:2], "skipped", *invalid]
    for row, reason in {
        2: "takes its value in numerical_value, not in string_value",
        3: "more than one value field",
        5: "'nobody'",
        6: "no evaluator",
        7: "differ",
    }.items():
        assert reason in report.frame["error"][row], row
    assert stored(db) == [("demo_01", "mine", 0.5), ("demo_02", "helpfulness", 2.0)]


def test_push_scores__custom_slug_with_definition(client: RespanClient, db: Path) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01"], "stars": [5]})
    assert frame.respan.push_scores([FIVE_STARS], client=client, **QUIET).ok
    assert stored(db) == [("demo_01", "stars", 5.0)]


def test_push_scores__client_from_the_environment(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESPAN_API_KEY", sandbox.api_key)
    monkeypatch.setenv("RESPAN_BASE_URL", sandbox.base_url)
    frame = pd.DataFrame({"log_id": ["demo_01"], "helpfulness": [5]})
    assert frame.respan.push_scores("helpfulness", **QUIET).counts == {"created": 1}


def test_push_scores__no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01"], "stars": [5]})
    with pytest.raises(ConfigurationError, match="three ways"):
        frame.respan.push_scores([FIVE_STARS])
    # Nothing is sent, so nothing is needed.
    assert frame.respan.push_scores([FIVE_STARS], dry_run=True).counts == {"not_sent": 1}


def test_push_scores__progress_bar_says_how_far(
    client: RespanClient, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01"] * 3, "helpfulness": [1, 2, 3]})
    frame.respan.push_scores("helpfulness", client=client)
    assert "1/1" in capsys.readouterr().err
    frame.respan.push_scores("helpfulness", client=client, progress=False)
    assert capsys.readouterr().err == ""


def test_push_scores__one_bad_row_stops_no_other(client: RespanClient, db: Path) -> None:
    frame = pd.DataFrame(
        {
            "log_id": ["demo_01", "no_such_log", "demo_03", None, "..", "demo_06"],
            "helpfulness": [1, 2, 30, 4, 5, None],
        },
        index=list("abcdef"),
    )
    report = frame.respan.push_scores("helpfulness", client=client, **QUIET)
    assert report.counts == {"created": 1, "skipped": 1, "invalid": 3, "failed": 1}
    assert not report.ok
    assert list(report.errors.index) == ["b", "c", "d", "e"]
    assert report.frame.loc["b", ["http_status", "attempts"]].tolist() == [404, 1]
    assert "answered 404" in report.frame.loc["b", "error"]
    assert report.frame.loc["d", "error"] == "no log id"
    with pytest.raises(PushError, match=r"4 of 6 scores did not arrive.*row 'b'") as caught:
        report.raise_for_errors()
    assert caught.value.report is report
    assert stored(db) == [("demo_01", "helpfulness", 1.0)]


def test_push_scores__one_wrong_type_in_ten_thousand() -> None:
    values: list[Any] = [3] * 10_000
    values[7_777] = "three"
    frame = pd.DataFrame({"log_id": [f"log_{n}" for n in range(10_000)], "stars": values})
    report = frame.respan.push_scores([FIVE_STARS], dry_run=True)
    assert report.counts == {"invalid": 1, "not_sent": 9_999}
    assert report.errors["error"][7_777] == (
        "'stars' (numerical) takes a number from 1 to 5, got 'three' (str)"
    )


def test_dry_run__is_never_sent(client: RespanClient, db: Path) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01", "demo_02"], "helpfulness": [3, 9]}, index=[5, 5])
    report = frame.respan.push_scores("helpfulness", client=client, dry_run=True)
    assert report.counts == {"invalid": 1, "not_sent": 1}
    assert len(report.errors) == 1
    assert report.payloads[["log_id", "evaluator"]].values.tolist() == [["demo_01", "helpfulness"]]
    assert report.payloads.index.tolist() == [5]
    assert repr(report).startswith("PushReport of a dry run: 1 invalid, 1 ready to send\n")
    with pytest.raises(ConfigurationError, match="this was a dry run"):
        report.retry()
    assert stored(db) == []
