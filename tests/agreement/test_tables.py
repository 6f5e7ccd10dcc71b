"""Pairs of scorers, confusion tables, and the logs that scorers differ on."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scored import NAN, NO_VARIATION, choices, defined, scores

from respan_notebook import ConfigurationError, Evaluator, FrameError
from respan_notebook.agreement.agreement import measure_agreement


def test_pairs__whole() -> None:
    frame = scores(ann=[1, 0, 1, 0], bob=[1, 0, 0, 0], judge=[None, None, 1, None], late=[None] * 4)
    frame = pd.concat([frame, scores(other=[None] * 4 + [1])], ignore_index=True)
    expected = pd.DataFrame(
        {
            "first": ["ann", "ann", "ann", "bob", "bob", "judge"],
            "second": ["bob", "judge", "other", "judge", "other", "other"],
            "logs": [4, 1, 0, 1, 0, 0],
            "percent": [75.0, 100.0, NAN, 0.0, NAN, NAN],
            # ann and bob: observed 3/4, expected (2 1 + 2 3) / 16 = 1/2.
            "kappa": [0.5, NAN, NAN, 0.0, NAN, NAN],
            "notes": [
                "",
                NO_VARIATION.format("True"),
                "no log in common",
                "",
                "no log in common",
                "no log in common",
            ],
        }
    ).astype(dict.fromkeys(("first", "second", "notes"), object))
    assert_frame_equal(measure_agreement(frame, [defined("boolean")]).pairs("e"), expected)


@pytest.mark.parametrize(
    ("evaluator", "by_scorer", "labels", "counts"),
    [
        (
            defined("boolean"),
            {"ann": [True, False, True], "bob": [True, True, None]},
            [False, True],
            [[0, 1], [0, 1]],
        ),
        (
            defined("single_select", **choices("warm", "even", "cold")),
            {"ann": ["warm", "cold"], "bob": ["cold", "cold"]},
            ["warm", "even", "cold"],
            [[0, 0, 1], [0, 0, 0], [0, 0, 1]],
        ),
        (
            defined("numerical", score_config={"min_score": 1, "max_score": 3}),
            {"ann": [3, 3], "bob": [1, 3]},
            [1, 2, 3],
            [[0, 0, 0], [0, 0, 0], [1, 0, 1]],
        ),
        (defined("percentage"), {"ann": [9, 0.5], "bob": [9, 9]}, [0.5, 9.0], [[0, 1], [0, 1]]),
        (
            defined("multi_select", **choices("ü", "a")),
            {"ann": [["a"], ["a", "ü"]], "bob": [["a"], ["a"]]},
            ['["ü", "a"]', '["a"]'],
            [[0, 1], [0, 1]],
        ),
        (
            defined("json"),
            {"ann": [{"a": 1}, [2]], "bob": [{"a": 1.0}, [2, 3]]},
            ["[2, 3]", "[2]", '{"a": 1}'],
            [[0, 0, 0], [1, 0, 0], [0, 0, 1]],
        ),
    ],
    ids=["boolean", "choices", "scale", "percentage", "sets", "json"],
)
def test_confusion__whole(
    evaluator: Evaluator, by_scorer: Any, labels: list[Any], counts: list[list[int]]
) -> None:
    expected = pd.DataFrame(
        counts, index=pd.Index(labels, name="ann"), columns=pd.Index(labels, name="bob")
    )
    assert_frame_equal(measure_agreement(scores(**by_scorer), [evaluator]).confusion("e"), expected)


def test_confusion__of_the_scorers_named() -> None:
    frame = scores(ann=[True, False], bob=[True, False], judge=[False, False])
    result = measure_agreement(frame, [defined("boolean")])
    labels = [False, True]
    expected = pd.DataFrame(
        [[1, 1], [0, 0]],
        index=pd.Index(labels, name="judge"),
        columns=pd.Index(labels, name="ann"),
    )
    assert_frame_equal(result.confusion("e", "judge", "ann"), expected)


def test_confusion__the_other_of_two() -> None:
    table = measure_agreement(scores(ann=[True], bob=[False])).confusion("e", second="ann")
    assert (table.index.name, table.columns.name) == ("bob", "ann")


@pytest.mark.parametrize(
    ("scorers", "asked", "message"),
    [
        (
            "abc",
            ("e",),
            "say which two scorers, as in confusion('e', first, second); 'e' has 'a', ",
        ),
        ("abc", ("e", "a"), "say which two scorers"),
        ("a", ("e",), "'e' has 'a'"),
        ("ab", ("e", "a", "a"), "is of two scorers, and both are 'a'"),
        ("ab", ("e", "a", "z"), "no scores by 'z' of 'e'; there are 'a', 'b'"),
        ("ab", ("f",), "no scores by an evaluator 'f'; there are 'e'"),
        ("ab", (["e"],), "no scores by an evaluator ['e']"),
    ],
    ids=["three", "first-of-three", "one", "twice", "scorer", "evaluator", "unhashable"],
)
def test_confusion__refused(scorers: str, asked: tuple[Any, ...], message: str) -> None:
    result = measure_agreement(scores(**{name: [1] for name in scorers}))
    with pytest.raises(FrameError) as caught:
        result.confusion(*asked)
    assert message in str(caught.value)


def test_differences__whole() -> None:
    frame = pd.concat(
        [
            scores("stars", ann=[1, 5, 3, 2], bob=[1, 3, 4, 2], judge=[1, 5, None, 4]),
            scores("tags", ann=[["a"], ["a", "b"]], difference=[["b"], ["a"]]),
        ],
        ignore_index=True,
    )
    evaluators = [
        defined("numerical", "stars", score_config={"min_score": 1, "max_score": 5}),
        defined("multi_select", "tags"),
    ]
    found = measure_agreement(frame, evaluators).differences()
    # Over the pairs of scorers: log 1 (2 + 0 + 2) / 3 of 4 steps, log 2 1 of 4, log 3 as log 1.
    expected = pd.DataFrame(
        [
            ["0", "tags", ["a"], None, None, ["b"]],
            ["1", "tags", ["a", "b"], None, None, ["a"]],
            ["1", "stars", 5, 3, 5, None],
            ["3", "stars", 2, 2, 4, None],
            ["2", "stars", 3, 4, None, None],
        ],
        columns=["log_id", "evaluator", "ann", "bob", "judge", "difference"],
        dtype=object,
    )
    assert_frame_equal(found.iloc[:, :-1], expected)
    assert found.columns[-1] == "difference"
    assert found.iloc[:, -1].tolist() == pytest.approx([1, 2 / 3, 1 / 3, 1 / 3, 1 / 4])


@pytest.mark.parametrize(
    ("evaluator", "one", "other", "difference"),
    [
        (defined("boolean"), True, False, 1),
        (defined("single_select", **choices("a", "b", "c")), "a", "b", 1),
        (defined("numerical", score_config={"min_score": 1, "max_score": 5}), 2, 3, 1 / 4),
        (defined("numerical", **choices(1, 10, 100)), 1, 10, 1 / 2),
        (defined("numerical", score_config={"min_score": 0, "max_score": 20}), 5.0, 10, 1 / 4),
        (defined("numerical"), -10.5, 10, 1),
        (defined("percentage"), 20, 30, 1 / 10),
        (defined("percentage", score_config={"max_score": 1}), 0.2, 0.7, 1 / 2),
        (defined("multi_select"), ["a"], ["a", "b"], 2 / 3),
        (defined("text"), "a", "b", 1),
    ],
    ids=lambda one: f"{one.score_value_type}" if isinstance(one, Evaluator) else None,
)
def test_differences__by_level(
    evaluator: Evaluator, one: Any, other: Any, difference: float
) -> None:
    frame = scores(ann=[one, one], bob=[other, one])
    found = measure_agreement(frame, [evaluator]).differences("e")
    assert found["log_id"].tolist() == ["0"]
    assert found["difference"].tolist() == pytest.approx([difference])


def test_differences__n() -> None:
    result = measure_agreement(scores(ann=[1, 2, 3], bob=[2, 4, 6]))
    assert result.differences(n=2)["log_id"].tolist() == ["2", "1"]
    for n in (0, 1.0, True):
        with pytest.raises(ConfigurationError):
            result.differences(n=n)
