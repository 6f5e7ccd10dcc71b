"""Whose rows are labelled, and in which order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from labels import Open

from respan_notebook import ConfigurationError, Evaluator, FrameError, RespanClient
from respan_notebook.labelling.rows import order_rows, pick_rows

LOGS = pd.DataFrame({"log_id": list("abcd"), "cost": [3.0, np.nan, 1.0, 1.0]})
GOOD = Evaluator(evaluator_slug="good", score_value_type="boolean")
SCORES = pd.DataFrame(
    {
        "log_id": list("bcbcab"),
        "evaluator_slug": ["good"] * 4 + ["stars"] * 2,
        "scorer": ["ann", "ann", "bob", "bob", "ann", "ann"],
        "value": [True, True, False, True, 1, 5],
    }
)


def ids(frame: pd.DataFrame, order: Any, **options: Any) -> str:
    return "".join(order_rows(frame, order, **options)["log_id"])


def test_column__sorts_upwards_with_missing_cells_last() -> None:
    assert ids(LOGS, "cost") == "cdab"
    assert ids(LOGS.set_index(pd.Index([1, 1, 0, 0])), "cost") == "cdab"


def test_random__is_the_same_for_every_order_of_rows() -> None:
    many = pd.DataFrame({"log_id": [f"log_{n}" for n in range(50)]})
    first = order_rows(many, "random", seed=3)["log_id"].tolist()
    assert order_rows(many[::-1], "random", seed=3)["log_id"].tolist() == first
    assert order_rows(many, "random", seed=4)["log_id"].tolist() != first
    assert sorted(first) == sorted(many["log_id"])


def test_random__takes_rows_without_an_id() -> None:
    assert len(order_rows(LOGS.assign(log_id=["a", None, "b", None]), "random")) == 4


def test_disagreement__comes_first() -> None:
    found = ids(LOGS, "disagreement", scores=SCORES, evaluators=[GOOD])
    assert found == "bacd"  # That of another evaluator does not count.


def test_column_named_random__comes_before_the_word() -> None:
    assert ids(LOGS.assign(random=[2, 1, 4, 3]), "random") == "badc"


@pytest.mark.parametrize(
    ("order", "options", "error", "said"),
    [
        ("costs", {}, FrameError, "did you mean 'cost'"),
        ("disagreement", {}, ConfigurationError, "needs the scores"),
        ("cost", {"scores": SCORES}, ConfigurationError, "alone"),
        ("mixed", {}, FrameError, "'mixed' can't be sorted"),
        ("random", {"seed": 1.5}, ConfigurationError, "seed must be a whole number"),
        (SCORES, {}, ConfigurationError, "order is a column"),
        (["cost"], {}, ConfigurationError, "order is a column"),
    ],
)
def test_bad_order__is_said(
    order: Any, options: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        order_rows(LOGS.assign(mixed=[1, "a", [2], {}]), order, **options)


def test_me__takes_the_rows_of_a_person() -> None:
    assigned = LOGS.respan.assign(["ann", "bob", "eve"], k=1)
    parts = [pick_rows(assigned, one)["log_id"] for one in assigned["person"].unique()]
    assert sorted(pd.concat(parts)) == list("abcd")
    assert pick_rows(assigned, None) is assigned
    with pytest.raises(FrameError, match="did you mean 'ann'"):
        pick_rows(assigned.assign(person="ann"), "anna")
    with pytest.raises(FrameError, match="assign"):
        pick_rows(LOGS, "ann")


def test_annotator__shows_ones_own_rows_in_order(
    annotate: Open, logs: pd.DataFrame, client: RespanClient
) -> None:
    assigned = logs.respan.assign(["ann@example.com", "bob@example.com"], k=1)
    mine = assigned[assigned["person"] == "ann@example.com"].sort_values("latency")
    annotator = annotate("tone", assigned, me="ann@example.com", order="latency")
    assert annotator.screen["size"] == len(mine)
    assert annotator.screen["log_id"] == mine["unique_id"].iloc[0]
    annotator.editors["tone"].value = "curt"
    annotator.save()
    assert annotator.wait()  # Now it is known whose the key is.
    other = annotate("tone", assigned, me="bob@example.com")
    assert f"the key is {client.scorer}'s" in other.screen["message"]["text"]
    assert "the key is" not in annotate("tone", assigned).screen["message"]["text"]
