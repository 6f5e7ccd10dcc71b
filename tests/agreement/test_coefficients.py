"""Alpha and kappa, against published examples with known results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scored import choices, defined, numbers, row_of, scores, spelled, table_of

from respan_notebook import Evaluator
from respan_notebook.agreement.agreement import measure_agreement
from respan_notebook.agreement.coefficients import masi_distances

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


# What the package krippendorff 0.9.0 computed of these scores, for seeds 0 to 2.
RECORDED = {
    "percentage": [0.21818648292, -0.308293587705, -0.008961518187],
    "multi_select": [0.059121032438, -0.072994987469, -0.042401821286],
    "numerical": [0.220272838442, -0.308307335163, 0.033994334278],
}


@pytest.mark.parametrize("kind", list(RECORDED))
@pytest.mark.parametrize("seed", range(3))
def test_alpha__as_recorded_of_another_program(kind: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    codes = random.integers(0, 7, (3, 40)).astype(float)
    codes[random.random((3, 40)) < 0.3] = np.nan
    sets = [["a"], ["b"], ["a", "b"], ["b", "c"], ["a", "b", "c"], ["c"], ["d"]]
    values = sets if kind == "multi_select" else list(range(7))
    by_scorer = {
        name: [None if np.isnan(code) else values[int(code)] for code in row]
        for name, row in zip("abc", codes, strict=True)
    }
    row = row_of(measure_agreement(scores(**by_scorer), [defined(kind)]))
    assert row["alpha"] == pytest.approx(RECORDED[kind][seed])


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
