"""Test who a request is by: API keys, test keys and dashboard JWTs."""

from __future__ import annotations

import base64
import json

import pytest

BODY = {"evaluator_slug": "x", "string_value": "y"}
BOB = "bob@example.com"


def as_bearer(api, bearer, method, path, body=None):
    return api(method, path, body, headers={"Authorization": f"Bearer {bearer}"})


def test_jwt__scores_as_its_person(api):
    path = f"logs/{api.log()}/scores/"

    answer = as_bearer(api, api.sandbox.jwt(BOB), "POST", path, BODY)

    assert (answer.status_code, answer.json()["scorer"]) == (201, BOB)
    assert as_bearer(api, api.sandbox.jwt(BOB), "POST", "request-logs/list/", {}).status_code == 200


def test_jwt__expires(api):
    answer = as_bearer(api, api.sandbox.jwt(BOB, seconds=-1), "GET", "evaluators/")

    assert (answer.status_code, answer.json()) == (401, {"detail": "Token has expired."})


def change_payload(token, **changes):
    header, payload, signature = token.split(".")
    fields = json.loads(base64.urlsafe_b64decode(payload + "==")) | changes
    payload = base64.urlsafe_b64encode(json.dumps(fields).encode()).rstrip(b"=").decode()
    return f"{header}.{payload}.{signature}"


@pytest.mark.parametrize(
    "change",
    [
        lambda token: change_payload(token, email="ann@example.com"),
        lambda token: change_payload(token, exp=9e9),
        lambda token: change_payload(token, exp="soon"),
        lambda token: change_payload(token, email="nobody"),
        lambda token: token[:-2],
        lambda token: "..",
        lambda token: "a.b.c",
        lambda token: token + ".x",
        lambda token: "",
    ],
)
def test_jwt__with_another_signature_is_refused(api, change):
    answer = as_bearer(api, change(api.sandbox.jwt(BOB)), "GET", "evaluators/")

    assert answer.status_code == 401


def test_jwt__is_refused_by_the_log_routes_when_they_are_told_so(serve):
    api = serve(log_routes_take_jwt=False)
    log_id, token = api.log(), api.sandbox.jwt(BOB)

    for method, path in [("POST", "request-logs/list/"), ("GET", f"request-logs/{log_id}/")]:
        assert as_bearer(api, token, method, path, {}).status_code == 401
        assert api(method, path, {}).status_code == 200
    assert as_bearer(api, token, "POST", f"logs/{log_id}/scores/", BODY).status_code == 201


def test_environment__is_that_of_the_key_and_of_the_log(serve):
    api = serve()
    test_key = api.sandbox.test_keys[BOB]
    log = as_bearer(api, test_key, "POST", "request-logs/", {"environment": "prod"}).json()
    other = api("POST", "request-logs/", {"environment": "mine"}).json()

    assert (log["environment"], other["environment"]) == ("test", "prod")
    path = f"logs/{log['unique_id']}/scores/"
    score = api("POST", path, {**BODY, "environment": "prod"}).json()
    assert (score["environment"], score["scorer"]) == ("test", "ann@example.com")
    assert as_bearer(api, test_key, "POST", path, BODY).json()["scorer"] == BOB
    listed = api("POST", "request-logs/list/?environment=test", {}).json()["results"]
    assert [one["unique_id"] for one in listed] == [log["unique_id"]]


def test_strict__refuses_what_does_not_fit(serve):
    api = serve(strict=True)
    evaluator = api.evaluator("numerical", score_config={"min_score": 1, "max_score": 5})
    path, name = f"logs/{api.log()}/scores/", {"evaluator_id": evaluator["id"]}

    refused = {
        "string_value": {**name, "numerical_value": 3, "string_value": "x"},
        "numerical_value": {**name, "numerical_value": 6},
        "evaluator_slug": {**name, "evaluator_slug": "x", "numerical_value": 3},
    }
    for field, body in refused.items():
        answer = api("POST", path, body)
        assert (answer.status_code, set(answer.json())) == (400, {field})
    for value in (1, 5):
        assert api("POST", path, {**name, "numerical_value": value}).status_code in (200, 201)
    assert api("POST", path, BODY).status_code == 201


def test_checks_timestamp__wants_the_logs_own(serve):
    api = serve(checks_timestamp=True)
    path = f"logs/{api.log(timestamp='2026-01-05T09:00:00Z')}/scores/"

    assert api("POST", path, {**BODY, "timestamp": "2026-01-05T09:00:01Z"}).status_code == 404
    assert api("POST", path, {**BODY, "timestamp": "2026-01-05T10:00:00+01:00"}).status_code == 201
    assert api("POST", path, BODY).status_code == 200


def test_meter__answers_as_a_plan_that_is_used_up(serve):
    api = serve(meter=2)
    answers = [api("POST", f"logs/{api.log()}/scores/", BODY).status_code for _ in range(3)]

    assert answers == [201, 201, 402]
    assert serve(meter=0)("GET", "evaluators/").status_code == 200
    with pytest.raises(ValueError, match="meter must be a number of scores from 0"):
        serve(meter=-1)


def test_list_evaluators__searches(serve):
    api = serve()
    tone = api.evaluator("text", name="The Tone", tags=["a", "b"])
    fact = api.evaluator("boolean", name="facts", type="llm", tags=["c"])

    def found(query):
        return [one["id"] for one in api("GET", f"evaluators/?{query}").json()["results"]]

    assert found("search=tone") == [tone["id"]]
    assert found("type=llm") == [fact["id"]]
    assert found("score_value_type=text") == [tone["id"]]
    assert found("tags=b") == [tone["id"]]
    assert sorted(found("tags=b,c")) == sorted([tone["id"], fact["id"]])
    assert found("search=tone&type=llm") == []
