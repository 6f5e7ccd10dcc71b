"""Keys and addresses from the environment, and what is said of a key that is refused."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable

import pandas as pd
import pytest
from canned import CannedServer

from respan_notebook import AuthenticationError, ConfigurationError, RespanClient, Sandbox

Start = Callable[..., CannedServer]


@pytest.mark.parametrize(
    ("variables", "base_url"),
    [
        ({}, "https://api.respan.ai"),
        ({"RESPAN_API_BASE_URL": "https://a.example/api"}, "https://a.example"),
        ({"RESPAN_API_BASE_URL": "https://a.example", "RESPAN_BASE_URL": ""}, "https://a.example"),
        (
            {"RESPAN_API_BASE_URL": "https://a.example", "RESPAN_BASE_URL": "https://b.example"},
            "https://b.example",
        ),
    ],
    ids=["none", "second", "first empty", "both"],
)
def test_client__takes_the_address_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], base_url: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert RespanClient("key").base_url == base_url
    assert RespanClient("key", "https://c.example").base_url == "https://c.example"


def test_client__tells_of_the_old_name_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError) as without:
        RespanClient()
    assert "KEYWORDSAI" not in str(without.value)
    monkeypatch.setenv("KEYWORDSAI_API_KEY", "secret-0815")
    with pytest.raises(ConfigurationError, match="set RESPAN_API_KEY to it") as told:
        RespanClient()
    assert "secret-0815" not in str(told.value)
    monkeypatch.setenv("RESPAN_API_KEY", "new")
    RespanClient()


def jwt(**payload: object) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256"}, payload)]
    encoded = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


def refusal_of(canned: Start, key: str) -> str:
    server = canned(status=401, body=b'{"detail": "Invalid token."}')
    with RespanClient(key, server.base_url) as client, pytest.raises(AuthenticationError) as error:
        client.get_log("a")
    assert key not in str(error.value)
    return str(error.value)


def test_answers__a_401_tells_when_a_jwt_expired(canned: Start) -> None:
    assert refusal_of(canned, jwt(exp=1_767_225_600)).endswith(
        "answered 401: Invalid token; the key is a dashboard JWT, which expired at 2026-01-01 "
        "00:00 UTC: take a new one, or an API key, which does not expire by itself"
    )


ODD = {
    "valid": jwt(exp=time.time() + 10_000),
    "without expiry": jwt(sub="ann"),
    "odd expiry": jwt(exp="soon"),
    "expiry beyond time": jwt(exp=1e300),
    "no object": ".".join(["a", base64.urlsafe_b64encode(b"[]").decode().rstrip("="), "b"]),
    "no JSON": "a.b.c",
    "no base64": "a.%.c",
    "api key": "sk-123",
}


@pytest.mark.parametrize("key", ODD.values(), ids=ODD)
def test_answers__a_401_names_both_kinds_of_key(canned: Start, key: str) -> None:
    assert refusal_of(canned, key).endswith(
        "; check the API key or dashboard JWT (api_key=, or the variable RESPAN_API_KEY)"
    )


def test_client__takes_a_dashboard_jwt(sandbox: Sandbox) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01"], "helpfulness": [4]})
    with RespanClient(sandbox.jwt("bob@example.com"), sandbox.base_url) as client:
        assert len(client.logs(start_time="2026-01-01", limit=2)) == 2
        assert frame.respan.push_scores("helpfulness", client=client, progress=False).ok
        assert client.scorer == "bob@example.com"
    expired = sandbox.jwt("bob@example.com", seconds=-1)
    with (
        RespanClient(expired, sandbox.base_url) as client,
        pytest.raises(AuthenticationError, match="Token has expired; the key is a dashboard JWT"),
    ):
        client.get_log("demo_01")
