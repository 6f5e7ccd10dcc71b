"""Test the checks before every route (size, API key, rate) and the injected faults."""

from __future__ import annotations

import json
import socket
import time

import pytest
import requests

PATH = "scores/list/"
BODY = {"filters": {}}
TOO_LARGE = {"detail": "The body is larger than 1048576 bytes."}


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer nonsense", "Basic {key}", "{key}", "Bearer é", "Bearer {key}x"],
)
def test_key__missing_or_wrong(api, header):
    api.session.headers.pop("Authorization")
    headers = {}
    if header is not None:
        headers["Authorization"] = header.format(key=api.sandbox.api_key).encode("latin-1")

    answer = api("POST", PATH, BODY, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json() == {"detail": "Give a valid API key: Authorization: Bearer <key>."}


def test_key__scheme_in_any_case(api):
    headers = {"Authorization": f"bEARER  {api.sandbox.api_key} "}

    assert api("POST", PATH, BODY, headers=headers).status_code == 200


def _body_of(size):
    return b'{"filters": {}, "x": "' + b"x" * (size - 24) + b'"}'


def test_size__one_mebibyte_is_read(api):
    assert api("POST", PATH, data=_body_of(2**20)).status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [2**20 + 1, 2**22])
def test_size__more_is_refused(api, size, chunked):
    body = _body_of(size)
    data = iter([body[: 2**16], body[2**16 :]]) if chunked else body

    answer = api("POST", PATH, data=data)

    assert (answer.status_code, answer.json()) == (413, TOO_LARGE)
    assert api("POST", PATH, BODY).status_code == 200


def test_size__announced_is_refused_unread(api):
    host, _, port = api.sandbox.base_url.removeprefix("http://").partition(":")
    head = b"POST /api/scores/list/ HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head)
        assert connection.recv(12) == b"HTTP/1.1 413"


def test_size__client_that_goes_away_is_harmless(api):
    host, _, port = api.sandbox.base_url.removeprefix("http://").partition(":")
    head = b"POST /api/scores/list/ HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head)

    assert api("POST", PATH, BODY).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b"1", b"\xff", b"NaN", b"[" * 200_000, b"9" * 5_000],
    ids=lambda body: ascii(body[:8]),
)
@pytest.mark.parametrize("path", [PATH, "evaluators/", "request-logs/", "request-logs/bulk/"])
def test_body__is_no_json_object(api, path, body):
    answer = api("POST", path, data=body)

    assert answer.status_code == 400
    assert list(answer.json()) == ["non_field_errors"]


@pytest.mark.parametrize("host", ["[::1", "a b", "x:y", "%", "[", ""])
def test_host__nonsense_is_no_trouble(api, host):
    for _ in range(2):
        api.log()

    paging = api("POST", "request-logs/list/?page_size=1", BODY, headers={"Host": host})
    redirected = api("POST", "scores/list", BODY, headers={"Host": host})

    assert paging.status_code < 500
    assert redirected.status_code < 500


def test_rate_limit__says_how_long_in_the_body_only(serve):
    api = serve(rate_limit=(2, 30))

    answers = [api("POST", PATH, BODY) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[2].json() == {"detail": "Rate limit exceeded", "retry_after": 30}
    assert "Retry-After" not in answers[2].headers


def test_rate_limit__refused_requests_do_not_count(serve):
    api = serve(rate_limit=(2, 0.5))
    api("POST", PATH, BODY)
    api("POST", PATH, BODY)
    started = time.monotonic()
    while (answer := api("POST", PATH, BODY)).status_code == 429:
        assert answer.json()["retry_after"] == 1
        assert time.monotonic() - started < 5

    assert answer.status_code == 200


def test_rate_limit__comes_after_the_key(serve):
    api = serve(rate_limit=(1, 60))
    for _ in range(3):
        assert api("POST", PATH, BODY, headers={"Authorization": "Bearer x"}).status_code == 401

    assert api("POST", PATH, BODY).status_code == 200


def test_fail__does_nothing_to_the_share_it_is_told(serve):
    api = serve(fail=0.5)
    answers = [api("POST", "request-logs/", {"unique_id": str(n)}) for n in range(100)]
    failed = [str(n) for n, answer in enumerate(answers) if answer.status_code == 500]
    lost = []
    for number in range(100):
        while (answer := api("GET", f"request-logs/{number}/")).status_code == 500:
            assert answer.json() == {"detail": "The sandbox was told to fail."}
        if answer.status_code == 404:
            lost.append(str(number))

    assert 30 < len(failed) < 70
    assert lost == failed


def test_fail__always(serve):
    api = serve(fail=1)

    assert {api("POST", PATH, BODY).status_code for _ in range(20)} == {500}


def test_latency__every_answer_waits_and_none_blocks_the_others(serve):
    api = serve(latency_ms=150)

    answer = api("POST", PATH, BODY)

    assert 0.15 <= answer.elapsed.total_seconds() < 2


def test_openapi__describes_the_bodies(api):
    schema = requests.get(
        f"{api.sandbox.base_url}/openapi.json", headers=api.session.headers, timeout=10
    ).json()

    body = schema["paths"]["/api/evaluators/"]["post"]["requestBody"]
    properties = body["content"]["application/json"]["schema"]["properties"]
    assert properties["score_value_type"]["enum"][0] == "numerical"
    assert "$defs" not in json.dumps(schema)
