"""Test every filter operator on scores, evaluators and logs."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from respan_notebook.sandbox.database import Order
from respan_notebook.sandbox.errors import HttpError
from respan_notebook.sandbox.filters import MAX_CONDITIONS, MAX_VALUES, OPERATORS, read_filters
from respan_notebook.sandbox.tables import (
    EVALUATOR_COLUMNS,
    LOG_COLUMNS,
    SCORE_COLUMNS,
    find_log_column,
)

SCORES = {
    "low": {"numerical_value": 1, "string_value": "Straße", "dataset_id": "prod"},
    "mid": {"numerical_value": 2.5, "string_value": "ÉTÉ 50%_", "boolean_value": False},
    "high": {"numerical_value": 5, "string_value": "été", "categorical_value": ["a", "b"]},
    "none": {"boolean_value": True, "categorical_value": ["b", "c"], "json_value": '{"a": 1}'},
}


@pytest.fixture
def scores(store):
    for name, changes in SCORES.items():
        store.upsert_score(
            log_id=name,
            scorer="ann",
            evaluator=None,
            slug="s",
            changes=changes,
            environment="prod",
        )

    def matching(filters):
        order = Order(by="created_at", descending=False, offset=0, limit=100)
        where = read_filters(filters, SCORE_COLUMNS.get)
        return [score["log_id"] for score in store.scores(where, order)]

    return matching


CASES = [
    ("log_id", "", ["mid"], ["mid"]),
    ("log_id", "", ["mid", "low", "nobody"], ["low", "mid"]),
    ("log_id", "in", ["mid", "none"], ["mid", "none"]),
    ("log_id", "not", ["mid", "none"], ["low", "high"]),
    ("dataset_id", "not", ["prod"], ["mid", "high", "none"]),
    ("dataset_id", "isnull", [True], ["mid", "high", "none"]),
    ("dataset_id", "isnull", [False], ["low"]),
    ("dataset_id", "isnull", [True, False], ["low", "mid", "high", "none"]),
    ("numerical_value", "", [5], ["high"]),
    ("numerical_value", "", [2.5], ["mid"]),
    ("numerical_value", "lt", [2.5], ["low"]),
    ("numerical_value", "lte", [2.5], ["low", "mid"]),
    ("numerical_value", "gt", [2.5], ["high"]),
    ("numerical_value", "gte", [2.5], ["mid", "high"]),
    ("numerical_value", "gte", [3, 100], ["high"]),
    ("numerical_value", "lt", ["text"], []),
    ("boolean_value", "", [True], ["none"]),
    ("boolean_value", "", [False], ["mid"]),
    ("string_value", "iexact", ["STRASSE"], ["low"]),
    ("string_value", "iexact", ["ÉtÉ"], ["high"]),
    ("string_value", "contains", ["t"], ["low", "high"]),
    ("string_value", "contains", ["%_"], ["mid"]),
    ("string_value", "icontains", ["éT"], ["mid", "high"]),
    ("string_value", "startswith", ["St", "ét"], ["low", "high"]),
    ("string_value", "endswith", ["ße", "té"], ["low", "high"]),
    ("string_value", "endswith", [""], ["low", "mid", "high"]),
    ("string_value", "gt", ["T"], ["mid", "high"]),
    ("json_value", "contains", ['"a"'], ["none"]),
    ("categorical_value", "", ["b"], ["high", "none"]),
    ("categorical_value", "in", ["a", "c"], ["high", "none"]),
    ("categorical_value", "not", ["a"], ["low", "mid", "none"]),
    ("categorical_value", "isnull", [True], ["low", "mid"]),
    ("categorical_value", "isnull", [False], ["high", "none"]),
    ("categorical_value", "startswith", ["c"], ["none"]),
    ("created_at", "gt", ["2026-01-05"], ["low", "mid", "high", "none"]),
    ("created_at", "lt", ["2020-01-05T00:00:00+02:00"], []),
    ("created_at", "startswith", ["1"], []),
    ("evaluator_id", "isnull", [True], ["low", "mid", "high", "none"]),
    ("log_id", "", ["' OR 1=1 --"], []),
]


@pytest.mark.parametrize(("field", "operator", "value", "matched"), CASES)
def test_filter__operators_on_scores(scores, field, operator, value, matched):
    assert scores({field: {"operator": operator, "value": value}}) == matched


def test_filter__every_operator_has_a_case():
    assert {case[1] for case in CASES} == set(OPERATORS)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("field", SCORE_COLUMNS)
def test_filter__every_field_takes_every_operator(scores, field, operator):
    value = True if operator == "isnull" else "2026-01-05" if field == "created_at" else "x"

    assert isinstance(scores({field: {"operator": operator, "value": [value]}}), list)


NO_LIST = "log_id: value must be a list of at least one value"
NO_VALUE = "log_id: a value is a string, a number or a boolean"
NO_FLAG = "log_id: isnull takes true or false"
NO_NUMBER = "NaN and infinities are not JSON"
NO_FIELD = "'evaluator_key' is not a field to filter on"


def test_filter__fields_are_anded(scores):
    filters = {
        "numerical_value": {"operator": "gte", "value": [2]},
        "categorical_value": {"operator": "", "value": ["a"]},
    }

    assert scores(filters) == ["high"]
    assert scores({}) == ["low", "mid", "high", "none"]


LOGS = {
    "one": {
        "model": "gpt-4o",
        "status_code": 200,
        "cost": 0.1,
        "timestamp": "2026-01-05T09:00:00.000000Z",
        "metadata": {"lang": "de", "batch": 7, "ok": True, 'odd"key.$[0]': "x", "": "empty"},
    },
    "two": {
        "model": "GPT-4o-mini",
        "status_code": 500,
        "timestamp": "2026-01-05T10:00:00.000000Z",
        "input": {"question": "why"},
        "metadata": {"lang": "fr", "batch": 12, "nested": {"a": 1}},
    },
    "three": {"timestamp": "2026-01-05T11:00:00.000000Z", "blurred": True},
}


@pytest.fixture
def logs(store):
    for name, log in LOGS.items():
        assert store.add_log({"unique_id": name, **log})
    evaluator = {"id": "e", "name": "E", "score_value_type": "numerical", "type": "human"}
    store.add_evaluator({**evaluator, "evaluator_slug": "e_slug"})

    def score(log_id, slug, **changes):
        known = store.evaluator(slug)
        store.upsert_score(
            log_id=log_id,
            scorer="ann",
            evaluator=known,
            slug=slug,
            changes=changes,
            environment="prod",
        )

    score("one", "e", numerical_value=2)
    score("two", "e", numerical_value=4)
    score("one", "own", categorical_value=["a", "b"])
    score("two", "own", string_value="Fine")
    score("three", "yes", boolean_value=True)
    score("three", "empty")

    def matching(filters):
        order = Order(by="timestamp", descending=False, offset=0, limit=100)
        where = read_filters(filters, find_log_column)
        found = [log["unique_id"] for log in store.logs(where, order)]
        assert store.count_logs(where) == len(found)
        return found

    return matching


@pytest.mark.parametrize(
    ("field", "operator", "value", "matched"),
    [
        ("id", "in", ["one", "three"], ["one", "three"]),
        ("unique_id", "startswith", ["t"], ["two", "three"]),
        ("model", "icontains", ["GPT"], ["one", "two"]),
        ("model", "iexact", ["gpt-4O"], ["one"]),
        ("status_code", "gte", [400], ["two"]),
        ("status_code", "not", [200], ["two", "three"]),
        ("cost", "lte", [0.1], ["one"]),
        ("input", "contains", ["why"], ["two"]),
        ("blurred", "", [True], ["three"]),
        ("timestamp", "gte", ["2026-01-05T11:00:00+01:00"], ["two", "three"]),
        ("timestamp", "lt", ["2026-01-05 10:00"], ["one"]),
        ("timestamp", "", ["2026-01-05T12:00+02:00"], ["two"]),
        ("timestamp", "startswith", ["2026-01-05T09"], ["one"]),
        ("metadata__lang", "", ["de"], ["one"]),
        ("metadata__lang", "not", ["de"], ["two", "three"]),
        ("metadata__lang", "isnull", [True], ["three"]),
        ("metadata__batch", "gt", [7], ["two"]),
        ("metadata__ok", "", [True], ["one"]),
        ('metadata__odd"key.$[0]', "", ["x"], ["one"]),
        ("metadata__", "", ["empty"], ["one"]),
        ("metadata__nested", "contains", ['"a":1'], ["two"]),
        ("metadata__') OR 1=1 --{key}{0}", "", ["x"], []),
        ("scores__e", "", [2], ["one"]),
        ("scores__e", "gte", [2], ["one", "two"]),
        ("scores__e", "not", [2], ["two", "three"]),
        ("scores__e", "isnull", [True], ["three"]),
        ("scores__e", "isnull", [False], ["one", "two"]),
        ("scores__e_slug", "gt", [3], ["two"]),
        ("scores__own", "", ["b"], ["one"]),
        ("scores__own", "iexact", ["FINE", "A"], ["one", "two"]),
        ("scores__yes", "", [True], ["three"]),
        ("scores__empty", "isnull", [True], ["one", "two", "three"]),
        ("scores__nobody", "", ["b"], []),
    ],
)
def test_filter__logs(logs, field, operator, value, matched):
    assert logs({field: {"operator": operator, "value": value}}) == matched


@pytest.mark.parametrize(
    ("field", "operator", "value", "matched"),
    [
        ("id", "", ["e1"], ["e1"]),
        ("evaluator_slug", "in", ["tone", "none"], ["e2"]),
        ("score_value_type", "", ["boolean"], ["e1"]),
        ("name", "icontains", ["TONE"], ["e2"]),
        ("tags", "", ["old"], ["e2"]),
        ("tags", "isnull", [True], ["e1"]),
        ("starred", "", [True], ["e1"]),
        ("updated_at", "gt", ["2026-01-01"], ["e1", "e2"]),
    ],
)
def test_filter__evaluators(store, field, operator, value, matched):
    common = {"type": "human"}
    first = {"name": "Grounded", "score_value_type": "boolean", "starred": True, "tags": []}
    second = {"name": "Tone", "score_value_type": "text", "starred": False, "tags": ["old"]}
    store.add_evaluator({**common, **first, "id": "e1"})
    store.add_evaluator({**common, **second, "id": "e2"})
    where = read_filters({field: {"operator": operator, "value": value}}, EVALUATOR_COLUMNS.get)

    order = Order(by="created_at", descending=False, offset=0, limit=9)
    assert [found["id"] for found in store.evaluators(where, order)] == matched


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (None, "give an object: field -> {operator, value}"),
        ([], "give an object: field -> {operator, value}"),
        ({"shoe_size": {"operator": "", "value": [1]}}, "'shoe_size' is not a field to filter on"),
        ({"evaluator_key": {"operator": "", "value": [1]}}, NO_FIELD),
        ({"log_id": 1}, "log_id: give an object with operator and value"),
        ({"log_id": {"value": [1]}}, "log_id: None is not an operator"),
        ({"log_id": {"operator": "like", "value": [1]}}, "log_id: 'like' is not an operator"),
        ({"log_id": {"operator": [], "value": [1]}}, "log_id: [] is not an operator"),
        ({"log_id": {"operator": ""}}, NO_LIST),
        ({"log_id": {"operator": "", "value": "x"}}, NO_LIST),
        ({"log_id": {"operator": "in", "value": []}}, NO_LIST),
        ({"log_id": {"operator": "in", "value": [None]}}, NO_VALUE),
        ({"log_id": {"operator": "in", "value": [["x"]]}}, NO_VALUE),
        ({"log_id": {"operator": "in", "value": [2**63]}}, "log_id: a number beyond 64 bits"),
        ({"log_id": {"operator": "isnull", "value": ["true"]}}, NO_FLAG),
        ({"log_id": {"operator": "in", "value": ["\ud800"]}}, "holds half of a surrogate pair"),
        ({"log_id": {"operator": "in", "value": [float("nan")]}}, NO_NUMBER),
        (
            {"created_at": {"operator": "gt", "value": ["noon"]}},
            "created_at: give a timestamp in ISO 8601, such as 2026-01-05T09:00:00Z",
        ),
        (
            {"created_at": {"operator": "gt", "value": [5]}},
            "created_at: give a timestamp in ISO 8601, such as 2026-01-05T09:00:00Z",
        ),
        (
            {"log_id": {"operator": "in", "value": ["x"] * (MAX_VALUES + 1)}},
            f"at most {MAX_VALUES} values",
        ),
    ],
)
def test_filter__refused(api, filters, message):
    body = json.dumps({"filters": filters}).encode()

    answer = api("POST", "scores/list/", data=body)

    assert (answer.status_code, answer.json()) == (400, {"filters": [message]})


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
)
FIELDS = st.sampled_from([*LOG_COLUMNS, "nonsense", "scores__e", "scores__own"])
CONDITIONS = st.fixed_dictionaries(
    {
        "operator": st.sampled_from([*OPERATORS, "like"]),
        "value": st.lists(VALUES, max_size=3) | VALUES,
    }
)


@settings(max_examples=300)
@given(st.dictionaries(FIELDS | st.text().map("metadata__{}".format), CONDITIONS, max_size=3))
def test_filter__matches_or_is_refused_but_never_breaks(logs, filters):
    try:
        outcome: object = set(logs(filters)) <= set(LOGS)
    except HttpError as refused:
        outcome = (refused.status, list(refused.body))

    assert outcome in (True, (400, ["filters"]))


def test_filter__too_many_fields(logs):
    filters = {f"metadata__{n}": {"operator": "", "value": [1]} for n in range(MAX_CONDITIONS + 1)}

    with pytest.raises(HttpError) as refused:
        logs(filters)

    assert refused.value.body == {"filters": [f"at most {MAX_CONDITIONS} fields"]}


def test_filter__the_most_that_is_allowed(logs):
    value = ["x"] * (MAX_VALUES // MAX_CONDITIONS - 1)
    fields = ["metadata__{}", "scores__{}"]
    filters = {
        fields[n % 2].format(n): {"operator": list(OPERATORS)[n % 2 + 4], "value": value}
        for n in range(MAX_CONDITIONS)
    }

    assert logs(filters) == []


def test_filter__logs_and_evaluators_use_the_index(store):
    for number in range(20_000):
        store.upsert_score(
            log_id=f"log_{number // 4}",
            scorer="ann",
            evaluator=None,
            slug=f"slug_{number % 4}",
            changes={"numerical_value": number},
            environment="prod",
        )
    filters = {
        "log_id": {"operator": "in", "value": [f"log_{n * 7}" for n in range(100)]},
        "evaluator_slug": {"operator": "in", "value": ["slug_1", "slug_3"]},
    }
    order = Order(by="scores.created_at", descending=True, offset=0, limit=101)

    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        found = store.scores(read_filters(filters, SCORE_COLUMNS.get), order)
        seconds.append(time.perf_counter() - started)
        assert len(found) == 101

    assert min(seconds) < 0.05
