"""Pages: which ``next`` is followed, and which never."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from canned import Canned, CannedServer

from respan_notebook import RespanClient, UnexpectedAnswerError
from respan_notebook.client.answers import Answer
from respan_notebook.client.transport import Transport

Start = Callable[..., CannedServer]


class Network:
    """Stands for all hosts: gives two pages, of which the first names the second."""

    def __init__(self) -> None:
        self.next_url, self.asked = "", list[str]()

    def answer(self, path: str) -> Answer:
        self.asked.append(path)
        first = len(self.asked) == 1
        page = {"next": self.next_url if first else None, "results": [{"id": len(self.asked)}]}
        return Answer(200, page)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    one = Network()

    def send(_self: Transport, _method: str, path: str, *_rest: Any, **_limits: Any) -> Answer:
        return one.answer(path)

    monkeypatch.setattr(Transport, "send", send)
    return one


@pytest.mark.parametrize(
    ("base_url", "next_host"),
    [
        ("https://respan.example", "https://respan.example"),
        ("https://respan.example", "https://respan.example:443"),
        ("https://respan.example:443", "https://respan.example"),
        ("https://respan.example", "http://respan.example"),
        ("https://RESPAN.example", "https://respan.EXAMPLE"),
        ("https://respan.example:8443", "https://respan.example:8443"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://127.0.0.1", "http://127.0.0.1:80"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("https://respan.example/gateway", "https://respan.example/gateway"),
    ],
)
def test_pages__of_the_own_host_with_and_without_a_port(
    network: Network, base_url: str, next_host: str
) -> None:
    network.next_url = f"{next_host}/api/scores/list/?page=2&page_size=100"
    with RespanClient("key", base_url) as client:
        assert [score.id for score in client.filter_scores()] == ["1", "2"]
    first, second = map(urlsplit, network.asked)
    root = "/gateway" if "gateway" in base_url else ""
    assert first.geturl() == f"{root}/api/scores/list/?page_size=100"
    assert (second.scheme, second.netloc, second.path) == ("", "", first.path)
    assert parse_qs(second.query) == {"page": ["2"], "page_size": ["100"]}


@pytest.mark.parametrize(
    ("base_url", "next_host"),
    [
        ("https://respan.example", "https://other.example"),
        ("https://respan.example", "https://respan.example:80"),
        ("https://respan.example", "https://respan.example:8443"),
        ("https://respan.example:8443", "https://respan.example"),
        ("http://127.0.0.1", "http://127.0.0.1:443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1"),
        ("http://127.0.0.1", "http://localhost"),
    ],
)
def test_pages__of_another_host_or_port_are_refused(
    network: Network, base_url: str, next_host: str
) -> None:
    network.next_url = f"{next_host}/api/scores/list/?page=2&page_size=100"
    with (
        RespanClient("key", base_url) as client,
        pytest.raises(UnexpectedAnswerError, match="is on another host, which is not followed"),
    ):
        client.filter_scores()
    assert network.asked == ["/api/scores/list/?page_size=100"]


def test_pages__count_is_not_trusted_and_the_scheme_is_ours(canned: Start) -> None:
    def answer(path: str) -> Canned:
        last = "page=2" in path
        # As a server behind a gateway writes it.
        url = server.base_url.replace("http:", "https:") + "/api/scores/list/?page=2"
        page = {"count": 1, "next": None if last else url, "results": [{"id": path[-1]}]}
        return Canned(body=json.dumps(page).encode())

    server = canned(answer)
    with RespanClient("key", server.base_url) as client:
        assert [score.id for score in client.filter_scores()] == ["0", "2"]
    assert [path for _, path, _, _ in server.requests] == [
        "/api/scores/list/?page_size=100",
        "/api/scores/list/?page=2",
    ]


def test_pages__never_to_another_host(canned: Start) -> None:
    elsewhere = canned()
    page = {"count": 1, "next": f"{elsewhere.base_url}/api/scores/list/?page=2", "results": []}
    server = canned(body=json.dumps(page).encode())
    with (
        RespanClient("key", server.base_url) as client,
        pytest.raises(UnexpectedAnswerError, match="another host"),
    ):
        client.filter_scores()
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "@127.0.0.1:{port}/steal/",
        ".evil.example/x",
        "//127.0.0.1:{port}/x",
        "http://h:99999/x",
        5,
        {},
    ],
    ids=str,
)
def test_pages__a_crafted_next_leads_nowhere_else(canned: Start, url: Any) -> None:
    elsewhere = canned()
    port = elsewhere.base_url.rpartition(":")[2]
    url = url.format(port=port) if isinstance(url, str) else url

    def answer(_path: str) -> Canned:
        last = len(server.requests) > 1
        page = {"next": None if last else url, "results": []}
        return Canned(body=json.dumps(page).encode())

    server = canned(answer)
    with RespanClient("key", server.base_url) as client, suppress(UnexpectedAnswerError):
        client.filter_scores()
    assert elsewhere.requests == []
    assert all(path.startswith("/api/scores/list/") for _, path, _, _ in server.requests)


def test_pages__a_query_alone_is_the_same_route(canned: Start) -> None:
    def answer(path: str) -> Canned:
        page = {"next": None if "page=2" in path else "?page=2", "results": []}
        return Canned(body=json.dumps(page).encode())

    server = canned(answer)
    with RespanClient("key", server.base_url) as client:
        client.filter_scores()
    assert server.requests[1][1] == "/api/scores/list/?page=2"


def test_pages__in_a_circle(canned: Start) -> None:
    body = b'{"next": "?page_size=100", "results": []}'
    with (
        RespanClient("key", canned(body=body).base_url) as client,
        pytest.raises(UnexpectedAnswerError, match="in a circle"),
    ):
        client.filter_scores()


@pytest.mark.parametrize("body", [b"{}", b'{"results": {}}', b"[]", b'{"results": [1]}'])
def test_pages__no_page(canned: Start, body: bytes) -> None:
    with (
        RespanClient("key", canned(body=body).base_url) as client,
        pytest.raises(UnexpectedAnswerError, match=r"no page of results|results of another kind"),
    ):
        client.list_evaluators()
