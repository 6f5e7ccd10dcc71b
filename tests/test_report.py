"""What a report shows."""

from __future__ import annotations

import pandas as pd

from respan_notebook import Evaluator, PushReport

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


def test_repr__shows_counts_and_the_first_errors() -> None:
    report = report_of([f"log_{n}" for n in range(12)], ["bad"] * 12)
    text = repr(report)
    assert text.startswith("PushReport of a dry run: 12 invalid\n")
    assert "row 0 invalid: 'stars' (numerical) takes a number, got 'bad' (str); text is not" in text
    assert text.endswith("... and 2 more in report.errors")


def test_repr_html__escapes_what_a_log_says() -> None:
    hostile = "<script>alert(1)</script>"
    frame = pd.DataFrame({"log_id": ["a"], "stars": [hostile]}, index=[hostile])
    page = frame.respan.push_scores([STARS], dry_run=True)._repr_html_()
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 2
