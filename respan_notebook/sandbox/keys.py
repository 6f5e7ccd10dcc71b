"""Tell who sends a request: by an API key, by a test key, or by a dashboard JWT."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

from respan_notebook.sandbox.errors import HttpError

PREFIX, TEST_PREFIX = "sandbox-", "sandbox-test-"


@dataclass(frozen=True)
class Caller:
    """Hold the scorer behind a request, the environment of what is stored, and the kind of key."""

    scorer: str
    environment: str
    has_jwt: bool = False


def derive_test_key(key: str) -> str:
    """Return the key of the environment `test` that goes with an API key."""
    return TEST_PREFIX + key.removeprefix(PREFIX)


def sign_jwt(email: str, key: str, seconds: float) -> str:
    """Return a dashboard JWT (HS256) that expires after so many seconds."""
    header = _encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    payload = _encode(json.dumps({"email": email, "exp": int(time.time() + seconds)}).encode())
    return f"{header}.{payload}.{_sign(f'{header}.{payload}', key)}"


def identify_caller(bearer: str, keys: Mapping[str, str]) -> Caller:
    """Return the caller of a bearer, or answer 401; `keys` has the API key by email."""
    for email, key in keys.items():
        if hmac.compare_digest(bearer.encode(), key.encode()):
            return Caller(email, "prod")
        if hmac.compare_digest(bearer.encode(), derive_test_key(key).encode()):
            return Caller(email, "test")
    if bearer.count(".") == 2:
        return _read_jwt(bearer, keys)
    raise _refusal("Give a valid API key: Authorization: Bearer <key>.")


def _read_jwt(token: str, keys: Mapping[str, str]) -> Caller:
    signed, _, signature = token.rpartition(".")
    try:
        payload = json.loads(_decode(signed.partition(".")[2]))
        email, expires = str(payload["email"]), float(payload["exp"])
        key = keys[email]
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error):
        raise _refusal("Token is invalid.") from None
    if not hmac.compare_digest(signature.encode(), _sign(signed, key).encode()):
        raise _refusal("Token is invalid.")
    if expires <= time.time():
        raise _refusal("Token has expired.")
    return Caller(email, "prod", has_jwt=True)


def _refusal(detail: str) -> HttpError:
    return HttpError(401, {"detail": detail}, {"WWW-Authenticate": "Bearer"})


def _sign(text: str, key: str) -> str:
    return _encode(hmac.digest(key.encode(), text.encode("latin-1"), hashlib.sha256))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("latin-1") + b"=" * (-len(text) % 4))
