"""A push that can't go on or arrives nowhere: wrong keys, no Respan there, too much text, bugs."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from canned import CannedServer
from dry import statuses
from stars import FIVE_STARS, QUIET

from respan_notebook import AuthenticationError, Evaluator, RespanClient

Start = Callable[..., CannedServer]


def test_push_scores__wrong_key_stops_at_once(canned: Start) -> None:
    server = canned(status=401, body=b'{"detail": "Invalid token."}')
    frame = pd.DataFrame({"log_id": [f"log_{n}" for n in range(500)], "stars": 3})
    with RespanClient("wrong-key", server.base_url) as client:
        report = frame.respan.push_scores([FIVE_STARS], client=client, concurrency=4, **QUIET)
        assert set(report.counts) == {"failed", "not_sent"}
        assert 1 <= len(server.requests) <= 4
        assert "Invalid token" in report.frame["error"].iloc[-1]
        with pytest.raises(AuthenticationError):
            frame.respan.push_scores("stars", client=client)


@pytest.mark.usefixtures("no_backoff")
def test_push_scores__no_respan_there(canned: Start) -> None:
    frame = pd.DataFrame({"log_id": ["log_1"], "stars": [3]})
    with RespanClient("key", canned(body=b"<html>Hello</html>").base_url) as client:
        report = frame.respan.push_scores([FIVE_STARS], client=client, **QUIET)
    assert report.counts == {"failed": 1}
    assert "not JSON but 'Hello'" in report.frame["error"][0]


@pytest.mark.usefixtures("no_backoff")
def test_push_scores__server_gone() -> None:
    frame = pd.DataFrame({"log_id": ["log_1", "log_2"], "stars": [3, 4]})
    with RespanClient("key", "http://127.0.0.1:1") as client:
        report = frame.respan.push_scores([FIVE_STARS], client=client, **QUIET)
    assert report.counts == {"failed": 2}
    assert "no answer from http://127.0.0.1:1" in report.frame["error"][0]
    assert report.frame["http_status"].isna().all()


def test_push_scores__text_of_a_megabyte_and_more(client: RespanClient) -> None:
    comment = Evaluator(evaluator_slug="essay", score_value_type="text")
    frame = pd.DataFrame(
        {"log_id": ["demo_01", "demo_02"], "essay": ["x" * 1_000_000, "x" * 1_100_000]}
    )
    report = frame.respan.push_scores([comment], client=client, **QUIET)
    assert statuses(report) == ["created", "failed"]
    assert report.frame["http_status"].tolist() == [201, 413]


def test_push_scores__a_bug_in_a_thread_is_a_failed_row(
    client: RespanClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(client, "send_upsert", broken)
    frame = pd.DataFrame({"log_id": ["demo_01"], "stars": [3]})
    report = frame.respan.push_scores([FIVE_STARS], client=client, **QUIET)
    assert report.frame["error"].tolist() == ["ZeroDivisionError: a bug"]
