"""Join the routes of the sandbox to an application."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from respan_notebook.sandbox import evaluator_routes, log_routes, score_routes
from respan_notebook.sandbox.errors import HttpError, not_found
from respan_notebook.sandbox.middleware import Behaviour, SandboxMiddleware
from respan_notebook.sandbox.rules import Rules
from respan_notebook.sandbox.store import Store


async def _answer_error(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, HttpError):
        return JSONResponse(error.body, error.status, error.headers)
    if isinstance(error, HTTPException) and error.status_code != 404:
        return JSONResponse({"detail": error.detail}, error.status_code, error.headers)
    return JSONResponse(not_found().body, 404)


def create_routes(store: Store, rules: Rules = Rules()) -> FastAPI:  # noqa: B008 - it is frozen.
    """Return the routes over `store`."""
    app = FastAPI(
        title="Respan sandbox",
        docs_url=None,
        redoc_url=None,
        exception_handlers=dict.fromkeys((HttpError, 404, 405), _answer_error),
    )
    app.state.store = store
    app.state.rules = rules
    for family in (score_routes, evaluator_routes, log_routes):
        app.include_router(family.router)
    return app


def create_app(store: Store, behaviour: Behaviour, rules: Rules) -> ASGIApp:
    """Return the routes over `store` behind the middleware."""
    return SandboxMiddleware(create_routes(store, rules), store.api_keys(), behaviour)
