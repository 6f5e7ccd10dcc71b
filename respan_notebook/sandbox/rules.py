"""Hold what a sandbox does where Respan's documentation leaves it open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from respan_notebook.sandbox.errors import HttpError, invalid
from respan_notebook.sandbox.passing import VALUE_FIELD, VALUE_FIELDS
from respan_notebook.sandbox.schemas import ScoreWrite


@dataclass(frozen=True)
class Rules:
    """Hold the options of `Sandbox` that decide what the routes answer."""

    next_keeps_parameters: bool = False
    strict: bool = False
    checks_timestamp: bool = False
    meter: int | None = None

    def __post_init__(self) -> None:
        if self.meter is not None and not (type(self.meter) is int and self.meter >= 0):
            raise ValueError(f"meter must be a number of scores from 0, not {self.meter!r}")


def check_strictly(write: ScoreWrite, evaluator: Mapping[str, Any] | None) -> None:
    """Answer 400 to a score that Respan takes, although it does not fit its evaluator."""
    if write.evaluator_id is not None and write.evaluator_slug is not None:
        raise invalid("evaluator_slug", "give evaluator_id or evaluator_slug, not both")
    if evaluator is None:
        return
    own = VALUE_FIELD[evaluator["score_value_type"]]
    faults = {
        name: [f"the evaluator takes {own}"]
        for name in VALUE_FIELDS
        if name != own and getattr(write, name) is not None
    }
    config = evaluator.get("score_config") or {}
    low, high = config.get("min_score"), config.get("max_score")
    number = write.numerical_value
    if own == "numerical_value" and number is not None and not _is_within(number, low, high):
        faults[own] = [f"{number} is not from {low} to {high}"]
    if faults:
        raise HttpError(400, faults)


def _is_within(number: float, low: float | None, high: float | None) -> bool:
    return (low is None or number >= low) and (high is None or number <= high)
