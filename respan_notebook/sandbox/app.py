"""Answer the routes of the sandbox over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Depends, FastAPI, Path, Request
from pydantic import AfterValidator
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from respan_notebook.sandbox.clock import current_timestamp, normalize_timestamp
from respan_notebook.sandbox.errors import HttpError, invalid, not_found
from respan_notebook.sandbox.filters import Lookup, Where, read_filters
from respan_notebook.sandbox.middleware import Behaviour, SandboxMiddleware
from respan_notebook.sandbox.openapi import describe_body, describe_filters
from respan_notebook.sandbox.paging import Paging, read_paging
from respan_notebook.sandbox.passing import make_verdict
from respan_notebook.sandbox.rules import Rules, check_strictly
from respan_notebook.sandbox.schemas import (
    EvaluatorRun,
    EvaluatorWrite,
    LogChange,
    LogsWrite,
    LogWrite,
    NamedScoreWrite,
    ScoreChange,
    ScoreWrite,
    parse_object,
    validate_body,
    validate_document,
    validate_log,
    validate_score,
)
from respan_notebook.sandbox.store import Store
from respan_notebook.sandbox.tables import (
    EVALUATOR_COLUMNS,
    LOG_COLUMNS,
    SCORE_COLUMNS,
    find_log_column,
)

MAX_PAGE = 100
MAX_LOGS_PAGE = 1000
MAX_BULK = 500


def _decode(segment: str) -> str:
    return unquote(segment)


# The middleware leaves the path encoded, so that an id may hold a slash.
Id = Annotated[str, Path(), AfterValidator(_decode)]
Page = Annotated[Paging, Depends(read_paging)]

router = APIRouter(prefix="/api")


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def _json_body(request: Request) -> dict[str, Any]:
    return parse_object(request.state.body)


def _read_where(request: Request, lookup: Lookup) -> Where:
    return read_filters(_json_body(request).get("filters", {}), lookup)


def _store_with_log(request: Request, log_id: str) -> Store:
    store = _store(request)
    if not store.has_log(log_id):
        raise not_found()
    return store


def _environment_of_log(request: Request, log_id: str) -> str:
    environment = _store(request).log_environment(log_id)
    if environment is None:
        raise not_found()
    return environment


def _answer_found(resource: dict[str, Any] | None) -> JSONResponse:
    if resource is None:
        raise not_found()
    return JSONResponse(resource)


@router.get("/logs/{log_id}/scores/")
async def list_log_scores(request: Request, log_id: Id, paging: Page) -> JSONResponse:
    """List the scores of a log."""
    store = _store_with_log(request, log_id)
    where = Where()
    where.add(SCORE_COLUMNS["log_id"], "", [log_id])
    return _answer_score_page(store, where, paging)


@router.post("/logs/{log_id}/scores/", openapi_extra=describe_body(ScoreWrite))
async def write_score(request: Request, log_id: Id) -> JSONResponse:
    """Create or update the caller's score of a log."""
    store, environment = _store(request), _environment_of_log(request, log_id)
    write = validate_score(ScoreWrite, _json_body(request))
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
    store, rules = _store(request), request.app.state.rules
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
    return _answer_found(_store(request).score(score_id, log_id))


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
    store = _store(request)
    _answer_found(store.score(score_id, log_id))
    changes = validate_body(ScoreChange, _json_body(request)).changes(replace=replace)
    return _answer_found(store.change_score(score_id, changes))


@router.delete("/logs/{log_id}/scores/{score_id}/")
async def delete_score(request: Request, log_id: Id, score_id: Id) -> Response:
    """Delete a score."""
    return _delete_score(request, score_id, log_id)


def _delete_score(request: Request, score_id: str, log_id: str | None = None) -> Response:
    _answer_found(_store(request).score(score_id, log_id))
    _store(request).delete_score(score_id)
    return Response(status_code=204)


@router.post("/scores/", openapi_extra=describe_body(NamedScoreWrite))
async def create_named_score(request: Request) -> JSONResponse:
    """Create a score under the scorer that the body names; a second POST makes a second score."""
    write = validate_score(NamedScoreWrite, _json_body(request))
    environment = _environment_of_log(request, write.log_id)
    score = _store(request).add_score(
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
    return _answer_found(_store(request).score(score_id))


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
    where = _read_where(request, SCORE_COLUMNS.get)
    filters = _json_body(request).get("filters", {})
    return _answer_score_page(_store(request), where, paging, current_filters=filters)


def _answer_score_page(store: Store, where: Where, paging: Paging, **more: Any) -> JSONResponse:
    order = paging.order(SCORE_COLUMNS, default="created_at", max_size=MAX_PAGE)
    return JSONResponse(paging.answer(store.scores(where, order), order) | more)


@router.post("/evaluators/list/", openapi_extra=describe_filters(EVALUATOR_COLUMNS))
async def filter_evaluators(request: Request, paging: Page) -> JSONResponse:
    """List the evaluators that match."""
    where = _read_where(request, EVALUATOR_COLUMNS.get)
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
    return JSONResponse(paging.answer(_store(request).evaluators(where, order), order))


@router.post("/evaluators/", openapi_extra=describe_body(EvaluatorWrite))
async def create_evaluator(request: Request) -> JSONResponse:
    """Create an evaluator."""
    write = validate_document(EvaluatorWrite, _json_body(request))
    evaluator = _store(request).add_evaluator(write.model_dump())
    if evaluator is None:
        raise invalid("evaluator_slug", f"the slug {write.evaluator_slug!r} is taken")
    return JSONResponse(evaluator, 201)


@router.get("/evaluators/{evaluator_id}/")
async def get_evaluator(request: Request, evaluator_id: Id) -> JSONResponse:
    """Return one evaluator."""
    return _answer_found(_store(request).evaluator(evaluator_id))


@router.patch("/evaluators/{evaluator_id}/", openapi_extra=describe_body(EvaluatorWrite))
async def change_evaluator(request: Request, evaluator_id: Id) -> JSONResponse:
    """Change some fields of an evaluator."""
    return _change_evaluator(request, evaluator_id, replace=False)


@router.put("/evaluators/{evaluator_id}/", openapi_extra=describe_body(EvaluatorWrite))
async def replace_evaluator(request: Request, evaluator_id: Id) -> JSONResponse:
    """Replace an evaluator."""
    return _change_evaluator(request, evaluator_id, replace=True)


def _change_evaluator(request: Request, evaluator_id: str, *, replace: bool) -> JSONResponse:
    store, body = _store(request), _json_body(request)
    evaluator = store.evaluator(evaluator_id)
    if evaluator is None:
        raise not_found()
    if evaluator["is_read_only"]:
        raise invalid("version", "a committed version is read-only")
    fixed = {} if replace else {name: evaluator[name] for name in ("name", "score_value_type")}
    write = validate_document(EvaluatorWrite, {**fixed, **body})
    # The slug of an evaluator without a new one stays.
    changes = write.model_dump(exclude_unset=not replace)
    if changes.get("evaluator_slug") is None:
        changes.pop("evaluator_slug", None)
    changed = store.change_evaluator(evaluator_id, changes)
    if changed is None:
        raise invalid("evaluator_slug", f"the slug {write.evaluator_slug!r} is taken")
    return JSONResponse(changed)


@router.delete("/evaluators/{evaluator_id}/")
async def delete_evaluator(request: Request, evaluator_id: Id) -> Response:
    """Delete an evaluator."""
    if not _store(request).delete_evaluator(evaluator_id):
        raise not_found()
    return Response(status_code=204)


@router.get("/evaluators/{evaluator_id}/versions/")
async def list_versions(request: Request, evaluator_id: Id, paging: Page) -> JSONResponse:
    """List the versions of an evaluator, its draft among them."""
    if _store(request).evaluator(evaluator_id) is None:
        raise not_found()
    where = Where()
    where.add(EVALUATOR_COLUMNS["evaluator_id"], "", [evaluator_id])
    return _answer_evaluator_page(request, where, paging)


@router.post("/evaluators/{evaluator_id}/versions/", openapi_extra=describe_body(EvaluatorWrite))
async def commit_version(request: Request, evaluator_id: Id) -> JSONResponse:
    """Commit an evaluator, with the fields of the body changed, as its next version."""
    evaluator = _store(request).evaluator(evaluator_id)
    if evaluator is None or evaluator["is_read_only"]:
        raise not_found()
    fixed = {name: evaluator[name] for name in ("name", "score_value_type")}
    write = validate_document(EvaluatorWrite, {**fixed, **_json_body(request)})
    changes = write.model_dump(exclude_unset=True)
    return JSONResponse(_store(request).commit_version(evaluator, changes), 201)


@router.get("/evaluators/{evaluator_id}/versions/{version}/")
async def get_version(request: Request, evaluator_id: Id, version: str) -> JSONResponse:
    """Return one version of an evaluator; 0 is its draft."""
    suffix = "" if version == "0" else f":{version}"
    return _answer_found(_store(request).evaluator(f"{evaluator_id}{suffix}"))


@router.post("/evaluators/{evaluator_id}/run/", openapi_extra=describe_body(EvaluatorRun))
async def run_evaluator(request: Request, evaluator_id: Id) -> JSONResponse:
    """Answer a made-up verdict, the lowest value that the evaluator takes; nothing is stored."""
    evaluator = _store(request).evaluator(evaluator_id)
    if evaluator is None:
        raise not_found()
    validate_body(EvaluatorRun, _json_body(request))
    return JSONResponse(make_verdict(evaluator))


@router.patch("/request-logs/{unique_id}/", openapi_extra=describe_body(LogChange))
async def change_log(request: Request, unique_id: Id) -> JSONResponse:
    """Change note, pin, feedback or metadata of a log."""
    write = validate_document(LogChange, _json_body(request))
    return _answer_found(
        _store(request).change_log(unique_id, write.model_dump(exclude_unset=True))
    )


@router.post("/request-logs/list/", openapi_extra=describe_filters(LOG_COLUMNS))
async def list_logs(
    request: Request,
    paging: Page,
    start_time: str = "",
    end_time: str = "",
    environment: str = "",
    include_fields: str = "",
) -> JSONResponse:
    """List the logs that match; without `start_time` those of the last hour."""
    where = _read_where(request, find_log_column)
    start = _read_time("start_time", start_time) if start_time else current_timestamp(hours_ago=1)
    where.add(LOG_COLUMNS["timestamp"], "gte", [start])
    if end_time:
        where.add(LOG_COLUMNS["timestamp"], "lte", [_read_time("end_time", end_time)])
    if environment:
        where.add(LOG_COLUMNS["environment"], "", [environment])
    store = _store(request)
    order = paging.order(LOG_COLUMNS, default="timestamp", max_size=MAX_LOGS_PAGE)
    answer = paging.answer(store.logs(where, order), order, total=store.count_logs(where))
    if include_fields:
        wanted = {"id", "unique_id", *include_fields.split(",")}
        answer["results"] = [
            {field: value for field, value in log.items() if field in wanted}
            for log in answer["results"]
        ]
    return JSONResponse(answer)


def _read_time(name: str, text: str) -> str:
    try:
        return normalize_timestamp(text)
    except ValueError as error:
        raise invalid(name, str(error)) from None


@router.post("/request-logs/", openapi_extra=describe_body(LogWrite))
async def create_log(request: Request) -> JSONResponse:
    """Create a log."""
    (answer,) = _add_logs(request, [_json_body(request)])
    if isinstance(answer, HttpError):
        raise answer
    return JSONResponse(answer, 201)


@router.post("/request-logs/bulk/", openapi_extra=describe_body(LogsWrite))
async def create_logs(request: Request) -> JSONResponse:
    """Create up to 500 logs; those that are refused do not stop the others."""
    logs = _json_body(request).get("logs")
    if not isinstance(logs, list) or not 0 < len(logs) <= MAX_BULK:
        raise invalid("logs", f"give a list of 1 to {MAX_BULK} logs")
    answers = _add_logs(request, logs)
    errors = [
        {"index": index, "errors": answer.body}
        for index, answer in enumerate(answers)
        if isinstance(answer, HttpError)
    ]
    added = len(answers) - len(errors)
    counts = {"success_count": added, "error_count": len(errors), "errors": errors}
    return JSONResponse(counts, 201 if added else 400)


def _add_logs(request: Request, bodies: list[Any]) -> list[dict[str, Any] | HttpError]:
    logs = [_read_log(body) for body in bodies]
    # The key decides the environment, whatever the body says.
    environment = {"environment": request.state.environment}
    sound = ({**log, **environment} for log in logs if not isinstance(log, HttpError))
    added = iter(_store(request).add_logs(sound))
    taken = invalid("unique_id", "a log with this unique_id exists")
    return [log if isinstance(log, HttpError) else next(added) or taken for log in logs]


def _read_log(body: object) -> dict[str, Any] | HttpError:
    try:
        return validate_log(body)
    except HttpError as error:
        return error


@router.get("/request-logs/{unique_id}/")
async def get_log(request: Request, unique_id: Id) -> JSONResponse:
    """Return one log with all its fields."""
    return _answer_found(_store(request).log(unique_id))


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
    app.include_router(router)
    return app


def create_app(store: Store, behaviour: Behaviour, rules: Rules) -> ASGIApp:
    """Return the routes over `store` behind the middleware."""
    return SandboxMiddleware(create_routes(store, rules), store.api_keys(), behaviour)
