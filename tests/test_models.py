"""The API's objects."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from respan_notebook import Choice, Evaluator, Score, ScoreWrite

# As the contract page lists the fields.
SCORE = {
    "id": "score_1",
    "created_at": "2026-01-05T10:00:00Z",
    "type": "human_numerical",
    "environment": "prod",
    "numerical_value": 4.0,
    "string_value": None,
    "boolean_value": None,
    "categorical_value": None,
    "json_value": None,
    "is_passed": True,
    "cost": None,
    "evaluator_id": "ev_1",
    "evaluator_slug": "helpfulness",
    "evaluator_name": "Helpfulness",
    "scorer": "ann@example.com",
    "log_id": "log_1",
    "prompt_id": None,
    "prompt_version_number": 3,
    "dataset_id": None,
    "automation_id": None,
    "status": "completed",
    "error_message": None,
    "explanation": "because",
}


def test_score__reads_every_field_and_keeps_unknown_ones() -> None:
    score = Score.model_validate({**SCORE, "new_field": [1]})
    assert json.loads(score.model_dump_json()) == {**SCORE, "new_field": [1]}
    assert score.created_at == datetime(2026, 1, 5, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        {"id": "s1"},
        {"id": "s1", "created_at": "yesterday", "type": 7, "numerical_value": "n/a"},
        {"id": "s1", "categorical_value": "not a list", "json_value": {"an": "object"}},
    ],
)
def test_score__reads_what_is_odd(body: dict[str, Any]) -> None:
    assert Score.model_validate(body).model_dump(exclude_unset=True) == {
        **body,
        **({"type": "7"} if "type" in body else {}),
    }


EVERY_FIELD = {
    "evaluator_id": "ev_1",
    "evaluator_slug": "helpfulness",
    "timestamp": "2026-01-05T10:00:00Z",
    "environment": "prod",
    "prompt_id": "p1",
    "prompt_version_number": 3,
    "dataset_id": "d1",
    "automation_id": "a1",
    "scorer": "ann@example.com",
    "explanation": "because",
}


@pytest.mark.parametrize(
    "value",
    [
        {"numerical_value": 4.5},
        {"string_value": "fine"},
        {"boolean_value": False},
        {"categorical_value": ["a", "b"]},
        {"json_value": '{"a": 1}'},
    ],
    ids=lambda value: next(iter(value)),
)
def test_score_write__body_is_what_was_set(value: dict[str, Any]) -> None:
    body = {**EVERY_FIELD, **value, "a_new_field": "kept"}
    assert ScoreWrite.model_validate(body).body() == body
    assert ScoreWrite(evaluator_slug="s", **value).body() == {"evaluator_slug": "s", **value}


def test_score_write__naive_timestamp_is_utc() -> None:
    score = ScoreWrite(evaluator_id="e", boolean_value=True, timestamp=datetime(2026, 1, 5, 10))
    assert score.body()["timestamp"] == "2026-01-05T10:00:00Z"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"numerical_value": 1.0}, "needs evaluator_id or evaluator_slug"),
        ({"evaluator_id": "e"}, "given: none"),
        ({"evaluator_id": "", "boolean_value": True}, "at least 1"),
        ({"evaluator_id": "e", "numerical_value": 1.0, "boolean_value": True}, "exactly one"),
        ({"evaluator_id": "e", "numerical_value": True}, "valid number"),
        ({"evaluator_id": "e", "numerical_value": "4"}, "valid number"),
        ({"evaluator_id": "e", "numerical_value": float("nan")}, "finite"),
        ({"evaluator_id": "e", "numerical_value": float("inf")}, "finite"),
        ({"evaluator_id": "e", "boolean_value": 1}, "valid boolean"),
        ({"evaluator_id": "e", "string_value": " "}, "blank"),
        ({"evaluator_id": "e", "string_value": "\ud83d"}, "surrogates not allowed"),
        ({"evaluator_id": "e", "categorical_value": []}, "at least 1 item"),
        ({"evaluator_id": "e", "categorical_value": "a"}, "list"),
        ({"evaluator_id": "e", "json_value": "{"}, "json_value"),
        ({"evaluator_id": "e", "json_value": "[NaN]"}, "NaN is not JSON"),
        ({"evaluator_id": "e", "json_value": {"a": 1}}, "valid string"),
        ({"evaluator_id": "e", "boolean_value": True, "prompt_version_number": "3"}, "integer"),
        ({"evaluator_id": "e", "boolean_value": True, "timestamp": "soon"}, "timestamp"),
    ],
)
def test_score_write__refuses(body: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ScoreWrite.model_validate(body)


def test_models__are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Score(id="s1").id = "s2"  # type: ignore[misc]


EVALUATOR = {
    "id": "ev_1",
    "name": "Tone",
    "evaluator_slug": "tone",
    "type": "human",
    "score_value_type": "single_select",
    "description": "How it sounds",
    "score_config": {
        "min_score": 1.0,
        "max_score": 5.0,
        "choices": [{"name": "warm", "value": 1, "colour": "red"}],
        "step": 1,
    },
    "passing_conditions": {"primary_score": {"operator": "gte", "value": 3}},
    "version": 4,
    "tags": ["a"],
    "created_at": "2026-01-05T10:00:00Z",
    "a_new_field": {"kept": True},
}


def test_evaluator__reads_and_keeps_everything() -> None:
    one = Evaluator.model_validate(EVALUATOR)
    assert json.loads(one.model_dump_json(exclude_unset=True)) == EVALUATOR


@pytest.mark.parametrize("kind", [None, "stars", ""])
def test_evaluator__unknown_type_is_readable(kind: str | None) -> None:
    assert Evaluator(id="e", score_value_type=kind).score_value_type == kind


@pytest.mark.parametrize(
    ("fields", "bounds"),
    [
        ({}, (None, None)),
        ({"score_config": {"min_score": 0, "max_score": 1}}, (0, 1)),
        ({"score_config": {}, "configurations": {"min_score": 1, "max_score": 5}}, (1, 5)),
        ({"score_config": {"min_score": 0}, "configurations": {"min_score": 9}}, (0, None)),
        ({"configurations": {"min_score": True, "max_score": "5"}}, (None, 5)),
        ({"configurations": {"min_score": "inf", "max_score": 10**400}}, (None, None)),
        ({"configurations": ["odd"]}, (None, None)),
        ({"score_config": {"min_score": "low"}}, (None, None)),
    ],
)
def test_evaluator__bounds(fields: dict[str, Any], bounds: tuple[Any, Any]) -> None:
    assert Evaluator(id="e", **fields).bounds == bounds


def test_evaluator__choices_from_either_place() -> None:
    new, old = [{"name": "a", "value": "1"}], [{"name": "b"}]
    assert Evaluator(id="e", categorical_choices=old).choices == (Choice(name="b"),)
    both = Evaluator(id="e", score_config={"choices": new}, categorical_choices=old)
    assert both.choices == (Choice(name="a", value="1"),)
    assert Evaluator(id="e").choices == ()


@pytest.mark.parametrize(
    "odd",
    [
        {"name": "no id"},
        {"score_config": []},
        {"score_config": ""},
        {"score_config": {"choices": ["A"], "min_score": {"a": 1}}},
        {"categorical_choices": "[]"},
        {"passing_conditions": 7, "tags": "a", "version": "v1", "created_at": "soon"},
    ],
)
def test_evaluator__what_is_odd_is_readable(odd: dict[str, Any]) -> None:
    one = Evaluator.model_validate(odd)
    assert (one.bounds, one.choices) == ((None, None), ())
    assert json.loads(one.model_dump_json(exclude_unset=True)) == odd


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"id": "e"}, ("e", "e", "e", {"evaluator_id": "e"})),
        ({"evaluator_slug": "s"}, ("s", "s", "s", {"evaluator_slug": "s"})),
        (
            {"id": "e", "evaluator_slug": "s", "name": "N"},
            ("s", "e", "N", {"evaluator_id": "e"}),
        ),
        ({}, ("", "", "", {"evaluator_slug": ""})),
    ],
)
def test_evaluator__names(fields: dict[str, str], names: tuple[Any, ...]) -> None:
    one = Evaluator(**fields)
    assert (one.slug_or_id, one.id_or_slug, one.display_name, one.reference) == names
    assert one.key == one.slug_or_id
