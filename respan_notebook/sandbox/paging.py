"""Divide the lists of the list routes into pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from respan_notebook.sandbox.database import Order
from respan_notebook.sandbox.errors import invalid, not_found
from respan_notebook.sandbox.filters import Column

DEFAULT_PAGE_SIZE = 100


@dataclass(frozen=True)
class Paging:
    """Page the answer to a list route by the `page`, `page_size` and `sort_by` of its request."""

    request: Request
    page: str
    page_size: str
    sort_by: str

    @property
    def number(self) -> int:
        """The number of the page, from 1."""
        number = _parse_positive(self.page)
        if number is None:
            raise not_found("Invalid page.")
        return number

    def order(self, columns: Mapping[str, Column], *, default: str, max_size: int) -> Order:
        """Return the order of the list and the part of it on this page.

        Without `sort_by` it is sorted by `default`, descending. A page has at most `max_size`
        results.
        """
        sort_by = self.sort_by or f"-{default}"
        column = columns.get(sort_by.removeprefix("-"))
        if column is None or column.rows:
            raise invalid("sort_by", f"{sort_by!r} is not a field to sort by")
        size = min(_parse_positive(self.page_size) or DEFAULT_PAGE_SIZE, max_size)
        # One more than the page shows tells whether there is a next page.
        return Order(
            by=column.value,
            descending=sort_by.startswith("-"),
            offset=(self.number - 1) * size,
            limit=size + 1,
        )

    def answer(
        self, rows: list[dict[str, Any]], order: Order, *, total: int | None = None
    ) -> dict[str, Any]:
        """Return the page of `rows`, which were read by `order`.

        `count` is `total`, or else the number on this page.
        """
        if not rows and self.number > 1:
            raise not_found("Invalid page.")
        results = rows[: order.limit - 1]
        return {
            "count": len(results) if total is None else total,
            "next": self._url(self.number + 1) if len(rows) > len(results) else None,
            "previous": self._url(self.number - 1) if self.number > 1 else None,
            "results": results,
        }

    def _url(self, number: int) -> str:
        """Return the URL of a page, as Respan documents it: with no other parameters."""
        url = self.request.url
        if not self.request.app.state.rules.next_keeps_parameters:
            url = url.replace(query="")
        given = {"page_size": self.page_size} if self.page_size else {}
        return str(url.include_query_params(page=number, **given))


async def read_paging(
    request: Request, page: str = "1", page_size: str = "", sort_by: str = ""
) -> Paging:
    """Return the paging of a request."""
    return Paging(request=request, page=page, page_size=page_size, sort_by=sort_by)


def _parse_positive(text: str) -> int | None:
    # More than nine digits are beyond every end, and beyond what SQLite could skip.
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return None
    return int(text) or None
