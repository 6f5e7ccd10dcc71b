"""Reading back what a server has that does not filter by scorer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from canned import Canned, CannedServer

from respan_notebook import Evaluator, RespanClient

Start = Callable[..., CannedServer]
ME, OTHER = "ann@example.com", "bob@example.com"
STARS = Evaluator(id="e_stars", evaluator_slug="stars", score_value_type="numerical")
GOOD = Evaluator(id="e_good", evaluator_slug="good", score_value_type="boolean")
FRAME = pd.DataFrame(
    {
        "log_id": [f"log_{n}" for n in range(150)],
        "stars": [float(n) for n in range(150)],
        "good": pd.array([n % 3 == 0 for n in range(150)], dtype="boolean"),
    }
)


def score(log_id: str, evaluator_id: str, scorer: str) -> dict[str, Any]:
    number = int(log_id.removeprefix("log_"))
    values: dict[str, Any] = {
        "e_stars": {"numerical_value": float(number)},
        "e_good": {"boolean_value": number % 3 == 0},
    }
    if scorer == OTHER:
        values = {"e_stars": {"numerical_value": -1.0}, "e_good": {"boolean_value": None}}
    about = {"log_id": log_id, "evaluator_id": evaluator_id, "scorer": scorer}
    return {"id": f"{log_id}-{evaluator_id}-{scorer}", **about, **values[evaluator_id]}


@pytest.fixture(params=[(OTHER, ME), (ME, OTHER)], ids=["others first", "own first"])
def server(canned: Start, request: pytest.FixtureRequest) -> CannedServer:
    """Two scorers' scores of all logs; filters by log and evaluator, and not by scorer."""

    def answer(path: str) -> Canned:
        page = int(parse_qs(urlsplit(path).query).get("page", ["1"])[0])
        filters = json.loads(started.requests[-1][3])["filters"]
        found = [
            score(log_id, evaluator, scorer)
            for scorer in request.param
            for log_id in filters["log_id"]["value"]
            for evaluator in filters["evaluator_id"]["value"]
        ]
        start, end = 100 * (page - 1), 100 * page
        url = f"{started.base_url}/api/scores/list/?page={page + 1}&page_size=100"
        body = {"next": url if end < len(found) else None, "results": found[start:end]}
        return Canned(body=json.dumps(body).encode())

    started = canned(answer)
    return started


def test_pull_scores__passes_over_others_and_finds_all_own(server: CannedServer) -> None:
    with RespanClient("key", server.base_url) as client:
        pulled = FRAME.respan.pull_scores([STARS, GOOD], client=client, scorer=ME)
    pd.testing.assert_frame_equal(pulled, FRAME[["stars", "good"]])
    asked = [json.loads(body)["filters"] for _, _, _, body in server.requests]
    assert [one["scorer"] for one in asked] == [{"operator": "", "value": [ME]}] * len(asked)


def test_skip_unchanged__passes_over_others_and_finds_all_own(server: CannedServer) -> None:
    with RespanClient("key", server.base_url) as client:
        client.scorer = ME
        report = FRAME.respan.push_scores(
            [STARS, GOOD], client=client, skip_unchanged=True, progress=False
        )
    assert report.counts == {"unchanged": 300}
    assert report.frame["score_id"].tolist() == [
        f"{log_id}-{one.id}-{ME}" for log_id in FRAME["log_id"] for one in (STARS, GOOD)
    ]
    paths = {path for _, path, _, _ in server.requests}
    assert {urlsplit(path).path for path in paths} == {"/api/scores/list/"}


@pytest.mark.parametrize("server", [(ME, OTHER)], indirect=True, ids=["own first"])
def test_pull_scores__reads_no_page_after_the_last_own_score(server: CannedServer) -> None:
    with RespanClient("key", server.base_url) as client:
        FRAME.respan.pull_scores([STARS, GOOD], client=client, scorer=ME)
    # Of 100 and 50 logs there are 200 and 100 own scores.
    assert len(server.requests) == 3
