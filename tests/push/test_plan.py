"""Warnings about a column, and what the bar says of a wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from respan_notebook import Evaluator
from respan_notebook.client.gate import Gate
from respan_notebook.client.rate import Limit
from respan_notebook.client.retry import RetryBudget
from respan_notebook.client.settings import RequestSettings
from respan_notebook.push.plan import Plan, warn_of_shares
from respan_notebook.push.progress import estimate_duration, wait_reason

SHARE = Evaluator(evaluator_slug="share", score_value_type="percentage")
STARS = Evaluator(evaluator_slug="stars", score_value_type="numerical")
WARNING = (
    "all values for 'share' lie between 0 and 1, and a percentage goes to 100; "
    "multiply the column by 100 if they are shares"
)


def plan_of(*values: float | None, evaluators: list[Evaluator]) -> Plan:
    """Give a plan of rows that have a score by each of the evaluators, the same by all."""
    width = len(evaluators)
    return Plan(
        index=pd.RangeIndex(len(values)),
        log_ids=[f"log_{n}" for n in range(len(values))],
        evaluators=evaluators,
        codes=np.tile(np.arange(width), len(values)),
        values=[value for value in values for _ in evaluators],
        width=width,
    )


@pytest.mark.parametrize(
    ("values", "warnings"),
    [
        ((0.25, 1.0), [WARNING]),
        ((0.0, 0.5, None), [WARNING]),
        ((0.5, 1.5), []),
        ((-0.5, 0.5), []),
        ((0.0, None), []),
    ],
    ids=["shares", "shares, zero and a gap", "over 1", "below 0", "nothing but zero"],
)
def test_warn_of_shares__looks_at_every_percentage(
    values: tuple[float | None, ...], warnings: list[str]
) -> None:
    assert warn_of_shares(plan_of(*values, evaluators=[STARS, SHARE])) == warnings


def test_warn_of_shares__none_where_the_bounds_end_at_one() -> None:
    unit = Evaluator(
        evaluator_slug="unit", score_value_type="percentage", score_config={"max_score": 1}
    )
    assert warn_of_shares(plan_of(0.5, evaluators=[unit, SHARE])) == [WARNING]


class Passes(list[float]):
    """Values that count how often they are gone through."""

    count = 0

    def __iter__(self) -> Iterator[float]:
        self.count += 1
        return super().__iter__()


def test_warn_of_shares__goes_through_the_values_once_for_many_evaluators() -> None:
    named = [SHARE.model_copy(update={"evaluator_slug": f"p{n}"}) for n in range(200)]
    plan = plan_of(*[0.5] * 500, evaluators=named)
    values = Passes(plan.values)
    assert len(warn_of_shares(replace(plan, values=values))) == 200
    assert values.count == 1


class Stopped:
    """A clock that stands still."""

    def __call__(self) -> float:
        return 100.0


def budget_of(status: str) -> RetryBudget:
    budget = RetryBudget(RequestSettings())
    budget.status = status
    return budget


@pytest.mark.parametrize(
    ("limit", "status", "reason"),
    [
        (None, "", ""),
        ((60, 2.5), "", "limited to 60 in 2.5 s"),
        ((60, 2.5), "HTTP 503", "trying again after: HTTP 503"),
    ],
    ids=["none", "limit", "retry"],
)
def test_wait_reason__while_nothing_is_held(limit: Limit | None, status: str, reason: str) -> None:
    gate = Gate(Stopped())
    with gate.paced(limit):
        assert wait_reason(gate, budget_of(status)) == reason


def test_wait_reason__a_hold_comes_before_a_retry() -> None:
    gate = Gate(Stopped())
    _, permit = gate.request()
    gate.refused(permit, 2.5)
    assert wait_reason(gate, budget_of("HTTP 503")) == "the server asks to wait, 3 s more"


@pytest.mark.parametrize(
    ("scores", "limit", "text"),
    [
        (0, (60, 60.0), ""),
        (5, None, ""),
        (121, (60, 60.0), "about 2 min at 60 in 60 s"),
        (120, (60, 60.0), "about 1 min at 60 in 60 s"),
    ],
    ids=["no scores", "no limit", "a third minute", "two minutes"],
)
def test_estimate_duration__counts_the_waits(scores: int, limit: Limit | None, text: str) -> None:
    assert estimate_duration(scores, limit) == text
