"""Say which scores pass, and which verdicts of a judge are wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from respan_notebook.agreement.estimates import VerdictLabels
from respan_notebook.agreement.scale import category_reader
from respan_notebook.errors import ConfigurationError
from respan_notebook.models import Evaluator
from respan_notebook.values.cells import is_number
from respan_notebook.values.passing import passing_check
from respan_notebook.wording import render_value

_NAMES: Final = {True: "pass", False: "fail"}


@dataclass(frozen=True)
class Outcomes:
    """Hold passes and fails: of the labelled logs in ``frame``, and counted by verdict."""

    frame: pd.DataFrame
    cells: dict[bool, VerdictLabels]
    passes: Any
    evaluator: Evaluator

    def does_pass(self, value: Any) -> bool:
        """Return whether a score passes."""
        return read_passes(self.passes, [value], self.evaluator)(value)


def read_passes(passes: Any, values: Sequence[Any], evaluator: Evaluator) -> Callable[[Any], bool]:
    """Return the function that says whether a score passes."""
    if passes is None:
        if all(isinstance(one, bool) for one in values):
            return bool
        raise ConfigurationError("say what passes: passes= takes a value, a set of them or a bound")
    if isinstance(passes, Evaluator):
        return passing_check(passes, category_reader(evaluator))
    if isinstance(passes, Mapping):
        conditions = evaluator.model_copy(update={"passing_conditions": dict(passes)})
        return passing_check(conditions, category_reader(evaluator))
    if isinstance(passes, set | frozenset | list | tuple):
        wanted = list(passes)
        return lambda value: value in wanted
    if is_number(passes) and all(is_number(one) for one in values):
        return lambda value: bool(value >= passes)
    if isinstance(passes, str | bool):
        return lambda value: bool(value == passes)
    raise ConfigurationError(
        "passes takes a value, a set of values, a bound or passing conditions, got "
        f"{render_value(passes)}"
    )


def count_outcomes(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of labelled logs, by people's labels and the judge's verdicts."""
    counts = [
        [
            int(((outcomes["label"] == label) & (outcomes["verdict"] == verdict)).sum())
            for verdict in _NAMES
        ]
        for label in _NAMES
    ]
    names = list(_NAMES.values())
    return pd.DataFrame(
        counts, pd.Index(names, name="people"), pd.Index(names, name="judge"), dtype="int64"
    )


def pick_wrong(outcomes: Outcomes | None, rows: pd.DataFrame, *, verdict: bool) -> pd.DataFrame:
    """Return the labelled logs with this verdict that is wrong, with the population's columns."""
    names = ["log_id", "verdict", "label"]
    if outcomes is None:
        return pd.DataFrame(columns=names, dtype=object)
    frame = outcomes.frame
    wrong = ((frame["verdict"] == verdict) & (frame["label"] != verdict)).to_numpy()
    others = rows.loc[:, [name not in (*names, "value") for name in rows.columns]]
    found = pd.concat([frame.set_axis(rows.index), others], axis=1)[wrong].reset_index(drop=True)
    found.attrs = dict(rows.attrs)
    return found
