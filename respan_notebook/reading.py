"""Scores read back from the server: for comparing before a push, and as columns of a frame."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from respan_notebook.batch import NOT_SENT, UNCHANGED, Batch, Outcomes
from respan_notebook.client import RespanClient
from respan_notebook.errors import RespanError
from respan_notebook.models import Evaluator, Score
from respan_notebook.retry import Effort
from respan_notebook.values import value_type

_CHUNK: Final = 100  # Logs asked for at once: as many scores as a page holds.
_CHUNK_LENGTH: Final = 100_000  # Characters of log ids in one request's body.


class FilterRefusedError(RespanError):
    """The server does not filter scores the way that is needed here."""


def read_scores(
    client: RespanClient,
    log_ids: Iterable[str],
    evaluators: Sequence[Evaluator],
    *,
    scorer: str | None,
    effort: Effort | None = None,
    read: Callable[[int], object] = int,
) -> Iterator[Score]:
    """Iterate over the scores that the server has of these logs by these evaluators.

    Parameters
    ----------
    client : RespanClient
        Where from.
    log_ids : iterable of str
        Asked for by the hundred.
    evaluators : sequence of Evaluator
        By id where there is one, else by slug.
    scorer : str or None
        Whose; None for everybody's.
    effort : Effort, optional
        The push that this is part of.
    read : Callable
        Is told, again and again, how many more logs have been asked for.

    Raises
    ------
    FilterRefusedError
        When the server passes over the filter, and gives scores of other logs.
    BadRequestError
        When it refuses the filter.
    """
    for name, values in _named(evaluators).items():
        for chunk in _chunks(dict.fromkeys(log_ids)):
            filters = {"log_id": _among(chunk), name: _among(values)}
            if scorer is not None:
                filters["scorer"] = {"operator": "", "value": [scorer]}
            yield from _read_chunk(client, filters, chunk, len(values), scorer, effort)
            read(len(chunk))


def _read_chunk(
    client: RespanClient,
    filters: Mapping[str, Mapping[str, Any]],
    chunk: Sequence[str],
    evaluators: int,
    scorer: str | None,
    effort: Effort | None,
) -> Iterator[Score]:
    asked, found = set(chunk), 0
    for page in client.score_pages(filters, effort=effort):
        for score in page:
            if score.log_id not in asked:
                raise FilterRefusedError("the server does not filter scores by log_id")
            if scorer is None or score.scorer == scorer:
                yield score
                found += 1
        if scorer is not None and found == len(chunk) * evaluators:
            return  # One per log, evaluator and scorer: there can't be more.


def _named(evaluators: Sequence[Evaluator]) -> dict[str, list[str]]:
    ids = list(dict.fromkeys(one.id for one in evaluators if one.id))
    slugs = list(dict.fromkeys(one.key for one in evaluators if not one.id))
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


def settle_unchanged(
    batch: Batch,
    outcomes: Outcomes,
    client: RespanClient,
    *,
    effort: Effort,
    read: Callable[[int], object],
) -> list[str]:
    """Mark as ``unchanged`` the lines whose value and explanation the server has already.

    Only scores by ``client.scorer`` count.

    Returns
    -------
    list of str
        A warning when the server can't be asked; then everything is to be sent.
    """
    lines: dict[tuple[str, str], int] = {}
    evaluators: dict[str, Evaluator] = {}
    for line in outcomes.lines(NOT_SENT).tolist():
        evaluator = batch.targets[batch.codes[line]].evaluator
        assert evaluator is not None, "a line without an evaluator is invalid"
        evaluators[_identity(evaluator)] = evaluator
        lines[batch.log_id(line), _identity(evaluator)] = line
    log_ids = [log_id for log_id, _ in lines]
    known = list(evaluators.values())
    try:
        for score in read_scores(
            client, log_ids, known, scorer=client.scorer, effort=effort, read=read
        ):
            for name in (score.evaluator_id, score.evaluator_slug):
                line = lines.get((score.log_id or "", name or ""), -1)
                if line >= 0 and _is_same(batch, line, score):
                    outcomes.status[line] = UNCHANGED
                    outcomes.score_ids[line] = score.id
                    passed = score.is_passed
                    outcomes.is_passed[line] = passed if isinstance(passed, bool) else None
    except RespanError as error:
        if effort.ended:
            return []
        return [f"what the server has could not all be read, so the rest was pushed: {error}"]
    return []


def _identity(evaluator: Evaluator) -> str:
    return evaluator.id or evaluator.key


def _is_same(batch: Batch, line: int, score: Score) -> bool:
    evaluator = batch.targets[batch.codes[line]].evaluator
    assert evaluator is not None
    field = value_type(evaluator).field
    explanation = batch.score_context(line).get("explanation")
    if explanation is not None and explanation != score.explanation:
        return False
    own, there = batch.values[line], getattr(score, field)
    if field == "json_value" and isinstance(there, str):
        return _same_json(own, there)
    return type(own) is type(there) and bool(own == there)


def _same_json(own: str, there: str) -> bool:
    try:
        return json.dumps(json.loads(own)) == json.dumps(json.loads(there))
    except (ValueError, RecursionError):
        return False
