"""API keys, which are never shown."""

from __future__ import annotations

import hashlib

from pydantic import SecretStr

from respan_notebook.errors import ConfigurationError

_NO_KEY = """no API key. There are three ways to go on:
  1. pass it: RespanClient(api_key=..., base_url="https://api.respan.ai")
  2. set the environment variables RESPAN_API_KEY and, for another server, RESPAN_BASE_URL
  3. try everything without a key, on a local sandbox:
     from respan_notebook import Sandbox
     sandbox = Sandbox(demo=True).start()
     client = RespanClient(sandbox.api_key, sandbox.base_url)"""


def secret(key: object) -> SecretStr:
    """Return a key that no repr shows; empty when it is none."""
    if isinstance(key, SecretStr):
        key = key.get_secret_value()
    return SecretStr(key.strip() if isinstance(key, str) else "")


def check_key(key: SecretStr) -> None:
    """Raise a ConfigurationError when there is no key, or it can't be sent in a header."""
    if not key.get_secret_value():
        raise ConfigurationError(_NO_KEY)
    if not all("!" <= character <= "~" for character in key.get_secret_value()):
        raise ConfigurationError(
            "the API key holds a space, a line break or a character that is not ASCII; "
            "give the key alone, without 'Bearer'"
        )


def fingerprint(key: SecretStr) -> str:
    """Return what tells this key from others; there is no way back from it to the key."""
    return hashlib.sha256(key.get_secret_value().encode()).hexdigest()
