"""Answer the routes of evaluators and their versions."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from respan_notebook.sandbox.errors import invalid, not_found
from respan_notebook.sandbox.filters import Where, read_filters
from respan_notebook.sandbox.openapi import describe_body, describe_filters
from respan_notebook.sandbox.paging import Paging
from respan_notebook.sandbox.passing import make_verdict
from respan_notebook.sandbox.routes import MAX_PAGE, Id, Page, answer_found, json_body, store_of
from respan_notebook.sandbox.schemas import (
    EvaluatorRun,
    EvaluatorWrite,
    validate_body,
    validate_document,
)
from respan_notebook.sandbox.tables import EVALUATOR_COLUMNS

router = APIRouter(prefix="/api")


@router.post("/evaluators/list/", openapi_extra=describe_filters(EVALUATOR_COLUMNS))
async def filter_evaluators(request: Request, paging: Page) -> JSONResponse:
    """List the evaluators that match."""
    where = read_filters(json_body(request).get("filters", {}), EVALUATOR_COLUMNS.get)
    return _answer_evaluator_page(request, where, paging)


@router.get("/evaluators/")
async def list_evaluators(
    request: Request,
    paging: Page,
    search: str = "",
    type: str = "",  # noqa: A002 - the API's name.
    score_value_type: str = "",
    tags: str = "",
) -> JSONResponse:
    """List the evaluators whose name holds `search`, of a type, with one of the tags."""
    where = Where()
    given = {
        "name": ("icontains", [search]),
        "type": ("", [type]),
        "score_value_type": ("", [score_value_type]),
        "tags": ("in", tags.split(",")),
    }
    for name, (operator, values) in given.items():
        if any(values):
            where.add(EVALUATOR_COLUMNS[name], operator, values)
    return _answer_evaluator_page(request, where, paging)


def _answer_evaluator_page(request: Request, where: Where, paging: Paging) -> JSONResponse:
    order = paging.order(EVALUATOR_COLUMNS, default="created_at", max_size=MAX_PAGE)
    return JSONResponse(paging.answer(store_of(request).evaluators(where, order), order))


@router.post("/evaluators/", openapi_extra=describe_body(EvaluatorWrite))
async def create_evaluator(request: Request) -> JSONResponse:
    """Create an evaluator."""
    write = validate_document(EvaluatorWrite, json_body(request))
    evaluator = store_of(request).add_evaluator(write.model_dump())
    if evaluator is None:
        raise invalid("evaluator_slug", f"the slug {write.evaluator_slug!r} is taken")
    return JSONResponse(evaluator, 201)


@router.get("/evaluators/{evaluator_id}/")
async def get_evaluator(request: Request, evaluator_id: Id) -> JSONResponse:
    """Return one evaluator."""
    return answer_found(store_of(request).evaluator(evaluator_id))


@router.patch("/evaluators/{evaluator_id}/", openapi_extra=describe_body(EvaluatorWrite))
async def change_evaluator(request: Request, evaluator_id: Id) -> JSONResponse:
    """Change some fields of an evaluator."""
    return _change_evaluator(request, evaluator_id, replace=False)


@router.put("/evaluators/{evaluator_id}/", openapi_extra=describe_body(EvaluatorWrite))
async def replace_evaluator(request: Request, evaluator_id: Id) -> JSONResponse:
    """Replace an evaluator."""
    return _change_evaluator(request, evaluator_id, replace=True)


def _change_evaluator(request: Request, evaluator_id: str, *, replace: bool) -> JSONResponse:
    store, body = store_of(request), json_body(request)
    evaluator = store.evaluator(evaluator_id)
    if evaluator is None:
        raise not_found()
    if evaluator["is_read_only"]:
        raise invalid("version", "a committed version is read-only")
    write = _validate(body, {} if replace else evaluator)
    # The slug of an evaluator without a new one stays.
    changes = write.model_dump(exclude_unset=not replace)
    if changes.get("evaluator_slug") is None:
        changes.pop("evaluator_slug", None)
    changed = store.change_evaluator(evaluator_id, changes)
    if changed is None:
        raise invalid("evaluator_slug", f"the slug {write.evaluator_slug!r} is taken")
    return JSONResponse(changed)


def _validate(body: dict[str, Any], evaluator: dict[str, Any]) -> EvaluatorWrite:
    """Return the fields of a body; those that are always needed may stand in an evaluator."""
    needed = {n: evaluator[n] for n in ("name", "score_value_type") if n in evaluator}
    return validate_document(EvaluatorWrite, {**needed, **body})


@router.delete("/evaluators/{evaluator_id}/")
async def delete_evaluator(request: Request, evaluator_id: Id) -> Response:
    """Delete an evaluator."""
    if not store_of(request).delete_evaluator(evaluator_id):
        raise not_found()
    return Response(status_code=204)


@router.get("/evaluators/{evaluator_id}/versions/")
async def list_versions(request: Request, evaluator_id: Id, paging: Page) -> JSONResponse:
    """List the versions of an evaluator, its draft among them."""
    if store_of(request).evaluator(evaluator_id) is None:
        raise not_found()
    where = Where()
    where.add(EVALUATOR_COLUMNS["evaluator_id"], "", [evaluator_id])
    return _answer_evaluator_page(request, where, paging)


@router.post("/evaluators/{evaluator_id}/versions/", openapi_extra=describe_body(EvaluatorWrite))
async def commit_version(request: Request, evaluator_id: Id) -> JSONResponse:
    """Commit an evaluator, with the fields of the body changed, as its next version."""
    evaluator = store_of(request).evaluator(evaluator_id)
    if evaluator is None or evaluator["is_read_only"]:
        raise not_found()
    write = _validate(json_body(request), evaluator)
    changes = write.model_dump(exclude_unset=True)
    return JSONResponse(store_of(request).commit_version(evaluator, changes), 201)


@router.get("/evaluators/{evaluator_id}/versions/{version}/")
async def get_version(request: Request, evaluator_id: Id, version: str) -> JSONResponse:
    """Return one version of an evaluator; 0 is its draft."""
    suffix = "" if version == "0" else f":{version}"
    return answer_found(store_of(request).evaluator(f"{evaluator_id}{suffix}"))


@router.post("/evaluators/{evaluator_id}/run/", openapi_extra=describe_body(EvaluatorRun))
async def run_evaluator(request: Request, evaluator_id: Id) -> JSONResponse:
    """Answer a made-up verdict, the lowest value that the evaluator takes; nothing is stored."""
    evaluator = store_of(request).evaluator(evaluator_id)
    if evaluator is None:
        raise not_found()
    validate_body(EvaluatorRun, json_body(request))
    return JSONResponse(make_verdict(evaluator))
