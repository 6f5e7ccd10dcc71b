"""Pictures: all that is asked for is drawn, whatever the numbers and names are."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scored import choices, defined, scores

from respan_notebook import Agreement, ConfigurationError, JudgeCheck, PushReport

pytest.importorskip("matplotlib", reason="the extra 'plots' is not installed")
from respan_notebook.drawing import Picture
from respan_notebook.plots import MOST_ROWS

HOSTILE = [
    "$x_{1}$ and \\frac{",
    "a very long name " * 9,
    "\N{GRINNING FACE}\u202e\u65e5\u672c",
    "<b>&amp;",
    "%s {0} \\n",
]


def make_agreement(names: list[str]) -> Agreement:
    """Agreement of two scorers on 12 logs by each evaluator."""
    frames = [scores(name, ann=[1, 2, 3] * 4, bob=[1, 2, 2] * 4) for name in names]
    return pd.concat(frames, ignore_index=True).respan.agreement(
        [defined("numerical", name, **choices(1, 2, 3)) for name in names]
    )


def make_check(*, numbers: bool = False) -> JudgeCheck:
    values: list[Any] = [1500.0, 1700.5, 900.0, 1100.0] if numbers else [True, True, False, True]
    population = pd.DataFrame({"log_id": [f"{i}" for i in range(40)], "value": values * 10})
    people = scores("good", ann=values[::-1] * 5)
    return people.respan.judge("bot", population=population)


def make_report() -> PushReport:
    frame = pd.DataFrame({"log_id": list("abcdef"), "stars": [1, 2, 2, 9, None, 3]}).assign(
        good=[True, False] * 3,
        tone=["x", "y", "z"] * 2,
        tags=[["a"], ["a", "b"]] * 3,
        words=["any", "text", "at", "all", "is", "kept"],
        share=np.linspace(0, 100, 6),
    )
    evaluators = [
        defined("numerical", "stars", score_config={"min_score": 1, "max_score": 5}),
        defined("boolean", "good"),
        defined("single_select", "tone", **choices("z", "y", "x")),
        defined("multi_select", "tags", **choices("a", "b")),
        defined("text", "words"),
        defined("percentage", "share"),
    ]
    return frame.respan.push_scores(evaluators, dry_run=True)


def texts_of(picture: Picture) -> list[str]:
    from matplotlib.text import Text

    return [one.get_text() for one in picture.findobj(Text)]


MAKERS: dict[str, Callable[[], Any]] = {
    "agreement": lambda: make_agreement(["stars", "tone"]),
    "check": make_check,
    "check-of-numbers": lambda: make_check(numbers=True),
    "report": make_report,
}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_plot__is_a_png_on_its_paper_and_changes_no_setting(
    make: Callable[[], Any], dark: bool
) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    picture = make().plot(dark=dark)
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert dict(mpl.rcParams) == before
    red, green, blue, _ = picture.get_facecolor()
    assert (red + green + blue < 1) is dark


def test_plot__loads_no_backend_and_opens_no_window() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_plots;"
        "[make().plot() for make in test_plots.MAKERS.values()];"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    folder = str(Path(__file__).parent)
    subprocess.run([sys.executable, "-c", code, folder], check=True, timeout=120)


def test_plot__of_agreement_has_intervals_bands_and_the_confusion_table() -> None:
    agreement = make_agreement(["stars", "tone"])
    picture = agreement.plot("tone")
    said = texts_of(picture)
    row = agreement.intervals().loc["tone"]
    alpha = agreement.table.loc["tone", "alpha"]
    assert f"{alpha:.2f} [{row.alpha_low:.2f} to {row.alpha_high:.2f}]  {row.verdict}" in said
    assert {"too low", "tentative", "reliable", "ann", "bob", "tone: logs by score"} <= set(said)
    # Four logs each: 1 and 1, 2 and 2, 3 and 2.
    assert [said.count("4"), said.count("0")] == [3, 6]
    kappa = agreement.plot(coefficient="kappa")
    assert repr(kappa).startswith(f"Picture of kappa: stars {agreement.table.kappa.iloc[0]:.2f} [")


def test_plot__of_agreement_of_three_scorers_is_of_the_two_who_share_most() -> None:
    frame = scores(ann=[1, 2, None], bob=[1, None, None], cy=[2, 2, 3])
    agreement = frame.respan.agreement(defined("numerical", **choices(1, 2, 3)))
    said = texts_of(agreement.plot())
    assert {"ann", "cy"} <= set(said)
    assert "bob" in texts_of(agreement.plot("e", "bob", "cy"))


@pytest.mark.parametrize(
    ("agreement", "sentence"),
    [
        (scores().respan.agreement(), "there are no scores"),
        (scores(ann=[True]).respan.agreement(), "undefined (one scorer only, ann)"),
        (
            scores(ann=[True] * 12, bob=[True] * 12).respan.agreement(),
            "undefined (no variation, all scores are True: chance can't be told apart)",
        ),
        (
            scores(ann=["a"], bob=["b"]).respan.agreement(),
            "neither kappa nor alpha: such values are equal or not",
        ),
        (
            scores(ann=[True, None], bob=[None, True]).respan.agreement(),
            "no log is scored by two scorers",
        ),
    ],
    ids=["nothing", "one-scorer", "no-variation", "text", "no-log-in-common"],
)
def test_plot__of_what_is_undefined_says_why(agreement: Agreement, sentence: str) -> None:
    for coefficient in ("alpha", "kappa"):
        picture = agreement.plot(coefficient=coefficient)  # type: ignore[arg-type]
        assert sentence in repr(picture)
        assert picture._repr_png_()


def test_plot__of_many_values_has_no_confusion_table_and_says_so() -> None:
    values = [float(i) for i in range(60)]
    agreement = scores(ann=values, bob=values[::-1]).respan.agreement(defined("percentage"))
    assert "no confusion table of e: 60 values are too many" in texts_of(agreement.plot())


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_plot__takes_names_as_text(dark: bool) -> None:
    agreement = make_agreement(HOSTILE)
    picture = agreement.plot(dark=dark)
    assert picture._repr_png_()  # A formula, or a letter that no font has, would raise here.
    said = texts_of(picture)
    assert HOSTILE[0] in said
    assert all(len(text) < 120 for text in said)
    assert "\u202e" not in repr(picture)
    assert "\n" not in repr(picture)


def test_plot__of_many_evaluators_draws_the_first() -> None:
    picture = make_agreement([f"e{i}" for i in range(60)]).plot()
    assert f"alpha, with 95% intervals; the first {MOST_ROWS} of 60" in texts_of(picture)
    assert picture.get_figheight() < 20
    assert picture._repr_png_()


def test_plot__of_a_check_says_its_numbers() -> None:
    check = make_check()
    assert check.tnr == check.tnr
    low, high = (f"{100 * end:.0f}%" for end in check.interval)
    assert f"corrected {100 * check.rate:.0f}% [{low} to {high}]" in repr(check.plot())
    assert {"judge says", "labels alone", "people", "judge"} <= set(texts_of(check.plot()))


def test_plot__of_a_check_without_bad_answers_says_so() -> None:
    population = pd.DataFrame({"log_id": ["0", "1"], "value": [True, True]})
    check = scores(ann=[True, True]).respan.judge("bot", population=population)
    assert "bad answers failed undefined (no bad answers)" in repr(check.plot())


def test_plot__of_a_report_has_statuses_and_values() -> None:
    report = make_report()
    picture = report.plot()
    assert "stars 1 skipped, 1 invalid, 4 not_sent; good 6 not_sent" in repr(picture)
    said = texts_of(picture)
    # Choices are in the order of the evaluator; text is not counted.
    assert [text for text in said if re.fullmatch("[xyz]", text)] == ["z", "y", "x"]
    assert {"1", "2", "3", "False", "True", "no values to count"} <= set(said)
    assert {"skipped", "invalid", "not_sent"} <= set(said)


def test_plot__of_a_report_without_rows_and_of_a_loaded_one(tmp_path: Path) -> None:
    empty = pd.DataFrame({"log_id": [], "good": []}).respan.push_scores(
        [defined("boolean", "good")], dry_run=True
    )
    assert repr(empty.plot()) == "Picture of a report: there are no scores"
    make_report().save(tmp_path / "report.csv")
    loaded = PushReport.load(tmp_path / "report.csv")
    assert repr(loaded.plot()) == repr(make_report().plot())
    assert "no values to count" in texts_of(loaded.plot())


def test_plot__refuses_what_it_can_not_draw() -> None:
    with pytest.raises(ConfigurationError, match="coefficient is 'alpha' or 'kappa', got 'ac1'"):
        make_agreement(["e"]).plot(coefficient="ac1")  # type: ignore[arg-type]


def test_plot__without_matplotlib_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import pandas as pd, respan_notebook\n"
        "frame = pd.DataFrame({'log_id': ['a', 'a'], 'evaluator_slug': 'e', 'scorer': ['x', 'y'],"
        " 'value': [True, True]})\n"
        "try:\n    frame.respan.agreement().plot()\n"
        "except respan_notebook.ConfigurationError as error:\n    print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 'pip install "respan-notebook[plots]"' in run.stdout
