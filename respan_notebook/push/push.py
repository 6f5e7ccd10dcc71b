"""Push the scores of a frame: validate them all, send them, report on each."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

from respan_notebook.catalogue import Catalogue
from respan_notebook.client.answer_check import AnswerCheck
from respan_notebook.client.client import RespanClient, default_client
from respan_notebook.client.retry import RetryBudget
from respan_notebook.models import Evaluator
from respan_notebook.push.duplicates import check_plan
from respan_notebook.push.engine import Engine
from respan_notebook.push.named_route import NamedRoute
from respan_notebook.push.options import PushOptions, check_options
from respan_notebook.push.origin import Origin, check_origin, origin_of
from respan_notebook.push.outcomes import ARRIVED, FAILED, NOT_SENT, Outcomes
from respan_notebook.push.owner import UNKNOWN_OWNER, settle_scorers
from respan_notebook.push.plan import Lines, warn_of_shares
from respan_notebook.push.progress import announce_scores, progress_bar
from respan_notebook.push.read_frame import Scores, read_frame, warn_of_custom
from respan_notebook.push.report import PushReport
from respan_notebook.push.resume import mark_resumed, read_earlier
from respan_notebook.push.unchanged import mark_unchanged


def push_frame(
    frame: pd.DataFrame,
    scores: Scores | None,
    options: PushOptions,
    *,
    client: RespanClient | None,
    evaluators: Evaluator | Iterable[Evaluator] | None,
    resume: Any,
    find_owner: Callable[[RespanClient], str | None],
) -> PushReport:
    """Push the scores of a frame; see :meth:`respan_notebook.RespanAccessor.push_scores`."""
    check_options(options)
    if client is None and not options.dry_run:
        client = default_client()  # Without a key, fail before the work of validating.
    budget = _push_budget(client, options)
    earlier = read_earlier(resume)
    if client is not None and earlier.arrived:
        check_origin(earlier.origin, client)
    catalogue = Catalogue(evaluators, client, budget if options.deadline else None)
    plan, errors, row_errors, warnings = read_frame(frame, scores, catalogue, options=options)
    owner = None
    if client is not None and any(plan.scorers):
        owner = client.scorer or _owner_of(earlier.origin, client) or find_owner(client)
    outcomes = check_plan(plan, errors, row_errors, options.on_duplicate, owner)
    mark_resumed(plan, outcomes, earlier)
    if scores is None:
        warnings += warn_of_custom(plan, row_errors, catalogue)
    warnings += [*warn_of_shares(plan), *earlier.warnings]
    if client is None or options.dry_run:
        if owner is None and any(plan.scorers) and not options.as_scorer:
            warnings.append(UNKNOWN_OWNER)
        return PushReport(
            plan, outcomes, options, warnings, client, send_plan, origin=earlier.origin
        )
    return send_plan(plan, outcomes, options, warnings, client, budget=budget, owner=owner)


def _owner_of(origin: Origin | None, client: RespanClient) -> str | None:
    """Return the owner of a client's key as an earlier report names it."""
    return origin.scorer if origin and origin.is_same_key(origin_of(client)) else None


def _push_budget(client: RespanClient | None, options: PushOptions) -> RetryBudget:
    settings = (client or RespanClient).settings
    return RetryBudget(settings, retries=settings.budget, deadline=options.deadline)


def send_plan(
    plan: Lines,
    outcomes: Outcomes,
    options: PushOptions,
    warnings: list[str],
    client: RespanClient | None,
    *,
    origin: Origin | None = None,
    budget: RetryBudget | None = None,
    owner: str | None = None,
) -> PushReport:
    """Send the scores that are ``failed`` or ``not_sent``, and report on all.

    ``outcomes`` is copied and not changed. Without a client, one is made from the environment.
    ConfigurationError is raised when scores had arrived at another ``origin`` than the client's.
    """
    client = client or default_client()
    has_arrived = bool(len(outcomes.having(*ARRIVED)))
    if has_arrived:
        check_origin(origin, client)
    outcomes = copy.deepcopy(outcomes)
    budget = budget or _push_budget(client, options)
    owner = client.scorer or owner or _owner_of(origin, client)
    check = AnswerCheck(lambda: _known_logs(plan), plan.evaluators)
    route = NamedRoute(client, skip_unchanged=options.skip_unchanged) if options.as_scorer else None
    write = route.write if route else None
    notes: list[str] = []  # Empty when an interrupt comes before they are known.
    with (
        client.gate.paced(options.rate_limit),
        Engine(
            client, budget, outcomes.record, check, write=write, has_arrived=has_arrived
        ) as engine,
    ):
        held = settle_scorers(
            plan, outcomes, client, owner=owner, options=options, engine=engine, budget=budget
        )
        notes = _skip_unchanged(plan, outcomes, options, client, engine, budget)
        scores = [i for i in outcomes.having(FAILED, NOT_SENT).tolist() if i not in held]
        done = engine.done
        note = announce_scores(len(scores), None)  # The bar shows the limit.
        budget.announce = None  # The bar shows every wait from here on.
        with progress_bar(len(scores), shown=options.progress, note=note) as bar:
            engine.send(
                scores,
                plan.upsert,
                concurrency=options.concurrency,
                watch=lambda: bar.show(engine.done - done, engine.in_flight, client.gate, budget),
            )
    outcomes.stopped = budget.cancelled
    if any(plan.scorers) and client.scorer and owner not in (None, client.scorer):
        notes.append(
            f"the key was known as {owner!r}'s, and the server calls its owner {client.scorer!r}"
        )
    warnings = [*warnings, *notes, *check.warnings()]
    return PushReport(plan, outcomes, options, warnings, client, send_plan)


def _known_logs(plan: Lines) -> set[str]:
    return {log_id for log_id in plan.log_ids if isinstance(log_id, str)}


def _skip_unchanged(
    plan: Lines,
    outcomes: Outcomes,
    options: PushOptions,
    client: RespanClient,
    engine: Engine,
    budget: RetryBudget,
) -> list[str]:
    """Mark the scores that the server has already, if that is wanted; return warnings."""
    if not options.skip_unchanged:
        return []
    scores = outcomes.having(NOT_SENT).tolist()
    if options.as_scorer:  # Others' scores are looked at one by one.
        scores = [i for i in scores if plan.scorer(i) is None]
    budget.announce = None  # The bar shows every wait from here on.
    with (
        progress_bar(len(scores), shown=options.progress, title="reading") as bar,
        bar.ticking(client.gate, budget),
    ):
        return mark_unchanged(
            plan,
            outcomes,
            client,
            scores=scores,
            engine=engine,
            budget=budget,
            on_read=bar.advance,
        )
