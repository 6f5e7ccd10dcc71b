"""Settling where scorers differ: which logs, which answers, and the gold that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from respan_notebook import (
    ConfigurationError,
    Evaluator,
    FrameError,
    RespanClient,
    Sandbox,
    UnknownEvaluatorError,
)
from respan_notebook.labelling.widgets.adjudicator import Adjudicator

TONE = Evaluator(
    evaluator_slug="tone",
    score_value_type="single_select",
    score_config={"choices": [{"name": name} for name in ("warm", "plain", "cold")]},
)
STARS = Evaluator(
    evaluator_slug="stars",
    score_value_type="numerical",
    score_config={"min_score": 1, "max_score": 5},
)
LOGS = pd.DataFrame({"log_id": list("abcde"), "output": list("ABCDE")})
Open = Callable[..., Adjudicator]


def tidy(values: dict[str, list[Any]], slug: str = "tone", **columns: Any) -> pd.DataFrame:
    """Return a row per score; a list has the values of ann, bob and eve."""
    rows = [
        (log_id, slug, scorer, value)
        for log_id, given in values.items()
        for scorer, value in zip(["ann", "bob", "eve"], given, strict=False)
    ]
    names = ["log_id", "evaluator_slug", "scorer", "value"]
    return pd.DataFrame(rows, columns=names).assign(**columns)


TONES = tidy(
    {
        "a": ["warm", "warm", "warm"],
        "b": ["warm", "warm", "cold"],
        "c": ["warm", "plain", "cold"],
        "d": ["cold", None, None],
    }
)


@pytest.fixture
def adjudicate(tmp_path: Path) -> Iterator[Open]:
    """Open adjudicators: ``adjudicate(scores=TONES, evaluator=TONE, logs=LOGS, ...)``."""
    opened: list[Adjudicator] = []

    def open_(
        scores: Any = TONES, evaluator: Any = TONE, logs: Any = LOGS, **options: Any
    ) -> Adjudicator:
        options = {"outbox": tmp_path / "outbox.sqlite3", **options}
        opened.append(scores.respan.adjudicate(logs, evaluator, **options))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


def settle(adjudicator: Adjudicator, value: Any, cause: str | None = None) -> None:
    value_editor, cause_editor = adjudicator.editors.values()
    value_editor.value, cause_editor.value = value, cause
    adjudicator.save()


def shown(adjudicator: Adjudicator) -> Any:
    """Return the answers that the browser has of the log on screen."""
    return getattr(adjudicator, adjudicator.screen["slot"])["answers"]


def gold_of(adjudicator: Adjudicator) -> dict[str, tuple[Any, ...]]:
    gold = adjudicator.gold
    told = gold[["value", "source", "cause"]].itertuples(index=False, name=None)
    return dict(zip(gold["log_id"], told, strict=True))


def test_logs__come_with_the_lowest_agreement_first(adjudicate: Open) -> None:
    adjudicator = adjudicate()
    assert adjudicator.screen["size"] == 2
    assert adjudicator.screen["log_id"] == "c"
    assert [one["value"] for one in shown(adjudicator)] == ["warm", "plain", "cold"]
    adjudicator.skip()
    assert adjudicator.screen["log_id"] == "b"
    assert [(one["value"], one["who"]) for one in shown(adjudicator)] == [
        ("warm", "2 scorers"),
        ("cold", "1 scorer"),
    ]


def test_gold__tells_settled_unanimous_and_unresolved_apart(adjudicate: Open) -> None:
    adjudicator = adjudicate()
    settle(adjudicator, "plain", "ambiguous")
    assert gold_of(adjudicator) == {
        "a": ("warm", "unanimous", None),
        "b": (None, "unresolved", None),
        "c": ("plain", "adjudicated", "ambiguous"),
        "d": ("cold", "unanimous", None),
    }
    assert adjudicator.gold.columns.tolist() == [
        *("log_id", "evaluator_slug", "value", "source", "cause", "explanation"),
    ]
    assert set(map(str, adjudicator.gold.dtypes)) == {"object"}
    adjudicator.undo()
    assert gold_of(adjudicator)["c"] == (None, "unresolved", None)
    adjudicator.redo()
    assert gold_of(adjudicator)["c"] == ("plain", "adjudicated", "ambiguous")


def test_gold__outlives_the_annotator_and_is_there_again(adjudicate: Open) -> None:
    first = adjudicate()
    settle(first, "cold", "mistake")
    first.editors["tone"].value = "plain"  # A draft.
    before = first.gold
    first.close()
    pd.testing.assert_frame_equal(first.gold, before)
    again = adjudicate()
    assert gold_of(again)["c"] == ("cold", "adjudicated", "mistake")
    assert again.screen["log_id"] == "b"
    assert again.editors["tone"].value == "plain"
    assert again.progress["scored"] == 1


def test_gold__keeps_what_was_settled_when_scores_change(adjudicate: Open) -> None:
    settle(adjudicate(), "plain", "other")
    changed = TONES[~((TONES["log_id"] == "c") & (TONES["scorer"] != "ann"))]
    only_b = LOGS[LOGS["log_id"] == "b"]
    assert gold_of(adjudicate(changed, logs=only_b))["c"] == ("plain", "adjudicated", "other")


def test_evaluators__of_one_log_are_settled_apart(adjudicate: Open) -> None:
    settle(adjudicate(), "plain", "ambiguous")
    stars = adjudicate(tidy({"c": [1, 5]}, "stars"), STARS)
    assert gold_of(stars) == {"c": (None, "unresolved", None)}
    settle(stars, 3, "mistake")
    assert gold_of(stars) == {"c": (3.0, "adjudicated", "mistake")}
    assert gold_of(adjudicate())["c"] == ("plain", "adjudicated", "ambiguous")


def test_partly__is_a_log_without_its_cause(adjudicate: Open) -> None:
    adjudicator = adjudicate()
    settle(adjudicator, "plain")
    assert adjudicator.progress["partly"] == 1
    assert gold_of(adjudicator)["c"] == ("plain", "adjudicated", None)
    assert adjudicator.wait(1)


def test_reasons_and_names__are_shown_when_asked(adjudicate: Open) -> None:
    why = [f"why {n}" if n % 2 else None for n in range(len(TONES))]
    adjudicator = adjudicate(TONES.assign(explanation=why), names=True)
    told = {one["who"]: one["reasons"] for one in shown(adjudicator)}
    assert told == {"ann": [], "bob": ["why 7"], "eve": []}
    assert "ann" not in str(shown(adjudicate(TONES.assign(explanation=why))))


def test_scorers__leave_others_out(adjudicate: Open) -> None:
    adjudicator = adjudicate(scorers=["ann", "bob"])
    assert adjudicator.screen["size"] == 1
    assert gold_of(adjudicator)["b"] == ("warm", "unanimous", None)


def test_faults_of_another_evaluator__do_not_matter(adjudicate: Open) -> None:
    other = tidy({"a": [1, "many", [3]]}, "stars")
    adjudicator = adjudicate(pd.concat([TONES, other]))
    assert adjudicator.screen["size"] == 2


@pytest.mark.parametrize(
    ("kind", "given", "wanted"),
    [
        ("boolean", [True, False], [False, True]),
        ("numerical", [2, 4.5], [2.0, 4.5]),
        ("multi_select", [["x", "y"], ["y"]], None),
        ("text", ["long", "short"], None),
        ("json", [{"a": 1}, "words"], ['{"a": 1}', '"words"']),
    ],
)
def test_answers__can_be_entered_as_they_are(
    adjudicate: Open, kind: str, given: list[Any], wanted: list[Any] | None
) -> None:
    evaluator = Evaluator(evaluator_slug="one", score_value_type=kind)
    adjudicator = adjudicate(tidy({"a": given}, "one"), evaluator)
    values = [one["value"] for one in shown(adjudicator)]
    assert sorted(map(str, values)) == sorted(map(str, given if wanted is None else wanted))
    for value in values:
        adjudicator.go_to(0)
        settle(adjudicator, value, "mistake")
        assert len(gold_of(adjudicator)) == 1
        assert gold_of(adjudicator)["a"][0] in given


def test_gold__is_pushed_to_another_evaluator(adjudicate: Open, client: RespanClient) -> None:
    given = {
        "demo_01": ["friendly", "curt"],
        "demo_02": ["curt", "curt"],
        "demo_03": ["rude", "curt"],
    }
    logs = client.logs(start_time="2026-01-01", sort_by="timestamp")
    adjudicator = adjudicate(tidy(given), "tone", logs, client=client)
    adjudicator.editors["tone"].explanation = "it greets"
    settle(adjudicator, "friendly", "mistake")
    gold = adjudicator.gold
    right = Evaluator(evaluator_slug="gold_tone", score_value_type="text")
    report = gold.respan.push_scores({"gold_tone": "value"}, evaluators=[right], client=client)
    assert report.counts == {"created": 2, "skipped": 1}
    stored = {one.log_id: one for log in gold["log_id"] for one in client.list_scores(log)}
    assert stored["demo_01"].explanation == "it greets"
    own = gold.respan.push_scores(client=client, dry_run=True)
    assert own.counts == {"not_sent": 2, "skipped": 1}
    assert client.list_scores("demo_03") == []


def test_gold__settles_a_judge_check(adjudicate: Open) -> None:
    good = Evaluator(evaluator_slug="good", score_value_type="boolean")
    logs = pd.DataFrame({"log_id": [f"log_{n}" for n in range(40)]})
    values = {one: [n % 2 == 0, n % 4 != 1] for n, one in enumerate(logs["log_id"])}
    scores = tidy(values, "good")
    adjudicator = adjudicate(scores, good, logs)
    for _ in range(adjudicator.screen["size"]):
        settle(adjudicator, True, "mistake")
    verdicts = logs.assign(value=True)
    judged = pd.concat([scores, verdicts.assign(scorer="judge", evaluator_slug="good")])
    check = judged.respan.judge(
        "judge", humans=["ann", "bob"], population=verdicts, gold=adjudicator.gold
    )
    assert check.confusion.to_numpy().sum() == 40


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"scores": TONES[TONES["log_id"] == "a"]}, FrameError, "nothing to settle"),
        ({"logs": LOGS.head(1)}, FrameError, "none of the 2 logs"),
        ({"evaluator": STARS}, FrameError, "no scores by 'stars'"),
        ({"evaluator": [TONE]}, ConfigurationError, "one evaluator"),
        ({"scorers": ["nobody"]}, FrameError, "no scores by 'nobody'"),
        ({"scores": TONES.assign(value=None)}, FrameError, "every value of 'tone' is missing"),
        ({"scores": TONES.drop(columns="evaluator_slug")}, FrameError, "evaluator_slug"),
        ({"scores": TONES.assign(value="odd")}, FrameError, "odd"),
        ({"show": "nothing"}, FrameError, "no column 'nothing'"),
    ],
)
def test_bad_input__is_said(
    adjudicate: Open, options: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        adjudicate(**options)


def test_unknown_slug__is_said(adjudicate: Open, client: RespanClient) -> None:
    with pytest.raises(UnknownEvaluatorError, match="did you mean 'tone'"):
        adjudicate(evaluator="tones", client=client)


def test_logs_that_are_missing__are_counted(adjudicate: Open) -> None:
    adjudicator = adjudicate(logs=LOGS[LOGS["log_id"] == "b"])
    assert "1 log to settle is not in logs" in adjudicator.screen["message"]["text"]


def test_evaluator_called_cause__has_its_cause_beside_it(adjudicate: Open) -> None:
    evaluator = TONE.model_copy(update={"evaluator_slug": "cause"})
    adjudicator = adjudicate(TONES.assign(evaluator_slug="cause"), evaluator)
    assert len(adjudicator.editors) == 2
    settle(adjudicator, "cold", "other")
    assert gold_of(adjudicator)["c"] == ("cold", "adjudicated", "other")


def test_labels_of_an_annotator__have_nothing_to_do_with_it(
    adjudicate: Open, client: RespanClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    logs = client.logs(start_time="2026-01-01", sort_by="timestamp")
    given = {"demo_01": ["friendly", "curt"]}
    settle(adjudicate(tidy(given), "tone", logs, client=client), "rude", "mistake")
    annotator = logs.respan.annotate("tone", client=client, outbox=tmp_path / "outbox.sqlite3")
    assert annotator.foreign == []
    assert annotator.wait()
    assert annotator.progress == {
        "scored": 0,
        "partly": 0,
        "skipped": 0,
        "left": len(logs),
        "queued": 0,
        "delivered": 0,
        "refused": 0,
    }
    annotator.close()
    assert client.list_scores("demo_01") == []


def test_very_long_answers__are_cut_and_not_taken_by_a_key(adjudicate: Open) -> None:
    words = Evaluator(evaluator_slug="words", score_value_type="text")
    long = ["b" * 5_000_000, "short", "y" * 5_000_000]
    scores = tidy({"a": long}, "words", explanation="because " * 100_000)
    adjudicator = adjudicate(scores, words)
    assert len(str(shown(adjudicator))) < 20_000
    values = {str(one["text"])[:5]: one["value"] for one in shown(adjudicator)}
    assert values == {"bbbbb": None, "short": "short", "yyyyy": None}
    settle(adjudicator, long[0], "mistake")
    assert gold_of(adjudicator)["a"][0] == long[0]


def test_many_logs__open_without_all_their_answers(adjudicate: Open) -> None:
    ids = [f"log_{n}" for n in range(20_000)]
    scores = tidy({one: ["warm", "cold", "warm"] for one in ids})
    adjudicator = adjudicate(scores, logs=pd.DataFrame({"log_id": ids}))
    assert adjudicator.screen["size"] == len(ids)
    assert len(adjudicator.gold) == len(ids)


def test_hostile_texts__are_shown_as_text(adjudicate: Open) -> None:
    odd = "\ud800<img src=x onerror=alert(1)>\u202e"
    scorers = pd.Series([f"{one}{odd}" for one in TONES["scorer"]], dtype=object)
    scores = TONES.assign(scorer=scorers, explanation=pd.Series([odd] * len(TONES), dtype=object))
    adjudicator = adjudicate(scores, names=True)
    told = str(shown(adjudicator))
    assert "\u202e" not in told
    told.encode()
    settle(adjudicator, "cold", "other")
    assert gold_of(adjudicator)["c"][0] == "cold"


@pytest.mark.parametrize(
    "now",
    [
        Evaluator(evaluator_slug="one", score_value_type="json"),
        Evaluator(evaluator_slug="one", score_value_type="text"),
        STARS.model_copy(update={"evaluator_slug": "one"}),
    ],
)
def test_definition_that_was_changed__leaves_no_value_that_does_not_fit(
    adjudicate: Open, now: Evaluator
) -> None:
    then = Evaluator(evaluator_slug="one", score_value_type="numerical")
    settle(adjudicate(tidy({"a": [8, 9]}, "one"), then), 9, "mistake")
    given = [1, 2] if now.score_value_type == "numerical" else ["one", "two"]
    again = adjudicate(tidy({"a": given}, "one"), now)
    assert gold_of(again) == {"a": (None, "unresolved", None)}
    assert again.progress["refused"] == 1


def test_reason_beside_the_cause__is_kept(adjudicate: Open) -> None:
    adjudicator = adjudicate()
    adjudicator.editors["cause"].explanation = "two readings"
    settle(adjudicator, "plain", "other")
    assert adjudicator.gold["explanation"].tolist()[2] == "two readings"


def test_settled_logs__are_there_when_all_agree(adjudicate: Open) -> None:
    settle(adjudicate(), "plain", "other")
    agreed = TONES.assign(value="warm")
    adjudicator = adjudicate(agreed)
    assert adjudicator.screen["size"] == 1
    assert gold_of(adjudicator)["c"] == ("plain", "adjudicated", "other")


def test_rows_with_an_id_alone__count_by_what_other_rows_tell(adjudicate: Open) -> None:
    scores = TONES.assign(
        evaluator_slug=["tone"] * 11 + [None], evaluator_id=["eval_1"] * len(TONES)
    )
    assert adjudicate(scores.iloc[::-1]).screen["size"] == 2


def test_evaluators_of_one_slug__are_told_apart_by_id(adjudicate: Open) -> None:
    good = {"evaluator_slug": "good", "score_value_type": "boolean"}
    first, second = (Evaluator(id=one, **good) for one in ("eval_1", "eval_2"))
    scores = pd.concat(
        [
            tidy({"a": [True, False]}, "good", evaluator_id="eval_1"),
            tidy({"a": [False, True], "b": [True, False]}, "good", evaluator_id="eval_2:3"),
        ]
    )
    settle(adjudicate(scores, first), True, "mistake")
    other = adjudicate(scores, second)
    assert other.screen["size"] == 2
    assert gold_of(other)["a"] == (None, "unresolved", None)
    assert gold_of(adjudicate(scores, Evaluator(id="eval_1", score_value_type="boolean"))) == {
        "a": (True, "adjudicated", "mistake")
    }
