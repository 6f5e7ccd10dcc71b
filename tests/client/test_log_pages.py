"""Logs that are read page by page while others arrive."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import seed

from respan_notebook import RespanClient, Sandbox
from respan_notebook.client.transport import Transport

SIZE = 25_500


@pytest.fixture
def arriving(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let five logs arrive before each page after the first; return the queries of the pages."""
    queries: list[str] = []
    send = Transport.send

    def sent(self: Transport, method: str, path: str, *rest: Any, **options: Any) -> Any:
        if "/request-logs/list/" in path:
            if queries:
                add_logs(sandbox, [f"late_{len(queries)}_{i}" for i in range(5)], late=True)
            queries.append(urlsplit(path).query)
        return send(self, method, path, *rest, **options)

    monkeypatch.setattr(Transport, "send", sent)
    return queries


def add_logs(sandbox: Sandbox, log_ids: list[str], *, late: bool = False) -> None:
    """Add logs in bulk, by the hidden route that the package does not offer."""
    start = datetime.now(UTC) if late else datetime.now(UTC) - timedelta(minutes=30)
    logs = [
        {"unique_id": one, "timestamp": (start + timedelta(milliseconds=i)).isoformat()}
        for i, one in enumerate(log_ids)
    ]
    seed.add_logs(sandbox.base_url, sandbox.api_key, logs)


@pytest.mark.parametrize("sort_by", ["-timestamp", "timestamp", "unique_id"])
def test_logs__each_once_while_others_arrive(
    sandbox: Sandbox, arriving: list[str], sort_by: str
) -> None:
    first = {f"log_{i:05}" for i in range(SIZE)}
    with RespanClient(sandbox.api_key, sandbox.base_url) as client:
        add_logs(sandbox, sorted(first))
        frame = client.logs(sort_by=sort_by, page_size=1000)
    assert frame["unique_id"].is_unique
    assert set(frame["unique_id"]) == first
    assert len(arriving) == 26
    times = [(parse_qs(query)["start_time"], parse_qs(query)["end_time"]) for query in arriving]
    assert times == [times[0]] * 26
    start, end = (datetime.fromisoformat(time[0]) for time in times[0])
    assert end - start == timedelta(hours=1)


def test_logs__given_twice_are_there_once_and_counted(
    sandbox: Sandbox, arriving: list[str]
) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    with RespanClient(sandbox.api_key, sandbox.base_url) as client:
        add_logs(sandbox, [f"log_{i}" for i in range(30)])
        with pytest.warns(UserWarning, match=r"the server gave \d+ logs twice, on two pages"):
            frame = client.logs(sort_by="-timestamp", page_size=10, end_time=later, limit=None)
    assert frame["unique_id"].is_unique
    assert frame["unique_id"].str.startswith("log_").sum() == 30
    assert arriving


def test_logs__a_limit_counts_each_once(sandbox: Sandbox, arriving: list[str]) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    with RespanClient(sandbox.api_key, sandbox.base_url) as client, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        add_logs(sandbox, [f"log_{i}" for i in range(40)])
        frame = client.logs(sort_by="-timestamp", page_size=10, end_time=later, limit=25)
    assert len(frame) == 25
    assert frame["unique_id"].is_unique
    assert arriving


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({"log_type": "chat"}, {"log_type": ["chat"]}),
        ({"all_envs": True}, {"all_envs": ["true"]}),
        ({"all_envs": False, "is_test": None}, {"all_envs": ["false"]}),
    ],
    ids=["log_type", "all_envs", "none"],
)
def test_logs__pass_further_parameters_on(
    sandbox: Sandbox, arriving: list[str], options: dict[str, Any], query: dict[str, list[str]]
) -> None:
    with RespanClient(sandbox.api_key, sandbox.base_url) as client:
        client.logs(start_time="2026-01-01", end_time="2026-02-01", **options)
    own = {"start_time", "end_time", "page_size"}
    assert {k: v for k, v in parse_qs(arriving[0]).items() if k not in own} == query


def test_logs__are_marked(client: RespanClient) -> None:
    frame = client.logs(start_time="2026-01-01")
    assert frame.attrs == {"respan_logs": True}
    assert client.logs(start_time="2026-01-01", limit=0).attrs == {"respan_logs": True}
