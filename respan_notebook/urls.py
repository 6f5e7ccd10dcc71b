"""Base URLs and the segments of their paths, checked before a key goes anywhere."""

from __future__ import annotations

import ipaddress
from urllib.parse import quote, urlsplit

from respan_notebook.errors import ConfigurationError, InvalidValueError


def parse_base_url(text: str) -> str:
    """Return the base URL without ``/api`` and without a slash at its end.

    Raises
    ------
    ConfigurationError
        When it is no http(s) URL, carries a user name, query or fragment, or would send the key
        unencrypted to another machine.

    Examples
    --------
    >>> parse_base_url("https://api.respan.ai/api/")
    'https://api.respan.ai'
    """
    try:
        url = urlsplit(text.strip())
        host, _ = url.hostname, url.port
    except ValueError as error:
        raise ConfigurationError(
            f"base_url must look like https://api.respan.ai: {error}"
        ) from None
    if url.scheme not in ("http", "https") or not host:
        raise ConfigurationError("base_url must look like https://api.respan.ai")
    if "@" in url.netloc or url.query or url.fragment:
        raise ConfigurationError(
            "base_url must be a plain URL, without user name, query or fragment"
        )
    if url.scheme == "http" and not is_loopback(host):
        raise ConfigurationError(
            f"base_url must start with https://, since http would show the API key to everyone on "
            f"the way to {host}; http is for a sandbox on this machine only"
        )
    return f"{url.scheme}://{url.netloc}{url.path.rstrip('/').removesuffix('/api').rstrip('/')}"


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's loopback."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def path_segment(text: str, name: str) -> str:
    """Return an id as one segment of a URL's path, percent-encoded.

    Raises
    ------
    InvalidValueError
        When it is no text, empty, ``.`` or ``..`` (which would reach another route), or not
        valid Unicode.

    Examples
    --------
    >>> path_segment("a/b?c", "log id")
    'a%2Fb%3Fc'
    """
    if not isinstance(text, str) or text in ("", ".", ".."):
        raise InvalidValueError(f"{text!r} can't be a {name}", value=text)
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as error:
        problem = f"character {error.start} is half of a surrogate pair"
    raise InvalidValueError(f"{text[:60]!r} can't be a {name}: {problem}", value=text)
