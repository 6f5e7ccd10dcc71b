"""Read rates such as ``60/min``."""

from __future__ import annotations

import re
from typing import Final

from respan_notebook.errors import ConfigurationError

Limit = tuple[int, float]
"""A number of requests, in any so many seconds."""

_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "second"), 1.0),
    **dict.fromkeys(("m", "min", "minute"), 60.0),
    **dict.fromkeys(("h", "hour"), 3600.0),
}


def parse_rate(rate: str) -> Limit:
    """Parse a rate such as ``"60/min"``, ``"5/s"`` or ``"60/6s"``; else ConfigurationError."""
    match = re.fullmatch(r"(\d+)/(\d+(?:\.\d+)?)?([a-z]+)", str(rate).replace(" ", "").lower())
    unit = match and (_UNITS.get(match[3]) or _UNITS.get(match[3].removesuffix("s")))
    if not match or not unit or int(match[1]) < 1 or float(match[2] or 1) <= 0:
        raise ConfigurationError(f'a rate looks like "60/min", "5/s" or "60/6s", got {rate!r}')
    return int(match[1]), float(match[2] or 1) * unit
