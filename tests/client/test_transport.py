"""One connection: what comes back as an answer, and what as which error."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from time import time
from typing import Any

import pytest
from canned import CannedServer

from respan_notebook import RespanClient, errors

pytestmark = pytest.mark.usefixtures("one_attempt")

KEY = "sk-secret-0123456789"
Start = Callable[..., CannedServer]


def ask(server: CannedServer) -> Any:
    with RespanClient(KEY, server.base_url) as client:
        return client.get_log("log_1")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, errors.RedirectError),
        (400, errors.BadRequestError),
        (401, errors.AuthenticationError),
        (403, errors.PermissionDeniedError),
        (404, errors.NotFoundError),
        (409, errors.ConflictError),
        (413, errors.BadRequestError),
        (418, errors.BadRequestError),
        (422, errors.BadRequestError),
        (429, errors.RateLimitError),
        (500, errors.ServerError),
        (502, errors.ServerError),
    ],
)
def test_send__status_gives_the_class(
    canned: Start, status: int, kind: type[errors.HTTPError]
) -> None:
    with pytest.raises(kind) as caught:
        ask(canned(status=status, body=b'{"detail": "the reason"}'))
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert f"GET /api/request-logs/log_1/ answered {status}: " in str(caught.value)


@pytest.mark.parametrize(
    ("body", "detail", "fields"),
    [
        (b'{"detail": "No such log."}', "No such log.", {}),
        (b'{"error": "Score exists"}', "Score exists", {}),
        (b'{"message": "Too long"}', "Too long", {}),
        (
            b'{"numerical_value": ["A valid number is required.", "Really."]}',
            "numerical_value: A valid number is required. Really.",
            {"numerical_value": ["A valid number is required.", "Really."]},
        ),
        (
            b'{"detail": "Validation error", "errors": {"scorer": ["Bad"]}}',
            "Validation error: scorer: Bad",
            {"scorer": ["Bad"]},
        ),
        (b"<html><h1>Bad&nbsp;gateway</h1><p>nginx</p></html>", "not JSON but", {}),
        (b"", "an empty body", {}),
        (b"[1]", "an unexpected body: [1]", {}),
        (b"{}", "{}", {}),
        (b"\xff\xfe", "not JSON but", {}),
    ],
)
def test_send__error_bodies(canned: Start, body: bytes, detail: str, fields: Any) -> None:
    with pytest.raises(errors.BadRequestError) as caught:
        ask(canned(status=400, body=body))
    assert caught.value.detail.startswith(detail)
    assert caught.value.field_errors == fields
    assert "<" not in caught.value.detail


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        (b'{"detail": "x", "retry_after": 30}', {}, 30.0),
        (b'{"detail": "x", "retry_after": 1.5}', {"Retry-After": "7"}, 1.5),
        (b'{"detail": "x", "retry_after": "12"}', {}, 12.0),
        (b'{"detail": "x", "retry_after": 0}', {"Retry-After": "7"}, 0.0),
        (b'{"detail": "x", "retry_after": -3}', {"Retry-After": "7"}, 7.0),
        (b'{"detail": "x", "retry_after": "soon"}', {}, None),
        (b'{"detail": "x", "retry_after": NaN}', {}, None),
        (b'{"detail": "x", "retry_after": null}', {"Retry-After": "7"}, 7.0),
        (b'{"detail": "x", "retry_after": 1e9}', {}, 1e9),
        (b'{"detail": "x", "retry_after": 1%s}' % (b"0" * 400), {}, None),
        (b"<html>", {"Retry-After": "7"}, 7.0),
        (b"", {"Retry-After": formatdate(0)}, 0.0),
        (b"", {"Retry-After": "tomorrow"}, None),
        (b"", {}, None),
    ],
)
def test_send__retry_after(
    canned: Start, body: bytes, headers: dict[str, str], seconds: float | None
) -> None:
    with pytest.raises(errors.RateLimitError) as caught:
        ask(canned(status=429, body=body, headers=headers))
    assert caught.value.retry_after == seconds


def test_send__retry_after_date(canned: Start) -> None:
    headers = {"Retry-After": formatdate(time() + 100)}
    with pytest.raises(errors.RateLimitError) as caught:
        ask(canned(status=429, headers=headers))
    assert caught.value.retry_after == pytest.approx(100, abs=5)


def test_send__redirect_is_not_followed_and_named(canned: Start) -> None:
    elsewhere = canned()
    server = canned(status=307, headers={"Location": f"{elsewhere.base_url}/api/x/"})
    with pytest.raises(errors.RedirectError, match=f"redirected to {elsewhere.base_url}/api/x/"):
        ask(server)
    assert elsewhere.requests == []


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b'{"unfinished": ', b"[" * 100_000])
def test_send__success_that_is_no_json(canned: Start, body: bytes) -> None:
    server = canned(body=body)
    gc.disable()  # At the limit of recursion no finalizer of another test's objects can run.
    try:
        with pytest.raises(errors.UnexpectedAnswerError) as caught:
            ask(server)
    finally:
        gc.enable()
    assert caught.value.status == 200


@pytest.mark.parametrize("body", [b"", b"[1]", b'"text"'])
def test_send__success_that_is_no_object(canned: Start, body: bytes) -> None:
    with pytest.raises(errors.UnexpectedAnswerError, match="is the base URL a Respan"):
        ask(canned(body=body))


def test_send__answer_cut_in_the_middle(canned: Start) -> None:
    with pytest.raises(errors.TransportError, match="no answer from http://127"):
        ask(canned(body=b'{"unique_id":', missing=10))


def test_send__server_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(errors.TransportError, match="Connection refused") as caught:
        RespanClient(KEY, f"http://127.0.0.1:{port}").get_log("log_1")
    assert "retries" not in str(caught.value)


def test_send__timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with (
            RespanClient(KEY, url, timeout=0.1) as client,
            pytest.raises(errors.RequestTimeoutError, match="timed out"),
        ):
            client.get_log("log_1")


def test_send__long_path_is_shortened(canned: Start) -> None:
    with (
        RespanClient(KEY, canned(status=404).base_url) as client,
        pytest.raises(errors.NotFoundError) as caught,
    ):
        client.get_log("x" * 10_000)
    assert len(str(caught.value)) < 400


def test_send__netrc_does_not_replace_the_bearer(
    canned: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = canned()
    ask(server)
    assert server.requests[0][2]["Authorization"] == f"Bearer {KEY}"


def test_send__environment_proxy_is_used(canned: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    # A CONNECT that is refused shows that the proxy was asked.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://someone:pass-word@127.0.0.1:{port}")
    with pytest.raises(errors.TransportError, match="proxy") as caught:
        RespanClient(KEY, "https://api.respan.example").get_log("log_1")
    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        ("socks5://someone:pass-word@127.0.0.1:1080", "SOCKS"),
        ("http://someone:pass-word@:80", "malformed"),
        ("http://someone:pass/word@host:1", "malformed"),
        ("http://someone:pass-word@host:port", "malformed"),
        ("pass-word://host", "malformed"),
    ],
)
def test_client__refuses_a_proxy_that_it_cannot_use(
    proxy: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(errors.ConfigurationError, match=message) as caught:
        RespanClient(KEY, "https://api.respan.example")
    assert "pass" not in str(caught.value)


def test_send__loopback_needs_no_proxy(canned: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server = canned()
    ask(server)
    assert len(server.requests) == 1


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_send__ca_bundle_of_the_environment(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "no/such/bundle.pem")
    with pytest.raises(errors.ConfigurationError, match=r"no/such/bundle\.pem"):
        RespanClient(KEY, "https://api.respan.example")


@pytest.mark.parametrize("content", ["", "no certificate\n"])
def test_client__refuses_a_ca_bundle_without_certificates(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with pytest.raises(errors.ConfigurationError, match=r"bundle\.pem"):
        RespanClient(KEY, "https://api.respan.example")


def test_client__takes_a_folder_of_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        RespanClient(KEY, f"https://127.0.0.1:{listener.getsockname()[1]}", timeout=0.1) as client,
        pytest.raises(errors.RequestTimeoutError),
    ):
        client.get_log("log_1")


def test_send__headers_of_a_write_and_of_a_read(canned: Start) -> None:
    server = canned(body=b'{"id": "s"}')
    with RespanClient(KEY, server.base_url) as client:
        client.upsert_score("log_1", {"evaluator_slug": "é", "boolean_value": True})
        client.get_log("log_1")
        client.delete_score("log_1", "s")
    body = '{"evaluator_slug": "é", "boolean_value": true}'.encode()
    assert [sent for _, _, _, sent in server.requests] == [body, b"", b""]
    own = ("Authorization", "Accept", "User-Agent", "Content-Type", "Content-Length")
    always = {
        "Authorization": f"Bearer {KEY}",
        "Accept": "application/json",
        "User-Agent": "respan-notebook",
    }
    assert [
        (method, {name: headers[name] for name in own if name in headers})
        for method, _, headers, _ in server.requests
    ] == [
        (
            "POST",
            {**always, "Content-Type": "application/json", "Content-Length": f"{len(body)}"},
        ),
        ("GET", always),
        ("DELETE", always),
    ]
