"""Validate server and key before the key is sent, and encode ids as segments of paths."""

from __future__ import annotations

import hashlib
import ipaddress
import math
import os
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import quote, urlsplit

from pydantic import SecretStr
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from respan_notebook.errors import ConfigurationError, InvalidValueError
from respan_notebook.wording import find_surrogate

_NO_KEY: Final = """no API key. There are three ways to go on:
  1. pass it: RespanClient(api_key=..., base_url="https://api.respan.ai")
  2. set the environment variables RESPAN_API_KEY and, for another server, RESPAN_BASE_URL
  3. try everything without a key, on a local sandbox:
     from respan_notebook import Sandbox
     sandbox = Sandbox(demo=True).start()
     client = RespanClient(sandbox.api_key, sandbox.base_url)"""
_OLD_KEY: Final = """
KEYWORDSAI_API_KEY is set, the name from before Keywords AI became Respan; it is not read. If its
key still holds, set RESPAN_API_KEY to it."""


@dataclass(frozen=True)
class Server:
    """Hold the address of a server, the bearer and the timeout of its requests.

    Attributes
    ----------
    origin : str
        Scheme, host and port.
    root : str
        The path below which all routes lie, such as ``/api``.
    bearer : SecretStr
        API key or dashboard JWT.
    timeout : float
        Seconds to wait for a connection, and then for each part of an answer.
    """

    origin: str
    root: str
    bearer: SecretStr
    timeout: float

    @property
    def base_url(self) -> str:
        """The server without ``/api``."""
        return self.origin + self.root.removesuffix("/api")

    @cached_property
    def fingerprint(self) -> str:
        """A hash that identifies the key; there is no way back from it to the key."""
        return hashlib.sha256(self.bearer.get_secret_value().encode()).hexdigest()

    @cached_property
    def is_local(self) -> bool:
        """Return whether the server runs on this machine."""
        return is_loopback(urlsplit(self.origin).hostname or "")


def read_server(bearer: SecretStr, base_url: str, timeout: float) -> Server:
    """Return the server of a client, or raise ConfigurationError when an argument can't be used."""
    check_key(bearer)
    origin, path = parse_base_url(base_url)
    if not (isinstance(timeout, int | float) and 0 < timeout < math.inf):
        raise ConfigurationError(f"timeout must be a number of seconds over 0, got {timeout!r}")
    return Server(origin, f"{path}/api", bearer, float(timeout))


def hide_key(key: object) -> SecretStr:
    """Return a key that no repr shows; an empty one for anything but text."""
    if isinstance(key, SecretStr):
        key = key.get_secret_value()
    return SecretStr(key.strip() if isinstance(key, str) else "")


def check_key(key: SecretStr) -> None:
    """Raise ConfigurationError when there is no key, or when it can't be sent in a header."""
    if not key.get_secret_value():
        raise ConfigurationError(_NO_KEY + _OLD_KEY * bool(os.environ.get("KEYWORDSAI_API_KEY")))
    if not all("!" <= character <= "~" for character in key.get_secret_value()):
        raise ConfigurationError(
            "the API key holds a space, a line break or a character that is not ASCII; "
            "give the key alone, without 'Bearer'"
        )


def parse_base_url(text: str) -> tuple[str, str]:
    """Return origin and path of a base URL, the path without ``/api`` and the slash at its end.

    ConfigurationError is raised when it is no http(s) URL, has a user name, query or fragment, or
    would send the key unencrypted to another machine.
    """
    try:
        url = urlsplit(text.strip())
        host = url.hostname if url.port != 0 else None
        parse_url(text.strip())
        (host or "").encode("idna")
    except (ValueError, LocationParseError):  # Their texts quote what may be a key.
        host = None
    # Older versions of urllib3 take a host that holds a space.
    if not host or host.split() != [host] or url.scheme not in ("http", "https"):
        raise ConfigurationError("base_url must look like https://api.respan.ai")
    if "@" in url.netloc or url.query or url.fragment:
        raise ConfigurationError(
            "base_url must be a plain URL, without user name, query or fragment"
        )
    if url.scheme == "http" and not is_loopback(host):
        raise ConfigurationError(
            "base_url must start with https://, since http would show the API key to everyone on "
            "the way to the server; http is for a sandbox on this machine only"
        )
    return f"{url.scheme}://{url.netloc}", url.path.rstrip("/").removesuffix("/api").rstrip("/")


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine's loopback."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def path_segment(text: str, name: str) -> str:
    """Return an id as one segment of a URL's path, percent-encoded.

    InvalidValueError is raised when it is no text, empty, ``.`` or ``..`` (which would reach
    another route), or no valid Unicode.
    """
    if not isinstance(text, str) or text in ("", ".", ".."):
        raise InvalidValueError(f"{text!r} can't be a {name}", value=text)
    if problem := find_surrogate(text):
        raise InvalidValueError(f"{text[:60]!r} can't be a {name}: {problem}", value=text)
    return quote(text, safe="")
