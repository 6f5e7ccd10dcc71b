"""Test the sample data and its loading."""

from __future__ import annotations

from typing import get_args

from respan_notebook.sandbox.database import Order
from respan_notebook.sandbox.demo import DEMO_EVALUATORS, DEMO_LOGS, load_demo
from respan_notebook.sandbox.filters import Where
from respan_notebook.sandbox.judged import JUDGE, load_judged, make_judged_logs
from respan_notebook.sandbox.schemas import ScoreValueType

ALL = Order(by="seq", descending=False, offset=0, limit=1000)


def test_demo__is_loaded_whole_and_once(store):
    load_demo(store)
    load_demo(store)

    logs, evaluators = store.logs(Where(), ALL), store.evaluators(Where(), ALL)
    assert [log["unique_id"] for log in logs] == [f"demo_{n:02}" for n in range(1, 31)]
    for log, sample in zip(logs, DEMO_LOGS, strict=True):
        moment = sample["timestamp"].replace("Z", ".000000Z")
        assert log == {**sample, "timestamp": moment, "id": sample["unique_id"], "scores": {}}
    assert [found["id"] for found in evaluators] == [e["id"] for e in DEMO_EVALUATORS]
    for found, sample in zip(evaluators, DEMO_EVALUATORS, strict=True):
        assert found["evaluator_slug"] == sample["evaluator_slug"]
        assert found["created_at"] == "2026-01-05T08:00:00.000000Z"


def test_demo__has_an_evaluator_of_each_type():
    types = [evaluator["score_value_type"] for evaluator in DEMO_EVALUATORS]

    assert set(types) == set(get_args(ScoreValueType))


def test_demo__leaves_what_the_user_changed(store):
    taken = {"name": "Mine", "score_value_type": "text", "type": "human"}
    store.add_evaluator({**taken, "evaluator_slug": "tone"})
    store.add_log({"unique_id": "demo_01", "input": "mine"})

    load_demo(store)

    assert store.evaluator_by_slug("tone")["name"] == "Mine"
    assert store.log("demo_01")["input"] == "mine"


def test_demo__shows_every_shape_of_log():
    texts = [log.get("completion_message") or {} for log in DEMO_LOGS]

    assert max(len(text.get("content", "")) for text in texts) > 7_500
    assert {log["unique_id"] for log in DEMO_LOGS if log.get("status_code") == 500} == {"demo_19"}
    assert {log["unique_id"] for log in DEMO_LOGS if log.get("blurred")} == {"demo_20"}


def test_judged__is_as_its_rule_says_and_the_same_each_time():
    logs, verdicts = make_judged_logs()

    assert (logs, verdicts) == make_judged_logs()
    passed = {True: [], False: []}
    for log in logs:
        price = log["prompt_messages"][0]["content"].split()[-2]
        is_grounded = price in log["completion_message"]["content"].split()
        assert log["metadata"] == {"made_up": True, "is_grounded": is_grounded}
        passed[is_grounded].append(verdicts[log["unique_id"]])
    assert 0.70 < len(passed[True]) / len(logs) < 0.80
    assert 0.94 < sum(passed[True]) / len(passed[True]) < 1
    assert 0.55 < sum(passed[False]) / len(passed[False]) < 0.75


def test_judged__is_loaded_whole_and_once_and_keeps_what_was_changed(store):
    load_judged(store)
    first = store.scores(Where(), ALL)
    store.change_score(first[0]["id"], {"boolean_value": not first[0]["boolean_value"]})
    load_judged(store)

    scores = store.scores(Where(), ALL)
    assert {score["id"] for score in scores} == {score["id"] for score in first}
    assert {score["scorer"] for score in scores} == {JUDGE}
    _, verdicts = make_judged_logs()
    values = {score["log_id"]: score["boolean_value"] for score in scores}
    differing = [log_id for log_id in verdicts if values[log_id] != verdicts[log_id]]
    assert differing == [first[0]["log_id"]]
    assert store.count_logs(Where()) == len(verdicts) == 600
