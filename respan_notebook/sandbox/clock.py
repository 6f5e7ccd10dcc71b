"""Write timestamps as text that sorts like time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def normalize_timestamp(text: str) -> str:
    """Return an ISO 8601 timestamp as UTC text of fixed width, or raise a ValueError.

    The fixed width makes the order of the texts the order of the times, whatever offset or
    format they came in. A timestamp without an offset is UTC. In UTC it must lie in the years 1
    to 9999.

    >>> normalize_timestamp("2026-01-05T10:30:00+01:00")
    '2026-01-05T09:30:00.000000Z'
    """
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("give a timestamp in ISO 8601, such as 2026-01-05T09:00:00Z") from None
    return _format_utc(moment)


def current_timestamp(*, hours_ago: float = 0) -> str:
    """Return the present time, or the time `hours_ago`, as `normalize_timestamp` writes it."""
    return _format_utc(datetime.now(UTC) - timedelta(hours=hours_ago))


def _format_utc(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
