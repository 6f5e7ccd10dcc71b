"""Pages: of ``next`` only the number counts, and the own request is repeated."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from canned import Canned, CannedServer

from respan_notebook import ConfigurationError, RespanClient, UnexpectedAnswerError

Start = Callable[..., CannedServer]


def start_pages(canned: Start, name_next: Callable[[int], Any], results: int = 1) -> CannedServer:
    """Start a server whose ``next`` after each page is as given."""

    def answer(path: str) -> Canned:
        number = int(parse_qs(urlsplit(path).query).get("page", ["1"])[0])
        found = [{"id": f"s{number}_{i}"} for i in range(results)]
        page = {"count": 1, "next": name_next(number), "results": found}
        return Canned(body=json.dumps(page).encode())

    return canned(answer)


def until_three(url: str) -> Callable[[int], Any]:
    return lambda number: url.format(number + 1) if number < 3 else None


@pytest.mark.parametrize(
    "url",
    [
        "?page={}",
        "https://api.respan.ai/api/scores/list/?page={}&page_size=100",
        "http://other.example:8443/elsewhere/?page={}",
        "//127.0.0.1:1/x?page_size=7&page={}&start_time=1999-01-01",
        "@evil.example/?page={}#top",
    ],
)
def test_pages__take_the_number_alone_from_next(canned: Start, url: str) -> None:
    server = start_pages(canned, until_three(url))
    filters = {"scorer": {"operator": "", "value": ["ann"]}}
    with RespanClient("key", server.base_url) as client:
        scores = client.filter_scores(filters, sort_by="-created_at")
    assert [one.id for one in scores] == ["s1_0", "s2_0", "s3_0"]
    asked = [(method, path) for method, path, _, _ in server.requests]
    own = "/api/scores/list/?page_size=100&sort_by=-created_at"
    assert asked == [("POST", own), ("POST", f"{own}&page=2"), ("POST", f"{own}&page=3")]
    assert [json.loads(body) for _, _, _, body in server.requests] == [{"filters": filters}] * 3


def test_pages__repeat_the_parameters_of_logs(canned: Start) -> None:
    server = start_pages(canned, until_three("?page={}&page_size=1000"))
    with RespanClient("key", server.base_url) as client:
        options: dict[str, Any] = {"environment": "prod", "start_time": "2026-01-01"}
        pages = list(client.log_pages(**options, end_time="2026-02-01", include_fields=["input"]))
    assert len(pages) == 3
    queries = [parse_qs(urlsplit(path).query) for _, path, _, _ in server.requests]
    pages_asked = [query.pop("page", ["1"]) for query in queries]
    assert pages_asked == [["1"], ["2"], ["3"]]
    assert queries[0] == queries[1] == queries[2]
    assert queries[0]["start_time"] == ["2026-01-01"]


def test_pages__begin_where_they_are_told_to(canned: Start) -> None:
    server = start_pages(canned, until_three("?page={}"))
    with RespanClient("key", server.base_url) as client:
        assert [one.id for one in client.filter_scores(page=2)] == ["s2_0", "s3_0"]


WRONG_NUMBERS = ["?page=1", "?page=2", "?page=4", "?page=", "?page=x", "?page=3&page=5", "?page=٣"]
NO_NUMBERS = ["?offset=2", "http://[/?page=3", 5, {}, ["?page=3"], True]


@pytest.mark.parametrize("url", WRONG_NUMBERS + NO_NUMBERS, ids=ascii)
def test_pages__name_no_other_page_than_the_following(canned: Start, url: Any) -> None:
    server = start_pages(canned, lambda number: "?page=2" if number == 1 else url)
    found = []
    with RespanClient("key", server.base_url) as client:
        pages = client.score_pages()
        found += [next(pages), next(pages)]
        with pytest.raises(UnexpectedAnswerError, match="after page 2 with 1 results the server"):
            next(pages)
    assert [one.id for page in found for one in page] == ["s1_0", "s2_0"]
    assert len(server.requests) == 2


def test_pages__end_when_a_server_names_empty_pages_for_ever(canned: Start) -> None:
    server = start_pages(canned, lambda number: f"?page={number + 1}", results=0)
    with (
        RespanClient("key", server.base_url) as client,
        pytest.raises(UnexpectedAnswerError, match="after page 4 with 0 results"),
    ):
        client.filter_scores()
    assert len(server.requests) == 4


@pytest.mark.parametrize("nothing", [None, ""])
def test_pages__end_without_a_next(canned: Start, nothing: Any) -> None:
    server = start_pages(canned, lambda _number: nothing)
    with RespanClient("key", server.base_url) as client:
        assert len(client.filter_scores()) == 1


@pytest.mark.parametrize("body", [b"{}", b'{"results": {}}', b"[]", b'{"results": [1]}'])
def test_pages__no_page(canned: Start, body: bytes) -> None:
    with (
        RespanClient("key", canned(body=body).base_url) as client,
        pytest.raises(UnexpectedAnswerError, match=r"no page of results|results of another kind"),
    ):
        client.list_evaluators()


@pytest.mark.parametrize("page", ["x", "", 0, -1, 1.5, True, "²", "9" * 5000])
def test_pages__begin_with_a_number(canned: Start, page: Any) -> None:
    server = start_pages(canned, until_three("?page={}"))
    refused = pytest.raises(ConfigurationError, match="page is the number of a page, from 1, not")
    with RespanClient("key", server.base_url) as client, refused:
        client.filter_scores(page=page)
    assert server.requests == []
