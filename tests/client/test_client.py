"""The client's routes against the real sandbox: log ids, scores, evaluators and logs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from canned import CannedServer

from respan_notebook import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    Evaluator,
    InvalidValueError,
    NotFoundError,
    RespanClient,
    Sandbox,
    ScoreWrite,
    ServerError,
    UnexpectedAnswerError,
    UnknownEvaluatorError,
)
from respan_notebook.models import Upsert

KEY = "sk-secret-0123456789"
Start = Callable[..., CannedServer]
GOOD = ScoreWrite(evaluator_slug="helpfulness", numerical_value=4)


@pytest.mark.parametrize("log_id", ["", ".", "..", "\ud83d", None, 7])
def test_upsert_score__refuses_log_id_before_sending(canned: Start, log_id: Any) -> None:
    server = canned()
    with RespanClient(KEY, server.base_url) as client, pytest.raises(InvalidValueError):
        client.upsert_score(log_id, GOOD)
    assert server.requests == []


ODD_IDS = ["a/b", "a?b=c", "a#b", "100%", "%2F", "two words", "🎉", "...", "x" * 10_000, "a\\b"]


@pytest.mark.parametrize("log_id", ODD_IDS, ids=lambda log_id: log_id[:10])
def test_upsert_score__any_log_id_is_one_segment(client: RespanClient, log_id: str) -> None:
    client.create_log({"unique_id": log_id, "input": "q", "output": "a"})
    assert client.upsert_score(log_id, GOOD).log_id == log_id
    assert [score.log_id for score in client.list_scores(log_id)] == [log_id]
    assert client.get_log(log_id)["unique_id"] == log_id


def test_upsert_score__creates_then_updates(client: RespanClient) -> None:
    created, first = client.send_upsert(Upsert("demo_01", GOOD.body()))
    again = ScoreWrite(evaluator_slug="helpfulness", numerical_value=2, explanation="on reflection")
    updated, second = client.send_upsert(Upsert("demo_01", again.body()))
    assert (first, second) == (201, 200)
    assert (created.id, created.numerical_value, created.scorer) == (
        updated.id,
        4.0,
        "ann@example.com",
    )
    assert (updated.numerical_value, updated.explanation) == (2.0, "on reflection")
    assert client.list_scores("demo_01") == [updated]
    assert client.upsert_score("demo_01", again.body()).id == updated.id


def test_scores__one_per_scorer(sandbox: Sandbox, client: RespanClient) -> None:
    with RespanClient(sandbox.api_keys["bob@example.com"], sandbox.base_url) as bob:
        bob.upsert_score("demo_01", GOOD)
        client.upsert_score("demo_01", GOOD)
        assert {s.scorer for s in bob.list_scores("demo_01")} == {
            "ann@example.com",
            "bob@example.com",
        }


def test_scores__get_replace_patch_delete(client: RespanClient) -> None:
    score = client.upsert_score("demo_01", GOOD)
    assert client.get_score("demo_01", score.id) == score
    whole = ScoreWrite(evaluator_slug="helpfulness", numerical_value=1)
    assert client.replace_score("demo_01", score.id, whole).numerical_value == 1.0
    assert client.patch_score("demo_01", score.id, numerical_value=5).numerical_value == 5.0
    client.delete_score("demo_01", score.id)
    assert client.list_scores("demo_01") == []
    with pytest.raises(NotFoundError):
        client.get_score("demo_01", score.id)


def test_patch_score__refuses_other_fields_and_nan(client: RespanClient) -> None:
    for field in ("timestamp", "explanation"):
        with pytest.raises(TypeError, match=f"patch_score changes value fields, not .'{field}'"):
            client.patch_score("demo_01", "s1", **{field: "x"})
    with pytest.raises(InvalidValueError, match="JSON"):
        client.patch_score("demo_01", "s1", numerical_value=float("nan"))


def test_upsert_score__no_such_log(client: RespanClient) -> None:
    with pytest.raises(NotFoundError, match="check the id"):
        client.upsert_score("no_such_log", GOOD)


def test_upsert_score__wrong_key(sandbox: Sandbox) -> None:
    with RespanClient(KEY, sandbox.base_url) as client, pytest.raises(AuthenticationError):
        client.upsert_score("demo_01", GOOD)


def test_filter_scores__follows_every_page(client: RespanClient) -> None:
    for number in range(120):
        slug = f"own_{number}"
        client.upsert_score("demo_01", ScoreWrite(evaluator_slug=slug, boolean_value=True))
    client.upsert_score("demo_02", GOOD)
    only = {"log_id": {"operator": "in", "value": ["demo_01"]}}
    found = client.filter_scores(only, sort_by="created_at")
    assert len(found) == 120
    assert {score.log_id for score in found} == {"demo_01"}
    assert len(client.filter_scores()) == 121
    with pytest.raises(BadRequestError):
        client.filter_scores({"no_such_field": {"operator": "", "value": [1]}})


def test_evaluators__create_get_list(client: RespanClient) -> None:
    made = client.create_evaluator(
        Evaluator(
            id="ignored",
            name="Stars",
            evaluator_slug="stars",
            type="human",
            score_value_type="numerical",
            score_config={"min_score": 1, "max_score": 5},
        )
    )
    assert made.id not in (None, "ignored")
    assert made.bounds == (1.0, 5.0)
    assert client.get_evaluator(made.id or "") == client.get_evaluator("stars") == made
    assert made in client.list_evaluators()
    copied = client.create_evaluator({"name": "Moons", "score_value_type": "text", "tags": None})
    assert copied.evaluator_slug == "moons"
    with pytest.raises(UnknownEvaluatorError, match="no evaluator has the id or slug 'suns'"):
        client.get_evaluator("suns")


EARLY = datetime(2026, 1, 1)


def test_logs__as_a_frame(client: RespanClient) -> None:
    frame = client.logs(start_time=EARLY, sort_by="timestamp")
    assert list(frame.columns[:1]) == ["unique_id"]
    assert "id" not in frame
    assert frame["unique_id"].iloc[0] == "demo_01"
    assert frame["timestamp"].dtype.tz is not None  # type: ignore[union-attr]
    assert isinstance(frame["prompt_messages"].dropna().iloc[0], list)
    assert frame.index.equals(pd.RangeIndex(len(frame)))


def test_logs__limit_filters_and_fields(client: RespanClient) -> None:
    assert len(client.logs(limit=3, start_time=EARLY)) == 3
    assert client.logs(limit=0, start_time=EARLY).empty
    one = {"unique_id": {"operator": "", "value": ["demo_02"]}}
    fields = ["unique_id", "model"]
    frame = client.logs(one, start_time=EARLY, include_fields=fields)
    assert frame["unique_id"].tolist() == ["demo_02"]
    assert set(frame.columns) <= {"unique_id", "model"}


def test_logs__nothing_found_says_why(client: RespanClient) -> None:
    with pytest.warns(UserWarning, match="last hour only"):
        frame = client.logs()
    assert list(frame.columns) == ["unique_id"]


def test_log_pages__pages_are_lists_of_logs(client: RespanClient) -> None:
    pages = list(client.log_pages(start_time="2026-01-01T00:00:00Z", page_size=10))
    assert [len(page) for page in pages[:-1]] == [10] * (len(pages) - 1)
    assert len({log["unique_id"] for page in pages for log in page}) == sum(map(len, pages))


def test_create_log__gives_the_id(client: RespanClient) -> None:
    log = client.create_log({"input": "q", "output": "a", "timestamp": "2026-02-01T00:00:00Z"})
    assert client.get_log(log["unique_id"])["output"] == "a"
    with pytest.raises(InvalidValueError, match="JSON"):
        client.create_log({"input": datetime.now(UTC)})


def test_model__answer_of_another_kind(canned: Start) -> None:
    with (
        RespanClient(KEY, canned(body=b'{"ok": true}').base_url) as client,
        pytest.raises(UnexpectedAnswerError, match=r"no Score, although it answered 200.*: id"),
    ):
        client.upsert_score("log_1", GOOD)


def test_create_score__under_another_name(client: RespanClient) -> None:
    score = client.create_score("demo_01", GOOD, scorer="judge")
    assert (score.scorer, score.log_id, score.numerical_value) == ("judge", "demo_01", 4.0)
    assert client.scorer is None
    for scorer in ("", " ", None):
        with pytest.raises(InvalidValueError, match="a scorer is a name or an email"):
            client.create_score("demo_01", GOOD, scorer=scorer)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [500, 502, 504])
def test_create_score__is_sent_once(canned: Start, status: int) -> None:
    server = canned(status=status)
    with RespanClient(KEY, server.base_url) as client, pytest.raises(ServerError):
        client.create_score("demo_01", GOOD, scorer="judge")
    assert len(server.requests) == 1


def test_update_evaluator__changes_fields(client: RespanClient) -> None:
    evaluator = client.get_evaluator("tone")
    changed = client.update_evaluator(evaluator.id or "", description="How it sounds.")
    assert changed.description == "How it sounds."
    assert client.get_evaluator("tone") == changed


def test_run_evaluator__returns_a_verdict(client: RespanClient) -> None:
    verdict = client.run_evaluator("eval_helpfulness", input="q", output="a")
    assert (verdict["numerical_value"], verdict["is_passed"]) == (1.0, False)
    assert client.filter_scores() == []


def test_update_log__changes_a_log(client: RespanClient) -> None:
    log = client.update_log("demo_01", note="look", is_pinned=False)
    assert (log["note"], log["is_pinned"]) == ("look", False)
    with pytest.raises(ConfigurationError, match="nothing to change: give one of note"):
        client.update_log("demo_01")


def test_update__of_nothing_is_refused_before_a_request(canned: Start) -> None:
    server = canned()
    with RespanClient(KEY, server.base_url) as client:
        with pytest.raises(ConfigurationError, match="nothing to change: give a field, such as"):
            client.update_evaluator("eval_tone")
        with pytest.raises(ConfigurationError, match="give one of numerical_value, "):
            client.patch_score("demo_01", "s1")
    assert server.requests == []
