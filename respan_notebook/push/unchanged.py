"""Find the scores that the server has already, so that they are not sent again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from respan_notebook.client.client import RespanClient
from respan_notebook.client.retry import RetryBudget
from respan_notebook.client.score_reader import read_scores
from respan_notebook.errors import RespanError
from respan_notebook.push.engine import Engine
from respan_notebook.push.outcomes import NOT_SENT, UNCHANGED, Outcomes, Result
from respan_notebook.push.plan import Lines
from respan_notebook.values.encoding import is_same_score

_TRIES: Final = 10  # The most scores that are sent to learn the scorer from an answer.


def mark_unchanged(
    plan: Lines,
    outcomes: Outcomes,
    client: RespanClient,
    *,
    scores: Sequence[int],
    engine: Engine,
    budget: RetryBudget,
    on_read: Callable[[int], object],
) -> list[str]:
    """Mark as ``unchanged`` those of some scores that the server has by the owner of the key.

    The API names the owner only in the answer to a write, so a client that has not written yet
    sends a score first, by ``engine``. ``on_read`` is called with the number of logs after each
    request. When the scores can't be read, a warning is returned and the rest is to be sent.
    """
    for i in scores[:_TRIES]:
        if client.scorer is not None or budget.cancelled:
            break
        engine.send_one(i, plan.upsert)
    left = [i for i in scores if outcomes.status[i] == NOT_SENT]
    if budget.cancelled or not left:
        return []
    if client.scorer is None:
        return ["no answer named the owner of the key, so everything was pushed"]
    named = {(plan.log_id(i), plan.evaluator(i).id_or_slug): i for i in left}
    evaluators = {name: plan.evaluator(i) for (_, name), i in named.items()}
    log_ids = [log_id for log_id, _ in named]
    try:
        for score in read_scores(
            client,
            log_ids,
            list(evaluators.values()),
            scorer=client.scorer,
            budget=budget,
            on_read=on_read,
        ):
            stored = score.model_dump()
            for name in score.evaluator_names:
                i = named.get((score.log_id or "", name), -1)
                if i >= 0 and is_same_score(plan.upsert(i).body, stored):
                    outcomes.record(i, Result(UNCHANGED, score=score))
    except RespanError as error:
        if budget.cancelled:
            return []
        return [f"what the server has could not all be read, so the rest was pushed: {error}"]
    return []
