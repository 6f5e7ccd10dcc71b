"""Which type and scale values are taken to be of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scored import choices, defined, row_of, scores

from respan_notebook.agreement.agreement import measure_agreement


@pytest.mark.parametrize(
    ("kind", "fields", "values", "level"),
    [
        ("numerical", {}, [0, 10], "ordinal"),
        ("numerical", {}, [0, 11], "interval"),
        ("numerical", {}, [1, 2.5], "interval"),
        ("numerical", {"score_config": {"min_score": 0, "max_score": 100}}, [1, 2], "interval"),
        ("numerical", {"score_config": {"min_score": 0.5, "max_score": 5}}, [1, 2], "interval"),
        ("numerical", choices(0, 0.5, 100), [0.5, 100], "ordinal"),
        ("numerical", choices(0, 0.5, 100), [0.25, 100], "interval"),
        ("numerical", choices(1, 3, 5), [2, 5], "ordinal"),
        ("percentage", {}, [1, 2], "interval"),
    ],
    ids=[
        "eleven-points",
        "twelve-points",
        "halves",
        "wide-bounds",
        "half-bound",
        "named-points",
        "between-named-points",
        "some-points-named",
        "percentage",
    ],
)
def test_level__of_numbers(
    kind: str, fields: dict[str, Any], values: list[float], level: str
) -> None:
    result = measure_agreement(scores(ann=values, bob=values), [defined(kind, **fields)])
    assert row_of(result)["level"] == level


@pytest.mark.parametrize(
    ("values", "kind", "level"),
    [
        ([True, np.False_], "boolean", "nominal"),
        ([1, 2.0], "numerical", "ordinal"),
        (["a", "b"], "text", "exact"),
        ([["a"], ("a", "b")], "multi_select", "set"),
        ([{"a": 1}, {"a": 2}], "json", "exact"),
        ([[{"a": 1}], ["a"]], "json", "exact"),
        ([[1, 2], [[3]]], "json", "exact"),
    ],
    ids=["bool", "number", "text", "lists", "dicts", "lists-of-dicts", "lists-of-numbers"],
)
def test_type__is_taken_from_the_values(values: list[Any], kind: str, level: str) -> None:
    result = measure_agreement(scores(ann=values, bob=values))
    row = row_of(result)
    assert (row["type"], row["level"], row["percent"]) == (kind, level, 100)
    (warning,) = result.warnings
    assert warning.startswith(f"'e' has no definition and was taken for {kind}, as its values look")
    assert warning in repr(result)
