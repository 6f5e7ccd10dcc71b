"""Read what the routes of the sandbox have in common out of a request, and answer."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import Depends, Path, Request
from pydantic import AfterValidator
from starlette.responses import JSONResponse

from respan_notebook.sandbox.errors import not_found
from respan_notebook.sandbox.paging import Paging, read_paging
from respan_notebook.sandbox.schemas import parse_object
from respan_notebook.sandbox.store import Store

MAX_PAGE = 100


def _decode(segment: str) -> str:
    return unquote(segment)


# The middleware leaves the path encoded, so that an id may hold a slash.
Id = Annotated[str, Path(), AfterValidator(_decode)]
Page = Annotated[Paging, Depends(read_paging)]


def store_of(request: Request) -> Store:
    """Return the sandbox's store."""
    store: Store = request.app.state.store
    return store


def json_body(request: Request) -> dict[str, Any]:
    """Return the body of a request, which must be a JSON object."""
    return parse_object(request.state.body)


def answer_found(resource: dict[str, Any] | None) -> JSONResponse:
    """Answer a resource, or 404 for None."""
    if resource is None:
        raise not_found()
    return JSONResponse(resource)
