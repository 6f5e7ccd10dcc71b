"""Where a client sends to, with which key: base URLs, the environment, timeouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from canned import CannedServer

from respan_notebook import ConfigurationError, RespanClient

KEY = "sk-secret-0123456789"
Start = Callable[..., CannedServer]


@pytest.mark.parametrize(
    "base_url",
    [
        "https://api.respan.ai",
        "https://api.respan.ai/",
        "https://api.respan.ai/api",
        "https://api.respan.ai/api/",
        " https://api.respan.ai/api/ ",
    ],
)
def test_client__base_url_with_and_without_api(base_url: str) -> None:
    assert RespanClient(KEY, base_url).base_url == "https://api.respan.ai"


@pytest.mark.parametrize(
    ("base_url", "message"),
    [
        ("api.respan.ai", "must look like"),
        ("ftp://api.respan.ai", "must look like"),
        ("https://", "must look like"),
        ("https://api.respan.ai:port", "must look like"),
        ("https://[::1", "must look like"),
        ("https://api.respan.ai:0", "must look like"),
        ("https://api respan.ai", "must look like"),
        ("https://" + "a" * 64 + ".ai", "must look like"),
        ("https://api..respan.ai", "must look like"),
        ("https://someone:pass@api.respan.ai", "plain URL"),
        ("https://pass:x@api.respan.ai:port", "must look like"),
        ("https://someone:pass", "must look like"),
        ("https://[pass]", "must look like"),
        ("https://pass\u2100@api.respan.ai", "must look like"),
        ("pass", "must look like"),
        ("http://pass", "must start with https"),
        ("https://api.respan.ai/?a=1", "plain URL"),
        ("http://api.respan.ai", "must start with https"),
        ("http://127.0.0.1.evil.example", "must start with https"),
        ("http://localhost.evil.example", "must start with https"),
    ],
)
def test_client__refuses_base_url(base_url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        RespanClient(KEY, base_url)
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1:1", "127.9.9.9", "[::1]:1"])
def test_client__http_to_loopback_is_fine(host: str) -> None:
    assert RespanClient(KEY, f"http://{host}").base_url == f"http://{host}"


def test_client__from_the_environment(monkeypatch: pytest.MonkeyPatch, canned: Start) -> None:
    server = canned()
    monkeypatch.setenv("RESPAN_API_KEY", KEY)
    assert RespanClient().base_url == "https://api.respan.ai"
    monkeypatch.setenv("RESPAN_BASE_URL", server.base_url + "/api")
    with RespanClient() as client:
        client.get_log("log_1")
    with RespanClient("another-key") as client:
        client.get_log("log_1")
    assert [r[2]["Authorization"] for r in server.requests] == [
        f"Bearer {KEY}",
        "Bearer another-key",
    ]


def test_client__path_before_api(canned: Start) -> None:
    server = canned()
    with RespanClient(KEY, server.base_url + "/gateway/api/") as client:
        client.get_log("log_1")
    assert server.requests[0][1] == "/gateway/api/request-logs/log_1/"


@pytest.mark.parametrize("key", [None, "", "  "])
def test_client__no_key_names_three_ways(key: str | None) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RespanClient(key)
    for way in ("api_key=", "RESPAN_API_KEY", "Sandbox("):
        assert way in str(caught.value)


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan"), None, "30"])
def test_client__timeouts_always(timeout: Any) -> None:
    with pytest.raises(ConfigurationError, match="timeout must be"):
        RespanClient(KEY, timeout=timeout)
