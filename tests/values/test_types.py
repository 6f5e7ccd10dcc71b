"""Raw cells to wire values and back."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from respan_notebook import (
    Evaluator,
    InvalidValueError,
    Score,
    ScoreWrite,
    UnsupportedEvaluatorError,
)
from respan_notebook.models import VALUE_FIELDS
from respan_notebook.values.cells import is_missing
from respan_notebook.values.encoding import decode, encode_cells, encoder, make_upsert
from respan_notebook.values.types import VALUE_TYPES, implied_type

CHOICES = [
    {"name": "Warm", "value": "warm"},
    {"name": "Cold", "value": "cold"},
    {"name": "Three", "value": 3},
    {"name": "Yes", "value": True},
]


def evaluator(kind: str, **fields: Any) -> Evaluator:
    return Evaluator(id="e1", evaluator_slug="tone", score_value_type=kind, **fields)


ONE_TO_FIVE = {"score_config": {"min_score": 1, "max_score": 5}}
WITH_CHOICES = {"score_config": {"choices": CHOICES}}
LEGACY_CHOICES = {"categorical_choices": CHOICES}
LEGACY_BOUNDS = {"configurations": {"min_score": 0, "max_score": 10}}

ACCEPTED = [
    ("numerical", {}, 3, 3.0),
    ("numerical", {}, -0.5, -0.5),
    ("numerical", {}, Decimal("2.5"), 2.5),
    ("numerical", {}, np.int64(4), 4.0),
    ("numerical", {}, np.float32(0.5), 0.5),
    ("numerical", {}, pd.Series([7], dtype="Int64")[0], 7.0),
    ("numerical", ONE_TO_FIVE, 1, 1.0),
    ("numerical", ONE_TO_FIVE, 5.0, 5.0),
    ("numerical", LEGACY_BOUNDS, 10, 10.0),
    ("percentage", {}, 0, 0.0),
    ("percentage", {}, 100.0, 100.0),
    ("percentage", {"score_config": {"max_score": 1}}, 0.25, 0.25),
    ("boolean", {}, True, True),
    ("boolean", {}, np.bool_(False), False),
    ("boolean", {}, 0, False),
    ("boolean", {}, 1.0, True),
    ("single_select", WITH_CHOICES, "warm", ["warm"]),
    ("single_select", WITH_CHOICES, "Warm", ["warm"]),
    ("single_select", WITH_CHOICES, ["Cold"], ["cold"]),
    ("single_select", WITH_CHOICES, 3, ["Three"]),
    ("single_select", WITH_CHOICES, 3.0, ["Three"]),
    ("single_select", WITH_CHOICES, True, ["Yes"]),
    ("single_select", {}, "anything", ["anything"]),
    ("multi_select", WITH_CHOICES, ["warm", "Cold"], ["warm", "cold"]),
    ("multi_select", WITH_CHOICES, "warm", ["warm"]),
    ("multi_select", WITH_CHOICES, np.array(["cold", "warm"]), ["cold", "warm"]),
    ("multi_select", WITH_CHOICES, {"warm", "cold"}, ["cold", "warm"]),
    ("multi_select", WITH_CHOICES, '["warm", 3]', ["warm", "Three"]),
    ("multi_select", {}, ("a", "b"), ["a", "b"]),
    ("multi_select", {}, "[not JSON", ["[not JSON"]),
    ("categorical", LEGACY_CHOICES, ["Warm"], ["warm"]),
    ("text", {}, " as it is ", " as it is "),
    ("json", {}, np.array(3), "3"),
    ("text", {}, "日本語 🎉", "日本語 🎉"),
    ("comment", {}, "fine", "fine"),
    ("json", {}, {"a": [1, None, True]}, '{"a": [1, null, true]}'),
    ("json", {}, [np.int64(1), np.float64(0.5)], "[1, 0.5]"),
    ("json", {}, np.array([1, 2]), "[1, 2]"),
    ("json", {}, 7, "7"),
    ("json", {}, False, "false"),
    ("json", {}, ' {"a": 1}', ' {"a": 1}'),
    ("json", {}, '"text"', '"text"'),
    ("json", {}, {"ж": "é"}, '{"ж": "é"}'),
]


@pytest.mark.parametrize(
    ("kind", "fields", "raw", "sent"), ACCEPTED, ids=[f"{i}-{a[0]}" for i, a in enumerate(ACCEPTED)]
)
def test_encoder__accepts(kind: str, fields: Any, raw: Any, sent: Any) -> None:
    value = encoder(evaluator(kind, **fields))(raw)
    assert value == sent
    assert type(value) is type(sent)


CYCLE: list[Any] = []
CYCLE.append(CYCLE)

REFUSED = [
    ("numerical", {}, True, "takes a number"),
    ("numerical", {}, np.bool_(True), "takes a number"),
    ("numerical", {}, "4", "takes a number, got '4' (str)"),
    ("numerical", {}, np.timedelta64(3, "s"), "takes a number"),
    ("json", {}, {"a": np.timedelta64(3, "s")}, "no timedelta64"),
    ("numerical", {}, [4], "takes a number"),
    ("numerical", {}, 1j, "takes a number"),
    ("numerical", {}, math.inf, "finite"),
    ("numerical", {}, -math.inf, "finite"),
    ("numerical", {}, 10**400, "finite"),
    ("numerical", {}, 10**5000, "too long to show"),
    ("numerical", {}, 2**53 + 1, "exactly"),
    ("numerical", {}, np.int64(2**53 + 1), "exactly"),
    ("numerical", ONE_TO_FIVE, 0.99, "from 1 to 5"),
    ("numerical", ONE_TO_FIVE, 6, "from 1 to 5"),
    ("numerical", {"score_config": {"min_score": 2}}, 1, "from 2,"),
    ("numerical", {"score_config": {"max_score": 2}}, 3, "up to 2"),
    ("numerical", LEGACY_BOUNDS, 11, "from 0 to 10"),
    ("percentage", {}, 100.1, "from 0 to 100"),
    ("percentage", {}, -1, "from 0 to 100"),
    ("percentage", {}, "50%", "takes a number"),
    ("boolean", {}, 2, "True or False"),
    ("boolean", {}, 0.5, "True or False"),
    ("boolean", {}, "yes", "True or False"),
    ("boolean", {}, [True], "True or False"),
    ("single_select", WITH_CHOICES, "hot", "one of ['warm', 'cold', 'Three', 'Yes']"),
    ("single_select", WITH_CHOICES, "3", "one of"),
    ("single_select", WITH_CHOICES, 1, "one of"),
    ("single_select", WITH_CHOICES, ["warm", "cold"], "exactly one choice, not 2"),
    ("single_select", WITH_CHOICES, [], "exactly one choice, not 0"),
    ("single_select", WITH_CHOICES, {"a": 1}, "plain values"),
    ("single_select", {}, " ", "not blank"),
    ("single_select", {}, 4, "takes text"),
    ("multi_select", WITH_CHOICES, [], "at least one"),
    ("multi_select", WITH_CHOICES, "[]", "at least one"),
    ("multi_select", WITH_CHOICES, ["warm", "Warm"], "each choice once"),
    ("multi_select", WITH_CHOICES, ["warm", None], "plain values"),
    ("multi_select", WITH_CHOICES, [["warm"]], "plain values"),
    ("multi_select", WITH_CHOICES, '["warm", "hot"]', "one of"),
    ("categorical", LEGACY_CHOICES, "hot", "one of"),
    ("text", {}, "", "not blank"),
    ("text", {}, " \n\t", "not blank"),
    ("text", {}, 4, "takes text"),
    ("text", {}, ["a"], "takes text"),
    ("text", {}, "half \ud83d pair", "character 5"),
    ("comment", {}, b"bytes", "takes text"),
    ("json", {}, "plain words", "line 1, column 1"),
    ("json", {}, '{"a": 1,\n "b" 2}', "line 2, column 6"),
    ("json", {}, "", "line 1, column 1"),
    ("json", {}, "null", "null"),
    ("json", {}, "[NaN]", "no NaN"),
    ("json", {}, "[1e999]", "$[0]"),
    ("json", {}, "9" * 5000, "not that long"),
    ("json", {}, {"a": [0, math.nan]}, "$.a[1]"),
    ("json", {}, {"a": pd.NA}, "no NAType (at $.a)"),
    ("json", {}, {1: "a"}, "keys are strings"),
    ("json", {}, {"a": {1, 2}}, "no set (at $.a)"),
    ("json", {}, {"a": "\ud83d"}, "surrogate"),
    ("json", {}, '"\\ud83d"', "surrogate"),
    ("json", {}, [10**5000], "not that long"),
    ("json", {}, CYCLE, "nested"),
    ("json", {}, "[" * 100_000, "nested"),
]


@pytest.mark.parametrize(
    ("kind", "fields", "raw", "message"),
    REFUSED,
    ids=[f"{i}-{r[0]}-{r[3]}" for i, r in enumerate(REFUSED)],
)
def test_encoder__refuses(kind: str, fields: Any, raw: Any, message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        encoder(evaluator(kind, **fields))(raw)
    assert message in str(caught.value)
    assert "'tone'" in str(caught.value)
    assert (caught.value.value, caught.value.evaluator) == (raw, "tone") or raw is CYCLE


@pytest.mark.parametrize("kind", VALUE_TYPES)
@pytest.mark.parametrize(
    "raw",
    [
        None,
        math.nan,
        np.nan,
        np.float32("nan"),
        pd.NA,
        pd.NaT,
        np.datetime64("NaT", "ns"),
        Decimal("sNaN"),
    ],
    ids=repr,
)
def test_encoder__missing_is_no_score(kind: str, raw: Any) -> None:
    assert encoder(evaluator(kind))(raw) is None


def test_encoder__needs_an_identity_and_bounds_that_hold_a_number() -> None:
    with pytest.raises(UnsupportedEvaluatorError, match="needs an id or an evaluator_slug"):
        encoder(Evaluator(score_value_type="text"))
    with pytest.raises(UnsupportedEvaluatorError, match=r"'x\\\\ud83d' is no valid Unicode"):
        encoder(Evaluator(evaluator_slug="x\ud83d", score_value_type="text"))
    encoder(Evaluator(evaluator_slug="x\x07", score_value_type="text"))
    upside_down = {"score_config": {"min_score": 5, "max_score": 1}}
    with pytest.raises(UnsupportedEvaluatorError, match="min_score, 5, above its max_score, 1"):
        encoder(evaluator("numerical", **upside_down))


class Tone(str, Enum):  # noqa: UP042 - its str() is not its text
    WARM = "warm"


def named(*pairs: tuple[Any, Any]) -> dict[str, Any]:
    return {"score_config": {"choices": [{"name": n, "value": v} for n, v in pairs]}}


@pytest.mark.parametrize(
    ("choices", "raw", "text"),
    [
        (named(("Warm", "warm")), Tone.WARM, "warm"),
        (named(("Good", "")), "Good", "Good"),
        (named((None, 3), (None, 4)), 3, "3"),
        (named((None, 3), (None, 4)), "3", "3"),
        (named(("Odd", ["x"])), "Odd", "Odd"),
        (named(("OK", "a"), ("OK", "a")), "OK", "a"),
        (named(("[x]", "[x]")), "[x]", "[x]"),
    ],
)
def test_choices__odd_but_clear(choices: Any, raw: Any, text: str) -> None:
    assert encoder(evaluator("single_select", **choices))(raw) == [text]
    assert encoder(evaluator("multi_select", **choices))(raw) == [text]


@pytest.mark.parametrize(
    ("choices", "raw"),
    [
        (named(("OK", "a"), ("OK", "b")), "OK"),
        (named(("Yes", 1), ("No", 1)), 1),
        (named(("A", "B"), ("B", "A")), "A"),
    ],
)
def test_choices__ambiguous(choices: Any, raw: Any) -> None:
    with pytest.raises(InvalidValueError, match="several choices of that name"):
        encoder(evaluator("single_select", **choices))(raw)


@pytest.mark.parametrize("kind", [None, "", "stars", "Numerical"])
def test_encoder__unknown_type(kind: str | None) -> None:
    with pytest.raises(UnsupportedEvaluatorError, match="can't write"):
        encoder(Evaluator(id="e1", score_value_type=kind))


def test_make_upsert__prefers_the_id_and_takes_context() -> None:
    upsert = make_upsert(
        evaluator("boolean"),
        "log_1",
        True,
        {"explanation": "why", "timestamp": "2026-01-05T08:00:00Z", "prompt_id": None},
    )
    assert upsert.log_id == "log_1"
    assert list(upsert.body.items()) == [
        ("evaluator_id", "e1"),
        ("timestamp", "2026-01-05T08:00:00Z"),
        ("boolean_value", True),
        ("explanation", "why"),
    ]


def test_implied_type__takes_all_that_its_field_can_hold() -> None:
    assert {field: implied_type(field).name for field in VALUE_FIELDS} == {
        "numerical_value": "numerical",
        "string_value": "text",
        "boolean_value": "boolean",
        "categorical_value": "multi_select",
        "json_value": "json",
    }


@pytest.mark.parametrize(
    ("kind", "fields", "value"),
    [
        ("numerical", {"numerical_value": 3}, 3.0),
        ("boolean", {"boolean_value": False}, False),
        ("single_select", {"categorical_value": ["warm"]}, "warm"),
        ("single_select", {"categorical_value": ["warm", "cold"]}, ["warm", "cold"]),
        ("multi_select", {"categorical_value": ["warm"]}, ["warm"]),
        ("text", {"string_value": "fine"}, "fine"),
        ("json", {"json_value": "[1]"}, [1]),
        ("json", {"json_value": "not JSON"}, "not JSON"),
        ("json", {"json_value": {"already": "an object"}}, {"already": "an object"}),
        ("text", {"numerical_value": 3}, None),
        ("stars", {"numerical_value": 3}, 3.0),
        ("numerical", {}, None),
    ],
)
def test_decode__by_type(kind: str, fields: Any, value: Any) -> None:
    assert decode(Score(id="s1", **fields), evaluator(kind)) == value


# -- whatever goes in ---------------------------------------------------------------------------

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.complex_numbers(),
    st.text(st.characters(exclude_categories=[]), max_size=20),
    st.binary(max_size=5),
    st.datetimes(),
    st.sampled_from(["warm", "Cold", "Three", 3, True, "[]", "null", '{"a": NaN}', "1e999"]),
    st.sampled_from([pd.NA, pd.NaT, np.bool_(True), np.int8(3), np.float16(2.5), np.str_("warm")]),
    st.floats(width=32).map(np.float32),
    st.integers(-(2**63), 2**63 - 1).map(np.int64),
    st.builds(object),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of(st.text(max_size=5), st.integers()), inner, max_size=3),
        st.lists(st.text(max_size=3), max_size=3).map(np.array),
        st.frozensets(st.text(max_size=3), max_size=3),
    ),
    max_leaves=8,
)
EVALUATORS = st.builds(
    lambda kind, fields: evaluator(kind, **fields),
    st.sampled_from(sorted(VALUE_TYPES)),
    st.sampled_from([{}, ONE_TO_FIVE, WITH_CHOICES, LEGACY_CHOICES, LEGACY_BOUNDS]),
)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "explanation": st.none() | TEXT,
        "environment": st.none() | TEXT,
        "prompt_version_number": st.none() | st.integers(0, 2**63 - 1),
        "timestamp": st.none() | st.just("2026-01-05T08:00:00Z"),
    },
)


@given(EVALUATORS, ANYTHING, CONTEXTS)
def test_upsert__passes_the_api_s_model_or_is_refused_clearly(
    one: Evaluator, raw: Any, context: dict[str, Any]
) -> None:
    refusal = None
    try:
        value = encoder(one)(raw)
    except InvalidValueError as error:
        refusal = error
    if refusal is not None:
        assert refusal.value is raw
        assert "'tone'" in str(refusal)
        assert ", got " in str(refusal)
        str(refusal).encode()
        return
    if value is None:
        assert is_missing(raw)
        return
    body = make_upsert(one, "log_1", value, context).body
    assert ScoreWrite.model_validate(body).body() == body
    json.dumps(body, allow_nan=False, ensure_ascii=False).encode()


@given(
    EVALUATORS,
    st.one_of(
        st.lists(st.floats(width=32) | st.sampled_from([1.0, 5.0, math.nan])).map(np.array),
        st.lists(st.floats(width=32)).map(lambda cells: np.array(cells, np.float32)),
        st.lists(st.integers(-(2**63), 2**63 - 1)).map(lambda cells: np.array(cells, np.int64)),
        st.lists(st.integers(0, 2**64 - 1)).map(lambda cells: np.array(cells, np.uint64)),
    ),
)
def test_encode_cells__of_an_array_says_what_each_cell_says(one: Evaluator, cells: Any) -> None:
    values, errors = encode_cells(one, cells)
    assert (values, errors) == encode_cells(one, cells.tolist())
    assert [type(value) for value in values] == [
        type(value) for value in encode_cells(one, cells.tolist())[0]
    ]


@given(EVALUATORS, ANYTHING)
def test_decode__gives_back_what_is_accepted(one: Evaluator, raw: Any) -> None:
    """What was sent, read and sent again is the same."""
    encode = encoder(one)
    try:
        sent = encode(raw)
    except InvalidValueError:
        return
    if sent is None:
        return
    field = VALUE_TYPES[one.score_value_type or ""].field
    value = decode(Score.model_validate({"id": "s1", field: sent}), one)
    if one.score_value_type == "json" and isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False)
    again = encode(value)
    if one.score_value_type == "json":
        assert json.loads(again) == json.loads(sent)
    else:
        assert again == sent
