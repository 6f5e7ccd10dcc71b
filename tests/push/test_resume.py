"""What did not arrive is sent again, and only that: retry of a report, resume of a push."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable

import pandas as pd
import pytest
from canned import Canned, CannedServer
from dry import statuses
from stars import FIVE_STARS, QUIET, STARS, frame_of, push, serving

from respan_notebook import ConfigurationError, FrameError, PushReport, RespanClient

Start = Callable[..., CannedServer]


def test_resume__from_a_saved_report(requests: list[str]) -> None:
    with serving(5) as client:
        first = push(frame_of(3), client)
        saved = io.StringIO(first.frame.to_csv())
        requests.clear()
        report = push(frame_of(5), client, resume=pd.read_csv(saved))
        assert report.counts == {"created": 5}
        assert len(requests) == 2
        assert report.ok


def test_resume__needs_the_columns() -> None:
    with pytest.raises(FrameError, match="resume takes the frame of an earlier report"):
        frame_of(1).respan.push_scores([STARS], dry_run=True, resume=pd.DataFrame({"a": [1]}))


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
