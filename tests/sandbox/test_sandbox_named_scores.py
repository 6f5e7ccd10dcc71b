"""Test the general score routes, and the routes that change and run what there is."""

from __future__ import annotations

import pytest

ANN, BOB = "ann@example.com", "bob@example.com"


def write(api, log_id, scorer, value, **more):
    body = {"log_id": log_id, "scorer": scorer, "evaluator_slug": "x", "string_value": value}
    return api("POST", "scores/", body | more)


def test_create_named_score__has_the_scorer_of_the_body(api):
    log_id = api.log()

    answer = write(api, log_id, "judge", "good", explanation="why")

    assert answer.status_code == 201
    score = answer.json()
    assert (score["scorer"], score["string_value"], score["explanation"]) == (
        "judge",
        "good",
        "why",
    )
    assert api("GET", f"logs/{log_id}/scores/").json()["results"] == [score]
    assert api("GET", f"scores/{score['id']}/").json() == score


def test_create_named_score__a_second_one_is_a_second_score(api):
    log_id = api.log()
    own = {"evaluator_slug": "x", "string_value": "own"}
    first = api("POST", f"logs/{log_id}/scores/", own).json()

    second = write(api, log_id, ANN, "again").json()

    updated = api("POST", f"logs/{log_id}/scores/", {**own, "string_value": "new"}).json()
    assert updated["id"] == first["id"] != second["id"]
    listed = api("GET", f"logs/{log_id}/scores/").json()["results"]
    assert sorted(one["string_value"] for one in listed) == ["again", "new"]


@pytest.mark.parametrize(
    ("change", "status", "fields"),
    [
        ({"scorer": " "}, 400, ["scorer"]),
        ({"scorer": None}, 400, ["scorer"]),
        ({"log_id": ""}, 400, ["log_id"]),
        ({"log_id": "nowhere"}, 404, ["detail"]),
        ({"string_value": 3}, 400, ["string_value"]),
        ({"evaluator_slug": None}, 400, ["evaluator_id", "evaluator_slug"]),
        ({"evaluator_id": "none"}, 400, ["evaluator_id"]),
    ],
    ids=str,
)
def test_create_named_score__refused(api, change, status, fields):
    answer = write(api, **{"log_id": api.log(), "scorer": "judge", "value": "good", **change})

    assert (answer.status_code, sorted(answer.json())) == (status, fields)


def test_any_score__is_changed_replaced_and_deleted(api, bob):
    log_id = api.log()
    score = write(api, log_id, BOB, "good", explanation="why").json()
    path = f"scores/{score['id']}/"

    changed = api("PATCH", path, {"string_value": "better"}).json()
    replaced = api("PUT", path, {"string_value": "best"}).json()

    assert changed == {**score, "string_value": "better"}
    assert replaced == {**score, "string_value": "best", "explanation": None}
    assert api("DELETE", path).status_code == 204
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        assert api(method, path, {}).status_code == 404
    assert bob("GET", f"logs/{log_id}/scores/").json()["results"] == []


def test_evaluator__is_changed_replaced_and_deleted(api):
    evaluator = api.evaluator("numerical", description="old", tags=["a"])
    path = f"evaluators/{evaluator['id']}/"

    changed = api("PATCH", path, {"description": "new"}).json()
    replaced = api("PUT", path, {"name": "other", "score_value_type": "text"}).json()

    stamp = {"updated_at": changed["updated_at"]}
    assert changed == {**evaluator, "description": "new", **stamp}
    assert [replaced[n] for n in ("name", "score_value_type", "tags")] == ["other", "text", []]
    assert replaced["evaluator_slug"] == evaluator["evaluator_slug"]
    assert api("GET", path).json() == replaced
    assert api("DELETE", path).status_code == 204
    assert api("DELETE", path).status_code == 404
    assert api("PATCH", path, {"description": "x"}).status_code == 404


def test_evaluator__keeps_its_slug_from_another(api):
    one, two = api.evaluator("text"), api.evaluator("text")

    answer = api("PATCH", f"evaluators/{one['id']}/", {"evaluator_slug": two["evaluator_slug"]})

    assert (answer.status_code, set(answer.json())) == (400, {"evaluator_slug"})
    assert api("GET", f"evaluators/{one['id']}/").json() == one


@pytest.mark.parametrize("body", [{"name": ""}, {"score_value_type": "x"}, {"tags": 3}], ids=str)
def test_evaluator__refuses_odd_changes(api, body):
    evaluator = api.evaluator("text")

    answer = api("PATCH", f"evaluators/{evaluator['id']}/", body)

    assert (answer.status_code, set(answer.json())) == (400, set(body))


def test_run_evaluator__answers_a_verdict_and_stores_nothing(api):
    evaluator = api.evaluator("numerical", score_config={"min_score": 2, "max_score": 5})
    path = f"evaluators/{evaluator['id']}/run/"

    answer = api("POST", path, {"inputs": {"input": "q", "output": "a"}})

    assert answer.status_code == 200
    assert (answer.json()["numerical_value"], answer.json()["string_value"]) == (2.0, None)
    assert api("POST", path, {}).status_code == 400
    assert api("POST", "evaluators/none/run/", {"inputs": {}}).status_code == 404
    filters = {"filters": {"evaluator_id": {"operator": "", "value": [evaluator["id"]]}}}
    assert api("POST", "scores/list/", filters).json()["results"] == []


def test_change_log__sets_note_pin_feedback_and_metadata(api):
    log_id = api.log(model="m", metadata={"a": 1})
    changes = {"note": "look", "is_pinned": True, "metadata": {"b": 2}, "model": "other"}

    log = api("PATCH", f"request-logs/{log_id}/", changes).json()

    assert log == api("GET", f"request-logs/{log_id}/").json()
    names = ("note", "is_pinned", "metadata", "model")
    assert [log[name] for name in names] == ["look", True, {"b": 2}, "m"]
    assert api("PATCH", f"request-logs/{log_id}/", {"note": 3}).status_code == 400
    assert api("PATCH", "request-logs/none/", {"note": "x"}).status_code == 404
