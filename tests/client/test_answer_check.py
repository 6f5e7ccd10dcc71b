"""Answers that are about another log or evaluator than was sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from canned import Canned, CannedServer
from stars import frame_of, push

from respan_notebook import Evaluator, RespanClient, Score
from respan_notebook.client.answer_check import AnswerCheck
from respan_notebook.client.settings import RequestSettings
from respan_notebook.models import Upsert

Start = Callable[..., CannedServer]
LOGS = ["log_a", "log_b", "log_c"]
BY_SLUG = Evaluator(evaluator_slug="stars", score_value_type="numerical")
BY_ID = Evaluator(id="ev_1:3", evaluator_slug="good", score_value_type="boolean")
BOTH = [BY_SLUG, BY_ID]


def compare(*answers: tuple[Evaluator, dict[str, Any]]) -> tuple[dict[int, str], list[str]]:
    """Compare answers to the logs in their order; return errors by number, and warnings."""
    check = AnswerCheck(lambda: LOGS, BOTH)
    wrong: dict[int, str] = {}
    for i, (evaluator, named) in enumerate(answers):
        name = "evaluator_id" if evaluator.id else "evaluator_slug"
        upsert = Upsert(LOGS[i % 3], {name: evaluator.id_or_slug})
        check.compare(i, upsert, Score(id="s", **named))
        wrong |= {n: str(error) for n, error in check.take_wrong().items()}
    return wrong, check.warnings()


@pytest.mark.parametrize(
    ("evaluator", "named"),
    [
        (BY_SLUG, {}),
        (BY_SLUG, {"log_id": None, "evaluator_id": None, "evaluator_slug": None}),
        (BY_SLUG, {"log_id": "log_a", "evaluator_slug": "stars"}),
        (BY_SLUG, {"log_id": "LOG_A"}),
        (BY_SLUG, {"evaluator_id": "ev_9", "evaluator_slug": "stars"}),
        (BY_SLUG, {"evaluator_id": "ev_9"}),
        (BY_SLUG, {"evaluator_id": "ev_9:2", "evaluator_slug": ""}),
        (BY_ID, {"evaluator_id": "ev_1:3"}),
        (BY_ID, {"evaluator_id": "ev_1"}),
        (BY_ID, {"evaluator_id": "ev_1:4"}),
        (BY_ID, {"evaluator_id": "ev_1", "evaluator_slug": "renamed"}),
        (BY_ID, {"evaluator_slug": "good"}),
    ],
)
def test_compare__the_same_in_other_words(evaluator: Evaluator, named: dict[str, Any]) -> None:
    assert compare((evaluator, named)) == ({}, [])


@pytest.mark.parametrize(
    ("evaluator", "named", "subject"),
    [
        (BY_SLUG, {"log_id": "log_b"}, "log 'log_b', not about 'log_a'"),
        (BY_SLUG, {"evaluator_slug": "good"}, "evaluator 'good', not about 'stars'"),
        (BY_SLUG, {"evaluator_id": "ev_1"}, "evaluator 'ev_1', not about 'stars'"),
        (BY_SLUG, {"evaluator_id": "ev_1:7"}, "evaluator 'ev_1', not about 'stars'"),
        (BY_ID, {"evaluator_slug": "stars"}, "evaluator 'stars', not about 'ev_1:3'"),
        (
            BY_ID,
            {"evaluator_id": "ev_9", "evaluator_slug": "stars"},
            "evaluator 'stars', not about 'ev_1:3'",
        ),
    ],
)
def test_compare__another_of_this_push(
    evaluator: Evaluator, named: dict[str, Any], subject: str
) -> None:
    assert compare((evaluator, named)) == (
        {
            0: f"the answer is about {subject}; the score may have been stored: sending it again "
            "is safe"
        },
        [],
    )


def test_compare__all_logs_named_in_another_way_is_one_warning() -> None:
    answers = [(BY_SLUG, {"log_id": f"uuid-{n}"}) for n in range(300)]
    assert compare(*answers) == (
        {},
        [
            "the answers name the log in another way than it was sent, such as 'uuid-0' for "
            "'log_a'; the scores count as stored"
        ],
    )


def test_compare__each_evaluator_by_itself() -> None:
    answers = [(BY_SLUG, {"evaluator_slug": "x"}), (BY_ID, {"evaluator_id": "ev_1"})] * 2
    assert compare(*answers) == (
        {},
        [
            "the answers name the evaluator 'stars' in another way than it was sent, such as 'x' "
            "for 'stars'; the scores count as stored"
        ],
    )


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
def test_compare__odd_names_among_right_ones_are_wrong(order: list[int]) -> None:
    """In whatever order the answers come."""
    named = [{"log_id": LOGS[0]}, {"log_id": "uuid-1"}, {"log_id": "uuid-2"}]
    check = AnswerCheck(lambda: LOGS, BOTH)
    wrong = set()
    for i in order:
        check.compare(i, Upsert(LOGS[i], {"evaluator_slug": "stars"}), Score(id="s", **named[i]))
        wrong |= check.take_wrong().keys()
    assert wrong == {1, 2}
    assert check.warnings() == []


def answering(named: Callable[[str], dict[str, Any]]) -> Callable[[str], Canned]:
    """Answer a write with what is named for its log."""

    def answer(path: str) -> Canned:
        log_id = path.split("/")[3]
        return Canned(status=201, body=json.dumps({"id": f"of {log_id}", **named(log_id)}).encode())

    return answer


def test_push_scores__a_wrong_answer_is_a_failed_row(canned: Start) -> None:
    wrong = {"log_1": "log_2", "log_3": "log_3\x1b"}
    server = canned(answering(lambda log_id: {"log_id": wrong.get(log_id, log_id)}))
    with RespanClient("key", server.base_url) as client:
        report = push(frame_of(5), client, concurrency=1)
    columns = ["status", "http_status", "attempts", "score_id"]
    assert report.frame[columns].astype(object).values.tolist() == [
        ["created", 201, 1, "of log_0"],
        ["failed", 201, 1, None],
        ["created", 201, 1, "of log_2"],
        ["failed", 201, 1, None],
        ["created", 201, 1, "of log_4"],
    ]
    assert [error.split(";")[0] for error in report.frame["error"].dropna()] == [
        "the answer is about log 'log_2', not about 'log_1'",
        r"the answer is about log 'log_3\\x1b', not about 'log_3'",
    ]
    assert report.frame["error"].str.contains("may have been stored").sum() == 2
    assert server.connections == 3, "a connection that may be out of step is not used again"
    wrong.clear()
    with RespanClient("key", server.base_url) as client:
        again = report.retry(client)
    assert again.counts == {"created": 5}


def test_push_scores__a_wrong_answer_of_many_threads(canned: Start) -> None:
    """One answer in ten is that of the next log."""

    def named(log_id: str) -> dict[str, Any]:
        number = int(log_id.removeprefix("log_"))
        return {"log_id": f"log_{number + 1}" if number % 10 == 0 else log_id}

    with RespanClient("key", canned(answering(named)).base_url) as client:
        report = push(frame_of(400), client)
    failed = report.frame["status"] == "failed"
    assert failed.tolist() == [number % 10 == 0 for number in range(400)]
    assert report.counts == {"created": 360, "failed": 40}
    assert report.frame["score_id"].notna().tolist() == (~failed).tolist()


def test_push_scores__a_server_that_names_logs_its_own_way(canned: Start) -> None:
    server = canned(answering(lambda log_id: {"log_id": f"uuid-of-{log_id}"}))
    with RespanClient("key", server.base_url) as client:
        report = push(frame_of(300), client)
    assert report.counts == {"created": 300}
    assert len(report.warnings) == 1
    assert "name the log in another way" in report.warnings[0]


def test_push_scores__a_wrong_answer_is_not_tried_again(canned: Start) -> None:
    server = canned(answering(lambda _log_id: {"log_id": "log_1"}))
    settings = RequestSettings(attempts=5)
    with RespanClient("key", server.base_url, settings=settings) as client:
        report = push(frame_of(2), client)
    assert report.frame[["status", "attempts"]].values.tolist() == [["failed", 1], ["created", 1]]


def test_push_scores__mixed_evaluators(canned: Start) -> None:
    """The answers about the two evaluators of a row are exchanged."""
    turn = {"evaluator_id": "ev_1", "evaluator_slug": "stars"}
    server = canned()

    def exchanged(path: str) -> Canned:
        sent = json.loads(server.requests[-1][3])
        other = "evaluator_id" if "evaluator_slug" in sent else "evaluator_slug"
        return Canned(status=201, body=json.dumps({"id": "s", other: turn[other]}).encode())

    server.answer = exchanged
    frame = pd.DataFrame({"log_id": ["a", "b"], "stars": [1, 2], "good": [True, None]})
    with RespanClient("key", server.base_url) as client:
        report = frame.respan.push_scores(BOTH, client=client, progress=False, concurrency=1)
    assert report.counts == {"failed": 3, "skipped": 1}
    assert report.frame["error"].str.contains("is about evaluator").sum() == 3
