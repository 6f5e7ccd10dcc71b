"""The controls: what the browser is told to draw for each type, and the keys of choices."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from respan_notebook import Evaluator, editor_for
from respan_notebook.labelling.entry import check_of
from respan_notebook.labelling.widgets.controls import CONTROLS, control_of
from respan_notebook.labelling.widgets.editor import describe
from respan_notebook.sandbox.demo import DEMO_EVALUATORS
from respan_notebook.values.types import VALUE_TYPES

COMMANDS = set("sbuvxweyngo?")
MANY = [{"name": f"Choice {n}", "value": f"c{n}"} for n in range(25)]
HALF = "half a pair \ud83d"


def evaluator(kind: str, **config: Any) -> Evaluator:
    return Evaluator(evaluator_slug="it", score_value_type=kind, score_config=config or None)


def scale(low: float, high: float, **config: Any) -> Evaluator:
    return evaluator("numerical", min_score=low, max_score=high, **config)


EVALUATORS = {
    **{str(one["evaluator_slug"]): Evaluator.model_validate(one) for one in DEMO_EVALUATORS},
    "box": evaluator("numerical"),
    "half_open": evaluator("numerical", min_score=0),
    "fraction": scale(0, 1),
    "uneven": scale(0, 0.7),
    "below_zero": scale(-1, 1.5),
    "many": evaluator("single_select", choices=MANY),
    "list": evaluator("multi_select", choices=MANY),
    "free_choice": evaluator("single_select"),
    "tags": evaluator("multi_select"),
}
KINDS = {
    "helpfulness": "points",
    "coverage": "slider",
    "grounded": "yesno",
    "tone": "one",
    "issues": "many",
    "comments": "area",
    "corrected": "json",
    "topic": "many",
    "remarks": "area",
    "fluency": "points",
    "box": "number",
    "half_open": "number",
    "fraction": "slider",
    "uneven": "slider",
    "below_zero": "slider",
    "many": "one",
    "list": "many",
    "free_choice": "line",
    "tags": "tags",
}
each = pytest.mark.parametrize("name", list(EVALUATORS))


def keys_of(control: dict[str, Any]) -> list[str]:
    return [*(one["key"] for one in control.get("options", [])), *(k for k, _ in slide(control))]


def slide(control: dict[str, Any]) -> list[list[Any]]:
    return list(control.get("keys", []))


def key_labels(evaluator: Evaluator) -> dict[str, str]:
    options = control_of(evaluator)["options"]
    return {one["label"]: one["key"] for one in options}


def test_controls__there_is_one_for_every_type() -> None:
    assert CONTROLS.keys() == VALUE_TYPES.keys()


@each
def test_control__is_that_of_its_type_in_the_types_of_json(name: str) -> None:
    control = control_of(EVALUATORS[name])
    assert control["kind"] == KINDS[name]
    assert json.loads(json.dumps(control, allow_nan=False)) == control
    assert describe(editor_for(EVALUATORS[name]))["control"] == control


# -- keys ---------------------------------------------------------------------------------------


@each
def test_keys__are_single_distinct_and_no_command(name: str) -> None:
    keys = [key for key in keys_of(control_of(EVALUATORS[name])) if key]
    assert [key for key, count in Counter(keys).items() if count > 1] == []
    assert all(len(key) == 1 for key in keys)
    assert not set(keys) & COMMANDS


@each
def test_values__of_all_keys_are_scores(name: str) -> None:
    control, check = control_of(EVALUATORS[name]), check_of(EVALUATORS[name])
    for _, value in slide(control):
        assert check(value) == value
    for option in control.get("options", []):
        value = [option["value"]] if control["kind"] == "many" else option["value"]
        assert check(value) == value


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("helpfulness", {"1 Useless": "1", "5 Excellent": "5"}),
        ("tone", {"Friendly": "1", "Rude": "4"}),
        ("fluency", {"0": "0", "9": "9", "10": "a"}),
        ("list", {"Choice 0": "1", "Choice 8": "9", "Choice 9": "a", "Choice 11": "d"}),
    ],
)
def test_keys__are_those_of_choices_and_points(name: str, keys: dict[str, str]) -> None:
    found = key_labels(EVALUATORS[name])
    assert {label: found[label] for label in keys} == keys


def test_keys__that_run_out_leave_choices_without_one() -> None:
    keys = keys_of(control_of(EVALUATORS["list"]))
    assert "" in keys
    assert "" not in keys[: keys.index("")]
    assert set(keys[keys.index("") :]) == {""}


def test_keys__of_a_choice_that_is_a_key_is_itself() -> None:
    values = ["b", "3", "c", "other", "0", "10", "A"]
    choices = [{"name": value.upper(), "value": value} for value in values]
    options = control_of(evaluator("single_select", choices=choices))["options"]
    found = {one["value"]: one["key"] for one in options}
    assert (found["3"], found["c"], found["0"]) == ("3", "c", "0")
    assert found["b"] == "1", "b goes back"
    assert (found["other"], found["10"], found["A"]) == ("2", "4", "5")


@pytest.mark.parametrize(
    ("low", "high", "keys"),
    [
        (1, 5, ["1", "2", "3", "4", "5"]),
        (-2, 2, ["3", "4", "0", "1", "2"]),
        (0, 10, [*"0123456789", "a"]),
        (10, 12, ["1", "2", "3"]),
    ],
)
def test_keys__of_a_point_that_is_a_digit_is_itself(
    low: float, high: float, keys: list[str]
) -> None:
    assert [one["key"] for one in control_of(scale(low, high))["options"]] == keys


# -- numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (scale(0, 10), "points"),
        (scale(0, 11), "slider"),
        (scale(-5, 5), "points"),
        (scale(3, 3), "points"),
        (scale(0, 1), "slider"),
        (scale(0.5, 3.5), "slider"),
        (scale(0.5, 3.5, step=1), "points"),
        (scale(0, 3, step=0.5), "slider"),
        (evaluator("percentage"), "slider"),
        (evaluator("percentage", min_score=1, max_score=4), "points"),
        (scale(0, float("nan")), "number"),
        (scale(0, float("inf")), "number"),
        (scale(-1e308, 1e308), "number"),
        (evaluator("numerical", choices=[{"name": "Low", "value": 1}, {"value": 2}]), "points"),
    ],
)
def test_number__has_points_for_few_steps_and_a_slider_for_many(one: Evaluator, kind: str) -> None:
    assert control_of(one)["kind"] == kind


def test_points__bear_their_number_and_their_name() -> None:
    choices = [{"name": "Bad", "value": 1}, {"name": "3", "value": 3}, {"name": "Odd", "value": 9}]
    options = control_of(scale(1, 3, choices=choices))["options"]
    assert [(one["value"], one["label"]) for one in options] == [(1, "1 Bad"), (2, "2"), (3, "3")]


def test_slider__has_names_of_its_points() -> None:
    choices = [{"name": "Best", "value": 100}, {"name": "Worst", "value": 0}]
    control = control_of(scale(0, 100, choices=choices))
    assert control["names"] == [[0, "Worst"], [100, "Best"]]


def test_slider__takes_bounds_and_step_of_the_evaluator() -> None:
    def slider(*bounds: float, **config: Any) -> tuple[float, float, float]:
        control = control_of(scale(*bounds, **config))
        return control["low"], control["high"], control["step"]

    assert slider(0, 20) == (0, 20, 1)
    assert slider(0, 1) == (0, 1, 0.01)
    assert slider(-1, 1.5) == (-1, 1.5, 0.025)
    assert slider(0, 4, step=0.5) == (0, 4, 0.5)
    assert slider(0, 1, step=0) == (0, 1, 0.01)
    assert slider(0, 1, step=float("nan")) == (0, 1, 0.01)
    assert slider(0, 1, step="wide") == (0, 1, 0.01)
    assert slider(0, 0.7) == (0, 0.7, 0.007)


@pytest.mark.parametrize(
    ("config", "keys"),
    [
        ({"min_score": 0, "max_score": 0.7}, [0, 0.07, 0.14, 0.21]),
        ({"min_score": 0, "max_score": 0.001}, [0, 0.0001, 0.0002, 0.0003]),
        ({"min_score": 0, "max_score": 1, "step": 0}, [0, 0.1, 0.2, 0.3]),
        ({"min_score": 1, "max_score": 100}, [1, 11, 21, 31]),
        ({"min_score": 0, "max_score": 1e308}, [0, 1e307, 2e307, 3e307]),
        ({"min_score": 0, "max_score": 100, "step": 30}, [0, 0, 30, 30]),
        ({"min_score": -0.3, "max_score": 0.3}, [-0.3, -0.24, -0.18, -0.12]),
    ],
)
def test_slider__keys_are_on_the_step_and_within_its_bounds(
    config: dict[str, float], keys: list[float]
) -> None:
    control = control_of(evaluator("numerical", **config))
    assert [key for key, _ in control["keys"]] == [*"0123456789"]
    values = [value for _, value in control["keys"]]
    assert values[:4] == keys
    assert all(control["low"] <= value <= control["high"] for value in values)
    for value in values:
        steps = (value - control["low"]) / control["step"]
        assert steps == pytest.approx(round(steps), abs=1e-6)


# -- choices ------------------------------------------------------------------------------------


def test_choices__with_one_value_are_one_and_those_without_any_are_left_out() -> None:
    choices: list[Any] = [{"name": "A", "value": "x"}, {"name": "B", "value": "x"}, {"name": ""}]
    assert control_of(evaluator("single_select", choices=choices)) == {
        "kind": "one",
        "options": [{"value": "x", "label": "A / B", "key": "1", "about": ""}],
    }


def test_choices__of_one_name_are_told_apart() -> None:
    choices = [{"name": "Ok", "value": "a"}, {"name": "Ok", "value": "b"}, {"name": "No"}]
    options = control_of(evaluator("multi_select", choices=choices))["options"]
    assert [one["label"] for one in options] == ["Ok (a)", "Ok (b)", "No"]


def test_choices__say_what_they_are_about() -> None:
    choices: list[Any] = [
        {"name": "Ok", "value": "ok", "description": "It does."},
        {"name": "No", "value": "no", "description": 3},
    ]
    options = control_of(evaluator("single_select", choices=choices))["options"]
    assert [one["about"] for one in options] == ["It does.", ""]


# -- what is odd --------------------------------------------------------------------------------


def wire(one: Evaluator) -> dict[str, Any]:
    """Return what the browser is told of an evaluator, as it comes out of the line."""
    sent = json.dumps(editor_for(one).setup, ensure_ascii=False, allow_nan=False)
    (described,) = json.loads(sent.encode())["evaluators"]
    return dict(described)


def test_choices__ten_thousand_of_them_are_all_there() -> None:
    choices = [{"name": f"Name {n}", "value": f"v{n}"} for n in range(10_000)]
    described = wire(evaluator("single_select", choices=choices))
    assert len(described["control"]["options"]) == 10_000
    editor = editor_for(evaluator("single_select", choices=choices))
    editor.value = "v9999"
    assert editor.value == "v9999"


@pytest.mark.parametrize("kind", ["single_select", "multi_select", "categorical"])
@pytest.mark.parametrize("field", ["name", "value", "description"])
def test_choices__that_cant_be_sent_are_said_and_break_nothing(kind: str, field: str) -> None:
    choice = {"name": "A", "value": "a", "description": "It is A.", field: HALF}
    described = wire(evaluator(kind, choices=[choice]))
    assert described["control"] == {"kind": "none"}
    assert "surrogates not allowed" in described["problem"]


def test_texts__that_cant_be_sent_are_written_out() -> None:
    odd = Evaluator(evaluator_slug="it", name=HALF, description=HALF, score_value_type="boolean")
    described = wire(odd)
    assert (described["title"], described["about"]) == (r"half a pair \ud83d",) * 2
    assert described["control"] == {"kind": "yesno"}


@pytest.mark.parametrize(
    "config",
    [
        {"min_score": float("nan"), "max_score": float("nan")},
        {"min_score": 0, "max_score": float("nan")},
        {"min_score": float("-inf"), "max_score": float("inf")},
        {"min_score": 10**400, "max_score": 10**401},
        {"min_score": 5, "max_score": 1},
        {"min_score": -1e308, "max_score": 1e308},
        {"min_score": 0, "max_score": 5e-324},
        {"min_score": 2**53, "max_score": 2**53 + 4},
    ],
    ids=str,
)
def test_bounds__that_are_odd_break_nothing(config: dict[str, Any]) -> None:
    described = wire(evaluator("numerical", **config))
    assert described["control"]["kind"] in ("number", "points", "slider", "none")
    assert bool(described["problem"]) == (described["control"]["kind"] == "none")
