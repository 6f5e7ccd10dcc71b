"""What did not arrive is sent again by a report, and only that."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pandas as pd
import pytest
from canned import Canned, CannedServer
from dry import statuses
from stars import FIVE_STARS, QUIET, frame_of, push

from respan_notebook import ConfigurationError, PushReport, RespanClient

Start = Callable[..., CannedServer]


@pytest.mark.usefixtures("no_backoff")
def test_retry__sends_what_did_not_arrive_and_only_that(canned: Start) -> None:
    broken = True

    def answer(path: str) -> Canned:
        if broken and "log_1/" in path:
            return Canned(status=500, body=b'{"detail": "down"}')
        return Canned(status=201, body=b'{"id": "s", "is_passed": true}')

    server = canned(answer)
    frame = pd.DataFrame({"log_id": ["log_0", "log_1", "log_2"], "stars": [3, 4, 9]})
    with RespanClient("key", server.base_url) as client:
        report = frame.respan.push_scores([FIVE_STARS], client=client, **QUIET)
        assert statuses(report) == ["created", "failed", "invalid"]
        broken = False
        again = report.retry()
        assert statuses(report) == ["created", "failed", "invalid"]
        assert statuses(again) == ["created", "created", "invalid"]
        assert (report.counts, again.counts) == (
            {"created": 1, "invalid": 1, "failed": 1},
            {"created": 2, "invalid": 1},
        )
        assert again.frame["error"].tolist()[:2] == [None, None]
        assert again.frame["attempts"].tolist() == [1, 11, 0]
        assert len(server.requests) == 12
        assert again.frame["is_passed"].tolist()[:2] == [True, True]


def test_report__survives_pickling_without_the_key(client: RespanClient) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01", "no_log"], "helpfulness": [3, 4]})
    report = frame.respan.push_scores("helpfulness", client=client, **QUIET)
    copy: PushReport = pickle.loads(pickle.dumps(report))
    pd.testing.assert_frame_equal(copy.frame, report.frame)
    with pytest.raises(ConfigurationError, match="no API key"):
        copy.retry()
    client.create_log({"unique_id": "no_log"})
    assert statuses(copy.retry(client)) == ["created", "created"]


def test_retry__what_it_does_not_reach_stays_failed(canned: Start) -> None:
    status = 404

    def answer(_path: str) -> Canned:
        return Canned(status=status, body=b'{"detail": "no"}')

    with RespanClient("key", canned(answer).base_url) as client:
        report = push(frame_of(30), client, concurrency=1)
        assert report.counts == {"failed": 30}
        status = 401
        again = report.retry()
    assert again.counts == {"failed": 30}
    assert again.frame["http_status"].tolist() == [401] + [404] * 29
    assert "404" in again.frame["error"][29]


def two_servers(canned: Start) -> tuple[CannedServer, CannedServer]:
    """Start a server that has log_0 alone, and one that has every log."""

    def answer(path: str) -> Canned:
        if "log_0/" in path:
            return Canned(201, b'{"id": "s"}')
        return Canned(404, b'{"detail": "no"}')

    return canned(answer), canned(status=201, body=b'{"id": "s"}')


@pytest.mark.parametrize("copied", [False, True], ids=["report", "unpickled"])
def test_retry__is_refused_elsewhere_when_scores_had_arrived(canned: Start, copied: bool) -> None:
    there, elsewhere = two_servers(canned)
    with (
        RespanClient("key", there.base_url) as client,
        RespanClient("key", elsewhere.base_url) as other,
        RespanClient("another", there.base_url) as stranger,
    ):
        report = push(frame_of(2), client)
        if copied:
            report = pickle.loads(pickle.dumps(report))
        assert report.counts == {"created": 1, "failed": 1}
        with pytest.raises(ConfigurationError) as caught:
            report.retry(other)
        assert f"on {there.base_url}, and the client is of {elsewhere.base_url};" in str(
            caught.value
        )
        with pytest.raises(ConfigurationError, match="by another key than the client's"):
            report.retry(stranger)
        assert elsewhere.requests == []
        assert len(there.requests) == 2
        assert report.retry(client).counts == {"created": 1, "failed": 1}


def test_retry__goes_elsewhere_when_nothing_had_arrived(canned: Start) -> None:
    there, elsewhere = two_servers(canned)
    with (
        RespanClient("key", there.base_url) as client,
        RespanClient("another", elsewhere.base_url) as other,
    ):
        report = push(frame_of(2).iloc[1:], client)
        assert report.counts == {"failed": 1}
        assert report.retry(other).counts == {"created": 1}
