"""Turn a status and a body into an answer, or into the error that fits."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple

from respan_notebook import errors
from respan_notebook.wording import render_foreign

_ERRORS: Final[Mapping[int, type[errors.HTTPError]]] = {
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    429: errors.RateLimitError,
}
_FAMILIES: Final[Mapping[int, type[errors.HTTPError]]] = {
    2: errors.UnexpectedAnswerError,
    3: errors.RedirectError,
    4: errors.BadRequestError,
    5: errors.ServerError,
}
_LONGEST: Final = 1800  # Characters that are quoted: with what is said about them, under 2,000.
_MOST_FIELDS: Final = 100  # Fields that an error names, and messages of each.
_HINTS: Final[Mapping[int, str]] = {
    401: "; check the API key or dashboard JWT (api_key=, or the variable RESPAN_API_KEY)",
    404: "; check the id, and that the base URL is a Respan server",
}


class Received(NamedTuple):
    """Hold an answer as it came: ``headers`` do not depend on case, and a cut body is too long."""

    status: int
    content: bytes
    headers: Mapping[str, str]
    is_cut: bool = False


class Answer(NamedTuple):
    """Hold a successful answer: status code, and the body's JSON (None when it is empty)."""

    status: int
    body: Any


def read_answer(request: str, received: Received, *, key: str) -> Answer | errors.HTTPError:
    """Return a 2xx with JSON or an empty body as an answer, and all else as an error.

    The error is not raised here, since the frames of a traceback would show key and body. In its
    texts ``key`` is replaced wherever the server quotes it back, and they are made printable and
    cut. ``request`` is method and path.
    """
    status, content = received.status, received.content
    if 200 <= status < 300:
        if received.is_cut:
            return errors.TooLongAnswerError(
                f"{request} answered {status} with more than {len(content):,} bytes, which were "
                "not read",
                status=status,
            )
        if not content:
            return Answer(status, None)
        try:
            return Answer(status, json.loads(content))
        except (ValueError, RecursionError):
            pass
    return _error(request, received, key)


def _error(request: str, received: Received, key: str) -> errors.HTTPError:
    def tell(text: str) -> str:
        # A server may quote the key back, also in a header or escaped in its JSON.
        return render_foreign(text.replace(key, "[key]"), _LONGEST)

    status, headers = received.status, received.headers
    text = received.content.decode(errors="replace").replace(key, "[key]")
    detail, fields, retry_after = _read_error(text, headers)
    is_documented = _is_documented(text)
    if 300 <= status < 400:
        location = headers.get("Location", "nowhere").replace(key, "[key]")
        detail = (
            f"redirected to {location[:200]}, which is not followed; give the base URL that "
            "answers itself (https, right host, no path but /api)"
        )
    kind = _ERRORS.get(status) or _FAMILIES.get(status // 100, errors.UnexpectedAnswerError)
    return kind(
        f"{request} answered {status}: {tell(detail).rstrip('.')}{_hint(status, key)}",
        status=status,
        detail=tell(detail),
        field_errors={
            tell(name): [tell(message) for message in messages[:_MOST_FIELDS]]
            for name, messages in list(fields.items())[:_MOST_FIELDS]
        },
        retry_after=retry_after,
        is_documented=is_documented,
    )


def _is_documented(text: str) -> bool:
    """Return whether a body is an error of the API: its detail, or messages by field."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and (
        "detail" in body or any(isinstance(one, list) for one in body.values())
    )


def _hint(status: int, key: str) -> str:
    expiry = _read_expiry(key) if status == 401 else None
    if expiry is not None and expiry <= datetime.now(UTC):
        return (
            f"; the key is a dashboard JWT, which expired at {expiry:%Y-%m-%d %H:%M} UTC: take a "
            "new one, or an API key, which does not expire by itself"
        )
    return _HINTS.get(status, "")


def _read_expiry(key: str) -> datetime | None:
    """Return the time at which a JWT expires, None for any other key."""
    parts = key.split(".")
    if len(parts) != 3:
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(payload["exp"], UTC)
    except (ValueError, TypeError, KeyError, OverflowError, OSError, RecursionError):
        return None


def _read_error(
    text: str, headers: Mapping[str, str]
) -> tuple[str, dict[str, list[str]], float | None]:
    """Return detail, messages by field, and seconds to wait, from the body of an error."""
    wait = headers.get("Retry-After")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        plain = " ".join(re.sub(r"<[^>]*>", " ", text).split())[:200]
        detail = f"not JSON but {plain!r}" if plain else "an empty body"
        return detail, {}, _seconds(wait)
    if not isinstance(body, dict):
        return f"an unexpected body: {text[:200]}", {}, _seconds(wait)
    named = body.get("errors")
    source = named if isinstance(named, dict) else body
    fields = {
        str(name): [str(message) for message in messages]
        for name, messages in source.items()
        if isinstance(messages, list)
    }
    detail = next((str(body[k]) for k in ("detail", "error", "message") if body.get(k)), "")
    listed = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in fields.items())
    detail = ": ".join(part for part in (detail, listed) if part) or text[:200]
    from_body = _seconds(body.get("retry_after"))
    return detail, fields, _seconds(wait) if from_body is None else from_body


def _seconds(wait: object) -> float | None:
    """Return a wait in seconds, None when it is absent or makes no sense."""
    try:
        seconds = float(wait)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return _seconds_until(wait) if isinstance(wait, str) else None
    return seconds if 0 <= seconds < float("inf") else None


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
