"""A type of one's own, put beside the nine: validated, sent, read back, pulled and compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

import pandas as pd
import pytest

from respan_notebook import Evaluator, RespanClient, Sandbox
from respan_notebook.values import types
from respan_notebook.values.checks import Bounds, RefusedError
from respan_notebook.values.types import ValueType

GRADES = "FEDCBA"
ESSAY = Evaluator(evaluator_slug="essay", score_value_type="grade")


def check_grade(_evaluator: Evaluator, _bounds: Bounds) -> Callable[[object], float]:
    """Take a letter; sent as its place."""

    def check(raw: object) -> float:
        if not isinstance(raw, str) or raw not in GRADES:
            raise RefusedError("takes a grade from A to F")
        return float(GRADES.index(raw))

    return check


GRADE = ValueType(
    "grade",
    "numerical_value",
    check_grade,
    decode=lambda place: GRADES[int(place)],
    dtype="string",
    level="nominal",
)


@pytest.fixture
def _graded(monkeypatch: pytest.MonkeyPatch) -> None:
    larger = MappingProxyType({**types.VALUE_TYPES, "grade": GRADE})
    monkeypatch.setattr(types, "VALUE_TYPES", larger)


@pytest.mark.usefixtures("_graded")
def test_tenth_type__goes_all_the_way(sandbox: Sandbox, client: RespanClient) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01", "demo_02", "demo_03"], "essay": ["A", "C", "Z"]})
    report = frame.respan.push_scores([ESSAY], client=client, progress=False)
    assert report.counts == {"created": 2, "invalid": 1}
    assert report.frame["error"][2] == "'essay' (grade) takes a grade from A to F, got 'Z' (str)"
    assert [score.numerical_value for score in client.list_scores("demo_01")] == [5.0]
    again = frame.respan.push_scores([ESSAY], client=client, progress=False, skip_unchanged=True)
    assert again.counts == {"unchanged": 2, "invalid": 1}

    pulled = frame.respan.pull_scores([ESSAY], client=client)
    expected = pd.DataFrame({"essay": pd.array(["A", "C", None], dtype="string")})
    pd.testing.assert_frame_equal(pulled, expected)

    with RespanClient(sandbox.api_keys["bob@example.com"], sandbox.base_url) as bob:
        other = frame.assign(essay=["A", "D", None])
        other.respan.push_scores([ESSAY], client=bob, progress=False).raise_for_errors()
    both = frame.respan.pull_scores([ESSAY], client=client, scorer="all")
    agreement = both.respan.agreement(ESSAY)
    row = agreement.table.loc["essay", ["type", "level", "logs", "percent"]]
    assert row.tolist() == ["grade", "nominal", 2, 50.0]
    assert agreement.confusion("essay").loc["C", "D"] == 1


@pytest.mark.usefixtures("_graded")
def test_tenth_type__is_one_that_the_message_names() -> None:
    frame = pd.DataFrame({"log_id": ["a"], "evaluator_slug": ["x"], "value": [1]})
    unknown = Evaluator(evaluator_slug="x", score_value_type="mark")
    report = frame.respan.push_scores(evaluators=unknown, dry_run=True)
    assert report.frame["error"][0].endswith("comment, grade")


def test_value_types__can_not_be_changed() -> None:
    with pytest.raises(TypeError):
        types.VALUE_TYPES["grade"] = GRADE  # type: ignore[index]
    with pytest.raises(AttributeError):
        GRADE.field = "string_value"  # type: ignore[misc]
    assert replace(GRADE, field="string_value").field == "string_value"
    assert {name: one.name for name, one in types.VALUE_TYPES.items()} == {
        name: name for name in types.VALUE_TYPES
    }
