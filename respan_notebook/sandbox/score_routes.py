"""Answer the routes of scores, those of a log and the general ones."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from respan_notebook.sandbox.errors import HttpError, invalid, not_found
from respan_notebook.sandbox.filters import Where, read_filters
from respan_notebook.sandbox.openapi import describe_body, describe_filters
from respan_notebook.sandbox.paging import Paging
from respan_notebook.sandbox.routes import MAX_PAGE, Id, Page, answer_found, json_body, store_of
from respan_notebook.sandbox.rules import check_strictly
from respan_notebook.sandbox.schemas import (
    NamedScoreWrite,
    ScoreChange,
    ScoreWrite,
    validate_body,
    validate_score,
)
from respan_notebook.sandbox.store import Store
from respan_notebook.sandbox.tables import SCORE_COLUMNS

router = APIRouter(prefix="/api")


@router.get("/logs/{log_id}/scores/")
async def list_log_scores(request: Request, log_id: Id, paging: Page) -> JSONResponse:
    """List the scores of a log."""
    _environment_of_log(request, log_id)
    where = Where()
    where.add(SCORE_COLUMNS["log_id"], "", [log_id])
    return _answer_score_page(store_of(request), where, paging)


@router.post("/logs/{log_id}/scores/", openapi_extra=describe_body(ScoreWrite))
async def write_score(request: Request, log_id: Id) -> JSONResponse:
    """Create or update the caller's score of a log."""
    store, environment = store_of(request), _environment_of_log(request, log_id)
    write = validate_score(ScoreWrite, json_body(request))
    score, created = store.upsert_score(
        log_id=log_id,
        scorer=request.state.scorer,
        evaluator=_check_score(request, log_id, write),
        slug=write.evaluator_slug,
        changes=write.changes(),
        environment=environment,
    )
    return JSONResponse(score, 201 if created else 200)


def _check_score(request: Request, log_id: str, write: ScoreWrite) -> dict[str, Any] | None:
    """Return the evaluator of a score, or answer the error that the rules ask for."""
    store, rules = store_of(request), request.app.state.rules
    if rules.meter is not None and store.count_scores() >= rules.meter:
        raise HttpError(402, {"detail": "The plan's scores of this month are used up."})
    if rules.checks_timestamp and write.timestamp not in (None, store.log_timestamp(log_id)):
        raise not_found()
    evaluator = _find_evaluator(store, write)
    if rules.strict:
        check_strictly(write, evaluator)
    return evaluator


def _find_evaluator(store: Store, write: ScoreWrite) -> dict[str, Any] | None:
    if write.evaluator_id is None:
        return store.evaluator_by_slug(write.evaluator_slug or "")
    # A score is of the evaluator, whatever its version.
    evaluator = store.evaluator(write.evaluator_id.partition(":")[0])
    if evaluator is None or store.evaluator(write.evaluator_id) is None:
        raise invalid("evaluator_id", f"no evaluator has the id {write.evaluator_id!r}")
    return evaluator


@router.get("/logs/{log_id}/scores/{score_id}/")
async def get_score(request: Request, log_id: Id, score_id: Id) -> JSONResponse:
    """Return one score."""
    return answer_found(store_of(request).score(score_id, log_id))


@router.put("/logs/{log_id}/scores/{score_id}/", openapi_extra=describe_body(ScoreChange))
async def replace_score(request: Request, log_id: Id, score_id: Id) -> JSONResponse:
    """Replace a score; fields that are absent become null."""
    return _change_score(request, score_id, log_id, replace=True)


@router.patch("/logs/{log_id}/scores/{score_id}/", openapi_extra=describe_body(ScoreChange))
async def change_score(request: Request, log_id: Id, score_id: Id) -> JSONResponse:
    """Change some fields of a score."""
    return _change_score(request, score_id, log_id, replace=False)


def _change_score(
    request: Request, score_id: str, log_id: str | None = None, *, replace: bool
) -> JSONResponse:
    store = store_of(request)
    answer_found(store.score(score_id, log_id))
    changes = validate_body(ScoreChange, json_body(request)).changes(replace=replace)
    return answer_found(store.change_score(score_id, changes))


@router.delete("/logs/{log_id}/scores/{score_id}/")
async def delete_score(request: Request, log_id: Id, score_id: Id) -> Response:
    """Delete a score."""
    return _delete_score(request, score_id, log_id)


def _delete_score(request: Request, score_id: str, log_id: str | None = None) -> Response:
    answer_found(store_of(request).score(score_id, log_id))
    store_of(request).delete_score(score_id)
    return Response(status_code=204)


@router.post("/scores/", openapi_extra=describe_body(NamedScoreWrite))
async def create_named_score(request: Request) -> JSONResponse:
    """Create a score under the scorer that the body names; a second POST makes a second score."""
    write = validate_score(NamedScoreWrite, json_body(request))
    environment = _environment_of_log(request, write.log_id)
    score = store_of(request).add_score(
        log_id=write.log_id,
        scorer=write.scorer,
        evaluator=_check_score(request, write.log_id, write),
        slug=write.evaluator_slug,
        changes=write.changes(),
        environment=environment,
    )
    return JSONResponse(score, 201)


@router.get("/scores/{score_id}/")
async def get_any_score(request: Request, score_id: Id) -> JSONResponse:
    """Return one score of any log."""
    return answer_found(store_of(request).score(score_id))


@router.put("/scores/{score_id}/", openapi_extra=describe_body(ScoreChange))
async def replace_any_score(request: Request, score_id: Id) -> JSONResponse:
    """Replace a score of any log; fields that are absent become null."""
    return _change_score(request, score_id, replace=True)


@router.patch("/scores/{score_id}/", openapi_extra=describe_body(ScoreChange))
async def change_any_score(request: Request, score_id: Id) -> JSONResponse:
    """Change some fields of a score of any log."""
    return _change_score(request, score_id, replace=False)


@router.delete("/scores/{score_id}/")
async def delete_any_score(request: Request, score_id: Id) -> Response:
    """Delete a score of any log."""
    return _delete_score(request, score_id)


@router.post("/scores/list/", openapi_extra=describe_filters(SCORE_COLUMNS))
async def list_scores(request: Request, paging: Page) -> JSONResponse:
    """List the scores that match."""
    filters = json_body(request).get("filters", {})
    where = read_filters(filters, SCORE_COLUMNS.get)
    return _answer_score_page(store_of(request), where, paging, current_filters=filters)


def _answer_score_page(store: Store, where: Where, paging: Paging, **more: Any) -> JSONResponse:
    order = paging.order(SCORE_COLUMNS, default="created_at", max_size=MAX_PAGE)
    return JSONResponse(paging.answer(store.scores(where, order), order) | more)


def _environment_of_log(request: Request, log_id: str) -> str:
    environment = store_of(request).log_environment(log_id)
    if environment is None:
        raise not_found()
    return environment
