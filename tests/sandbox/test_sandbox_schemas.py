"""Test which values the body of a score may hold."""

from __future__ import annotations

import pytest

BAD_FIELDS = [
    ("numerical_value", "true"),
    ("numerical_value", '"3"'),
    ("numerical_value", "NaN"),
    ("numerical_value", "Infinity"),
    ("numerical_value", "-Infinity"),
    ("numerical_value", "1e999"),
    ("numerical_value", "1" + "0" * 400),
    ("numerical_value", "[1]"),
    ("string_value", "1"),
    ("string_value", r'"\ud83d"'),
    ("boolean_value", "1"),
    ("boolean_value", '"true"'),
    ("categorical_value", '"a"'),
    ("categorical_value", "[1]"),
    ("categorical_value", '["a", null]'),
    ("categorical_value", r'["\udc00"]'),
    ("json_value", '{"a": 1}'),
    ("json_value", "1"),
    ("json_value", '"{"'),
    ("json_value", '""'),
    ("json_value", '"NaN"'),
    ("json_value", '"[Infinity]"'),
    ("json_value", '"' + "[" * 100_000 + '"'),
    ("explanation", "false"),
    ("environment", "1"),
    ("prompt_id", "[]"),
    ("prompt_version_number", "1.5"),
    ("prompt_version_number", '"1"'),
    ("prompt_version_number", "true"),
    ("prompt_version_number", "9223372036854775808"),
    ("prompt_version_number", "-9223372036854775809"),
    ("dataset_id", "{}"),
    ("automation_id", "0"),
    ("timestamp", '"yesterday"'),
    ("timestamp", "0"),
    ("timestamp", '"9999-12-31T23:59:59-01:00"'),
    ("evaluator_slug", '" "'),
    ("evaluator_slug", "1"),
]


@pytest.mark.parametrize(("field", "text"), BAD_FIELDS, ids=lambda part: part[:24])
def test_score__wrong_value_is_blamed_on_its_field(api, field, text):
    path = f"logs/{api.log()}/scores/"
    evaluator = "" if field == "evaluator_slug" else '"evaluator_slug": "x", '
    body = "{" + evaluator + f'"{field}": {text}' + "}"

    answer = api("POST", path, data=body)

    assert answer.status_code == 400
    fields = answer.json()
    assert list(fields) == [field]
    assert all(isinstance(message, str) and message for message in fields[field])
    assert api("GET", path).json()["results"] == []


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_score__wrong_value_in_a_change(api, method):
    path = f"logs/{api.log()}/scores/"
    score = api("POST", path, {"evaluator_slug": "x", "numerical_value": 1}).json()

    answer = api(method, f"{path}{score['id']}/", {"numerical_value": "2", "boolean_value": 1})

    assert answer.status_code == 400
    assert answer.json() == {
        "numerical_value": ["Input should be a valid number"],
        "boolean_value": ["Input should be a valid boolean"],
    }
    assert api("GET", f"{path}{score['id']}/").json() == score


@pytest.mark.parametrize("body", [{}, {"evaluator_id": None}, {"numerical_value": 3}])
def test_score__without_an_evaluator(api, body):
    answer = api("POST", f"logs/{api.log()}/scores/", body)

    assert answer.status_code == 400
    message = ["give evaluator_id or evaluator_slug"]
    assert answer.json() == {"evaluator_id": message, "evaluator_slug": message}


@pytest.mark.parametrize("evaluator_id", ["nobody", "", "a'b", "é"])
def test_score__unknown_evaluator_id(api, evaluator_id):
    body = {"evaluator_id": evaluator_id, "evaluator_slug": "x", "numerical_value": 3}

    answer = api("POST", f"logs/{api.log()}/scores/", body)

    assert answer.status_code == 400
    assert answer.json() == {"evaluator_id": [f"no evaluator has the id {evaluator_id!r}"]}


@pytest.mark.parametrize(
    ("field", "text", "stored"),
    [
        ("numerical_value", "3", 3.0),
        ("numerical_value", "0.1", 0.1),
        ("numerical_value", "-1e300", -1e300),
        ("numerical_value", "0.30000000000000004", 0.30000000000000004),
        ("numerical_value", "null", None),
        ("string_value", '""', ""),
        ("string_value", r'"\u0000\ud83d\ude00"', "\0😀"),
        ("categorical_value", "[]", []),
        ("json_value", r'"{\"a\": [1, null]}"', '{"a": [1, null]}'),
        ("json_value", '"' + "9" * 6_000 + '"', "9" * 6_000),
        ("json_value", '"1e999"', "1e999"),
        ("boolean_value", "false", False),
        ("prompt_version_number", "9223372036854775807", 2**63 - 1),
    ],
)
def test_score__value_comes_back_as_it_was(api, field, text, stored):
    body = f'{{"evaluator_slug": "x", "{field}": {text}}}'

    answer = api("POST", f"logs/{api.log()}/scores/", data=body)

    assert answer.status_code == 201
    assert answer.json()[field] == stored
    assert type(answer.json()[field]) is type(stored)
