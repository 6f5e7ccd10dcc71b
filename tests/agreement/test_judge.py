"""The check of a judge: what it claims, what the labels say, and what can't be said."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from respan_notebook import (
    ConfigurationError,
    Evaluator,
    FrameError,
    JudgeCheck,
    RespanClient,
    Sandbox,
)
from respan_notebook.agreement.estimates import estimate_mean, proportion_interval


def population(*values: Any) -> pd.DataFrame:
    frame = pd.DataFrame({"log_id": [f"{i}" for i in range(len(values))]})
    return frame.assign(value=pd.Series(values, dtype=object))


def labels(**by_scorer: Any) -> pd.DataFrame:
    """Labels of logs 0, 1, ...: a value per log for each person; None is no label."""
    rows = [
        (f"{log}", "good", scorer, value)
        for scorer, values in by_scorer.items()
        for log, value in enumerate(values)
    ]
    frame = pd.DataFrame(rows, columns=["log_id", "evaluator_slug", "scorer", "value"])
    return frame.astype({"value": object})


@pytest.mark.parametrize(
    ("passes", "count", "expected"),
    [
        # Wilson's intervals of Newcombe (1998), "Two-sided confidence intervals for the single
        # proportion", table I; the same by proportion_confint(..., method="wilson") of statsmodels
        # 0.15.
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_proportion_interval__of_newcombe_1998(
    passes: int, count: int, expected: tuple[float, float]
) -> None:
    assert proportion_interval(passes, count) == pytest.approx(expected, abs=1e-4)


def test_proportion_interval__of_weighted_counts_is_between_those_of_whole_ones() -> None:
    (low, _), (middle, _), (high, _) = (proportion_interval(k, 20) for k in (10, 10.5, 11))
    assert low < middle < high


@pytest.mark.parametrize(
    ("count", "value", "power"),
    # ppi_mean_pointestimate and the lambda behind it, of the authors' ppi_py 0.2.3.
    [(30, 53.211995738479104, 0.4364497178225663), (100, 52.752810502932675, 0.5973428959072176)],
)
def test_mean__as_recorded_of_ppi_py(count: int, value: float, power: float) -> None:
    random = np.random.default_rng(0)
    verdicts = random.normal(60, 15, 500)
    truth = 0.8 * verdicts + random.normal(5, 6, 500)
    verdicts, truth = verdicts.round(2), truth.round(2)
    found, used = estimate_mean(
        truth[:count], verdicts[:count], np.ones(count), verdicts, verdicts[count:]
    )
    assert found.value == pytest.approx(value)
    assert used == pytest.approx(power)


def test_check__whole() -> None:
    verdicts = population(*[True] * 60, *[False] * 40)
    # Of 10 passes 8 are good, of 10 fails 1: 0.6 8/10 + 0.4 1/10.
    drawn = [*range(10), *range(60, 70)]
    people = [*[True] * 8, False, False, *[False] * 9, True]
    frame = pd.DataFrame(
        {"log_id": map(str, drawn), "evaluator_slug": "good", "scorer": "ann", "value": people}
    ).assign(weight=[6.0] * 10 + [4.0] * 10)
    check = frame.respan.judge("bot", population=verdicts, evaluator="good")
    assert (check.claimed, check.rate) == (0.6, pytest.approx(0.52))
    assert check.tpr == pytest.approx(0.48 / 0.52)
    assert check.tnr == pytest.approx(0.36 / 0.48)
    for number, (low, high) in [
        (check.rate, check.interval),
        (check.tpr, check.tpr_interval),
        (check.tnr, check.tnr_interval),
    ]:
        assert 0 <= low < number < high <= 1
    assert check.confusion is not None
    assert check.confusion.to_dict() == {
        "pass": {"pass": 8, "fail": 2},
        "fail": {"pass": 1, "fail": 9},
    }
    assert check.false_passes["log_id"].tolist() == ["8", "9"]
    assert check.false_fails.to_dict("records") == [
        {"log_id": "69", "verdict": False, "label": True}
    ]
    assert check.method == "post-stratified on the verdict, interval of Beta draws"
    assert check.warnings == []
    low, high = (f"{100 * end:.0f}" for end in check.interval)
    assert repr(check) == (
        f"judge says 60%; corrected 52% [{low}-{high}]; misses 25% of the bad answers"
    )


def test_check__of_two_people_by_majority_and_says_so() -> None:
    verdicts = population(*[True] * 6, *[False] * 4, None)
    frame = labels(
        ann=[True, True, False, None, None, None, False, False, False, None, True],
        bob=[True, True, True, None, None, None, False, False, True, None, None],
    )
    check = frame.respan.judge("bot", population=verdicts, humans=["ann", "bob"])
    assert check.people_agree == pytest.approx(4 / 6)
    assert check.warnings[:3] == [
        "the labelled logs are taken as drawn at random: neither weight nor sample= is given",
        "2 logs left out: people differ, and no majority",
        "1 log left out: no verdict of the judge",
    ]
    assert "human-human agreement for comparison 0.67" in repr(check)


def test_check__gold_settles_those_who_differ() -> None:
    frame = labels(ann=[True, True, True], bob=[True, False, False])
    # Log 0 is not in question, and log 2 stays undecided.
    gold = population(False, False, None)
    check = frame.respan.judge("bot", population=population(True, True, True), gold=gold)
    assert check.false_passes["log_id"].tolist() == ["1"]
    assert check.rate == 0.5
    assert "1 log left out: people differ, and no majority" in check.warnings


@pytest.mark.parametrize("value", [True, False])
def test_check__one_label_or_labels_all_equal(value: bool) -> None:
    for count in (1, 40):
        check = labels(ann=[value] * count).respan.judge(
            "bot", population=population(*[value] * 50)
        )
        assert check.rate == float(value)
        assert check.interval[0] <= check.rate <= check.interval[1]
        assert check.interval[0] < check.interval[1]
        assert "nan" not in repr(check)


def test_check__verdict_without_labels_says_which_to_label() -> None:
    check = labels(ann=[True] * 40).respan.judge(
        "bot", population=population(*[True] * 40, *[False] * 40)
    )
    assert any("that the judge fails" in one for one in check.warnings)
    # Half of the logs may be anything from bad to good.
    assert check.interval[0] < 0.52
    assert check.interval[1] > 0.98


def test_check__of_a_judge_that_adds_nothing() -> None:
    random = np.random.default_rng(0)
    verdicts = population(*(random.random(400) < 0.5).tolist())
    check = labels(ann=(random.random(60) < 0.5).tolist()).respan.judge("bot", population=verdicts)
    assert any("the labels alone give as narrow an interval" in one for one in check.warnings)


def test_check__of_numbers_is_of_the_mean() -> None:
    random = np.random.default_rng(1)
    verdicts = np.round(random.normal(60, 15, 300), 2)
    frame = labels(ann=(verdicts[:50] - 10 + random.normal(0, 2, 50)).tolist())
    check = frame.respan.judge("bot", population=population(*verdicts.tolist()))
    assert check.claimed == pytest.approx(verdicts.mean())
    assert check.interval[0] < verdicts.mean() - 10 < check.interval[1]
    assert check.confusion is None
    assert check.method.startswith("prediction-powered (PPI++), lambda ")
    assert "misses" not in repr(check)


@pytest.mark.parametrize(
    ("passes", "rate"), [(4, 0.5), ({5, 4}, 0.5), ([5], 0.25)], ids=["bound", "set", "list"]
)
def test_check__passes(passes: Any, rate: float) -> None:
    frame = labels(ann=[5, 4, 2, 1])
    check = frame.respan.judge("bot", population=population(5, 4, 2, 1), passes=passes)
    assert check.rate == rate


def check_plain(frame: pd.DataFrame, **options: Any) -> JudgeCheck:
    return frame.respan.judge("bot", **{"population": population(True, False), **options})


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (labels(ann=[True] * 3), {}, "1 labelled log not in population: '2'"),
        (labels(ann=[True], bob=[False]), {}, "people differ on all 1 log"),
        (labels(bot=[True]), {}, "no scores but those by 'bot'"),
        (labels(ann=[True], bot=[False]), {}, "says False of log '0' in the scores and True"),
        (labels(ann=[True]), {"humans": "ann"}, "humans takes a list"),
        (labels(ann=[True]), {"humans": ["anne"]}, "did you mean 'ann'"),
        (labels(ann=[True], bot=[True]), {"humans": ["bot"]}, "is the judge"),
        (labels(ann=[None]), {}, "no score in the frame"),
        (labels(ann=[True]), {"evaluator": "god"}, "no scores by 'god'"),
        (labels(ann=[True]), {"population": population(None)}, "no verdict on any labelled log"),
        (labels(ann=[True]), {"population": population("yes")}, "population, row 0"),
        (labels(ann=["a"]), {"population": population("a")}, "say what passes"),
        (labels(ann=[True]), {"passes": 3.5}, "passes takes a value"),
        (labels(ann=[3.5]), {"population": population(3.5)}, "one label gives no interval"),
        (
            labels(ann=[3.5, 4.5]).assign(weight=[1, 1e9]),
            {"population": population(3.5, 4.5)},
            "one has nearly all the weight",
        ),
        (labels(ann=[True]).assign(weight=0.0), {}, "has the weight 0.0"),
        (labels(ann=[True]).assign(weight=float("nan")), {}, "has the weight None"),
        (labels(ann=[True, False]).assign(weight=[1, -1]), {}, "has the weight -1"),
        (labels(ann=[True], eve=[True]).assign(weight=[1, 2]), {}, "has two weights"),
        (
            labels(ann=[True, False]),
            {"sample": pd.DataFrame({"log_id": ["0"], "weight": [2.0]})},
            "log '1' is labelled and not in sample",
        ),
        (
            labels(ann=[True]),
            {"population": pd.concat([population(True), population(True)])},
            "population has '0' twice",
        ),
        (
            pd.concat([labels(ann=[True]), labels(ann=[True])], ignore_index=True),
            {},
            "scores log '0' twice",
        ),
    ],
)
def test_check__refuses(frame: pd.DataFrame, options: dict[str, Any], message: str) -> None:
    with pytest.raises((ConfigurationError, FrameError), match=message):
        check_plain(frame, **options)


STARS = Evaluator(
    evaluator_slug="good",
    score_value_type="numerical",
    passing_conditions={"primary_score": {"operator": "gte", "value": 4}},
)
TONE = Evaluator(
    evaluator_slug="good",
    score_value_type="single_select",
    score_config={"choices": [{"name": "Warm", "value": "w"}, {"name": "Cold", "value": "c"}]},
)


@pytest.mark.parametrize(
    ("evaluator", "passes", "values", "rate"),
    [
        (STARS, STARS, [5, 4, 2, 1], 0.5),
        (STARS, {"primary_score": {"operator": "lt", "value": 2}}, [5, 4, 2, 1], 0.25),
        (
            STARS.model_copy(
                update={"passing_conditions": None, "configurations": {"passing_score": 2}}
            ),
            None,
            [5, 4, 2, 1],
            0.75,
        ),
        (
            TONE,
            {"primary_score": {"operator": "in", "value": ["Warm"]}},
            ["w", "w", "c", "w"],
            0.75,
        ),
        (TONE, {"primary_score": {"operator": "not", "value": "c"}}, ["w", "w", "c", "w"], 0.75),
        (TONE, {"primary_score": {"operator": "not", "value": "none"}}, ["w", "c"], 1.0),
    ],
    ids=["evaluator", "conditions", "legacy", "name-of-choice", "not", "no-such-choice"],
)
def test_check__passes_by_conditions(
    evaluator: Evaluator, passes: Any, values: list[Any], rate: float
) -> None:
    check = labels(ann=values).respan.judge(
        "bot",
        population=population(*values),
        evaluators=evaluator,
        passes=evaluator if passes is None else passes,
    )
    assert check.rate == rate


@pytest.mark.parametrize(
    ("passes", "message"),
    [
        (TONE, "'good' has no passing condition; say what passes by a value"),
        ({"primary_score": {"operator": "like", "value": 3}}, "has the operator 'like'"),
        ({"primary_score": {"operator": "gte", "value": "w"}}, "which is no number"),
    ],
)
def test_check__refuses_conditions(passes: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        labels(ann=["w"]).respan.judge(
            "bot", population=population("w"), evaluators=TONE, passes=passes
        )


def test_false_passes__open_in_the_annotator(
    client: RespanClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    logs = client.logs(start_time="2026-01-01", sort_by="timestamp")
    verdicts = logs.assign(value=True)
    people = pd.DataFrame(
        {"log_id": logs["unique_id"][:4], "evaluator_slug": "grounded", "scorer": "ann"}
    ).assign(value=[True, False, False, True])
    check = people.respan.judge("bot", population=verdicts)
    wrong = check.false_passes
    assert wrong["log_id"].tolist() == logs["unique_id"][1:3].tolist()
    assert wrong[["verdict", "label"]].to_numpy().tolist() == [[True, False]] * 2
    assert wrong["completion_message"].tolist() == logs["completion_message"][1:3].tolist()
    annotator = wrong.respan.annotate("grounded", client=client, outbox=tmp_path / "outbox.sqlite3")
    assert repr(annotator).startswith("Annotator(log 1 of 2")
    annotator.close()
    assert check.false_fails.empty
    assert list(check.false_fails.columns[:3]) == ["log_id", "verdict", "label"]


def test_weights__of_strata_that_are_labelled_in_part() -> None:
    verdicts = population(*[True] * 100)
    drawn = pd.DataFrame({"log_id": [f"{i}" for i in range(20)]})
    drawn = drawn.assign(weight=[8.0] * 10 + [2.0] * 10, stratum=["a"] * 10 + ["b"] * 10)
    # All of a are good and labelled, of b only two, which are bad: 80 and 20 logs.
    frame = labels(ann=[True] * 10 + [False] * 2)
    expected = ["8 drawn logs without a label: taken as like the labelled ones of the same stratum"]
    for scores, sample in [
        (frame, drawn),
        (drawn.merge(frame, how="left", on="log_id"), None),
    ]:
        check = scores.respan.judge("bot", population=verdicts, sample=sample)
        assert check.rate == pytest.approx(0.8)
        assert check.warnings[:1] == expected
    only_a = labels(ann=[True] * 10).respan.judge("bot", population=verdicts, sample=drawn)
    assert "no label in the stratum 'b', which stands for 20 logs" in only_a.warnings[0]


def test_correct__refuses_what_can_not_be_said() -> None:
    random = np.random.default_rng(0)
    verdicts = population(*(random.random(400) < 0.5).tolist())
    check = labels(ann=(random.random(60) < 0.5).tolist()).respan.judge("bot", population=verdicts)
    other = pd.DataFrame({"log_id": ["x"], "value": [True]})
    with pytest.raises(FrameError, match="the judge may be no better than chance"):
        check.correct(other)
    with pytest.raises(FrameError, match=r"400 logs of this check: '0', '1'.*rate says more"):
        check.correct(verdicts)
    with pytest.raises(FrameError, match="no verdict in population"):
        check.correct(other.assign(value=None))
    numbers = labels(ann=[1.5, 2.5]).respan.judge("bot", population=population(1.5, 2.0))
    with pytest.raises(ConfigurationError, match="not numbers"):
        numbers.correct(other)


def test_repr_html__has_numbers_with_intervals_and_reasons() -> None:
    people = labels(ann=[True] * 12)
    page = people.respan.judge("bot", population=population(*[True] * 20))._repr_html_()
    names = ["judge says", "corrected", "labels alone", "good answers passed", "bad answers failed"]
    assert [name for name in re.findall("<th>(.*?)</th>", page) if name in names] == names
    assert "undefined: no bad answers" in page
    assert "nan" not in page.lower()
    assert re.search(r"<th>corrected</th>\s*<td>100%</td>\s*<td>\d+% to 100%</td>", page)
    values = [1.0, 2.0, -3.0, 5.0]
    page = labels(ann=values).respan.judge("bot", population=population(*values))._repr_html_()
    assert "bad answers" not in page
    assert "nan" not in page.lower()


def test_repr_html__sentence_first_and_nothing_of_a_frame_as_markup() -> None:
    hostile = "<script>alert(1)</script>"
    frame = labels(**{hostile: ["<b>", "<i>"]})
    check = frame.respan.judge(hostile[1:], population=population("<b>", "<i>"), passes="<b>")
    page = check._repr_html_()
    assert page.startswith("<div><b>judge says 50%; corrected 50%")
    assert "<script" not in page
    assert "<i>" not in page
