"""Read the server's scores of many logs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from respan_notebook.client.client import RespanClient
from respan_notebook.client.retry import RetryBudget
from respan_notebook.errors import RespanError
from respan_notebook.models import Evaluator, Score

_CHUNK: Final = 100  # Logs per request: as many scores as a page holds.
_CHUNK_LENGTH: Final = 100_000  # Characters of log ids in one request's body.


class FilterRefusedError(RespanError):
    """The server ignores the filter, and returned scores of other logs."""


def read_scores(
    client: RespanClient,
    log_ids: Iterable[str],
    evaluators: Sequence[Evaluator],
    *,
    scorer: str | None,
    budget: RetryBudget | None = None,
    on_read: Callable[[int], object] = int,
) -> Iterator[Score]:
    """Iterate over the scores of these logs by these evaluators and a scorer, None for all.

    Logs are read by the hundred; ``on_read`` is called with the number of logs after each request.
    FilterRefusedError is raised when the server ignores the filter, BadRequestError when it
    refuses it.
    """
    for name, values in _named(evaluators).items():
        for chunk in _chunks(dict.fromkeys(log_ids)):
            filters = {"log_id": _among(chunk), name: _among(values)}
            if scorer is not None:
                filters["scorer"] = {"operator": "", "value": [scorer]}
            yield from _read_chunk(client, filters, chunk, len(values), scorer, budget)
            on_read(len(chunk))


def _read_chunk(
    client: RespanClient,
    filters: Mapping[str, Mapping[str, Any]],
    chunk: Sequence[str],
    evaluators: int,
    scorer: str | None,
    budget: RetryBudget | None,
) -> Iterator[Score]:
    wanted, found = set(chunk), 0
    for page in client.score_pages(filters, budget=budget):
        for score in page:
            if score.log_id not in wanted:
                raise FilterRefusedError("the server does not filter scores by log_id")
            if scorer is None or score.scorer == scorer:
                yield score
                found += 1
        if scorer is not None and found == len(chunk) * evaluators:
            return  # One per log, evaluator and scorer: there can't be more.


def _named(evaluators: Sequence[Evaluator]) -> dict[str, list[str]]:
    ids = list(dict.fromkeys(one.id for one in evaluators if one.id))
    slugs = list(dict.fromkeys(one.slug_or_id for one in evaluators if not one.id))
    named = {"evaluator_id": ids, "evaluator_slug": slugs}
    return {name: values for name, values in named.items() if values}


def _among(values: Sequence[str]) -> dict[str, Any]:
    return {"operator": "in", "value": list(values)}


def _chunks(log_ids: Iterable[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    length = 0
    for log_id in log_ids:
        if chunk and (len(chunk) == _CHUNK or length + len(log_id) > _CHUNK_LENGTH):
            yield chunk
            chunk, length = [], 0
        chunk.append(log_id)
        length += len(log_id)
    if chunk:
        yield chunk
