"""Offer the routes of the Respan API that this package uses, as methods of a client.

Source of every route, field and limit: Respan's API documentation.
"""

from __future__ import annotations

import os
from typing import Final, Self

from pydantic import SecretStr

from respan_notebook.client.evaluator_routes import EvaluatorRoutes
from respan_notebook.client.gate import Gate
from respan_notebook.client.log_routes import LogRoutes
from respan_notebook.client.requester import Requester
from respan_notebook.client.score_routes import ScoreRoutes
from respan_notebook.client.server import hide_key, read_server
from respan_notebook.client.settings import RequestSettings
from respan_notebook.errors import ConfigurationError

DEFAULT_BASE_URL: Final = "https://api.respan.ai"
_URLS: Final = ("RESPAN_BASE_URL", "RESPAN_API_BASE_URL")  # Some of Respan's tools read the second.


class RespanClient(ScoreRoutes, EvaluatorRoutes, LogRoutes):
    """Call the routes of one Respan server, from any number of threads.

    Parameters
    ----------
    api_key : str or pydantic.SecretStr, optional
        A Respan API key or a dashboard JWT; else ``RESPAN_API_KEY``.
    base_url : str, optional
        With or without ``/api``; else ``RESPAN_BASE_URL``, else ``RESPAN_API_BASE_URL``, else
        ``https://api.respan.ai``. http is allowed to this machine only.
    timeout : float
        Seconds to wait for a connection, and then for each part of an answer.
        ``settings.longest_request`` bounds the whole of it. Looking up the server's name is bounded
        by the operating system only.
    settings : RequestSettings, optional
        Attempts, pauses and limits; else those of the class.

    Attributes
    ----------
    base_url : str
        The server, without ``/api``.
    scorer : str or None
        The owner of the key, as the answer to a write named it; None before the first write.

    Raises
    ------
    ConfigurationError
        There is no key, or key, base URL or timeout can't be used.

    Examples
    --------
    >>> from respan_notebook import Sandbox, ScoreWrite
    >>> with Sandbox(demo=True) as sandbox:
    ...     client = RespanClient(sandbox.api_key, sandbox.base_url)
    ...     score = client.upsert_score(
    ...         "demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=4))
    >>> score.numerical_value, score.scorer
    (4.0, 'annotator@example.com')
    """

    base_url: str = ""

    def __init__(
        self,
        api_key: str | SecretStr | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 30.0,
        settings: RequestSettings | None = None,
    ) -> None:
        bearer = hide_key(api_key or os.environ.get("RESPAN_API_KEY"))
        del api_key  # A verbose traceback shows arguments.
        base_url = base_url or next(filter(None, map(os.environ.get, _URLS)), DEFAULT_BASE_URL)
        server = read_server(bearer, base_url, timeout)
        self.base_url, self.settings = server.base_url, settings or self.settings
        self._requester = Requester(server, self.settings)

    @property
    def gate(self) -> Gate:
        """The gate that paces and holds the requests of this server and key."""
        return self._requester.gate

    @property
    def fingerprint(self) -> str:
        """A hash that identifies the key and gives nothing of it away."""
        return self._requester.server.fingerprint

    def __repr__(self) -> str:
        return f"RespanClient(base_url={self.base_url!r})"

    def __reduce__(self) -> str:
        raise TypeError("a RespanClient holds an API key and is not pickled; make a new one")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are open; the next call opens a new one."""
        self._requester.close()


def default_client() -> RespanClient:
    """Return a client made from the environment, for a call that was given none."""
    try:
        return RespanClient()
    except ConfigurationError as error:
        raise ConfigurationError(
            "no client was given: pass client=client to this call, if you have one. If not: "
            f"{error}"
        ) from None
