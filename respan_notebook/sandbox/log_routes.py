"""Answer the routes of logs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from respan_notebook.sandbox.clock import current_timestamp, normalize_timestamp
from respan_notebook.sandbox.errors import HttpError, invalid
from respan_notebook.sandbox.filters import read_filters
from respan_notebook.sandbox.openapi import describe_body, describe_filters
from respan_notebook.sandbox.routes import Id, Page, answer_found, json_body, store_of
from respan_notebook.sandbox.schemas import (
    LogChange,
    LogsWrite,
    LogWrite,
    validate_document,
    validate_log,
)
from respan_notebook.sandbox.tables import LOG_COLUMNS, find_log_column

MAX_LOGS_PAGE = 1000
MAX_BULK = 500

router = APIRouter(prefix="/api")


@router.patch("/request-logs/{unique_id}/", openapi_extra=describe_body(LogChange))
async def change_log(request: Request, unique_id: Id) -> JSONResponse:
    """Change note, pin, feedback or metadata of a log."""
    write = validate_document(LogChange, json_body(request))
    return answer_found(
        store_of(request).change_log(unique_id, write.model_dump(exclude_unset=True))
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
    where = read_filters(json_body(request).get("filters", {}), find_log_column)
    start = _read_time("start_time", start_time) if start_time else current_timestamp(hours_ago=1)
    where.add(LOG_COLUMNS["timestamp"], "gte", [start])
    if end_time:
        where.add(LOG_COLUMNS["timestamp"], "lte", [_read_time("end_time", end_time)])
    if environment:
        where.add(LOG_COLUMNS["environment"], "", [environment])
    store = store_of(request)
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
    (answer,) = _add_logs(request, [json_body(request)])
    if isinstance(answer, HttpError):
        raise answer
    return JSONResponse(answer, 201)


@router.post("/request-logs/bulk/", openapi_extra=describe_body(LogsWrite))
async def create_logs(request: Request) -> JSONResponse:
    """Create up to 500 logs; those that are refused do not stop the others."""
    logs = json_body(request).get("logs")
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
    added = iter(store_of(request).add_logs(sound))
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
    return answer_found(store_of(request).log(unique_id))
