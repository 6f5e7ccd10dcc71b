"""What a report shows."""

from __future__ import annotations

import pandas as pd
import pytest

from respan_notebook import Evaluator, PushError, PushReport

STARS = Evaluator(evaluator_slug="stars", score_value_type="numerical")


def report_of(log_ids: list[str], values: list[object]) -> PushReport:
    frame = pd.DataFrame({"log_id": log_ids, "stars": pd.Series(values, dtype=object)})
    return frame.respan.push_scores([STARS], dry_run=True)


def test_frame__columns_and_dtypes() -> None:
    frame = report_of(["a", "b"], [1, "x"]).frame
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "log_id": "object",
        "evaluator": "category",
        "status": "category",
        "score_id": "object",
        "is_passed": "boolean",
        "http_status": "Int16",
        "error": "object",
        "attempts": "int16",
        "seconds": "float64",
    }
    assert frame["error"][0] is None


def test_repr__names_each_reason_once() -> None:
    values = ["bad"] * 12 + [float("inf")]
    report = report_of([f"log_{n}" for n in range(13)], values)
    assert repr(report).splitlines() == [
        "PushReport of a dry run: 13 invalid",
        "  rows 0, 1, 2 and 9 more invalid: 'stars' (numerical) takes a number, got 'bad' (str); "
        "text is not taken for a number; convert with pd.to_numeric",
        "  row 12 invalid: 'stars' (numerical) takes a finite number, got inf (float)",
    ]
    assert report.reasons[["status", "rows"]].to_dict("list") == {
        "status": ["invalid", "invalid"],
        "rows": [12, 1],
    }
    assert report.reasons.index.tolist() == [0, 12]
    assert len(report.errors) == 13


def test_repr__says_whose_value_stands_for_all() -> None:
    report = report_of(["a", "b", "c"], ["bad", "worse", "worst"])
    assert "got 'bad' (str); " in repr(report)
    assert repr(report).endswith("(row 0's; the others are alike)")


def test_raise_for_errors__names_the_first_row() -> None:
    report = report_of(["a", "b"], [1, "bad"])
    with pytest.raises(PushError, match=r"1 of 2 scores .*; the first, row 1: 'stars' \(numer"):
        report.raise_for_errors()


def test_repr__many_reasons() -> None:
    evaluators = [f"own_{n}" for n in range(14)]
    frame = pd.DataFrame({"log_id": "a", "evaluator_slug": evaluators, "value": 1})
    report = frame.respan.push_scores(evaluators=[STARS], dry_run=True)
    assert repr(report).endswith("... and 4 more reasons in report.reasons")
    assert "and 4 more reasons" in report._repr_html_()


def test_repr_html__escapes_what_a_log_says() -> None:
    hostile = "<script>alert(1)</script>"
    frame = pd.DataFrame({"log_id": ["a"], "stars": [hostile]}, index=[hostile])
    page = frame.respan.push_scores([STARS], dry_run=True)._repr_html_()
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 2
