"""Pages: which ``next`` is followed, by servers with and without a port in their URL."""

from __future__ import annotations

import io
import json
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from respan_notebook import RespanClient, UnexpectedAnswerError


class Network:
    """Stands for all hosts: gives two pages, of which the first names the second."""

    def __init__(self) -> None:
        self.next_url, self.asked = "", list[str]()

    def answer(self, request: requests.PreparedRequest) -> requests.Response:
        self.asked.append(str(request.url))
        first = len(self.asked) == 1
        page = {"next": self.next_url if first else None, "results": [{"id": len(self.asked)}]}
        response = requests.Response()
        response.status_code, response.raw = 200, io.BytesIO(json.dumps(page).encode())
        return response


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    one = Network()
    monkeypatch.setattr(HTTPAdapter, "send", lambda _, request, **_options: one.answer(request))
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
    assert first.geturl() == f"{base_url}/api/scores/list/?page_size=100"
    assert f"{second.scheme}://{second.netloc}" == base_url.removesuffix("/gateway")
    assert second.path == first.path
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
    assert network.asked == [f"{base_url}/api/scores/list/?page_size=100"]
