"""The table of agreement, how it is shown, and what it needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scored import NAN, NO_VARIATION, choices, defined, row_of, scores, table_of

from respan_notebook import (
    ConfigurationError,
    Evaluator,
    RespanClient,
    Sandbox,
    UnsupportedEvaluatorError,
)
from respan_notebook.agreement.agreement import measure_agreement


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
            # D_o = 2/8, D_e = 2 5 3 / (8 7); of the stars as krippendorff 0.9.0 has it.
            "alpha": [
                1 - (2 / 8) / (30 / 56),
                0.58,
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


def test_repr__table_and_notes() -> None:
    frame = pd.concat([scores("good", ann=[1, 0], bob=[1, 1]), scores("tone", ann=["a"])])
    assert repr(
        measure_agreement(frame, [defined("boolean", "good"), defined("text", "tone")])
    ) == (
        "Agreement of 2 scorers by 2 evaluators: not enough to conclude for good; undefin"
        "ed for tone\n"
        "          level  logs  scorers              percent                kappa        "
        "         alpha                 verdict\n"
        "  good  nominal     2        2  50.0 [0.0 to 100.0]  0.00 [0.00 to 0.00]  0.00 ["
        "-0.50 to 0.00]  not enough to conclude\n"
        "  tone    exact     0        1                    -                    -        "
        "             -               undefined\n"
        "  tone: one scorer only, ann"
    )


def test_repr__no_minus_before_zero() -> None:
    # 11 of 23 logs differ, 29 scores of one value and 17 of the other: alpha 1 - 11 45 / (29 17).
    result = measure_agreement(scores(**table_of([[9, 6], [5, 3]], [True, False])))
    assert result.table.loc["e", "alpha"] == pytest.approx(-2 / 493)
    assert " -0.02 [" in repr(result)
    assert " 0.00 [" in repr(result)


def test_repr_html__escapes_what_a_frame_says() -> None:
    hostile = "<script>alert(1)</script>"
    frame = scores(hostile, **{f"{hostile}&": ["<b>x</b>"]})
    page = measure_agreement(frame)._repr_html_()
    assert "<script" not in page
    # The evaluator in the sentence, the table, its note and the warning; the scorer in the note.
    assert page.count("&lt;script&gt;") == 5
    assert "&lt;/script&gt;&amp;" in page


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
