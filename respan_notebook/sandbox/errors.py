"""How the sandbox says no."""

from __future__ import annotations

from collections.abc import Mapping


class HttpError(Exception):
    """A request that is answered with an error.

    Parameters
    ----------
    status
        The HTTP status.
    body
        The JSON object of the answer.
    headers
        Further headers of the answer.
    """

    def __init__(
        self, status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers


def invalid(field: str, message: str) -> HttpError:
    """Return the 400 answer whose field map blames `field`."""
    return HttpError(400, {field: [message]})


def not_found() -> HttpError:
    """Return the 404 answer for something that does not exist."""
    return HttpError(404, {"detail": "Not found."})
