"""Slugs that no evaluator has: refused unless told otherwise, and compared as they are sent."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from dry import STARS, dry, statuses

from respan_notebook import BadRequestError, Evaluator, RespanClient

QUIET: dict[str, Any] = {"progress": False}


def raw(*slugs: Any, **fields: Any) -> pd.DataFrame:
    """Give a tidy frame of one value for each slug, each of another log."""
    logs = [f"demo_{n:02}" for n in range(1, len(slugs) + 1)]
    fields = fields or {"numerical_value": 1}
    return pd.DataFrame({"log_id": logs, "evaluator_slug": list(slugs), **fields})


def test_push_scores__an_unknown_slug_is_invalid() -> None:
    report = dry(raw("star", "stars"), None)
    assert statuses(report) == ["invalid", "not_sent"]
    assert report.frame["error"][0] == (
        "no evaluator has the slug or id 'star'; did you mean 'stars'? For one of your own, pass "
        "evaluators=[Evaluator(evaluator_slug=..., score_value_type=...)], or pass "
        "custom_evaluators=True"
    )
    assert report.warnings == []


@pytest.mark.parametrize(
    "frame",
    [
        raw("star").rename(columns={"numerical_value": "value"}),
        raw("star").rename(columns={"evaluator_slug": "evaluator_id"}),
    ],
    ids=["value", "id"],
)
def test_push_scores__what_implies_no_evaluator_is_invalid_all_the_same(
    frame: pd.DataFrame,
) -> None:
    report = dry(frame, None, custom_evaluators=True)
    assert statuses(report) == ["invalid"]
    assert "custom_evaluators" not in report.frame["error"][0]


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("numerical_value", 2, "numerical"),
        ("string_value", "warm", "text"),
        ("boolean_value", True, "boolean"),
        ("categorical_value", "warm", "multi_select"),
        ("json_value", "[1]", "json"),
    ],
)
def test_custom_evaluators__warns_of_each_that_is_new(field: str, value: Any, kind: str) -> None:
    frame = raw("star", "star", "brevity", **{field: [value] * 3})
    report = dry(frame, None, custom_evaluators=True)
    assert report.counts == {"not_sent": 3}
    becomes = f"it becomes a custom one of type {kind}, for"
    assert report.warnings == [
        f"no evaluator has the slug 'star': {becomes} 2 rows; did you mean 'stars'?",
        f"no evaluator has the slug 'brevity': {becomes} 1 row",
    ]
    assert repr(report).count("warning: no evaluator has the slug") == 2


def test_custom_evaluators__warns_of_rows_that_are_sent_alone() -> None:
    frame = raw("new", "new", "stars", "gap", numerical_value=[1, 2, 3, None])
    frame.loc[0, "log_id"] = None
    report = dry(frame, None, custom_evaluators=True)
    assert statuses(report) == ["invalid", "not_sent", "not_sent", "skipped"]
    assert report.warnings == [
        "no evaluator has the slug 'new': it becomes a custom one of type numerical, for 1 row"
    ]


def test_custom_evaluators__one_of_the_server_is_none(client: RespanClient) -> None:
    report = raw("helpfulness", "helpfulnes").respan.push_scores(
        client=client, custom_evaluators=True, **QUIET
    )
    assert report.counts == {"created": 2}
    assert [one.rpartition("; ")[2] for one in report.warnings] == ["did you mean 'helpfulness'?"]


SLUGS = ["cust", "cust ", " cust", "CUST", "cust\t", "cu\u0301st", "c\u00fast"]


def test_slugs__are_compared_as_sent(client: RespanClient) -> None:
    frame = raw(*SLUGS, numerical_value=range(len(SLUGS))).assign(log_id="demo_01")
    report = frame.respan.push_scores(client=client, custom_evaluators=True, **QUIET)
    assert report.counts == {"created": len(SLUGS)}
    stored = {one.evaluator_slug: one.numerical_value for one in client.list_scores("demo_01")}
    assert stored == {slug: float(n) for n, slug in enumerate(SLUGS)}

    again = frame.respan.push_scores(
        client=client, custom_evaluators=True, skip_unchanged=True, **QUIET
    )
    assert again.counts == {"unchanged": len(SLUGS)}
    named = [Evaluator(evaluator_slug=one, score_value_type="numerical") for one in SLUGS]
    pulled = pd.DataFrame({"log_id": ["demo_01"]}).respan.pull_scores(named, client=client)
    assert pulled.iloc[0].to_dict() == stored


def test_slugs__of_evaluators_are_kept_as_sent(client: RespanClient) -> None:
    for slug in ("odd", "odd "):
        made = client.create_evaluator(
            {"name": "Odd", "evaluator_slug": slug, "score_value_type": "numerical"}
        )
        assert made.evaluator_slug == slug
    report = raw("odd", "odd ", " odd").respan.push_scores(client=client, dry_run=True)
    assert statuses(report) == ["not_sent", "not_sent", "invalid"]
    with pytest.raises(BadRequestError, match="evaluator_slug"):
        client.create_evaluator(
            {"name": "Odd", "evaluator_slug": " \t", "score_value_type": "numerical"}
        )


def test_slugs__duplicates_are_of_one_slug() -> None:
    twice = [
        Evaluator(evaluator_slug=one, score_value_type="numerical") for one in ("cust", "cust ")
    ]
    frame = raw("cust", "cust ", "cust").assign(log_id="a")
    report = frame.respan.push_scores(evaluators=[STARS, *twice], dry_run=True)
    assert statuses(report) == ["duplicate", "not_sent", "not_sent"]
