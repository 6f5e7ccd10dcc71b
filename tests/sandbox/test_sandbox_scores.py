"""Test the score routes over HTTP."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import datetime, timedelta
from http.client import HTTPConnection
from urllib.parse import quote

import pytest

VALUES = {
    "numerical": {"numerical_value": 4.5},
    "percentage": {"numerical_value": 62.5},
    "boolean": {"boolean_value": False},
    "single_select": {"categorical_value": ["friendly"]},
    "multi_select": {"categorical_value": ["made_up", "incomplete"]},
    "text": {"string_value": "Names the wrong day."},
    "json": {"json_value": '{"total": 48.9}'},
    "categorical": {"categorical_value": ["billing"]},
    "comment": {"string_value": "ツ"},
}
NULLS = {
    "environment": "prod",
    "numerical_value": None,
    "string_value": None,
    "boolean_value": None,
    "categorical_value": None,
    "json_value": None,
    "is_passed": None,
    "cost": None,
    "prompt_id": None,
    "prompt_version_number": None,
    "dataset_id": None,
    "automation_id": None,
    "status": None,
    "error_message": None,
    "explanation": None,
}
NO_LOG = {"detail": "Not found."}


@pytest.mark.parametrize("score_value_type", VALUES)
def test_write_score__creates_with_every_response_field(api, score_value_type):
    log_id, evaluator = api.log(), api.evaluator(score_value_type)
    value = VALUES[score_value_type]

    answer = api("POST", f"logs/{log_id}/scores/", {"evaluator_id": evaluator["id"], **value})

    assert answer.status_code == 201
    score = answer.json()
    assert score == {
        **NULLS,
        "id": score["id"],
        "created_at": score["created_at"],
        "type": "human",
        "evaluator_id": evaluator["id"],
        "evaluator_slug": evaluator["evaluator_slug"],
        "evaluator_name": evaluator["name"],
        "scorer": "ann@example.com",
        "log_id": log_id,
        **value,
    }
    age = datetime.now().astimezone() - datetime.fromisoformat(score["created_at"])
    assert timedelta(0) <= age < timedelta(minutes=1)


def test_write_score__keeps_everything_that_travels_along(api):
    log_id = api.log()
    fields = {
        "environment": "prod",
        "prompt_id": "support_v3",
        "prompt_version_number": 3,
        "dataset_id": "set_1",
        "automation_id": "auto_1",
        "numerical_value": 3,
        "explanation": "It names the day.",
    }
    body = {
        **fields,
        "evaluator_slug": "own_slug",
        "timestamp": "2026-01-05T09:00:00Z",
        "scorer": "mallory@example.com",
        "no_such_field": 1,
    }

    score = api("POST", f"logs/{log_id}/scores/", body).json()

    assert score == {
        **NULLS,
        **fields,
        "id": score["id"],
        "created_at": score["created_at"],
        "type": "custom",
        "evaluator_id": None,
        "evaluator_slug": "own_slug",
        "evaluator_name": None,
        "scorer": "ann@example.com",
        "log_id": log_id,
    }


@pytest.mark.parametrize("known", [True, False], ids=["evaluator", "custom slug"])
def test_write_score__updates_the_same_score(api, known):
    log_id = api.log()
    slug = api.evaluator("numerical")["evaluator_slug"] if known else "only_here"
    path = f"logs/{log_id}/scores/"
    first = api(
        "POST",
        path,
        {"evaluator_slug": slug, "numerical_value": 2, "explanation": "why", "cost": 1},
    )

    second = api("POST", path, {"evaluator_slug": slug, "numerical_value": 4.0})
    third = api("POST", path, {"evaluator_slug": slug, "explanation": None})
    same = api("POST", path, {"evaluator_slug": slug})

    assert [a.status_code for a in (first, second, third, same)] == [201, 200, 200, 200]
    assert second.json() == {**first.json(), "numerical_value": 4.0}
    assert third.json() == {**first.json(), "numerical_value": 4.0, "explanation": None}
    assert same.json() == third.json()
    assert api("GET", path).json()["results"] == [third.json()]


def test_write_score__slug_of_an_evaluator_is_that_evaluator(api):
    log_id, evaluator = api.log(), api.evaluator("boolean")
    path = f"logs/{log_id}/scores/"
    by_id = api("POST", path, {"evaluator_id": evaluator["id"], "boolean_value": True})
    by_slug = api("POST", path, {"evaluator_slug": evaluator["evaluator_slug"]})

    assert (by_id.status_code, by_slug.status_code) == (201, 200)
    assert by_slug.json() == by_id.json()


def test_write_score__a_slug_that_looks_like_an_id_is_another_identity(api):
    log_id, evaluator = api.log(), api.evaluator("boolean")
    path = f"logs/{log_id}/scores/"

    assert api("POST", path, {"evaluator_id": evaluator["id"]}).status_code == 201
    assert api("POST", path, {"evaluator_slug": evaluator["id"]}).status_code == 201


def test_write_score__one_per_scorer(api, bob):
    log_id = api.log()
    path = f"logs/{log_id}/scores/"

    answers = [
        who("POST", path, {"evaluator_slug": "x", "numerical_value": 1}) for who in (api, bob)
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert [answer.json()["scorer"] for answer in answers] == ["ann@example.com", "bob@example.com"]
    assert api("GET", path).json()["results"] == [answers[1].json(), answers[0].json()]


def test_write_score__value_of_another_type_is_not_refused(api):
    log_id, evaluator = api.log(), api.evaluator("boolean")
    body = {"evaluator_id": evaluator["id"], "string_value": "yes", "numerical_value": 99}

    score = api("POST", f"logs/{log_id}/scores/", body).json()

    assert (score["string_value"], score["numerical_value"]) == ("yes", 99.0)
    assert score["boolean_value"] is None


PASSING = [
    ("numerical", "gte", 3, {"numerical_value": 3}, True),
    ("numerical", "gte", 3, {"numerical_value": 2.9}, False),
    ("numerical", "gt", 3, {"numerical_value": 3}, False),
    ("percentage", "lt", 10, {"numerical_value": 9}, True),
    ("percentage", "lte", [10], {"numerical_value": 10}, True),
    ("numerical", "in", [1, 5], {"numerical_value": 5}, True),
    ("numerical", "not", [1, 5], {"numerical_value": 5}, False),
    ("numerical", "not", [1, 5], {"numerical_value": 2}, True),
    ("boolean", "", True, {"boolean_value": False}, False),
    ("single_select", "in", ["a", "b"], {"categorical_value": ["b"]}, True),
    ("multi_select", "", ["none"], {"categorical_value": ["x", "y"]}, False),
    ("text", "iexact", "STRASSE", {"string_value": "Straße"}, True),
    ("text", "contains", "day", {"string_value": "Friday"}, True),
    ("text", "icontains", "FRI", {"string_value": "Friday"}, True),
    ("comment", "startswith", "day", {"string_value": "Friday"}, False),
    ("comment", "endswith", "day", {"string_value": "Friday"}, True),
    ("json", "isnull", False, {"json_value": "1"}, True),
    ("numerical", "gte", "three", {"numerical_value": 3}, False),
    ("numerical", "no such", 3, {"numerical_value": 3}, None),
    ("numerical", "gte", 3, {"numerical_value": None}, None),
    ("numerical", "gte", 3, {"string_value": "3"}, None),
]


@pytest.mark.parametrize(("score_value_type", "operator", "value", "given", "passed"), PASSING)
def test_is_passed__conditions(api, score_value_type, operator, value, given, passed):
    conditions = {"primary_score": {"operator": operator, "value": value}}
    evaluator = api.evaluator(score_value_type, passing_conditions=conditions)

    body = {"evaluator_id": evaluator["id"], **given}

    assert api("POST", f"logs/{api.log()}/scores/", body).json()["is_passed"] is passed


@pytest.mark.parametrize(("value", "passed"), [(6, True), (5.5, False)])
def test_is_passed__legacy_passing_score(api, value, passed):
    evaluator = api.evaluator("numerical", configurations={"passing_score": 6})
    body = {"evaluator_id": evaluator["id"], "numerical_value": value}

    assert api("POST", f"logs/{api.log()}/scores/", body).json()["is_passed"] is passed


def test_is_passed__follows_updates(api):
    conditions = {"primary_score": {"operator": "gte", "value": 3}}
    evaluator = api.evaluator("numerical", passing_conditions=conditions)
    path = f"logs/{api.log()}/scores/"
    seen = []
    for change in ({"numerical_value": 4}, {"explanation": "x"}, {"numerical_value": 1}):
        score = api("POST", path, {"evaluator_id": evaluator["id"], **change}).json()
        seen.append(score["is_passed"])
    seen.append(api("PATCH", f"{path}{score['id']}/", {"numerical_value": 5}).json()["is_passed"])
    seen.append(api("PUT", f"{path}{score['id']}/", {"explanation": "x"}).json()["is_passed"])

    assert seen == [True, True, False, True, None]


def test_score__get_patch_put_delete(api):
    log_id = api.log()
    body = {
        "evaluator_slug": "x",
        "numerical_value": 3,
        "explanation": "why",
        "environment": "prod",
    }
    score = api("POST", f"logs/{log_id}/scores/", body).json()
    path = f"logs/{log_id}/scores/{score['id']}/"

    assert api("GET", path).json() == score
    patched = api("PATCH", path, {"categorical_value": ["a", "ü"]})
    assert patched.status_code == 200
    assert patched.json() == {**score, "categorical_value": ["a", "ü"]}
    assert api("PATCH", path, {}).json() == patched.json()
    replaced = api("PUT", path, {"string_value": "new", "evaluator_slug": "other", "log_id": "y"})
    assert replaced.status_code == 200
    assert replaced.json() == {
        **score,
        "numerical_value": None,
        "explanation": None,
        "string_value": "new",
    }
    assert api("GET", path).json() == replaced.json()
    deleted = api("DELETE", path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert [api(m, path, {}).status_code for m in ("GET", "PATCH", "PUT", "DELETE")] == [404] * 4


def test_score__of_another_log_is_not_found(api):
    score = api("POST", f"logs/{api.log()}/scores/", {"evaluator_slug": "x"}).json()

    answer = api("GET", f"logs/{api.log()}/scores/{score['id']}/")

    assert (answer.status_code, answer.json()) == (404, NO_LOG)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "logs/nobody/scores/"),
        ("POST", "logs/nobody/scores/"),
        ("GET", "logs/nobody/scores/nothing/"),
        ("PUT", "logs/nobody/scores/nothing/"),
        ("PATCH", "logs/nobody/scores/nothing/"),
        ("DELETE", "logs/nobody/scores/nothing/"),
        ("GET", "request-logs/nobody/"),
        ("GET", "evaluators/nobody/"),
        ("GET", "no-such-route/"),
        ("GET", "logs//scores/"),
    ],
)
def test_unknown__is_not_found(api, method, path):
    answer = api(method, path, {"evaluator_slug": "x", "numerical_value": 1})

    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


@pytest.mark.parametrize(
    "log_id",
    [
        "a/b",
        "a?b",
        "a#b",
        "100%",
        "%2F",
        "a b+c",
        "🏋️‍♀️ and more",
        "\x00",
        "é" * 50,
        "🚲" * 10_000,
    ],
    ids=lambda log_id: ascii(log_id[:12]),
)
def test_log_id__any_text_is_one_segment(api, log_id):
    assert api.log(unique_id=log_id, input="hello") == log_id
    segment = quote(log_id, safe="")

    created = api("POST", f"logs/{segment}/scores/", {"evaluator_slug": "x", "numerical_value": 1})

    assert created.status_code == 201
    assert created.json()["log_id"] == log_id
    score_path = f"logs/{segment}/scores/{created.json()['id']}/"
    assert api("GET", score_path).json() == created.json()
    assert api("GET", f"logs/{segment}/scores/").json()["results"] == [created.json()]
    assert api("GET", f"request-logs/{segment}/").json()["input"] == "hello"


@pytest.mark.parametrize("log_id", [".", ".."])
def test_log_id__dots(api, log_id):
    api.log(unique_id=log_id)
    host = api.sandbox.base_url.removeprefix("http://")
    # requests would decode and resolve the dots, http.client sends what it is given.
    with closing(HTTPConnection(host, timeout=30)) as connection:
        connection.request(
            "GET",
            f"/api/request-logs/{log_id.replace('.', '%2E')}/",
            headers={"Authorization": f"Bearer {api.sandbox.api_key}"},
        )
        assert json.load(connection.getresponse())["unique_id"] == log_id


@pytest.mark.parametrize(
    "path", ["logs/a%2Fb%3F/scores", "scores/list", "request-logs", "evaluators"]
)
def test_missing_slash__redirects(api, path):
    answer = api("POST", f"{path}?x=1", {})

    assert answer.status_code == 307
    assert answer.headers["Location"] == f"{api.sandbox.base_url}/api/{path}/?x=1"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "logs/x/scores/"),
        ("POST", "logs/x/scores/y/"),
        ("POST", "scores/x/"),
        ("DELETE", "evaluators/"),
        ("POST", "evaluators/x/"),
        ("GET", "request-logs/"),
        ("DELETE", "request-logs/x/"),
    ],
)
def test_wrong_method__says_so(api, method, path):
    answer = api(method, path, {})

    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})
    assert answer.headers["Allow"]
