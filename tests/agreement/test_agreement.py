"""Agreement between scorers, against published examples with known results."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

import krippendorff
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from respan_notebook import (
    ConfigurationError,
    Evaluator,
    FrameError,
    RespanClient,
    Sandbox,
    UnsupportedEvaluatorError,
)
from respan_notebook.agreement.agreement import Agreement, measure_agreement
from respan_notebook.agreement.coefficients import masi_distances

NAN = float("nan")


def scores(evaluator: str = "e", **by_scorer: Any) -> pd.DataFrame:
    """Tidy scores of logs 0, 1, ...: a value per log for each scorer; None is no score."""
    rows = [
        (f"{log}", evaluator, scorer, value)
        for scorer, values in by_scorer.items()
        for log, value in enumerate(values)
    ]
    frame = pd.DataFrame(rows, columns=["log_id", "evaluator_slug", "scorer", "value"])
    return frame.astype({"value": object})


def defined(kind: str, slug: str = "e", **fields: Any) -> Evaluator:
    return Evaluator(evaluator_slug=slug, score_value_type=kind, **fields)


def choices(*values: Any) -> dict[str, Any]:
    return {"score_config": {"choices": [{"name": f"is {one}", "value": one} for one in values]}}


def row_of(result: Agreement) -> dict[str, Any]:
    (row,) = result.table.to_dict("records")
    return row


def spelled(*lines: str) -> dict[str, list[str | None]]:
    """Scores as papers print them: a line per scorer, a full stop where there is none."""
    return {
        f"scorer {i}": [None if cell == "." else cell for cell in line.split()]
        for i, line in enumerate(lines)
    }


def numbers(*lines: str) -> dict[str, list[float | None]]:
    return {
        scorer: [None if cell is None else float(cell) for cell in cells]
        for scorer, cells in spelled(*lines).items()
    }


def table_of(counts: list[list[int]], values: list[Any]) -> dict[str, list[Any]]:
    """The scores of two scorers that have this confusion table."""
    cells = [
        (values[i], values[j])
        for i, row in enumerate(counts)
        for j, count in enumerate(row)
        for _ in range(count)
    ]
    return {"ann": [one for one, _ in cells], "bob": [other for _, other in cells]}


# -- published examples -------------------------------------------------------------------------

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability": A, B, and C with E.
BINARY = numbers("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0")
NOMINAL = spelled("a a b b d c c c e d d a", "b a b b b c c c e d d d")
FOUR = (
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)


@pytest.mark.parametrize(
    ("kind", "fields", "by_scorer", "level", "expected"),
    [
        ("boolean", {}, BINARY, "nominal", 0.095),
        ("single_select", {}, NOMINAL, "nominal", 0.692),
        ("single_select", {}, spelled(*FOUR), "nominal", 0.743),
        ("numerical", {}, numbers(*FOUR), "ordinal", 0.815),
        ("percentage", {}, numbers(*FOUR), "interval", 0.849),
    ],
    ids=["A-binary", "B-nominal", "C-gaps-nominal", "E-gaps-ordinal", "E-gaps-interval"],
)
def test_alpha__of_krippendorff_2011(
    kind: str, fields: dict[str, Any], by_scorer: Any, level: str, expected: float
) -> None:
    row = row_of(measure_agreement(scores(**by_scorer), [defined(kind, **fields)]))
    assert (row["level"], round(row["alpha"], 3)) == (level, expected)


def test_alpha__of_sets() -> None:
    # Distances of the sets, 1 - J M: a|ab 1 - 1/2 2/3 = 2/3, so too c|ac and a|ac; ab|b 2/3;
    # ab|ac 1 - 1/3 1/3 = 8/9; the others 1.
    # D_o = (2 2/3 + 2 2/3) / 8 = 1/3.
    # 3 a, 1 ab, 2 b, 1 c, 1 ac: over pairs a|ab 2, a|b 6, a|c 3, a|ac 2, ab|b 4/3, ab|c 1,
    # ab|ac 8/9, b|c 2, b|ac 2, c|ac 2/3: 188/9; D_e = 2 188/9 / (8 7) = 47/63.
    # 1 - 1/3 / (47/63) = 26/47.
    frame = scores(ann=[["a"], ["a", "b"], ["b"], ["c"]], bob=[["a"], ["a"], ["b"], ["a", "c"]])
    row = row_of(measure_agreement(frame, [defined("multi_select")]))
    assert row["level"] == "set"
    assert row["alpha"] == pytest.approx(26 / 47)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("ab", "ab", 0),
        ("ab", "abcd", 2 / 3),  # Passonneau (2006): J = 2/4, M = 2/3. (nltk rounds M to 0.67.)
        ("abc", "bcd", 1 - 1 / 2 * 1 / 3),
        ("a", "b", 1),
        ("", "a", 1),
        ("", "", 0),
    ],
    ids=["equal", "contained", "overlapping", "disjoint", "empty", "both-empty"],
)
def test_masi_distances__by_overlap(one: str, other: str, distance: float) -> None:
    expected = [[0, distance], [distance, 0]]
    np.testing.assert_allclose(masi_distances([list(one), list(other)]), expected)


@pytest.mark.parametrize("kind", ["percentage", "multi_select", "numerical"])
@pytest.mark.parametrize("seed", range(3))
def test_alpha__as_the_library_has_it(kind: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    codes = random.integers(0, 7, (3, 40)).astype(float)
    codes[random.random((3, 40)) < 0.3] = np.nan
    sets = [["a"], ["b"], ["a", "b"], ["b", "c"], ["a", "b", "c"], ["c"], ["d"]]

    def metric(_v1: Any, _v2: Any, i1: Any, i2: Any, **_options: Any) -> Any:
        return masi_distances(sets)[i1, i2]

    levels = {"percentage": "interval", "multi_select": metric, "numerical": "ordinal"}
    expected = krippendorff.alpha(
        codes, value_domain=list(range(7)), level_of_measurement=levels[kind]
    )
    values = sets if kind == "multi_select" else list(range(7))
    by_scorer = {
        name: [None if np.isnan(code) else values[int(code)] for code in row]
        for name, row in zip("abc", codes, strict=True)
    }
    row = row_of(measure_agreement(scores(**by_scorer), [defined(kind)]))
    assert row["alpha"] == pytest.approx(expected)


# kappa2(anxiety[, 2:3], "squared") of R's package irr, as the tests of statsmodels quote it. Nobody
# gives a 5, which makes the points 1, 2, 3, 4, 6 for irr.
ANXIETY = numbers(
    "3 6 4 6 2 4 2 4 3 3 2 3 3 3 2 2 1 3 3 4",
    "2 1 4 4 3 2 1 6 1 1 1 2 3 3 1 1 3 3 2 2",
)


@pytest.mark.parametrize(
    ("evaluator", "by_scorer", "weights", "expected"),
    [
        # Cohen's kappa as the textbooks have it: 0.7 observed, 0.5 expected.
        (defined("boolean"), table_of([[20, 5], [10, 15]], [1, 0]), "unweighted", 0.4),
        # Artstein and Poesio (2008), table 1: 0.7 observed, 0.54 expected.
        (
            defined("single_select"),
            table_of([[20, 20], [10, 50]], ["statement", "request"]),
            "unweighted",
            0.16 / 0.46,
        ),
        (
            defined("numerical", **choices(1, 2, 3, 4, 6)),
            ANXIETY,
            "quadratic",
            0.2520325,
        ),
    ],
    ids=["textbook", "artstein-poesio", "irr"],
)
def test_kappa__published(
    evaluator: Evaluator, by_scorer: Any, weights: str, expected: float
) -> None:
    row = row_of(measure_agreement(scores(**by_scorer), [evaluator]))
    assert row["weights"] == weights
    assert row["kappa"] == pytest.approx(expected, abs=1e-6)


def test_kappa__counts_points_that_nobody_gave() -> None:
    # Nobody gives a 3. Observed: one of 4 logs with 1 and 4, weight 9. Expected of the rows 1, 1,
    # 2, 4 and the columns 1, 2, 4, 4: (0 1 9 9 + 0 1 9 9 + 1 0 4 4 + 9 4 0 0) / 16 = 60/16.
    frame = scores(ann=[1, 1, 4, 2], bob=[1, 4, 4, 2])
    row = row_of(measure_agreement(frame, [defined("numerical")]))
    assert row["kappa"] == pytest.approx(1 - (9 / 4) / (60 / 16))


# -- the table ----------------------------------------------------------------------------------


def test_table__whole() -> None:
    frame = pd.concat(
        [
            scores("good", ann=[True, True, False, False], bob=[True, True, True, False]),
            scores("stars", ann=[1, 2, 3], bob=[1, 2, 2], judge=[None, 3, 3]),
            scores("words", ann=["a", "b"], bob=["a", "B"]),
        ],
        ignore_index=True,
    )
    evaluators = [
        defined("boolean", "good"),
        defined("numerical", "stars", score_config={"min_score": 1, "max_score": 5}),
        defined("comment", "words"),
        defined("boolean", "not there"),
    ]
    result = measure_agreement(frame, evaluators)
    expected = pd.DataFrame(
        {
            "type": ["boolean", "numerical", "comment"],
            "level": ["nominal", "ordinal", "exact"],
            "weights": ["unweighted", "quadratic", None],
            "logs": [4, 3, 2],
            "scorers": [2, 3, 2],
            # ann and bob agree on 2 of 3, ann and the judge on 1 of 2, bob and the judge on 0 of 2.
            "percent": [75.0, (200 / 3 + 50 + 0) / 3, 50.0],
            # Observed 3/4, expected (2 3 + 2 1) / 16 = 1/2.
            "kappa": [0.5, NAN, NAN],
            # D_o = 2/8, D_e = 2 5 3 / (8 7); of the stars as the library has it.
            "alpha": [
                1 - (2 / 8) / (30 / 56),
                krippendorff.alpha(
                    [[1, 2, 3], [1, 2, 2], [NAN, 3, 3]], level_of_measurement="ordinal"
                ),
                NAN,
            ],
            "notes": [
                "",
                "kappa is of two scorers, and there are 3: see pairs()",
                "neither kappa nor alpha: such values are equal or not, nothing between",
            ],
        },
        index=pd.Index(["good", "stars", "words"], name="evaluator", dtype=object),
        dtype=object,  # pandas 3 would make NaN of the None.
    ).astype(
        dict.fromkeys(("logs", "scorers"), "int64")
        | dict.fromkeys(("percent", "kappa", "alpha"), "float64")
    )
    assert_frame_equal(result.table, expected)
    assert result.warnings == []


NO_VARIATION = "no variation, all scores are {}: chance can't be told apart"


@pytest.mark.parametrize(
    ("kind", "by_scorer", "counts", "notes"),
    [
        ("boolean", {"ann": [True]}, (0, 1, NAN), "one scorer only, ann"),
        (
            "boolean",
            {"ann": [True, None], "bob": [None, False]},
            (0, 2, NAN),
            "no log is scored by two scorers",
        ),
        ("boolean", {"ann": [1, 1], "bob": [1, 1]}, (2, 2, 100.0), NO_VARIATION.format("True")),
        (
            "boolean",
            {"ann": [1, 1, 0], "bob": [1, 1, None]},
            (2, 2, 100.0),
            NO_VARIATION.format("True"),
        ),
        ("numerical", {"ann": [3], "bob": [3.0]}, (1, 2, 100.0), NO_VARIATION.format("3")),
        (
            "percentage",
            {"ann": [7.5, 7.5], "bob": [7.5, 7.5]},
            (2, 2, 100.0),
            NO_VARIATION.format("7.5")
            + "; no kappa: it is for categories, and this scale is continuous",
        ),
        (
            "categorical",
            {"ann": [["b", "a"]], "bob": [["a", "b"]]},
            (1, 2, 100.0),
            NO_VARIATION.format("""'["a", "b"]'""")
            + "; no kappa: it is for one category per log, and these are sets of choices",
        ),
    ],
    ids=["one-scorer", "apart", "same", "same-where-paired", "one-log", "interval", "sets"],
)
def test_table__says_why_a_number_is_missing(
    kind: str, by_scorer: Any, counts: tuple[int, int, float], notes: str
) -> None:
    row = row_of(measure_agreement(scores(**by_scorer), [defined(kind)]))
    assert (row["logs"], row["scorers"]) == counts[:2]
    np.testing.assert_equal([row["percent"], row["kappa"], row["alpha"]], [counts[2], NAN, NAN])
    assert row["notes"] == notes


def test_table__percent_is_of_the_pairs_that_share_logs() -> None:
    frame = scores(ann=[1, 2, None], bob=[1, 3, 3], judge=[None, None, 3])
    # ann and bob 1 of 2, bob and the judge 1 of 1, ann and the judge have no log in common.
    assert row_of(measure_agreement(frame, [defined("numerical")]))["percent"] == 75


def test_table__one_log_that_differs_is_chance() -> None:
    row = row_of(measure_agreement(scores(ann=[True], bob=[False]), [defined("boolean")]))
    assert (row["percent"], row["kappa"], row["alpha"], row["notes"]) == (0, 0, 0, "")


@pytest.mark.parametrize(
    "frame", [scores(), scores(ann=[None, NAN, pd.NA])], ids=["rows", "values"]
)
def test_table__no_scores(frame: pd.DataFrame) -> None:
    result = measure_agreement(frame)
    assert result.table.empty
    assert {name: str(dtype) for name, dtype in result.table.dtypes.items()} == {
        "type": "object",
        "level": "object",
        "weights": "object",
        "logs": "int64",
        "scorers": "int64",
        "percent": "float64",
        "kappa": "float64",
        "alpha": "float64",
        "notes": "object",
    }
    assert result.differences().empty
    assert repr(result) == "Agreement of 0 scorers by 0 evaluators"


# -- which values are equal ---------------------------------------------------------------------

SAME = [
    ("boolean", {}, True, np.True_),
    ("boolean", {}, False, 0.0),
    ("numerical", {}, 3, Decimal("3")),
    ("numerical", {}, np.int64(3), np.float32(3)),
    ("single_select", choices("warm", "cold"), "is warm", ["warm"]),
    ("multi_select", {}, ["b", "a"], np.array(["a", "b"])),
    ("multi_select", {}, {"a", "b"}, '["b", "a"]'),
    ("categorical", {}, "a", ("a",)),
    ("json", {}, {"a": [1, None], "b": 2.0}, '{"b": 2, "a": [1.0, null]}'),
    ("json", {}, "plain", '"plain"'),
    ("text", {}, "same", "same"),
]
DIFFERENT = [
    ("boolean", {}, True, False),
    ("numerical", {}, 3, 3.0000001),
    ("single_select", choices("warm", "cold"), "warm", "cold"),
    ("multi_select", {}, ["a"], ["a", "b"]),
    ("json", {}, {"a": 1}, {"a": True}),
    ("json", {}, [1, 2], [2, 1]),
    ("json", {}, {"a": 1}, {"a": "1"}),
    ("comment", {}, "same", "Same"),
]


def cases(rows: list[tuple[str, Any, Any, Any]]) -> list[Any]:
    return [pytest.param(*row, id=f"{i}-{row[0]}") for i, row in enumerate(rows)]


@pytest.mark.parametrize(("kind", "fields", "one", "other"), cases(SAME))
def test_percent__equal(kind: str, fields: dict[str, Any], one: Any, other: Any) -> None:
    result = measure_agreement(scores(ann=[one], bob=[other]), [defined(kind, **fields)])
    assert row_of(result)["percent"] == 100


@pytest.mark.parametrize(("kind", "fields", "one", "other"), cases(DIFFERENT))
def test_percent__unequal(kind: str, fields: dict[str, Any], one: Any, other: Any) -> None:
    result = measure_agreement(scores(ann=[one], bob=[other]), [defined(kind, **fields)])
    assert row_of(result)["percent"] == 0


@pytest.mark.parametrize("dtype", ["bool", "boolean", "object", "int64", "float64"])
def test_values__boolean_in_any_column(dtype: str) -> None:
    frame = scores(ann=[True, False], bob=[True, True]).astype({"value": dtype})
    assert row_of(measure_agreement(frame, [defined("boolean")]))["percent"] == 50


@pytest.mark.parametrize(
    ("kind", "fields", "values", "level"),
    [
        ("numerical", {}, [0, 10], "ordinal"),
        ("numerical", {}, [0, 11], "interval"),
        ("numerical", {}, [1, 2.5], "interval"),
        ("numerical", {"score_config": {"min_score": 0, "max_score": 100}}, [1, 2], "interval"),
        ("numerical", {"score_config": {"min_score": 0.5, "max_score": 5}}, [1, 2], "interval"),
        ("numerical", choices(0, 0.5, 100), [0.5, 100], "ordinal"),
        ("numerical", choices(0, 0.5, 100), [0.25, 100], "interval"),
        ("numerical", choices(1, 3, 5), [2, 5], "ordinal"),
        ("percentage", {}, [1, 2], "interval"),
    ],
    ids=[
        "eleven-points",
        "twelve-points",
        "halves",
        "wide-bounds",
        "half-bound",
        "named-points",
        "between-named-points",
        "some-points-named",
        "percentage",
    ],
)
def test_level__of_numbers(
    kind: str, fields: dict[str, Any], values: list[float], level: str
) -> None:
    result = measure_agreement(scores(ann=values, bob=values), [defined(kind, **fields)])
    assert row_of(result)["level"] == level


@pytest.mark.parametrize(
    ("values", "kind", "level"),
    [
        ([True, np.False_], "boolean", "nominal"),
        ([1, 2.0], "numerical", "ordinal"),
        (["a", "b"], "text", "exact"),
        ([["a"], ("a", "b")], "multi_select", "set"),
        ([{"a": 1}, {"a": 2}], "json", "exact"),
        ([[{"a": 1}], ["a"]], "json", "exact"),
        ([[1, 2], [[3]]], "json", "exact"),
    ],
    ids=["bool", "number", "text", "lists", "dicts", "lists-of-dicts", "lists-of-numbers"],
)
def test_type__is_taken_from_the_values(values: list[Any], kind: str, level: str) -> None:
    result = measure_agreement(scores(ann=values, bob=values))
    row = row_of(result)
    assert (row["type"], row["level"], row["percent"]) == (kind, level, 100)
    (warning,) = result.warnings
    assert warning.startswith(f"'e' has no definition and was taken for {kind}, as its values look")
    assert warning in repr(result)


# -- how the frame names things -----------------------------------------------------------------


@pytest.mark.parametrize(
    "columns",
    [
        {"evaluator_slug": ["good"] * 4},
        {"evaluator_id": ["e1"] * 4},
        {"evaluator_slug": ["good"] * 4, "evaluator_id": ["e1"] * 4},
        {"evaluator_slug": ["good", None, "good", NAN], "evaluator_id": [None, "e1", "e1", "e1"]},
    ],
    ids=["slug", "id", "both", "either"],
)
def test_evaluators__by_slug_or_id(columns: dict[str, Any]) -> None:
    frame = scores(ann=[1, 0], bob=[1, 1]).drop(columns="evaluator_slug").assign(**columns)
    result = measure_agreement(
        frame, Evaluator(id="e1", evaluator_slug="good", score_value_type="boolean")
    )
    assert result.table["percent"].to_dict() == {"good": 50.0}
    assert result.warnings == []


def test_evaluators__undefined_id_goes_with_the_slug_beside_it() -> None:
    frame = scores("good", ann=[True], bob=[True]).assign(evaluator_id="e1")
    frame.loc[1, "evaluator_slug"] = None
    assert measure_agreement(frame).table.index.tolist() == ["good"]


def test_scorers__chosen_and_in_that_order() -> None:
    frame = scores(ann=[1, 2], bob=[1, 3], judge=[1, 2])
    result = measure_agreement(frame, [defined("numerical")], scorers=["judge", "ann"])
    assert result.pairs("e")[["first", "second", "percent"]].to_dict("list") == {
        "first": ["judge"],
        "second": ["ann"],
        "percent": [100.0],
    }
    assert row_of(result)["scorers"] == 2


def test_scorers__an_evaluator_without_scores_by_them_is_left_out() -> None:
    frame = pd.concat([scores("one", ann=[1]), scores("two", bob=[1])], ignore_index=True)
    assert measure_agreement(frame, scorers=["bob"]).table.index.tolist() == ["two"]


TWICE = pd.concat([scores(ann=[1, 2]), scores(ann=[3])], ignore_index=True)
MIXED = scores(ann=[True, None], bob=[2, "x"])
REFUSED = [
    (scores(ann=[1]).drop(columns="scorer"), {}, "no column 'scorer'; there are 'log_id', "),
    (scores(ann=[1]).drop(columns="value"), {}, "no column 'value'"),
    (scores(ann=[1]).drop(columns="evaluator_slug"), {}, 'pull_scores(..., scorer="all") gives'),
    (scores(ann=[1]).drop(columns="log_id"), {}, "no log id"),
    (
        pd.concat([scores(ann=[1]), scores(ann=[1])[["value"]]], axis=1),
        {},
        "column 'value' is there 2 times",
    ),
    (scores(ann=[1]).assign(log_id=None), {}, "row 0: no log id"),
    (scores(ann=[1]).assign(scorer=None), {}, "row 0 has a score, and its scorer is None"),
    (
        scores(ann=[1]).assign(scorer=7),
        {},
        "its scorer is 7 (int); say in column 'scorer', as text",
    ),
    (scores(ann=[1]).assign(evaluator_slug=" "), {}, "row 0 has a score and no evaluator"),
    (TWICE, {}, "rows 0 and 2: 'ann' scores log '0' twice by 'e'; keep one"),
    (
        MIXED,
        {},
        "the scores of 'e' are of several types: row 0 has True (bool), row 2 2 (int); pass",
    ),
    (scores(ann=[object]), {}, "row 0: 'e' has <class 'object'> (type), and a score is a bool"),
    (
        scores(ann=[1, 7], bob=[9, 2]),
        {"evaluators": [defined("numerical", score_config={"min_score": 1, "max_score": 5})]},
        "row 1: 'e' (numerical) takes a number from 1 to 5, got 7 (int) (1 more like it); correct",
    ),
    (
        scores(ann=[1]).assign(evaluator_id="e2"),
        {"evaluators": [defined("boolean"), Evaluator(id="e2", score_value_type="boolean")]},
        "row 0: evaluator_id 'e2' and evaluator_slug 'e' differ",
    ),
    (scores(ann=[1]), {"scorers": ["anne"]}, "no scores by 'anne'; did you mean 'ann'?"),
]


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    REFUSED,
    ids=[
        "no-scorer-column",
        "no-value-column",
        "no-evaluator-column",
        "no-log-column",
        "column-twice",
        "no-log",
        "no-scorer",
        "scorer-number",
        "no-evaluator",
        "scored-twice",
        "mixed",
        "odd",
        "out-of-bounds",
        "evaluators-differ",
        "unknown-scorer",
    ],
)
def test_frame__refused(frame: pd.DataFrame, options: dict[str, Any], message: str) -> None:
    with pytest.raises(FrameError) as caught:
        measure_agreement(frame, **options)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"scorers": "ann"}, ConfigurationError),
        ({"scorers": [["ann"]]}, ConfigurationError),
        ({"evaluators": ["e"]}, ConfigurationError),
        ({"evaluators": [defined("stars")]}, UnsupportedEvaluatorError),
    ],
    ids=["text", "list-in-list", "slug", "unknown-type"],
)
def test_arguments__refused(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        measure_agreement(scores(ann=[1]), **options)


def test_missing_value__is_no_score_whatever_else_the_row_holds() -> None:
    odd = pd.DataFrame({"value": [None, NAN, pd.NA, pd.NaT]}).astype(object)
    frame = pd.concat([scores(ann=[1, 2], bob=[1, 2]), odd], ignore_index=True)
    assert row_of(measure_agreement(frame, [defined("numerical")]))["logs"] == 2


# -- libraries ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "package"), [("sklearn.metrics", "scikit-learn"), ("krippendorff", "krippendorff")]
)
def test_library__missing(module: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError) as caught:
        measure_agreement(scores(ann=[True, False], bob=[True, True]))
    assert str(caught.value) == (
        f'agreement needs {package}: pip install "respan-notebook[agreement]"'
    )


def test_library__not_needed_without_categories(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sklearn.metrics", "krippendorff"):
        monkeypatch.setitem(sys.modules, module, None)
    frame = scores(ann=[0.5, 1.5], bob=[0.5, 1.5])
    assert row_of(measure_agreement(frame, [defined("percentage")]))["alpha"] == 1


# -- pairs, confusion, differences --------------------------------------------------------------


def test_pairs__whole() -> None:
    frame = scores(ann=[1, 0, 1, 0], bob=[1, 0, 0, 0], judge=[None, None, 1, None], late=[None] * 4)
    frame = pd.concat([frame, scores(other=[None] * 4 + [1])], ignore_index=True)
    expected = pd.DataFrame(
        {
            "first": ["ann", "ann", "ann", "bob", "bob", "judge"],
            "second": ["bob", "judge", "other", "judge", "other", "other"],
            "logs": [4, 1, 0, 1, 0, 0],
            "percent": [75.0, 100.0, NAN, 0.0, NAN, NAN],
            # ann and bob: observed 3/4, expected (2 1 + 2 3) / 16 = 1/2.
            "kappa": [0.5, NAN, NAN, 0.0, NAN, NAN],
            "notes": [
                "",
                NO_VARIATION.format("True"),
                "no log in common",
                "",
                "no log in common",
                "no log in common",
            ],
        }
    ).astype(dict.fromkeys(("first", "second", "notes"), object))
    assert_frame_equal(measure_agreement(frame, [defined("boolean")]).pairs("e"), expected)


@pytest.mark.parametrize(
    ("evaluator", "by_scorer", "labels", "counts"),
    [
        (
            defined("boolean"),
            {"ann": [True, False, True], "bob": [True, True, None]},
            [False, True],
            [[0, 1], [0, 1]],
        ),
        (
            defined("single_select", **choices("warm", "even", "cold")),
            {"ann": ["warm", "cold"], "bob": ["cold", "cold"]},
            ["warm", "even", "cold"],
            [[0, 0, 1], [0, 0, 0], [0, 0, 1]],
        ),
        (
            defined("numerical", score_config={"min_score": 1, "max_score": 3}),
            {"ann": [3, 3], "bob": [1, 3]},
            [1, 2, 3],
            [[0, 0, 0], [0, 0, 0], [1, 0, 1]],
        ),
        (defined("percentage"), {"ann": [9, 0.5], "bob": [9, 9]}, [0.5, 9.0], [[0, 1], [0, 1]]),
        (
            defined("multi_select", **choices("ü", "a")),
            {"ann": [["a"], ["a", "ü"]], "bob": [["a"], ["a"]]},
            ['["ü", "a"]', '["a"]'],
            [[0, 1], [0, 1]],
        ),
        (
            defined("json"),
            {"ann": [{"a": 1}, [2]], "bob": [{"a": 1.0}, [2, 3]]},
            ["[2, 3]", "[2]", '{"a": 1}'],
            [[0, 0, 0], [1, 0, 0], [0, 0, 1]],
        ),
    ],
    ids=["boolean", "choices", "scale", "percentage", "sets", "json"],
)
def test_confusion__whole(
    evaluator: Evaluator, by_scorer: Any, labels: list[Any], counts: list[list[int]]
) -> None:
    expected = pd.DataFrame(
        counts, index=pd.Index(labels, name="ann"), columns=pd.Index(labels, name="bob")
    )
    assert_frame_equal(measure_agreement(scores(**by_scorer), [evaluator]).confusion("e"), expected)


def test_confusion__of_the_scorers_named() -> None:
    frame = scores(ann=[True, False], bob=[True, False], judge=[False, False])
    result = measure_agreement(frame, [defined("boolean")])
    labels = [False, True]
    expected = pd.DataFrame(
        [[1, 1], [0, 0]],
        index=pd.Index(labels, name="judge"),
        columns=pd.Index(labels, name="ann"),
    )
    assert_frame_equal(result.confusion("e", "judge", "ann"), expected)


def test_confusion__the_other_of_two() -> None:
    table = measure_agreement(scores(ann=[True], bob=[False])).confusion("e", second="ann")
    assert (table.index.name, table.columns.name) == ("bob", "ann")


@pytest.mark.parametrize(
    ("scorers", "asked", "message"),
    [
        (
            "abc",
            ("e",),
            "say which two scorers, as in confusion('e', first, second); 'e' has 'a', ",
        ),
        ("abc", ("e", "a"), "say which two scorers"),
        ("a", ("e",), "'e' has 'a'"),
        ("ab", ("e", "a", "a"), "is of two scorers, and both are 'a'"),
        ("ab", ("e", "a", "z"), "no scores by 'z' of 'e'; there are 'a', 'b'"),
        ("ab", ("f",), "no scores by an evaluator 'f'; there are 'e'"),
        ("ab", (["e"],), "no scores by an evaluator ['e']"),
    ],
    ids=["three", "first-of-three", "one", "twice", "scorer", "evaluator", "unhashable"],
)
def test_confusion__refused(scorers: str, asked: tuple[Any, ...], message: str) -> None:
    result = measure_agreement(scores(**{name: [1] for name in scorers}))
    with pytest.raises(FrameError) as caught:
        result.confusion(*asked)
    assert message in str(caught.value)


def test_differences__whole() -> None:
    frame = pd.concat(
        [
            scores("stars", ann=[1, 5, 3, 2], bob=[1, 3, 4, 2], judge=[1, 5, None, 4]),
            scores("tags", ann=[["a"], ["a", "b"]], difference=[["b"], ["a"]]),
        ],
        ignore_index=True,
    )
    evaluators = [
        defined("numerical", "stars", score_config={"min_score": 1, "max_score": 5}),
        defined("multi_select", "tags"),
    ]
    found = measure_agreement(frame, evaluators).differences()
    # Over the pairs of scorers: log 1 (2 + 0 + 2) / 3 of 4 steps, log 2 1 of 4, log 3 as log 1.
    expected = pd.DataFrame(
        [
            ["0", "tags", ["a"], None, None, ["b"]],
            ["1", "tags", ["a", "b"], None, None, ["a"]],
            ["1", "stars", 5, 3, 5, None],
            ["3", "stars", 2, 2, 4, None],
            ["2", "stars", 3, 4, None, None],
        ],
        columns=["log_id", "evaluator", "ann", "bob", "judge", "difference"],
        dtype=object,
    )
    assert_frame_equal(found.iloc[:, :-1], expected)
    assert found.columns[-1] == "difference"
    assert found.iloc[:, -1].tolist() == pytest.approx([1, 2 / 3, 1 / 3, 1 / 3, 1 / 4])


@pytest.mark.parametrize(
    ("evaluator", "one", "other", "difference"),
    [
        (defined("boolean"), True, False, 1),
        (defined("single_select", **choices("a", "b", "c")), "a", "b", 1),
        (defined("numerical", score_config={"min_score": 1, "max_score": 5}), 2, 3, 1 / 4),
        (defined("numerical", **choices(1, 10, 100)), 1, 10, 1 / 2),
        (defined("numerical", score_config={"min_score": 0, "max_score": 20}), 5.0, 10, 1 / 4),
        (defined("numerical"), -10.5, 10, 1),
        (defined("percentage"), 20, 30, 1 / 10),
        (defined("percentage", score_config={"max_score": 1}), 0.2, 0.7, 1 / 2),
        (defined("multi_select"), ["a"], ["a", "b"], 2 / 3),
        (defined("text"), "a", "b", 1),
    ],
    ids=lambda one: f"{one.score_value_type}" if isinstance(one, Evaluator) else None,
)
def test_differences__by_level(
    evaluator: Evaluator, one: Any, other: Any, difference: float
) -> None:
    frame = scores(ann=[one, one], bob=[other, one])
    found = measure_agreement(frame, [evaluator]).differences("e")
    assert found["log_id"].tolist() == ["0"]
    assert found["difference"].tolist() == pytest.approx([difference])


def test_differences__n() -> None:
    result = measure_agreement(scores(ann=[1, 2, 3], bob=[2, 4, 6]))
    assert result.differences(n=2)["log_id"].tolist() == ["2", "1"]
    for n in (0, 1.0, True):
        with pytest.raises(ConfigurationError):
            result.differences(n=n)


# -- what is shown ------------------------------------------------------------------------------


def test_repr__table_and_notes() -> None:
    frame = pd.concat([scores("good", ann=[1, 0], bob=[1, 1]), scores("tone", ann=["a"])])
    assert repr(
        measure_agreement(frame, [defined("boolean", "good"), defined("text", "tone")])
    ) == (
        "Agreement of 2 scorers by 2 evaluators\n"
        "           type    level     weights  logs  scorers percent kappa alpha\n"
        "  good  boolean  nominal  unweighted     2        2    50.0  0.00  0.00\n"
        "  tone     text    exact           -     0        1       -     -     -\n"
        "  tone: one scorer only, ann"
    )


def test_repr__no_minus_before_zero() -> None:
    # 11 of 23 logs differ, 29 scores of one value and 17 of the other: alpha 1 - 11 45 / (29 17).
    result = measure_agreement(scores(**table_of([[9, 6], [5, 3]], [True, False])))
    assert result.table.loc["e", "alpha"] == pytest.approx(-2 / 493)
    assert repr(result).splitlines()[2].split()[-2:] == ["-0.02", "0.00"]


def test_repr_html__escapes_what_a_frame_says() -> None:
    hostile = "<script>alert(1)</script>"
    frame = scores(hostile, **{f"{hostile}&": ["<b>x</b>"]})
    page = measure_agreement(frame)._repr_html_()
    assert "<script" not in page
    # The evaluator in the table, in its note and in the warning; the scorer in the note.
    assert page.count("&lt;script&gt;") == 4
    assert "&lt;/script&gt;&amp;" in page


# -- from the server ----------------------------------------------------------------------------


def test_agreement__of_pulled_scores(sandbox: Sandbox, client: RespanClient) -> None:
    logs = pd.DataFrame({"log_id": ["demo_01", "demo_02", "demo_03"]})
    given = {
        "ann@example.com": {"helpfulness": [1, 2, 5], "tone": ["formal", "formal", None]},
        "bob@example.com": {"helpfulness": [1, 4, 5], "tone": ["formal", "curt", "curt"]},
    }
    tone = Evaluator(
        evaluator_slug="own_tone", score_value_type="single_select", **choices("formal", "curt")
    )
    for email, values in given.items():
        frame = logs.assign(**values)
        with RespanClient(sandbox.api_keys[email], sandbox.base_url) as own:
            frame.respan.push_scores("helpfulness", client=own, progress=False).raise_for_errors()
            frame.respan.push_scores(
                {"own_tone": "tone"}, evaluators=[tone], client=own, progress=False
            ).raise_for_errors()
    pulled = logs.respan.pull_scores(["helpfulness", tone], client=client, scorer="all")
    result = measure_agreement(pulled, [*client.list_evaluators(), tone])
    assert result.warnings == []
    assert result.table[["type", "level", "logs", "percent"]].to_dict("index") == {
        "helpfulness": {
            "type": "numerical",
            "level": "ordinal",
            "logs": 3,
            "percent": pytest.approx(200 / 3),
        },
        "own_tone": {"type": "single_select", "level": "nominal", "logs": 2, "percent": 50.0},
    }
    # Observed (0 + 4 + 0) / 3; expected (0 + 9 + 16 + 1 + 4 + 9 + 16 + 1 + 0) / 9.
    assert result.table.loc["helpfulness", "kappa"] == pytest.approx(1 - (4 / 3) / (56 / 9))
