"""Name the server and the key of a push, and refuse to go on with others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from respan_notebook.errors import ConfigurationError

if TYPE_CHECKING:
    from respan_notebook.client.client import RespanClient

_FINGERPRINT: Final = 16  # Characters of it that a report holds.


@dataclass(frozen=True)
class Origin:
    """Hold the server that a push was sent to, and a hash that identifies the key.

    Attributes
    ----------
    base_url : str
        The server, without ``/api``.
    fingerprint : str
        The beginning of :attr:`respan_notebook.RespanClient.fingerprint`; no way leads from it to
        the key.
    scorer : str or None
        The owner of the key, None when it was not known.
    """

    base_url: str
    fingerprint: str
    scorer: str | None = None

    def is_same_key(self, other: Origin) -> bool:
        """Return whether server and key are the same."""
        return (self.base_url, self.fingerprint) == (other.base_url, other.fingerprint)


def origin_of(client: RespanClient) -> Origin:
    """Return the server and key of a client."""
    return Origin(client.base_url, client.fingerprint[:_FINGERPRINT], client.scorer)


def check_origin(earlier: Origin | None, client: RespanClient) -> None:
    """Raise ConfigurationError when scores arrived on another server or by another key.

    An origin that is not known is not compared.
    """
    origin = origin_of(client)
    if earlier is None or earlier.is_same_key(origin):
        return
    if earlier.base_url != origin.base_url:
        found = f"{earlier.base_url}, and the client is of {origin.base_url}"
    else:
        found = f"{earlier.base_url} by another key than the client's, so by another scorer perhaps"
    raise ConfigurationError(
        f"the report is of scores that arrived on {found}; use a client of that server and key, or "
        "push the frame without resume=, perhaps with skip_unchanged=True"
    )
