"""Define the error answers of the sandbox."""

from __future__ import annotations

from collections.abc import Mapping


class HttpError(Exception):
    """Answer a request with an error status, a JSON object and perhaps further headers."""

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


def not_found(detail: str = "Not found.") -> HttpError:
    """Return the 404 answer for what does not exist."""
    return HttpError(404, {"detail": detail})
