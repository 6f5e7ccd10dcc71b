"""What the browser gets of an annotator, and what becomes of what it sends."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from IPython.display import display
from ipywidgets import Widget
from labels import SLUGS, Open, drawn, html_of, label, message, receive, send, stored

from respan_notebook import Annotator, Evaluator, RespanClient, Sandbox, ScoreWrite
from respan_notebook.errors import OutboxError
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.sender import SenderSettings
from respan_notebook.labelling.widgets import annotator as annotator_module
from respan_notebook.labelling.widgets import cells

FOUR = {"state": "set", "value": 4, "explanation": ""}
LOGS = pd.DataFrame({"log_id": [f"demo_{n:02}" for n in range(1, 7)], "output": list("abcdef")})


def live_models() -> int:
    gc.collect()
    kinds = (one for one in gc.get_objects() if issubclass(type(one), Widget))
    return sum(one.comm is not None for one in kinds)


def sent_of(annotator: Annotator) -> list[Any]:
    """Return the list of the parts of the state that change, and are sent, from now on."""
    sent: list[Any] = []
    annotator.observe(lambda change: sent.append(change["new"]), list(annotator.keys))
    return sent


def slots(annotator: Annotator) -> dict[int, str]:
    """Return the rows whose logs the browser has, with their text."""
    held = (getattr(annotator, name) for name in ("log0", "log1", "log2", "log3"))
    return {one["position"]: one["html"] for one in held if one}


# -- models -------------------------------------------------------------------------------------


def test_models__are_few_whatever_was_done(annotate: Open, sandbox: Sandbox) -> None:
    before = live_models()
    annotator = annotate(SLUGS, pd.DataFrame({"log_id": [f"x{n}" for n in range(1001)]}))
    assert len(annotator.editors) == 10
    opened = live_models() - before
    assert opened <= 4
    for _ in range(1000):
        send(annotator, "skip")
    assert annotator.position == 1000
    assert live_models() - before == opened
    annotator.close()
    assert live_models() == before


def test_models__of_runs_that_were_closed_are_gone(annotate: Open) -> None:
    before = live_models()
    for _ in range(20):
        annotator = annotate(SLUGS, LOGS)
        send(annotator, "save", helpfulness=FOUR)
        annotator.close()
    assert live_models() == before


def test_display__again_in_a_cell_closes_what_the_cell_showed_before(
    annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = ["cell", "run 0"]
    monkeypatch.setattr(cells, "running_cell", lambda: tuple(running))
    elsewhere = annotate(SLUGS, LOGS)
    elsewhere._ipython_display_()
    running[:] = ["other cell", "run 1"]
    elsewhere._ipython_display_()
    before = live_models()
    for run in range(20):
        running[:] = ["cell", f"run {run + 2}"]
        annotator = annotate(SLUGS, LOGS)
        annotator._ipython_display_()
        annotator._ipython_display_()
        assert live_models() == before + 2
    assert elsewhere.comm is not None, "it is on screen below another cell"
    assert annotator.comm is not None


# -- what is sent -------------------------------------------------------------------------------


def test_screen__is_json_without_the_text_of_a_log(annotate: Open) -> None:
    annotator = annotate("helpfulness", LOGS.assign(output="the text"))
    drawn = {**annotator.screen, **annotator.status}
    read = json.loads(json.dumps(drawn, allow_nan=False))
    assert read == drawn
    assert "the text" not in json.dumps(read)
    assert "the text" in html_of(annotator)
    names = ("position", "log_id", "size", "marks", "shown", "place", "entries")
    found = [0, "demo_01", 6, "llllll", "all", [1, 6], [{}]]
    assert [read[name] for name in names] == found


def test_slots__hold_the_log_the_one_before_and_the_two_after(annotate: Open) -> None:
    annotator = annotate("helpfulness", LOGS)
    for row, held in [(0, {0, 1, 2}), (3, {2, 3, 4, 5}), (5, {4, 5}), (2, {1, 2, 3, 4})]:
        annotator.go_to(row)
        assert slots(annotator).keys() >= held
        assert held - {row} == {position for position, _ in annotator.screen["near"]}
        for position, slot in [*annotator.screen["near"], (row, annotator.screen["slot"])]:
            log = getattr(annotator, slot)
            assert (log["position"], log["log_id"]) == (position, f"demo_{position + 1:02}")
            assert f">{LOGS['output'][position]}</p>" in log["html"].replace("<p>", ">")


def test_slots__a_log_that_the_browser_has_is_not_sent_again(annotate: Open) -> None:
    annotator = annotate("helpfulness", LOGS.assign(output=[f"text {n}" for n in range(6)]))
    annotator.wait()
    sent = sent_of(annotator)

    def texts() -> list[int]:
        """Return the rows whose texts were sent since the last call."""
        found = [n for state in sent for n in range(6) if f"text {n}" in json.dumps(state)]
        sent.clear()
        return found

    send(annotator, "skip")
    assert texts() == [3], "the browser has 0, 1 and 2"
    send(annotator, "skip")
    assert texts() == [4]
    send(annotator, "back")
    assert texts() == [0]
    send(annotator, "draft", helpfulness=FOUR)
    send(annotator, "look")
    assert texts() == []
    send(annotator, "save")
    assert texts() == [4]


def test_draft__sends_a_few_hundred_bytes_back(annotate: Open) -> None:
    annotator = annotate(SLUGS, LOGS.assign(output="x" * 50_000))
    annotator.wait()
    sent = sent_of(annotator)
    send(annotator, "draft", helpfulness=FOUR)
    assert 0 < len(json.dumps(sent)) < 2_000


def test_log__whose_slot_another_one_takes_is_the_right_one(annotate: Open) -> None:
    annotator = annotate("helpfulness", LOGS)
    for row in (5, 0, 3, 1, 4, 2, 5, 0):
        annotator.go_to(row)
        assert f">{LOGS['output'][row]}</p>" in html_of(annotator).replace("<p>", ">")


def test_rows__without_a_log_id_are_drawn_with_the_reason(annotate: Open) -> None:
    annotator = annotate("helpfulness", pd.DataFrame({"log_id": [None, "demo_01"]}))
    annotator.go_to(0)
    assert annotator.screen["log_id"] is None
    assert "no log id" in annotator.screen["problem"]
    send(annotator, "skip")
    assert (annotator.screen["log_id"], annotator.screen["problem"]) == ("demo_01", "")


def test_setup__names_evaluators_the_required_ones_and_whether_to_advance(annotate: Open) -> None:
    annotator = annotate(["helpfulness", "tone", "remarks"])
    assert annotator.setup["required"] == [0, 1]
    assert annotator.setup["advance"] is False
    titles = [one["title"] for one in annotator.setup["evaluators"]]
    assert titles == [one.evaluator.display_name for one in annotator.editors.values()]
    other = annotate(["helpfulness", "tone"], required=["tone"], advance=True)
    assert (other.setup["required"], other.setup["advance"]) == ([1], True)


def test_editors__that_have_one_slug_are_told_apart_by_their_ids(annotate: Open) -> None:
    twins = [Evaluator(id=one, evaluator_slug="t", score_value_type="boolean") for one in "ab"]
    annotator = annotate(twins, LOGS)
    assert list(annotator.editors) == ["a", "b"]
    send(annotator, "draft", b={"state": "set", "value": False, "explanation": ""})
    assert [one.value for one in annotator.editors.values()] == [None, False]


def test_score__that_is_shown_is_changed_by_nothing_but_an_entry(
    annotate: Open, client: RespanClient, sandbox: Sandbox
) -> None:
    client.upsert_score("demo_01", ScoreWrite(evaluator_slug="coverage", numerical_value=73.4))
    annotator = annotate("coverage", LOGS)
    annotator.go_to(0)
    assert annotator.wait()
    assert annotator.setup["evaluators"][0]["control"]["step"] == 1
    for do in ("look", "draft", "skip", "back", "save", "back"):
        send(annotator, do)
    assert drawn(annotator, "coverage")["previous"] == 73.4
    assert (annotator.position, annotator.scores.empty) == (0, True)
    send(annotator, "save", coverage={"state": "accepted", "explanation": "as it is"})
    assert annotator.wait()
    assert [row[3] for row in stored(sandbox)] == [73.4]
    annotator.go_to(0)
    send(annotator, "save", coverage={"state": "set", "value": 74, "explanation": ""})
    assert annotator.wait()
    assert [row[3] for row in stored(sandbox)] == [74]


# -- intents ------------------------------------------------------------------------------------


def state_of(annotator: Annotator) -> dict[str, Any]:
    """Return all that an intent could have changed."""
    left_out = ("answer", "message", "sync", "seconds_left")
    screen = {name: one for name, one in annotator.screen.items() if name not in left_out}
    return {**screen, "scores": annotator.scores.to_dict("list"), "position": annotator.position}


def test_intent__of_an_old_turn_changes_nothing_and_is_answered(annotate: Open) -> None:
    annotator = annotate("helpfulness", LOGS)
    annotator.wait()
    seen = annotator.screen
    send(annotator, "save", helpfulness=FOUR)
    annotator.wait()
    before = state_of(annotator)
    for do in ("save", "skip", "back", "undo", "go_to", "show_only"):
        sent = send(annotator, do, "demo_05", seen=seen, helpfulness=FOUR)
        assert annotator.answer == sent
        assert state_of(annotator) == before


def test_intent__is_answered_by_its_id_also_when_nothing_changes(annotate: Open) -> None:
    annotator = annotate("helpfulness", LOGS)
    answers = [(send(annotator, "look"), annotator.answer) for _ in range(3)]
    assert all(sent == answer for sent, answer in answers)
    assert len(set(answers)) == 3


ODD: dict[str, Callable[[dict[str, Any]], Any]] = {
    "nothing": lambda _: {},
    "no do": lambda sent: {**sent, "do": None},
    "no turn": lambda sent: {name: one for name, one in sent.items() if name != "turn"},
    "no log id": lambda sent: {name: one for name, one in sent.items() if name != "log_id"},
    "turn of another type": lambda sent: {**sent, "turn": ["1"]},
    "turn beyond all numbers": lambda sent: {**sent, "turn": float("inf")},
    "log id of another type": lambda sent: {**sent, "log_id": ["demo_01"]},
    "unknown do": lambda sent: {**sent, "do": "close"},
    "private do": lambda sent: {**sent, "do": "_go_on"},
    "entries of another type": lambda sent: {**sent, "entries": [FOUR]},
    "place beyond the last": lambda sent: {**sent, "entries": {"2": FOUR}},
    "place before the first": lambda sent: {**sent, "entries": {"-1": FOUR}},
    "place that is no number": lambda sent: {**sent, "entries": {"one": FOUR}},
    "draft of another type": lambda sent: {**sent, "entries": {"0": "4"}},
    "second draft of another type": lambda sent: {**sent, "entries": {"0": FOUR, "1": [4]}},
    "row that is none": lambda sent: {**sent, "do": "show_row", "argument": "x", "entries": {}},
    "filter that is none": lambda sent: {**sent, "do": "show_only", "argument": 3, "entries": {}},
    "owner that is none": lambda sent: {**sent, "do": "adopt", "argument": "Bob", "entries": {}},
}


@pytest.mark.parametrize("spoil", ODD.values(), ids=ODD)
def test_intent__of_odd_content_is_answered_with_a_message_and_changes_nothing(
    annotate: Open, spoil: Callable[[dict[str, Any]], Any]
) -> None:
    annotator = annotate(["helpfulness", "fluency"], LOGS)
    annotator.wait()
    before, screen = state_of(annotator), annotator.screen
    intent = {
        "id": "view:1",
        "do": "save",
        "turn": screen["turn"],
        "log_id": screen["log_id"],
        "entries": {"0": FOUR},
        "argument": "",
    }
    content = spoil(intent)
    receive(annotator, content)
    assert annotator.answer == str(content.get("id"))
    if content.get("log_id") != ["demo_01"]:  # That one is of another log.
        assert annotator.screen["message"]["is_wrong"]
        assert annotator.screen["message"]["text"]
    assert state_of(annotator) == before
    send(annotator, "save", helpfulness=FOUR)
    assert annotator.position == 1, "the next one is carried out"


@pytest.mark.parametrize("content", [None, "save", 3, ["save"]], ids=str)
def test_content__that_is_no_intent_is_said_and_changes_nothing(
    annotate: Open, content: Any
) -> None:
    annotator = annotate("helpfulness", LOGS)
    annotator.wait()
    before = state_of(annotator)
    receive(annotator, content)
    assert "an intent is an object" in message(annotator)
    assert state_of(annotator) == before


def test_intent__after_closing_is_passed_over(annotate: Open) -> None:
    annotator = annotate("helpfulness", LOGS)
    annotator.close()
    send(annotator, "save", helpfulness=FOUR)
    receive(annotator, {"id": "view:9"})
    assert annotator.scores.empty


def test_texts__with_half_a_surrogate_pair_lock_nothing(annotate: Open, sandbox: Sandbox) -> None:
    annotator = annotate(["helpfulness", "comments"], LOGS)
    half = {"state": "set", "value": "a\ud83d", "explanation": "b\ud83d"}
    send(annotator, "save", helpfulness=FOUR, comments=half)
    json.dumps(annotator.screen, ensure_ascii=False).encode()
    assert annotator.position == 0
    assert drawn(annotator, "comments")["state"] == "invalid"
    send(annotator, "save", comments={"state": "cleared", "explanation": ""})
    assert annotator.position == 1
    send(annotator, "go_to", "x\ud83d")
    json.dumps(annotator.screen, ensure_ascii=False).encode()
    assert annotator.wait()
    assert len(stored(sandbox)) == 1


@pytest.mark.parametrize("is_shown", [False, True], ids=["new", "beside a score"])
def test_explanation__with_half_a_surrogate_pair_is_refused_and_holds_nothing_up(
    annotate: Open, sandbox: Sandbox, *, is_shown: bool
) -> None:
    annotator = annotate("helpfulness", LOGS)
    if is_shown:
        label(annotator, helpfulness=3)
        annotator.back()
        annotator.editors["helpfulness"].explanation = "b\ud83d"
        annotator.save()
    else:
        send(annotator, "save", helpfulness={**FOUR, "explanation": "b\ud83d"})
    assert annotator.position == 0
    assert "Nothing was saved. Helpfulness has an explanation that can't be sent" in message(
        annotator
    )
    assert annotator.screen["message"]["evaluator"] == "0"
    json.dumps(annotator.screen, ensure_ascii=False).encode()
    send(annotator, "save", helpfulness={**FOUR, "explanation": "b"})
    assert annotator.wait()
    assert [row[3] for row in stored(sandbox)] == [4]


@pytest.mark.parametrize("log_id", ["a\ud83d", "a\u202eb", "a\x00b", " a ", "ä/b?c"])
def test_log_ids__that_are_odd_can_be_scored_or_say_why(annotate: Open, log_id: str) -> None:
    frame = pd.DataFrame({"log_id": pd.Series([log_id, "demo_01"], dtype=object)})
    annotator = annotate("helpfulness", frame)
    annotator.go_to(0)
    json.dumps(annotator.screen, ensure_ascii=False).encode()
    send(annotator, "save", helpfulness=FOUR)
    is_saved = len(annotator.scores) == 1
    assert is_saved != bool(annotator.screen["problem"]) or annotator.position == 1
    assert is_saved or annotator.screen["message"]["is_wrong"]


def test_draw__that_fails_says_so_and_the_next_one_is_whole(
    annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotator = annotate("helpfulness", LOGS)
    with monkeypatch.context() as patch:
        patch.setattr(annotator_module, "screen_json", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            send(annotator, "save", helpfulness=FOUR)
    sent = send(annotator, "look")
    assert (annotator.answer, annotator.screen["position"]) == (sent, 1)


def test_observer__that_fails_neither_locks_the_screen_nor_loses_an_entry(annotate: Open) -> None:
    annotator = annotate(["helpfulness", "fluency"], LOGS)
    annotator.wait()
    editor = annotator.editors["helpfulness"]
    failing = True

    def fail(_change: Any) -> None:
        if failing:
            raise ZeroDivisionError

    editor.observe(fail, ["value", "explanation"])
    with pytest.raises(ZeroDivisionError):
        send(annotator, "draft", helpfulness={**FOUR, "explanation": "why"})
    assert (editor.value, editor.explanation, editor.state) == (4, "why", "set")
    assert drawn(annotator)["value"] == 4
    with pytest.raises(ZeroDivisionError):
        editor.value = 5
    assert (editor.value, drawn(annotator)["value"]) == (5, 5)
    with pytest.raises(ZeroDivisionError):
        send(annotator, "save")
    assert (annotator.screen["position"], editor.state, editor.value) == (1, "unset", None)
    failing = False
    annotator.back()
    assert list(annotator.scores["value"]) == [5]


def test_disk__that_fails_at_the_end_locks_nothing(
    annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotator = annotate("helpfulness", LOGS[:1])
    annotator.wait()

    def fail(*_: Any) -> Any:
        raise OutboxError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "labels", fail)
        sent = send(annotator, "save", helpfulness=FOUR)
    assert (annotator.answer, annotator.screen["finish"]) == (sent, [])
    assert list(annotator.scores["value"]) == [4]


def test_closed__annotator_can_still_be_printed_and_displayed(
    annotate: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    annotator = annotate("helpfulness", LOGS)
    label(annotator, helpfulness=3)
    annotator.close()
    assert repr(annotator) == "Annotator(log 2 of 6, 1 scored)"
    annotator._ipython_display_()
    assert "1 scored" in capsys.readouterr().out


# -- the end, and what is elsewhere -------------------------------------------------------------


def test_finish__has_the_distribution_of_each_evaluator(annotate: Open) -> None:
    annotator = annotate(["helpfulness", "grounded", "issues", "remarks"], LOGS[:3])
    label(annotator, helpfulness=4, grounded=True, issues=["made_up", "off_topic"])
    assert annotator.screen["finish"] is None
    label(annotator, helpfulness=2, grounded=False)
    assert annotator.screen["finish"] is None
    label(annotator, helpfulness=4, grounded=True)
    assert annotator.screen["message"]["is_end"]
    titles = [one["title"] for one in annotator.setup["evaluators"]]
    assert annotator.screen["finish"] == [
        [titles[0], [["4", 2], ["2", 1]]],
        [titles[1], [["Yes", 2], ["No", 1]]],
        [titles[2], [["made_up, off_topic", 1]]],
    ]
    send(annotator, "back")
    assert annotator.screen["finish"] is None


def test_finish__sums_up_values_that_are_many_and_cuts_those_that_are_long(annotate: Open) -> None:
    frame = pd.DataFrame({"log_id": [f"x{n}" for n in range(12)]})
    annotator = annotate(["remarks"], frame)
    for n in range(12):
        label(annotator, remarks=f"{n:02}" + "x" * 100)
    ((_, values),) = annotator.screen["finish"]
    assert (len(values), values[-1]) == (9, ["others", 4])
    assert max(len(text) for text, _ in values) == 40


def test_finish__comes_after_a_skip_as_well(annotate: Open) -> None:
    annotator = annotate("helpfulness", LOGS[:1])
    send(annotator, "skip")
    assert annotator.screen["finish"] == []
    assert "This was the last log. 1 have no score yet." in message(annotator)


def test_list_elsewhere__names_what_was_refused_of_another_frame(annotate: Open) -> None:
    first = annotate("helpfulness", pd.DataFrame({"log_id": ["demo_01", "gone"]}))
    label(first, helpfulness=1)
    label(first, helpfulness=2)
    assert first.wait()
    first.close()
    other = annotate("helpfulness", pd.DataFrame({"log_id": ["demo_05"]}))
    assert other.wait()
    assert (other.status["elsewhere"], other.status["counts"]["refused"]) == (1, 1)
    send(other, "list_elsewhere")
    assert "gone, eval_helpfulness: " in message(other)
    assert "404" in message(other)
    send(other, "send_again")
    assert "1 refused scores are sent again" in message(other)


def test_foreign__labels_are_named_and_can_be_adopted(
    sandbox: Sandbox, annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluator = Evaluator(id="eval_helpfulness", score_value_type="numerical")
    monkeypatch.setattr(Annotator, "sender_settings", SenderSettings(moment=60.0))
    with RespanClient("wrong-key", sandbox.base_url) as wrong:
        other = annotate([evaluator], LOGS, client=wrong)
        other.editors["eval_helpfulness"].value = 3
        other.save()
        other.close()
    monkeypatch.undo()
    annotator = annotate([evaluator], LOGS)
    ((who, count),) = annotator.status["foreign"]
    assert (who, count) == (annotator.foreign[0].who, 1)
    sent = send(annotator, "adopt", who)
    assert (annotator.status["foreign"], annotator.answer) == ([], sent)
    assert f"1 scores of {who} are yours now." in message(annotator)
    assert annotator.wait()
    assert [row[3] for row in stored(sandbox)] == [3]


# -- in the notebook ----------------------------------------------------------------------------


def test_display__gives_the_screen_and_a_summary_that_holds_without_a_kernel(
    annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = Evaluator(id="e", name="<img src=x>", score_value_type="boolean")
    annotator = annotate([hostile, "helpfulness"], LOGS)
    label(annotator, helpfulness=3)
    shown: list[dict[str, Any]] = []

    def note(data: dict[str, Any], **_: Any) -> None:
        shown.append(data)

    monkeypatch.setattr(annotator_module, "display", note)
    annotator._ipython_display_()
    screen, summary = shown
    model = screen["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert model == annotator.model_id
    assert summary["text/html"].startswith('<p class="rn-summary">6 logs to label by &lt;img src=x')
    assert "<img" not in summary["text/html"]
    assert "0 scored, 1 partly, 0 skipped, 5 left. Run the cell to go on." in summary["text/plain"]


def test_display__of_the_notebook_uses_both(
    annotate: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    annotator = annotate("helpfulness", LOGS)
    show: Callable[..., object] = display
    show(annotator)
    printed = capsys.readouterr().out
    assert "Annotator(" in printed or "6 logs to label" in printed
