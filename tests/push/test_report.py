"""What a report shows."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from canned import CannedServer

from respan_notebook import Evaluator, PushError, PushReport, RespanClient
from respan_notebook.push.outcomes import DUPLICATE, FAILED, INVALID, NOT_SENT
from respan_notebook.push.reasons import group_errors

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
        "digest": "object",
    }
    assert frame["error"][0] is None


def test_repr__names_each_reason_once() -> None:
    values = ["bad"] * 12 + [float("inf")]
    report = report_of([f"log_{n}" for n in range(13)], values)
    assert repr(report).splitlines() == [
        "PushReport of a dry run: 13 invalid",
        "  rows 0, 1, 2 and 9 more invalid: 'stars' (numerical) takes a number, got 'bad' (str)",
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
    assert "got 'bad' (str) " in repr(report)
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


def test_report__names_the_evaluator_id_that_there_is_not() -> None:
    frame = pd.DataFrame(
        {"log_id": ["a", "b"], "evaluator_id": ["eval_x", "eval_x"], "value": [1, None]}
    )
    report = frame.respan.push_scores(evaluators=[STARS], dry_run=True)
    assert report.frame[["evaluator", "status", "error"]].astype(object).values.tolist() == [
        [
            "eval_x",
            "invalid",
            "no evaluator has the slug or id 'eval_x'; there are 'stars'. For one of your own, "
            "pass evaluators=[Evaluator(evaluator_slug=..., score_value_type=...)]",
        ],
        ["eval_x", "skipped", None],
    ]


def test_report__suggests_the_evaluator_that_was_likely_meant() -> None:
    known = Evaluator(id="eval_stars", evaluator_slug="stars", score_value_type="numerical")
    frame = pd.DataFrame({"log_id": ["a"], "evaluator_id": ["star"], "value": [1]})
    report = frame.respan.push_scores(evaluators=[known], dry_run=True)
    assert "no evaluator has the slug or id 'star'; did you mean 'stars'?" in repr(report)


def test_reasons__404s_of_different_logs_are_one(canned: Callable[..., CannedServer]) -> None:
    frame = pd.DataFrame(
        {"log_id": ["a", "b/c", "two words", "d"], "stars": [1, 2, 3, float("inf")]},
        index=[10, 11, 12, 13],
    )
    server = canned(status=404, body=b'{"detail": "No such log."}')
    with RespanClient("key", server.base_url) as client:
        report = frame.respan.push_scores([STARS], client=client, progress=False)
    hint = "check the id, and that the base URL is a Respan server"
    first = f"POST /api/logs/a/scores/ answered 404: No such log; {hint}"
    infinite = "'stars' (numerical) takes a finite number, got inf (float)"
    expected = pd.DataFrame(
        {"status": ["failed", "invalid"], "rows": [3, 1], "reason": [first, infinite]},
        index=[10, 13],
    )
    pd.testing.assert_frame_equal(report.reasons, expected)
    assert repr(report).splitlines()[1:] == [
        f"  rows 10, 11, 12 failed: {first} (row 10's; the others are alike)",
        f"  row 13 invalid: {infinite}",
    ]


def test_report__showing_many_different_errors_is_quicker_than_finding_them() -> None:
    start = time.perf_counter()
    report = report_of([f"log_{n}" for n in range(100_000)], [f"bad {n}" for n in range(100_000)])
    found = time.perf_counter()
    assert "rows 0, 1, 2 and 99,997 more invalid: " in repr(report)
    assert "rows 0, 1, 2 and 99,997 more<" in report._repr_html_()
    assert report.reasons["rows"].tolist() == [100_000]
    assert time.perf_counter() - found < found - start


def test_repr__names_a_label_once() -> None:
    frame = pd.DataFrame({"log_id": list("abcde"), "stars": "bad"}, index=list("xxyzw"))
    report = frame.respan.push_scores([STARS], dry_run=True)
    assert repr(report).splitlines()[1].startswith("  rows 'x', 'y', 'z' and 1 more invalid: ")


def test_group_errors__by_status_and_what_is_alike() -> None:
    text = "'stars' takes a number, which is here as text: pass parse_text=True, got"
    errors = [
        f"{text} '4' (str)",
        "'stars' takes a number, got 'x' (str); text\nis not taken for a number",
        None,
        f"{text} '5' (str)",
        "'stars' takes a number, got ', got ' (str)",
        "same log and evaluator as row 'r1', which counts",
        "same log and evaluator as row 'r2', which counts",
        "POST /api/logs/a%2Fb/scores/ answered 404",
        "POST /api/logs/c/scores/ answered 404",
        "POST /api/logs/c/scores/ answered 404",
    ]
    status = np.array([INVALID] * 5 + [DUPLICATE] * 2 + [FAILED] * 2 + [NOT_SENT], np.int8)
    assert group_errors(status, errors) == {
        (INVALID, text.removesuffix(", got")): [0, 3],
        (INVALID, "'stars' takes a number"): [1, 4],
        (DUPLICATE, "same log and evaluator as another row, which counts"): [5, 6],
        (FAILED, "POST /api/logs/.../scores/ answered 404"): [7, 8],
        (NOT_SENT, "POST /api/logs/.../scores/ answered 404"): [9],
    }
