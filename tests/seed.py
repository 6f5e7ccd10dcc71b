"""Logs for the tests, created through the API that the sandbox answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import requests


def add_logs(base_url: str, api_key: str, logs: Iterable[str | Mapping[str, Any]]) -> None:
    """Create logs, or one for each id, 500 a request."""
    whole = [{"unique_id": one} if isinstance(one, str) else one for one in logs]
    for start in range(0, len(whole), 500):
        answer = requests.post(
            f"{base_url}/api/request-logs/bulk/",
            json={"logs": whole[start : start + 500]},
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=30,
        )
        answer.raise_for_status()
