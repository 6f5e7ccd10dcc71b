"""Push the scores of a frame: validate them all, send them, report on each."""

from __future__ import annotations

import copy
from collections.abc import Iterable

import pandas as pd

from respan_notebook.catalogue import Catalogue
from respan_notebook.client.client import RespanClient
from respan_notebook.client.retry import RetryBudget
from respan_notebook.models import Evaluator
from respan_notebook.push.engine import Engine
from respan_notebook.push.options import PushOptions, check_options
from respan_notebook.push.outcomes import FAILED, NOT_SENT, Outcomes
from respan_notebook.push.plan import Plan, check_plan, mark_arrived, warn_of_shares
from respan_notebook.push.progress import estimate_duration, progress_bar, wait_reason
from respan_notebook.push.read_frame import Scores, read_frame
from respan_notebook.push.report import PushReport
from respan_notebook.push.unchanged import mark_unchanged


def push_frame(
    frame: pd.DataFrame,
    scores: Scores | None,
    options: PushOptions,
    *,
    client: RespanClient | None,
    evaluators: Evaluator | Iterable[Evaluator] | None,
    resume: pd.DataFrame | None,
) -> PushReport:
    """Push the scores of a frame; see :meth:`respan_notebook.RespanAccessor.push_scores`."""
    check_options(options)
    if client is None and not options.dry_run:
        client = RespanClient()  # Without a key, fail before the work of validating.
    plan, errors, row_errors, warnings = read_frame(frame, scores, Catalogue(evaluators, client))
    outcomes = check_plan(plan, errors, row_errors, options.on_duplicate)
    if resume is not None:
        mark_arrived(plan, outcomes, resume)
    warnings += warn_of_shares(plan)
    if client is None or options.dry_run:
        return PushReport(plan, outcomes, options, warnings, client, send_plan)
    return send_plan(plan, outcomes, options, warnings, client)


def send_plan(
    plan: Plan,
    outcomes: Outcomes,
    options: PushOptions,
    warnings: list[str],
    client: RespanClient | None,
) -> PushReport:
    """Send the scores that are ``failed`` or ``not_sent``, and report on all.

    ``outcomes`` is copied and not changed. Without a client, one is made from the environment.
    """
    client = client or RespanClient()
    outcomes = copy.deepcopy(outcomes)
    settings = client.settings
    budget = RetryBudget(
        settings, retries=settings.budget, deadline=options.deadline, announce=None
    )
    shown, notes = options.progress, list[str]()
    with (
        client.gate.paced(options.rate_limit),
        Engine(client, budget, outcomes.record) as engine,
    ):
        if options.skip_unchanged:
            total = len(outcomes.having(NOT_SENT))
            with progress_bar(total, shown=shown, title="reading") as bar:
                notes = mark_unchanged(
                    plan, outcomes, client, engine=engine, budget=budget, on_read=bar.advance
                )
        scores, done = outcomes.having(FAILED, NOT_SENT).tolist(), engine.done
        note = estimate_duration(len(scores), options.rate_limit)
        with progress_bar(len(scores), shown=shown, note=note) as bar:
            engine.send(
                scores,
                plan.upsert,
                concurrency=options.concurrency,
                watch=lambda: bar.show(engine.done - done, wait_reason(client.gate, budget)),
            )
    outcomes.stopped = budget.cancelled
    return PushReport(plan, outcomes, options, [*warnings, *notes], client, send_plan)
