"""Which logs are drawn, and who labels them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from respan_notebook import ConfigurationError, FrameError
from respan_notebook.sampling import allocate_rows

PEOPLE = ["ann", "bob", "cy", "dee"]
RECORDED = ["log_174", "log_331", "log_592", "log_363", "log_443"]


def logs(count: int, passes: int = 0) -> pd.DataFrame:
    verdicts = [i < passes for i in range(count)]
    return pd.DataFrame({"log_id": [f"log_{i}" for i in range(count)], "verdict": verdicts})


def test_sample__is_the_same_on_every_machine_and_in_every_order() -> None:
    frame = logs(1000)
    drawn = frame.respan.sample(5)
    # Recorded, so that another version of Python or of this package draws them too.
    assert drawn["log_id"].tolist() == RECORDED
    shuffled = frame.sample(frac=1, random_state=1).respan.sample(5)
    assert_frame_equal(shuffled, drawn)
    assert frame.respan.sample(5, seed=1)["log_id"].tolist() != RECORDED
    assert drawn["weight"].tolist() == [200.0] * 5
    assert drawn["stratum"].tolist() == ["all"] * 5


def test_sample__of_fewer_rows_is_the_start_of_a_larger_one() -> None:
    frame = logs(300)
    assert_frame_equal(
        frame.respan.sample(40)[["log_id"]], frame.respan.sample(90)[["log_id"]].head(40)
    )


def test_sample__draws_each_row_equally_often() -> None:
    frame = logs(20)
    drawn = [one for seed in range(2000) for one in frame.respan.sample(5, seed=seed)["log_id"]]
    counts = pd.Series(drawn).value_counts()
    # 500 each; six standard deviations of a binomial are 116.
    assert len(counts) == 20
    assert counts.between(384, 616).all()


@pytest.mark.parametrize(
    ("allocation", "sizes"),
    [
        ("proportional", {"verdict=False": 2, "verdict=True": 8}),
        ("equal", {"verdict=False": 5, "verdict=True": 5}),
    ],
)
def test_sample__by_verdict(allocation: str, sizes: dict[str, int]) -> None:
    drawn = logs(100, passes=80).respan.sample(10, by="verdict", allocation=allocation)
    assert drawn["stratum"].value_counts().to_dict() == sizes
    weights = drawn.groupby("stratum")["weight"]
    assert weights.nunique().tolist() == [1, 1]
    assert weights.sum().to_dict() == {"verdict=False": 20.0, "verdict=True": 80.0}


@pytest.mark.parametrize(
    ("sizes", "n", "shares", "expected"),
    [
        ([10], 4, [10], [4]),
        ([50, 50], 5, [1, 1], [3, 2]),
        ([998, 1, 1], 10, [998, 1, 1], [8, 1, 1]),
        ([3, 100, 100], 50, [1, 1, 1], [3, 24, 23]),
        ([1, 1, 1], 3, [1, 1, 1], [1, 1, 1]),
        ([5, 4], 9, [1, 1], [5, 4]),
        ([47, 16, 16, 21], 10, [47, 16, 16, 21], [5, 2, 1, 2]),
    ],
)
def test_allocate_rows__by_largest_remainders(
    sizes: list[int], n: int, shares: list[int], expected: list[int]
) -> None:
    assert allocate_rows(np.array(sizes), n, np.array(shares)).tolist() == expected


def test_allocate_rows__always_gives_n_and_at_least_one() -> None:
    random = np.random.default_rng(0)
    for _ in range(300):
        sizes = random.integers(1, 50, random.integers(1, 9))
        n = int(random.integers(len(sizes), sizes.sum() + 1))
        for shares in (sizes, sizes**0):
            counts = allocate_rows(sizes, n, shares)
            assert counts.sum() == n
            assert ((counts >= 1) & (counts <= sizes)).all()


def test_sample__strata_of_several_columns_odd_and_missing_values() -> None:
    frame = logs(4, passes=2).assign(tag=[["a"], None, float("nan"), "<b>"])
    drawn = frame.respan.sample(4, by=["verdict", "tag"])
    assert set(drawn["stratum"]) == {
        "verdict=True, tag=['a']",
        "verdict=True, tag missing",
        "verdict=False, tag missing",
        "verdict=False, tag=<b>",
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, r"n must be a whole number from 1, got 0 \(int\)"),
        ({"n": True}, "n must be a whole number"),
        ({"n": 11}, "n is 11, and there are only 10 rows"),
        ({"n": 1, "by": "verdict"}, "n is 1, and there are 2 strata"),
        ({"n": 2, "by": []}, "names no column"),
        ({"n": 2, "by": "verdikt"}, "did you mean 'verdict'"),
        ({"n": 2, "allocation": "even"}, "allocation is 'proportional' or 'equal', got 'even'"),
        ({"n": 2, "seed": 1.5}, "seed must be a whole number"),
    ],
)
def test_sample__refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigurationError, FrameError), match=message):
        logs(10, passes=5).respan.sample(**options)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.concat([logs(2), logs(1)], ignore_index=True), "'log_0' is there twice, in rows 0 and"),
        (logs(2).assign(log_id=["a", None]), "row 1: no log id"),
        (logs(2).assign(weight=1.0), "has a column 'weight' already"),
        (logs(2).drop(columns="log_id"), "no log id"),
        (logs(0), "there are only 0 rows"),
    ],
)
def test_sample__refuses_a_frame(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises((ConfigurationError, FrameError), match=message):
        frame.respan.sample(1)


def test_assign__gives_each_log_to_k_people_evenly() -> None:
    assigned = logs(1000).respan.assign(PEOPLE)
    assert assigned.groupby("log_id")["person"].nunique().eq(2).all()
    # 500 each; six standard deviations are 95.
    assert assigned["person"].value_counts().between(405, 595).all()


def test_assign__a_fifth_person_takes_logs_over_and_moves_no_other() -> None:
    four, five = (
        {tuple(pair) for pair in logs(1000).respan.assign(some)[["log_id", "person"]].to_numpy()}
        for some in (PEOPLE, [*PEOPLE, "eve"])
    )
    joined = five - four
    assert {person for _, person in joined} == {"eve"}
    assert 0.15 < len(joined) / len(five) < 0.25


def test_assign__does_not_depend_on_the_order_of_people_or_rows() -> None:
    frame = logs(50)
    one = frame.respan.assign(PEOPLE, seed=3)
    other = frame[::-1].respan.assign(PEOPLE[::-1], seed=3)
    names = ["log_id", "person"]
    assert_frame_equal(
        one[names].sort_values(names, ignore_index=True),
        other[names].sort_values(names, ignore_index=True),
    )


@pytest.mark.parametrize(
    ("people", "k", "message"),
    [
        ("ann", 1, "people is a list of names, got 'ann'"),
        (["ann", "ann"], 1, "named once, not 'ann'"),
        (["ann", " "], 1, "a person is a name"),
        (["ann"], 2, "k is 2, and there are only 1 person"),
        ([], 1, "there are only 0 people"),
        (["ann"], 0, "k must be a whole number from 1"),
    ],
)
def test_assign__refuses(people: Any, k: int, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        logs(3).respan.assign(people, k=k)
