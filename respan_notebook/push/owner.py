"""Learn who owns a key, so that no other person's score is written as the owner's.

There is no route that says whose a key is: only the answer to a write names the scorer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

import numpy as np

from respan_notebook.client.client import RespanClient
from respan_notebook.client.retry import RetryBudget
from respan_notebook.errors import RespanError
from respan_notebook.models import SENT_ALONG, VALUE_FIELDS, Score, ScoreWrite, Upsert
from respan_notebook.push.duplicates import find_duplicates, mark_duplicates, mark_foreign
from respan_notebook.push.options import PushOptions
from respan_notebook.push.outcomes import ARRIVED, FAILED, INVALID, NOT_SENT, Outcomes, Result
from respan_notebook.push.plan import Lines

UNKNOWN_OWNER: Final = "owner of the key not known: the column 'scorer' was not checked"
_TRIES: Final = 10  # The most scores that are sent to learn the owner from an answer.


class SendsOne(Protocol):
    """Send single scores; an engine does."""

    def send_one(self, i: int, upsert: Callable[[int], Upsert]) -> None:
        """Send a score by its number, in this thread."""


def settle_scorers(
    plan: Lines,
    outcomes: Outcomes,
    client: RespanClient,
    *,
    owner: str | None,
    options: PushOptions,
    engine: SendsOne,
    budget: RetryBudget,
) -> set[int]:
    """Mark the scores that are not the key's owner's; return those that are not to be sent now.

    Without scores that name a scorer nothing is done. An unknown owner is learned from the answer
    to one write: of a score that is the owner's in any case, else of one whose earlier state was
    read before, and is put back if it turns out to be another's.
    """
    if not any(plan.scorers) or options.as_scorer:
        return set()
    owner = client.scorer or owner
    tried: set[int] = set()
    if owner is None:
        tried = _learn_owner(plan, outcomes, client, engine, budget)
        owner = client.scorer
    if owner is None:
        return tried | refuse_named(plan, outcomes, budget)
    failed = {i for i in tried if outcomes.status[i] == FAILED}
    mark_foreign(plan, outcomes, owner, but=failed)
    for i in tried:
        if outcomes.status[i] == INVALID:
            outcomes.errors[i] += "; it was sent once to learn that, and what it changed put back"
    ready = [i for i in outcomes.having(FAILED, NOT_SENT).tolist() if i not in failed]
    among = sorted({*ready, *(i for i in tried if outcomes.status[i] in ARRIVED)})
    keep_first = options.on_duplicate == "first"
    duplicates = find_duplicates(plan, np.array(among, np.int64), owner, keep_first=keep_first)
    if options.on_duplicate == "error":
        for i in {*duplicates, *duplicates.values()} & set(ready):
            error = "another row has the same log, evaluator and scorer; drop one of them"
            outcomes.refuse(i, INVALID, error)
    else:
        mark_duplicates(plan, outcomes, duplicates)
    return failed


def refuse_named(plan: Lines, outcomes: Outcomes, budget: RetryBudget) -> set[int]:
    """Mark the scores that name a scorer as ``failed``, since the key's owner is not known.

    Returned are those that are not to be sent. When the budget is cancelled, none is marked.
    """
    named = [i for i in outcomes.having(NOT_SENT).tolist() if plan.scorer(i) is not None]
    if not budget.cancelled:
        for i in named:
            outcomes.refuse(i, FAILED, _render_unknown(plan.scorer(i)))
    return set(named)


def _render_unknown(scorer: str | None) -> str:
    return (
        f"the score is {scorer!r}'s, and no answer named the owner of this key, so it was not "
        "sent; drop the column 'scorer' if it is the owner's, or pass as_scorer=True"
    )


def _learn_owner(
    plan: Lines, outcomes: Outcomes, client: RespanClient, engine: SendsOne, budget: RetryBudget
) -> set[int]:
    """Send scores until an answer names the owner; return those that were tried."""
    waiting = outcomes.having(FAILED, NOT_SENT).tolist()
    own = [i for i in waiting if plan.scorer(i) is None]
    named = [i for i in waiting if plan.scorer(i) is not None]
    tried: set[int] = set()
    for i in [*own[:_TRIES], *named[:_TRIES]]:
        if client.scorer is not None or budget.cancelled:
            break
        tried.add(i)
        if plan.scorer(i) is None:
            engine.send_one(i, plan.upsert)
        else:
            _probe(i, plan, outcomes, client, engine, budget)
    return tried


def _probe(
    i: int,
    plan: Lines,
    outcomes: Outcomes,
    client: RespanClient,
    engine: SendsOne,
    budget: RetryBudget,
) -> None:
    """Send a score that may be another's; put back what was there unless it is the owner's."""
    try:
        scores = client.list_scores(plan.log_id(i), budget=budget)
    except RespanError as error:
        outcomes.refuse(i, FAILED, f"not sent, since its log's scores could not be read: {error}")
        return
    before = {score.id: score for score in scores}
    try:
        engine.send_one(i, plan.upsert)
    finally:  # After an interrupt, too.
        _settle_probe(i, plan, outcomes, client, before)


def _settle_probe(
    i: int, plan: Lines, outcomes: Outcomes, client: RespanClient, before: Mapping[str, Score]
) -> None:
    scorer, score_id = plan.scorer(i), outcomes.score_ids[i]
    if outcomes.status[i] == FAILED:
        outcomes.errors[i] += (
            f"; it was sent to learn who owns this key, so what arrived is the owner's score and "
            f"perhaps not {scorer!r}'s"
        )
    if outcomes.status[i] not in ARRIVED or score_id is None or client.scorer == scorer:
        return
    fault = _put_back(client, plan.log_id(i), score_id, before.get(score_id))
    whose = repr(client.scorer) if client.scorer else "an owner whom the server does not name"
    if fault:
        outcomes.record(i, Result(FAILED))
        outcomes.errors[i] = (
            f"the score is {scorer!r}'s, but it is stored as the score {score_id} of {whose}: it "
            f"was sent to learn who owns this key, and could not be taken back: {fault}"
        )
    else:
        # Not ``failed``, so that it is not sent again; the owner's score is as it was.
        outcomes.record(i, Result(NOT_SENT))
        if client.scorer is None:
            outcomes.refuse(i, INVALID, _render_unknown(scorer))


def _put_back(client: RespanClient, log_id: str, score_id: str, before: Score | None) -> str:
    """Make the owner's score what it was before; return the error, empty when there is none.

    The deadline of the push does not count: what was written must not stay.
    """
    try:
        if before is None:
            client.delete_score(log_id, score_id)
        else:
            client.replace_score(log_id, score_id, _body_of(before))
    except (RespanError, ValueError) as error:
        return str(error) or type(error).__name__
    return ""


def _body_of(score: Score) -> ScoreWrite:
    """Return the body that writes a score again as it was."""
    name = "evaluator_id" if score.evaluator_id else "evaluator_slug"
    fields = {field: getattr(score, field) for field in (*VALUE_FIELDS, *SENT_ALONG)}
    given = {field: value for field, value in fields.items() if value is not None}
    return ScoreWrite.model_validate({name: getattr(score, name), **given})
