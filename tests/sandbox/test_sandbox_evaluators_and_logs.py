"""Test the routes of evaluators and logs over HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

TYPES = [
    "numerical",
    "percentage",
    "boolean",
    "single_select",
    "multi_select",
    "text",
    "json",
    "categorical",
    "comment",
]


def test_create_evaluator__answers_all_of_it(serve):
    api = serve()
    given = {
        "name": "Helpfulness",
        "evaluator_slug": "helpfulness",
        "type": "llm",
        "score_value_type": "numerical",
        "description": "From 1 to 5.",
        "score_config": {
            "min_score": 1,
            "max_score": 5,
            "choices": [{"name": "Useless", "value": 1}, {"name": "Any", "value": True}],
        },
        "categorical_choices": [{"name": "Old", "value": "old"}],
        "passing_conditions": {"primary_score": {"operator": "gte", "value": 3}},
        "llm_config": {"model": "gpt-4o"},
        "code_config": {"language": "python"},
        "configurations": {"passing_score": 3},
        "tags": ["quality"],
        "starred": True,
    }

    answer = api("POST", "evaluators/", {**given, "id": "mine", "unknown": 1})

    assert answer.status_code == 201
    evaluator = answer.json()
    assert evaluator == {
        **given,
        "id": evaluator["id"],
        "version": 1,
        "version_id": evaluator["version_id"],
        "is_read_only": False,
        "created_at": evaluator["created_at"],
        "updated_at": evaluator["created_at"],
    }
    assert evaluator["id"] != "mine"
    page = {"count": 1, "next": None, "previous": None, "results": [evaluator]}
    assert api("GET", f"evaluators/{evaluator['id']}/").json() == evaluator
    assert api("GET", "evaluators/").json() == page
    assert api("POST", "evaluators/list/", {}).json() == page


@pytest.mark.parametrize("score_value_type", TYPES)
def test_create_evaluator__every_type(api, score_value_type):
    assert api.evaluator(score_value_type)["score_value_type"] == score_value_type


def test_create_evaluator__makes_the_slug_from_the_name(serve):
    api = serve()
    names = ["Is it Good?", "is it good", "¿?", "Güte"]
    bodies = [{"name": name, "score_value_type": "text"} for name in names]

    slugs = [api("POST", "evaluators/", body).json()["evaluator_slug"] for body in bodies]

    assert slugs == ["is_it_good", "is_it_good_2", "evaluator", "güte"]


def test_create_evaluator__slug_is_unique(api):
    slug = api.evaluator("text")["evaluator_slug"]
    body = {"name": "Another", "score_value_type": "text", "evaluator_slug": slug}

    answer = api("POST", "evaluators/", body)

    assert answer.status_code == 400
    assert answer.json() == {"evaluator_slug": [f"the slug {slug!r} is taken"]}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"name", "score_value_type"}),
        ({"name": "x", "score_value_type": "stars"}, {"score_value_type"}),
        ({"name": " ", "score_value_type": "text"}, {"name"}),
        ({"name": 5, "score_value_type": "text"}, {"name"}),
        ({"name": "x", "score_value_type": "text", "type": "robot"}, {"type"}),
        (
            {"name": "x", "score_value_type": "text", "score_config": {"min_score": "1"}},
            {"score_config"},
        ),
        (
            {"name": "x", "score_value_type": "text", "categorical_choices": [1]},
            {"categorical_choices"},
        ),
        (
            {"name": "x", "score_value_type": "text", "passing_conditions": []},
            {"passing_conditions"},
        ),
        ({"name": "x\ud800", "score_value_type": "text"}, {"name"}),
        (
            {"name": "x", "score_value_type": "text", "llm_config": {"a": {"\ud800": 1}}},
            {"llm_config"},
        ),
    ],
)
def test_create_evaluator__refused(api, body, fields):
    answer = api("POST", "evaluators/", body)

    assert answer.status_code == 400
    assert set(answer.json()) == fields


def test_list_evaluators__pages_and_sorts(serve):
    api = serve(next_keeps_parameters=True)
    made = [api.evaluator("text", name=name) for name in ("b", "c", "a")]
    base = f"{api.sandbox.base_url}/api/evaluators/?sort_by=name"

    first = api("GET", "evaluators/?sort_by=name&page_size=2").json()
    second = api("GET", first["next"]).json()

    assert first == {
        "count": 2,
        "next": f"{base}&page=2&page_size=2",
        "previous": None,
        "results": [made[2], made[0]],
    }
    assert second == {
        "count": 1,
        "next": None,
        "previous": f"{base}&page=1&page_size=2",
        "results": [made[1]],
    }
    assert api("GET", "evaluators/").json()["results"] == made[::-1]


LOG = {
    "unique_id": "whole",
    "timestamp": "2026-01-05T10:30:00+01:00",
    "input": {"question": "?"},
    "output": "text",
    "prompt_messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    "completion_message": {"role": "assistant", "content": "hello"},
    "model": "gpt-4o",
    "status_code": 200,
    "error_message": None,
    "latency": 0.25,
    "cost": 0.001,
    "prompt_tokens": 3,
    "completion_tokens": 4,
    "environment": "prod",
    "log_type": "chat",
    "metadata": {"nested": {"a": [1, None, "ü"]}},
    "customer_identifier": "c",
    "blurred": False,
    "of_a_newer_version": [1, {"x": None}],
}


def test_create_log__keeps_all_fields(serve):
    api = serve()

    answer = api("POST", "request-logs/", {**LOG, "scores": {"fake": {}}, "id": "other"})

    stored = {**LOG, "id": "whole", "timestamp": "2026-01-05T09:30:00.000000Z"}
    assert (answer.status_code, answer.json()) == (201, stored)
    assert api("GET", "request-logs/whole/").json() == {**stored, "scores": {}}


def test_create_log__gets_id_and_time(api):
    before = datetime.now(UTC)
    first, second = (api("POST", "request-logs/", {"input": "x"}).json() for _ in range(2))

    assert first["id"] == first["unique_id"] != second["unique_id"]
    assert before <= datetime.fromisoformat(first["timestamp"]) <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"unique_id": ""}, "unique_id"),
        ({"unique_id": 7}, "unique_id"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": 1767600000}, "timestamp"),
        ({"timestamp": "0001-01-01T00:00:00+05:00"}, "timestamp"),
        ({"prompt_messages": "hello"}, "prompt_messages"),
        ({"completion_message": []}, "completion_message"),
        ({"model": 4}, "model"),
        ({"status_code": "200"}, "status_code"),
        ({"status_code": 2**63}, "status_code"),
        ({"latency": True}, "latency"),
        ({"metadata": "x"}, "metadata"),
        ({"anything": "\ud800"}, "anything"),
        ({"anything": {"deep": [float("nan")]}}, "anything"),
        ({"\ud800": 1}, "?"),
    ],
)
def test_create_log__refused(api, body, field):
    answer = api("POST", "request-logs/", data=json.dumps(body).encode())

    assert answer.status_code == 400
    assert list(answer.json()) == [field]


def test_create_log__too_deep(api):
    deep = b'{"input": ' + b"[" * 150 + b"]" * 150 + b"}"

    answer = api("POST", "request-logs/", data=deep)

    assert answer.json() == {"input": ["nested more deeply than 100 levels"]}


def test_create_log__second_with_the_same_id(api):
    log_id = api.log(input="first")

    answer = api("POST", "request-logs/", {"unique_id": log_id, "input": "second"})

    assert answer.status_code == 400
    assert answer.json() == {"unique_id": ["a log with this unique_id exists"]}
    assert api("GET", f"request-logs/{log_id}/").json()["input"] == "first"


def test_create_logs__bad_ones_do_not_stop_the_others(api):
    logs = [
        {"unique_id": "bulk_1"},
        {"unique_id": "bulk_1"},
        {"timestamp": "soon"},
        "not an object",
        {"unique_id": "bulk_2"},
    ]

    answer = api("POST", "request-logs/bulk/", {"logs": logs})

    assert answer.status_code == 201
    when = "Value error, give a timestamp in ISO 8601, such as 2026-01-05T09:00:00Z"
    assert answer.json() == {
        "success_count": 2,
        "error_count": 3,
        "errors": [
            {"index": 1, "errors": {"unique_id": ["a log with this unique_id exists"]}},
            {"index": 2, "errors": {"timestamp": [when]}},
            {"index": 3, "errors": {"non_field_errors": ["give a JSON object"]}},
        ],
    }
    assert api("GET", "request-logs/bulk_2/").status_code == 200


def test_create_logs__none_accepted(api):
    answer = api("POST", "request-logs/bulk/", {"logs": [{"model": 1}]})

    assert answer.status_code == 400
    assert (answer.json()["success_count"], answer.json()["error_count"]) == (0, 1)


def test_create_logs__up_to_500(api):
    assert api("POST", "request-logs/bulk/", {"logs": [{}] * 500}).json() == {
        "success_count": 500,
        "error_count": 0,
        "errors": [],
    }


@pytest.mark.parametrize("body", [{}, {"logs": []}, {"logs": {}}, {"logs": [{}] * 501}])
def test_create_logs__wrong_list(api, body):
    answer = api("POST", "request-logs/bulk/", body)

    assert answer.status_code == 400
    assert answer.json() == {"logs": ["give a list of 1 to 500 logs"]}


def _listed(api, query="", filters=None):
    answer = api("POST", f"request-logs/list/{query}", {"filters": filters or {}})
    return [log["unique_id"] for log in answer.json()["results"]]


def test_list_logs__last_hour_by_default(serve):
    api = serve()
    now = datetime.now(UTC)
    for minutes in (70, 50, 10):
        moment = (now - timedelta(minutes=minutes)).isoformat()
        api.log(unique_id=f"{minutes} minutes", timestamp=moment)

    assert _listed(api) == ["10 minutes", "50 minutes"]


def test_list_logs__between_times_whatever_their_offset(serve):
    api = serve()
    moments = ["2026-01-05T09:00:00Z", "2026-01-05T10:30:00+01:00", "2026-01-05 10:00"]
    for number, moment in enumerate(moments):
        api.log(unique_id=str(number), timestamp=moment, latency=float(number))

    assert _listed(api, "?start_time=2026-01-05") == ["2", "1", "0"]
    assert _listed(api, "?start_time=2026-01-05T09:30:00Z") == ["2", "1"]
    assert _listed(api, "?start_time=2026-01-01&end_time=2026-01-05T11:30:00%2B02:00") == ["1", "0"]
    assert _listed(api, "?start_time=2026-01-01&sort_by=timestamp") == ["0", "1", "2"]
    assert _listed(api, "?start_time=2026-01-01&sort_by=-latency") == ["2", "1", "0"]


@pytest.mark.parametrize("name", ["start_time", "end_time"])
def test_list_logs__wrong_time(api, name):
    answer = api("POST", f"request-logs/list/?{name}=noon", {})

    assert answer.status_code == 400
    assert answer.json() == {name: ["give a timestamp in ISO 8601, such as 2026-01-05T09:00:00Z"]}


def test_list_logs__count_is_the_total(serve):
    api = serve()
    api("POST", "request-logs/bulk/", {"logs": [{"unique_id": f"{n:02}"} for n in range(5)]})
    base = f"{api.sandbox.base_url}/api/request-logs/list/"
    own = "request-logs/list/?page_size=2&include_fields=model"

    page = api("POST", own, {}).json()

    assert page["count"] == 5
    assert (page["next"], page["previous"]) == (f"{base}?page=2&page_size=2", None)
    third = api("POST", f"{own}&page=3", {}).json()
    assert third == {
        "count": 5,
        "next": None,
        "previous": f"{base}?page=2&page_size=2",
        "results": [{"id": "00", "unique_id": "00"}],
    }
    assert api("POST", f"{own}&page=4", {}).status_code == 404


def test_list_logs__page_size_is_clamped_to_1000(serve):
    api = serve()
    for _ in range(3):
        api("POST", "request-logs/bulk/", {"logs": [{}] * 400})

    page = api("POST", "request-logs/list/?page_size=5000&include_fields=id", {}).json()

    assert (page["count"], len(page["results"])) == (1200, 1000)


def test_logs__show_their_scores(api, bob):
    log_id, evaluator = api.log(model="m"), api.evaluator("multi_select")
    path = f"logs/{log_id}/scores/"
    api("POST", path, {"evaluator_id": evaluator["id"], "categorical_value": ["a"]})
    bob("POST", path, {"evaluator_id": evaluator["id"], "categorical_value": ["b", "c"]})
    api("POST", path, {"evaluator_slug": "own", "numerical_value": 3})
    values = ["numerical_value", "string_value", "boolean_value", "categorical_value"]
    nulls = dict.fromkeys([*values, "json_value", "is_passed", "explanation"])
    own, *_ = api("GET", path).json()["results"]
    last = bob("GET", path).json()["results"][1]
    names = {"evaluator_name": evaluator["name"], "evaluator_slug": evaluator["evaluator_slug"]}
    custom = {"evaluator_name": None, "evaluator_slug": "own"}

    assert api("GET", f"request-logs/{log_id}/").json()["scores"] == {
        evaluator["id"]: {
            "id": last["id"],
            "evaluator_id": evaluator["id"],
            **names,
            "score_value_type": "multi_select",
            **nulls,
            "categorical_value": ["b", "c"],
        },
        "own": {
            "id": own["id"],
            "evaluator_id": None,
            **custom,
            "score_value_type": None,
            **nulls,
            "numerical_value": 3.0,
        },
    }
    scores = {
        evaluator["id"]: {**names, "score_value": None},
        "own": {**custom, "score_value": 3.0},
    }
    filters = {"filters": {"id": {"operator": "", "value": [log_id]}}}
    listed = api("POST", "request-logs/list/?include_fields=scores,model", filters).json()
    assert listed["results"] == [
        {"id": log_id, "unique_id": log_id, "model": "m", "scores": scores}
    ]


LOGS = [
    {"unique_id": "a", "status": "ok", "status_code": 200, "prompt_tokens": 3, "provider_id": "p"},
    {"unique_id": "b", "status": "bad", "status_code": 500, "completion_tokens": 9},
    {"unique_id": "c", "custom_identifier": "x", "span_workflow_name": "w"},
]


@pytest.mark.parametrize(
    ("name", "operator", "value", "found"),
    [
        ("status", "", "bad", ["b"]),
        ("failed", "", True, ["b"]),
        ("failed", "", False, ["a", "c"]),
        ("is_test", "", True, []),
        ("is_test", "", False, ["a", "b", "c"]),
        ("all_tokens", "gt", 3, ["b"]),
        ("total_request_tokens", "", 3, ["a"]),
        ("provider_id", "", "p", ["a"]),
        ("custom_identifier", "startswith", "x", ["c"]),
        ("span_workflow_name", "isnull", False, ["c"]),
        ("time_to_first_token", "isnull", True, ["a", "b", "c"]),
    ],
)
def test_list_logs__filters_as_documented(serve, name, operator, value, found):
    api = serve()
    api("POST", "request-logs/bulk/", {"logs": LOGS})
    filters = {"filters": {name: {"operator": operator, "value": [value]}}}

    answer = api("POST", "request-logs/list/?sort_by=unique_id", filters)

    assert [one["unique_id"] for one in answer.json()["results"]] == found
    assert api("POST", f"request-logs/list/?sort_by=-{name}", {}).status_code == 200
