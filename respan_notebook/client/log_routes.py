"""Call the routes of logs."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pandas as pd

from respan_notebook.client.log_frame import iso_time, log_frame
from respan_notebook.client.routes import Filters, Routes, read_object
from respan_notebook.client.server import path_segment
from respan_notebook.errors import ConfigurationError
from respan_notebook.wording import render_count

_LOG_PAGE: Final = 1000


class LogRoutes(Routes):
    """Read, create and change logs."""

    def log_pages(
        self,
        filters: Filters | None = None,
        *,
        start_time: datetime | str | None = None,
        end_time: datetime | str | None = None,
        environment: str | None = None,
        include_fields: Sequence[str] | None = None,
        sort_by: str | None = None,
        page_size: int = _LOG_PAGE,
        **params: Any,
    ) -> Iterator[list[dict[str, Any]]]:
        """Iterate over pages of logs, each a list of logs as the API sends them.

        Parameters
        ----------
        filters : Mapping, optional
            ``{"field": {"operator": OP, "value": [...]}}``; custom metadata is
            ``metadata__<key>``, a score ``scores__<evaluator_id>``.
        start_time, end_time : datetime or str, optional
            ISO 8601 when text; a time without a time zone is UTC. Without them the hour before
            this call, by this machine's clock, and the same for all pages: logs that arrive while
            one reads would move others to the next page, and so show them twice.
        environment : str, optional
            Such as ``"prod"``.
        include_fields : sequence of str, optional
            Only these fields of each log.
        sort_by : str, optional
            A field; with ``-`` before it, in descending order.
        page_size : int
            Logs per request, 1000 at most.
        **params
            Further query parameters of the route, such as ``log_type="chat"`` or
            ``all_envs=True``, as the API takes them.
        """
        now = datetime.now(UTC)
        # The server's own last hour would move on from page to page.
        start = now - timedelta(hours=1) if start_time is None else start_time
        fields = [include_fields] if isinstance(include_fields, str) else include_fields or ()
        params = {
            **{name: str(v).lower() if isinstance(v, bool) else v for name, v in params.items()},
            "start_time": iso_time(start),
            "end_time": iso_time(now if end_time is None else end_time),
            "environment": environment,
            "include_fields": ",".join(fields) or None,
            "sort_by": sort_by,
            "page_size": page_size,
        }
        body = {"filters": dict(filters or {})}
        return self._requester.pages("POST", "/request-logs/list/", body, params)

    def logs(
        self, filters: Filters | None = None, *, limit: int | None = None, **options: Any
    ) -> pd.DataFrame:
        """Return logs as a DataFrame.

        Parameters
        ----------
        filters, **options
            As for :meth:`log_pages`.
        limit : int, optional
            The most logs to return; None for all that match.

        Returns
        -------
        DataFrame
            A row per log in the server's order, RangeIndex; ``unique_id`` first, then the other
            fields of the logs. ``timestamp`` is datetime64 in UTC, objects and lists stay Python
            objects, and a field that a log lacks is missing. ``attrs["respan_logs"]`` is True: it
            marks columns such as ``environment`` as those of the logs (:meth:`push_scores
            <respan_notebook.RespanAccessor.push_scores>`, ``context=``).

        Warns
        -----
        UserWarning
            Nothing was found and no ``start_time`` was given: only the last hour was searched. Or
            the server gave logs twice, on two pages; each is in the frame once.
        """
        if limit is not None and limit < 0:
            raise ConfigurationError(f"limit must be 0 or more, got {limit!r}")
        if limit is not None:
            options.setdefault("page_size", max(1, min(limit, _LOG_PAGE)))
        logs, seen, repeated = list[dict[str, Any]](), set[Any](), 0
        for page in self.log_pages(filters, **options):
            for log in page:
                log_id = log.get("unique_id") or log.get("id")
                if isinstance(log_id, str) and log_id in seen:
                    repeated += 1
                else:
                    seen.add(log_id if isinstance(log_id, str) else None)
                    logs.append(log)
            if limit is not None and len(logs) >= limit:
                break
        if repeated:
            warnings.warn(
                f"the server gave {render_count(repeated, 'log')} twice, on two pages; each is in "
                "the frame once",
                stacklevel=2,
            )
        if not logs and options.get("start_time") is None:
            warnings.warn(
                "no log found: without start_time the server searches the last hour only",
                stacklevel=2,
            )
        return log_frame(logs[:limit])

    def get_log(self, log_id: str) -> dict[str, Any]:
        """Return one log with all its fields."""
        segment = path_segment(log_id, "log id")
        return read_object(self._requester.send("GET", f"/request-logs/{segment}/").body)

    def create_log(self, log: Mapping[str, Any]) -> dict[str, Any]:
        """Create a log and return it with the ``unique_id`` that the server gave it."""
        return read_object(self._create("/request-logs/", log))

    def update_log(
        self,
        log_id: str,
        *,
        note: str | None = None,
        is_pinned: bool | None = None,
        positive_feedback: bool | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Change a log, and return what the server answers; None leaves a field as it is.

        A pinned log does not expire, so that its scores stay.
        """
        given = {
            "note": note,
            "is_pinned": is_pinned,
            "positive_feedback": positive_feedback,
            "metadata": metadata,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        if not changes:
            raise ConfigurationError(f"nothing to change: give one of {', '.join(given)}")
        segment = path_segment(log_id, "log id")
        return read_object(self._write("PATCH", f"/request-logs/{segment}/", changes).body)
