"""Test the sample data and its loading."""

from __future__ import annotations

from typing import get_args

from respan_notebook.sandbox.demo import DEMO_EVALUATORS, DEMO_LOGS, load_demo
from respan_notebook.sandbox.filters import Where
from respan_notebook.sandbox.schemas import ScoreValueType
from respan_notebook.sandbox.store import Order

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
