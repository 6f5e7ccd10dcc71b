"""Intervals of agreement, and AC1."""

from __future__ import annotations

import numpy as np
import pytest
from scored import defined, scores, table_of

from respan_notebook import FrameError
from respan_notebook.agreement.agreement import measure_agreement


def test_ac1__as_irrcac_has_it_where_one_answer_dominates() -> None:
    # irrCAC 0.4.4 has a kappa of -0.02339 and an AC1 of 0.94078 of this table.
    result = measure_agreement(
        scores(**table_of([[118, 5], [2, 0]], [True, False])), [defined("boolean")]
    )
    assert result.table.loc["e", "kappa"] == pytest.approx(-0.02339, abs=1e-5)
    assert result.intervals().loc["e", "ac1"] == pytest.approx(0.94078, abs=1e-5)


def test_intervals__hold_the_numbers_narrow_with_logs_and_are_the_same_each_time() -> None:
    widths = []
    for size in (1, 8):
        frame = scores(**table_of([[10 * size, 2 * size], [size, 8 * size]], [True, False]))
        result = measure_agreement(frame, [defined("boolean")])
        row, found = result.intervals().loc["e"], result.table.loc["e"]
        for name in ("percent", "kappa", "alpha"):
            assert row[f"{name}_low"] < found[name] < row[f"{name}_high"]
        assert row.equals(result.intervals().loc["e"])
        widths.append(row["alpha_high"] - row["alpha_low"])
    # The standard error of 8 times as many logs is 2.8 times smaller.
    assert 2 < widths[0] / widths[1] < 4


@pytest.mark.parametrize(
    "values", [{"ann": [True]}, {"ann": [True, True], "bob": [True, True]}], ids=["one", "same"]
)
def test_intervals__undefined(values: dict[str, list[bool]]) -> None:
    row = measure_agreement(scores(**values), [defined("boolean")]).intervals().loc["e"]
    assert row["verdict"] == "undefined"
    assert np.isnan(row["alpha_low"])


def test_intervals__of_equal_scores_are_no_certainty() -> None:
    # Of 0 of n logs that differ, at most 1 - 0.025^(1/n) do; half of the pairs differ by chance.
    found = {}
    for count in (5, 30, 100):
        values = [True, False] * count
        result = measure_agreement(scores(ann=values, bob=values), [defined("boolean")])
        found[count] = result.intervals().loc["e"]
    assert found[30]["alpha_low"] == pytest.approx(1 - (1 - 0.025 ** (1 / 60)) / 0.5)
    assert found[30]["percent_low"] == pytest.approx(100 * 0.025 ** (1 / 60))
    assert [found[count]["alpha_high"] for count in found] == [1, 1, 1]
    assert [found[count]["verdict"] for count in found] == [
        "not enough to conclude",
        "reliable",
        "reliable",
    ]
    # 30 logs: 1 - 0.116 / 0.5.
    values = [True, False] * 15
    row = measure_agreement(scores(ann=values, bob=values), [defined("boolean")]).intervals()
    assert row.loc["e", "verdict"] == "tentative"


def test_intervals__of_scores_that_all_differ_are_no_certainty() -> None:
    frame = scores(ann=[True, False] * 10, bob=[False, True] * 10)
    row = measure_agreement(frame, [defined("boolean")]).intervals().loc["e"]
    assert row["percent_low"] == 0
    assert row["percent_high"] == pytest.approx(100 * (1 - 0.025 ** (1 / 20)))
    assert row["alpha_high"] < 0
    assert row["verdict"] == "too low to conclude"


def test_intervals__of_few_logs_conclude_nothing() -> None:
    frame = scores(ann=[True, False] * 4, bob=[False, True] * 4)
    result = measure_agreement(frame, [defined("boolean")])
    assert result.intervals().loc["e", "verdict"] == "not enough to conclude"


def test_intervals__of_threads_are_wider_where_their_logs_are_alike() -> None:
    # Each of 20 threads has ten logs on which ann and bob agree all along, or by chance.
    random = np.random.default_rng(0)
    ann = random.random(200) < 0.5
    bob = np.where(np.repeat(random.random(20) < 0.5, 10), ann, random.random(200) < 0.5)
    frame = scores(ann=ann.tolist(), bob=bob.tolist())
    frame["talk"] = frame["log_id"].astype(int) // 10
    by_log = frame.respan.agreement(defined("boolean")).intervals().loc["e"]
    by_thread = frame.respan.agreement(defined("boolean"), threads="talk").intervals().loc["e"]
    widths = [row["alpha_high"] - row["alpha_low"] for row in (by_log, by_thread)]
    assert widths[1] > 1.3 * widths[0]
    # Logs without a thread stand for themselves.
    alone = frame.assign(talk=None).respan.agreement(defined("boolean"), threads="talk")
    assert alone.intervals().loc["e"].equals(by_log)


def test_intervals__of_a_log_in_two_threads_are_refused() -> None:
    frame = scores(ann=[True], bob=[True]).assign(talk=["x", "y"])
    with pytest.raises(FrameError, match="log '0' is in two threads, 'x' and 'y'"):
        frame.respan.agreement(threads="talk")
    with pytest.raises(FrameError, match="thread_id"):
        frame.respan.agreement(threads="thread_id")


def test_repr__says_ac1_where_one_answer_dominates() -> None:
    frame = scores(**table_of([[118, 5], [2, 0]], [True, False]))
    result = measure_agreement(frame, [defined("boolean")])
    assert "e: True is 97% of the scores, which makes kappa low: AC1 0.94" in repr(result)
    assert "AC1 0.94" in result._repr_html_()
    balanced = scores(**table_of([[20, 5], [2, 20]], [True, False]))
    assert "AC1" not in repr(measure_agreement(balanced, [defined("boolean")]))
