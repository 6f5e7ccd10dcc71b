"""The annotator, driven from Python, with a real sandbox and a real outbox."""

from __future__ import annotations

import gc
import re
import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ipywidgets import Widget
from labels import SLUGS, Open, drawn, html_of, label, line, message, send, stored, typed

from respan_notebook import (
    ConfigurationError,
    Evaluator,
    FrameError,
    RespanClient,
    Sandbox,
    Score,
    ScoreWrite,
    TransportError,
    UnknownEvaluatorError,
)
from respan_notebook.client.settings import RequestSettings
from respan_notebook.errors import OutboxError
from respan_notebook.labelling.actions import Actions
from respan_notebook.labelling.display import Display
from respan_notebook.labelling.outbox.delivery import Delivery
from respan_notebook.labelling.outbox.label import Change
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.sender import SenderSettings, wait_until
from respan_notebook.labelling.widgets.annotator import Annotator
from respan_notebook.models import Upsert

ME = "ann@example.com"
VALUES: dict[str, Any] = {
    "helpfulness": 4.0,
    "coverage": 0.0,
    "grounded": False,
    "tone": "curt",
    "issues": ["made_up", "off_topic"],
    "comments": "Say <b>why</b>.",
    "corrected": '{"a": [1, null]}',
    "topic": ["billing"],
    "remarks": "fine",
    "fluency": 10.0,
}


def live_widgets() -> int:
    kinds = (one for one in gc.get_objects() if issubclass(type(one), Widget))
    return sum(one.comm is not None for one in kinds)


# -- saving -------------------------------------------------------------------------------------


def test_save__brings_every_type_to_the_server(sandbox: Sandbox, annotate: Open) -> None:
    annotator = annotate(SLUGS)
    label(annotator, **VALUES)
    assert annotator.position == 1
    assert all(editor.value is None for editor in annotator.editors.values())
    assert annotator.wait()
    sent = {slug: [value] if slug == "tone" else value for slug, value in VALUES.items()}
    assert stored(sandbox) == sorted(("demo_01", slug, ME, value) for slug, value in sent.items())
    assert annotator.progress == {
        "scored": 1,
        "partly": 0,
        "skipped": 0,
        "left": 29,
        "queued": 0,
        "delivered": 10,
        "refused": 0,
    }


def test_save__sends_only_what_was_made_a_score(sandbox: Sandbox, annotate: Open) -> None:
    annotator = annotate(SLUGS)
    label(annotator, grounded=False)
    assert annotator.wait()
    assert stored(sandbox) == [("demo_01", "grounded", ME, False)]


def test_save__of_nothing_stays_and_says_so(sandbox: Sandbox, annotate: Open) -> None:
    annotator = annotate(SLUGS)
    annotator.save_button.click()
    assert annotator.position == 0
    assert "Nothing is scored yet" in message(annotator)
    assert annotator.wait()
    assert stored(sandbox) == []


def test_save__refuses_what_is_no_score_and_keeps_it(sandbox: Sandbox, annotate: Open) -> None:
    annotator = annotate(["helpfulness", "corrected"])
    send(annotator, "draft", corrected=typed('{"a": }'))
    label(annotator, helpfulness=2)
    assert annotator.position == 0
    assert "Nothing was saved. Corrected output takes JSON; at line 1, column 7" in message(
        annotator
    )
    assert annotator.editors["helpfulness"].value == 2
    send(annotator, "draft", corrected=typed('{"a": 1}'))
    annotator.save_button.click()
    assert annotator.wait()
    assert [row[1] for row in stored(sandbox)] == ["corrected", "helpfulness"]


def test_save__sends_the_explanation_and_the_context_of_the_log(
    client: RespanClient, annotate: Open, logs: pd.DataFrame
) -> None:
    annotator = annotate()
    annotator.editors["helpfulness"].explanation = "  right at once "
    label(annotator, helpfulness=5)
    assert annotator.wait()
    (score,) = client.list_scores("demo_01")
    assert (score.explanation, score.environment, score.prompt_id) == (
        "right at once",
        logs.loc[0, "environment"],
        logs.loc[0, "prompt_id"],
    )


def test_save__of_an_explanation_alone_is_refused(annotate: Open) -> None:
    annotator = annotate()
    annotator.editors["helpfulness"].explanation = "because"
    annotator.save()
    assert annotator.position == 0
    assert "Helpfulness has an explanation, but no score" in message(annotator)


def test_save__at_the_last_log_stays_and_says_what_is_left(annotate: Open) -> None:
    annotator = annotate()
    annotator.go_to(29)
    label(annotator, helpfulness=1)
    assert annotator.position == 29
    assert "This was the last log. 29 have no score yet." in message(annotator)


def test_save__is_on_disk_before_the_next_log_is_shown(
    annotate: Open, outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def look(self: Display, *_: Any, **__: Any) -> None:
        with sqlite3.connect(outbox) as db:
            seen.append(db.execute("SELECT log_id, body FROM labels").fetchall())
        db.close()

    annotator = annotate()
    monkeypatch.setattr(Display, "show", look)
    label(annotator, helpfulness=3)
    (((log_id, body),),) = seen
    assert log_id == "demo_01"
    assert '"numerical_value": 3.0' in body


def test_save__a_second_press_for_the_same_screen_is_passed_over(annotate: Open) -> None:
    annotator = annotate()
    label(annotator, helpfulness=3)
    annotator.back()
    annotator.editors["helpfulness"].value = 4
    seen = annotator.screen
    send(annotator, "save", seen=seen)
    send(annotator, "save", seen=seen)
    assert annotator.position == 1


def test_save__creates_no_widget(annotate: Open) -> None:
    annotator = annotate(SLUGS)
    label(annotator, helpfulness=1)
    before = live_widgets()
    for n in range(25):
        label(annotator, helpfulness=1 + n % 5, grounded=n % 2 == 0, issues=["none"])
    assert annotator.position == 26
    assert live_widgets() == before


def test_intents__do_what_they_stand_for(sandbox: Sandbox, annotate: Open) -> None:
    annotator = annotate(["helpfulness", "grounded", "coverage"])
    send(annotator, "draft", helpfulness={"state": "set", "value": 4, "explanation": ""})
    grounded = {"state": "set", "value": False, "explanation": ""}
    coverage = {"state": "set", "value": 1, "explanation": ""}
    send(annotator, "save", grounded=grounded, coverage=coverage)
    send(annotator, "draft", helpfulness={"state": "set", "value": 2, "explanation": ""})
    send(annotator, "draft", helpfulness={"state": "cleared", "explanation": ""})
    send(annotator, "skip")
    send(annotator, "back")
    assert annotator.position == 1
    assert annotator.wait()
    assert stored(sandbox) == [
        ("demo_01", "coverage", ME, 1.0),
        ("demo_01", "grounded", ME, False),
        ("demo_01", "helpfulness", ME, 4.0),
    ]


# -- moving about -------------------------------------------------------------------------------


def test_drafts__stay_with_their_log(annotate: Open, sandbox: Sandbox) -> None:
    annotator = annotate(["helpfulness", "corrected"])
    annotator.editors["helpfulness"].value = 2
    send(annotator, "draft", corrected=typed("{"))
    annotator.skip_button.click()
    assert annotator.editors["helpfulness"].value is None
    annotator.close()
    again = annotate(["helpfulness", "corrected"])
    assert again.editors["helpfulness"].value == 2
    assert drawn(again, "corrected")["typed"] == "{"
    assert again.editors["corrected"].state == "invalid"
    again.editors["corrected"].clear()
    again.save()
    again.back()
    assert again.editors["helpfulness"].state == "shown"
    assert again.wait()
    assert stored(sandbox) == [("demo_01", "helpfulness", ME, 2.0)]


def test_skip__counts_and_leaves_no_score(annotate: Open) -> None:
    annotator = annotate()
    annotator.skip()
    annotator.skip()
    label(annotator, helpfulness=3)
    assert (annotator.progress["skipped"], annotator.progress["scored"]) == (2, 1)
    annotator.go_to(0)
    label(annotator, helpfulness=3)
    assert (annotator.progress["skipped"], annotator.progress["scored"]) == (1, 2)


def test_open__goes_on_at_the_first_log_without_a_score(annotate: Open) -> None:
    first = annotate()
    label(first, helpfulness=3)
    first.skip()
    label(first, helpfulness=4)
    assert first.wait()
    first.close()
    again = annotate()
    assert again.position == 1
    again.go_to("demo_03")
    assert "in Respan" in line(again)
    assert ": 4.0" in line(again)


def test_show_only__goes_through_unscored_logs(annotate: Open) -> None:
    annotator = annotate()
    label(annotator, helpfulness=3)
    annotator.skip()
    label(annotator, helpfulness=3)
    annotator.show_only("unscored")
    assert annotator.position == 1
    annotator.skip()
    assert annotator.position == 3
    annotator.show_only("refused")
    assert "No log is refused" in message(annotator)
    assert (annotator.position, annotator.screen["shown"]) == (3, "all")
    send(annotator, "show_only", "unscored")
    assert (annotator.position, annotator.screen["shown"]) == (1, "unscored")
    with pytest.raises(ConfigurationError, match="show one of"):
        annotator.show_only("some")


@pytest.mark.parametrize(("text", "position"), [("7", 6), ("demo_30", 29), ("1", 0)])
def test_jump__takes_a_number_or_an_id(annotate: Open, text: str, position: int) -> None:
    annotator = annotate()
    send(annotator, "go_to", text)
    assert annotator.position == position


@pytest.mark.parametrize("target", ["0", "31", "nobody", -1, 30])
def test_go_to__refuses_what_is_not_there(annotate: Open, target: int | str) -> None:
    annotator = annotate()
    with pytest.raises(FrameError, match="there is no log"):
        annotator.go_to(target)
    if isinstance(target, str):
        send(annotator, "go_to", target)
        assert "there is no log" in message(annotator)


def test_back__at_the_first_log_says_so(annotate: Open) -> None:
    annotator = annotate()
    annotator.back()
    assert "This is the first log" in message(annotator)


# -- scores that are there already --------------------------------------------------------------


def test_existing__scores_are_shown_and_not_sent_again(
    client: RespanClient, annotate: Open, requests: list[str]
) -> None:
    client.upsert_score("demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=2))
    client.upsert_score("demo_02", ScoreWrite(evaluator_slug="tone", categorical_value=["rude"]))
    requests.clear()
    annotator = annotate(["helpfulness", "tone"])
    assert annotator.wait()
    assert annotator.position == 0, "the first that is not scored by both"
    assert "in Respan, by ann@example.com: 2.0" in line(annotator)
    assert annotator.editors["helpfulness"].value is None
    annotator.save()
    assert annotator.position == 1
    annotator.editors["tone"].accept()
    annotator.save()
    assert annotator.wait()
    assert [one for one in requests if "/logs/demo" in one] == []
    assert (annotator.progress["scored"], annotator.progress["partly"]) == (0, 2)


def test_existing__scores_of_others_do_not_count(
    sandbox: Sandbox, client: RespanClient, annotate: Open
) -> None:
    bob = RespanClient(sandbox.api_keys["bob@example.com"], sandbox.base_url)
    bob.upsert_score("demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=2))
    client.upsert_score("demo_09", ScoreWrite(evaluator_slug="helpfulness", numerical_value=1))
    annotator = annotate()
    assert annotator.wait()
    assert annotator.position == 0
    assert "not scored" in line(annotator)
    label(annotator, helpfulness=5)
    assert annotator.wait()
    annotator.undo()
    assert annotator.wait()
    assert ("demo_01", "helpfulness", "bob@example.com", 2.0) in stored(sandbox)
    bob.close()


def test_existing__do_not_disturb_what_is_being_entered(
    sandbox: Sandbox, outbox: Path, logs: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Annotator, "first_look", 0.0)  # As with a server that is slow.
    with RespanClient(sandbox.api_key, sandbox.base_url) as client:
        client.upsert_score("demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=2))
        annotator = logs.respan.annotate("helpfulness", client=client, outbox=outbox)
        annotator.editors["helpfulness"].value = 5
        assert annotator.wait()
        assert (annotator.position, annotator.editors["helpfulness"].value) == (0, 5)
        annotator.save()
        assert annotator.wait()
        annotator.undo()
        assert annotator.wait()
        annotator.close()
    assert stored(sandbox) == [("demo_01", "helpfulness", ME, 2.0)]


def test_clear__takes_a_score_away_from_the_server(
    sandbox: Sandbox, client: RespanClient, annotate: Open
) -> None:
    client.upsert_score("demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=2))
    annotator = annotate()
    annotator.wait()
    annotator.go_to(0)
    annotator.editors["helpfulness"].clear()
    annotator.save()
    assert annotator.wait()
    assert stored(sandbox) == []
    annotator.undo()
    assert annotator.wait()
    assert stored(sandbox) == [("demo_01", "helpfulness", ME, 2.0)]


def test_lookup__goes_by_log_when_the_server_refuses_the_filter(
    client: RespanClient, annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    from respan_notebook.errors import BadRequestError

    client.upsert_score("demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=2))

    def refuse(*_: Any, **__: Any) -> Any:
        raise BadRequestError("400: unknown filter", status=400)

    monkeypatch.setattr(RespanClient, "score_pages", refuse)
    annotator = annotate()
    assert annotator.wait()
    annotator.go_to(0)
    assert annotator.wait()
    assert ": 2.0" in line(annotator)


# -- undo ---------------------------------------------------------------------------------------


def test_undo__takes_a_new_score_away_again(sandbox: Sandbox, annotate: Open) -> None:
    annotator = annotate(["helpfulness", "tone"])
    label(annotator, helpfulness=3, tone="rude")
    assert annotator.wait()
    annotator.undo_button.click()
    assert annotator.position == 0
    assert annotator.wait()
    assert stored(sandbox) == []
    assert annotator.scores.empty
    assert annotator.progress["scored"] == 0
    annotator.undo()
    assert "There is nothing to undo" in message(annotator)


@pytest.mark.parametrize("restart", [False, True], ids=["same session", "after a restart"])
def test_undo__puts_the_former_value_back(
    sandbox: Sandbox, annotate: Open, *, restart: bool
) -> None:
    annotator = annotate()
    annotator.editors["helpfulness"].explanation = "at first"
    label(annotator, helpfulness=3)
    annotator.back()
    annotator.editors["helpfulness"].explanation = "then"
    label(annotator, helpfulness=5)
    label(annotator, helpfulness=1)
    assert annotator.wait()
    if restart:
        annotator.close()
        annotator = annotate()
    annotator.undo()
    annotator.undo()
    assert annotator.wait()
    assert stored(sandbox) == [("demo_01", "helpfulness", ME, 3.0)]
    (row,) = annotator.scores.to_dict("records")
    assert (row["value"], row["explanation"], row["state"]) == (3.0, "at first", "delivered")


def test_undo__before_anything_was_sent_sends_nothing(
    sandbox: Sandbox, annotate: Open, requests: list[str]
) -> None:
    annotator = annotate()
    annotator.wait()
    requests.clear()
    label(annotator, helpfulness=3)
    annotator.undo()
    assert annotator.wait()
    assert [one for one in requests if not one.startswith("POST /api/scores/list")] == []
    assert stored(sandbox) == []


def test_undo__while_it_is_being_looked_up_is_not_lost(
    sandbox: Sandbox, annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotator = annotate()
    annotator.wait()
    mark_tried, undone = Delivery.mark_tried, []

    def undo_meanwhile(self: Delivery, labels: Any) -> Any:
        if labels and not undone:
            undone.append(True)
            annotator.undo()
            annotator.editors["helpfulness"].value = 5
            annotator.save()
        return mark_tried(self, labels)

    monkeypatch.setattr(Delivery, "mark_tried", undo_meanwhile)
    label(annotator, helpfulness=1)
    assert wait_until(lambda: bool(undone), 5)
    assert annotator.wait()
    assert stored(sandbox) == [("demo_01", "helpfulness", ME, 5.0)]
    assert list(annotator.scores["value"]) == [5.0]


@pytest.mark.parametrize("how", ["undo", "clear"])
def test_explanation__that_is_taken_back_is_gone_from_the_server(
    client: RespanClient, annotate: Open, how: str
) -> None:
    annotator = annotate()
    if how == "undo":
        label(annotator, helpfulness=3)
        annotator.back()
    annotator.editors["helpfulness"].explanation = "a private remark"
    label(annotator, helpfulness=5)
    assert annotator.wait()
    if how == "undo":
        annotator.undo()
    else:
        annotator.back()
        annotator.editors["helpfulness"].explanation = ""
        annotator.save()
    assert annotator.wait()
    (score,) = client.list_scores("demo_01")
    assert (score.numerical_value, score.explanation or "") == (3 if how == "undo" else 5, "")
    assert annotator.scores["explanation"].isna().all()


def test_clear__is_not_undone_by_what_was_looked_up_before(
    sandbox: Sandbox, client: RespanClient, annotate: Open
) -> None:
    client.upsert_score("demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=2))
    annotator = annotate()
    annotator.go_to(0)
    annotator.wait()
    annotator.editors["helpfulness"].clear()
    annotator.save()
    assert annotator.wait()
    annotator.go_to(0)
    assert annotator.editors["helpfulness"].state == "unset"
    label(annotator, helpfulness=2)
    assert annotator.wait()
    assert stored(sandbox) == [("demo_01", "helpfulness", ME, 2.0)]


def test_sent_label__that_was_changed_elsewhere_is_shown_as_it_is_now(
    sandbox: Sandbox, client: RespanClient, annotate: Open
) -> None:
    annotator = annotate()
    label(annotator, helpfulness=3)
    assert annotator.wait()
    annotator.close()
    client.upsert_score("demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=5))
    again = annotate()
    again.go_to(0)
    assert again.wait()
    assert ": 5.0" in line(again)
    label(again, helpfulness=3)
    assert again.wait()
    assert stored(sandbox) == [("demo_01", "helpfulness", ME, 3.0)]


def test_undo__leaves_the_other_scores_of_the_log_alone(
    sandbox: Sandbox, client: RespanClient, annotate: Open
) -> None:
    curt = ScoreWrite(evaluator_slug="tone", categorical_value=["curt"])
    client.upsert_score("demo_01", curt)
    annotator = annotate(["helpfulness", "tone"])
    annotator.go_to(0)
    assert annotator.wait()
    label(annotator, helpfulness=3)
    annotator.undo()
    assert "curt" in line(annotator, "tone")
    label(annotator, tone="rude")
    assert annotator.wait()
    annotator.undo()
    assert annotator.wait()
    assert stored(sandbox) == [("demo_01", "tone", ME, ["curt"])]


def test_undo__knows_what_another_annotator_sent_meanwhile(
    sandbox: Sandbox, client: RespanClient, annotate: Open
) -> None:
    client.upsert_score("demo_30", ScoreWrite(evaluator_slug="tone", categorical_value=["curt"]))
    first, second = annotate(), annotate()
    assert first.wait()
    assert second.wait()
    label(second, helpfulness=4)
    assert second.wait()
    first.go_to(0)
    assert ": 4.0" in line(first)
    label(first, helpfulness=2)
    assert first.wait()
    first.undo()
    assert first.wait()
    assert ("demo_01", "helpfulness", ME, 4.0) in stored(sandbox)


def test_undo__of_a_write_whose_past_nobody_knows_is_refused(
    sandbox: Sandbox, client: RespanClient, annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    from respan_notebook.errors import BadRequestError

    client.upsert_score("demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=2))

    def refuse(*_: Any, **__: Any) -> Any:
        raise BadRequestError("400", status=400)

    with monkeypatch.context() as patch:
        patch.setattr(RespanClient, "list_scores", refuse)
        patch.setattr(RespanClient, "score_pages", refuse)
        annotator = annotate()
        label(annotator, helpfulness=3)
        assert annotator.wait()
    annotator.undo()
    assert "can't be undone" in message(annotator)
    assert annotator.wait()
    assert stored(sandbox) == [("demo_01", "helpfulness", ME, 3.0)]


def test_clear__before_it_is_known_whose_key_it_is_is_refused(
    sandbox: Sandbox, annotate: Open
) -> None:
    with RespanClient(sandbox.api_key, sandbox.base_url) as other:
        other.upsert_score("demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=2))
    with RespanClient(sandbox.api_key, sandbox.base_url) as fresh:
        annotator = annotate(client=fresh)
        annotator.wait()
        annotator.editors["helpfulness"].clear()
        annotator.save()
        assert "can't be taken away yet" in message(annotator)
        annotator.close()


# -- what does not arrive -----------------------------------------------------------------------


def test_refused__says_why_beside_the_editor_and_can_be_mended(
    client: RespanClient, annotate: Open, sandbox: Sandbox
) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01", "gone"], "input": ["a", "b"]})
    annotator = annotate("helpfulness", frame)
    label(annotator, helpfulness=1)
    label(annotator, helpfulness=2)
    assert annotator.wait() is True
    assert annotator.progress["refused"] == 1
    assert list(annotator.scores["state"]) == ["delivered", "refused"]
    annotator.go_to(0)
    annotator.show_only("refused")
    assert annotator.position == 1
    assert re.search("refused by Respan: .*404", line(annotator))
    annotator.editors["helpfulness"].accept()
    annotator.save()
    assert annotator.wait()
    assert annotator.progress["refused"] == 1, "it was tried again, with the same outcome"
    client.create_log({"unique_id": "gone", "input": "b"})
    label(annotator, helpfulness=3)
    assert annotator.wait()
    assert ("gone", "helpfulness", ME, 3.0) in stored(sandbox)
    assert annotator.progress["refused"] == 0


def test_wrong_key__is_said_once_and_nothing_is_lost(
    sandbox: Sandbox, annotate: Open, requests: list[str]
) -> None:
    evaluator = Evaluator(id="eval_helpfulness", score_value_type="numerical")
    with RespanClient("wrong-key", sandbox.base_url) as wrong:
        annotator = annotate([evaluator], client=wrong)
        for value in (1, 2, 3):
            annotator.editors["eval_helpfulness"].value = value
            annotator.save()
            wait_until(lambda: not annotator._session._sender.busy, 5)
        assert annotator.wait() is False
        said = "Nothing is sent for a while: .*401"
        assert wait_until(lambda: bool(re.search(said, message(annotator))), 5)
        assert "Your labels are kept" in message(annotator)
        asked = sum("/logs/demo" in one for one in requests)
        assert asked == 2, "at the first save and when it is waited for, and no more"
        assert list(annotator.scores["value"]) == [1, 2, 3]
        annotator.close()
    right = annotate([evaluator])
    assert right.position == 0, "nobody said that they are Ann's"
    assert right.wait()
    assert stored(sandbox) == []
    [foreign] = right.foreign
    assert (foreign.who[:4], foreign.queued) == ("key ", 3)
    assert right.adopt(foreign.who) == 3
    assert right.wait()
    assert right.foreign == []
    assert list(right.scores["value"]) == [1, 2, 3]
    assert [row[3] for row in stored(sandbox)] == [1, 2, 3]


def test_server_gone__labelling_goes_on_and_all_arrives_later(
    tmp_path: Path, outbox: Path, logs: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = RequestSettings(backoff=0.01, longest_backoff=0.05)
    monkeypatch.setattr(RespanClient, "settings", settings)
    monkeypatch.setattr(Annotator, "sender_settings", SenderSettings(first_pause=0.2))
    sandbox = Sandbox(demo=True, db=tmp_path / "sandbox.db").start()
    with RespanClient(sandbox.api_key, sandbox.base_url) as client:
        annotator = logs.respan.annotate("helpfulness", client=client, outbox=outbox)
        label(annotator, helpfulness=1)
        assert annotator.wait()
        sandbox.stop()
        for value in (2, 3, 4):
            label(annotator, helpfulness=value)
        assert wait_until(lambda: "Labels wait:" in message(annotator), 10)
        assert (annotator.position, annotator.progress["queued"]) == (4, 3)
        sandbox.start()
        assert annotator.wait()
        assert "Labels wait" not in message(annotator)
        annotator.close()
    assert [row[3] for row in stored(sandbox)] == [1, 2, 3, 4]
    sandbox.stop()


def test_server_gone__the_annotator_opens_with_what_it_knew(
    tmp_path: Path, outbox: Path, logs: pd.DataFrame, one_attempt: None
) -> None:
    sandbox = Sandbox(demo=True, db=tmp_path / "sandbox.db").start()
    with RespanClient(sandbox.api_key, sandbox.base_url) as client:
        first = logs.respan.annotate("tone", client=client, outbox=outbox)
        label(first, tone="curt")
        first.close()
        sandbox.stop()
        again = logs.respan.annotate("tone", client=client, outbox=outbox)
        assert again.position == 1
        label(again, tone="rude")
        assert len(again.scores) == 2
        again.close()
        with pytest.raises(TransportError):
            logs.respan.annotate("helpfulness", client=client, outbox=outbox)


def test_rate_limit__is_waited_for_with_its_reason(
    outbox: Path, logs: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        Sandbox(demo=True, rate_limit=(4, 1.5)) as sandbox,
        RespanClient(sandbox.api_key, sandbox.base_url) as client,
    ):
        annotator = logs.respan.annotate("helpfulness", client=client, outbox=outbox)
        said = []
        annotator.observe(lambda change: said.append(change["new"]["sync"]["reason"]), "status")
        for _ in range(8):
            label(annotator, helpfulness=3)
        assert annotator.wait(15)
        assert any(re.search("Labels wait: (the server asks|limited to)", one) for one in said)
        assert annotator.progress["delivered"] == 8
        annotator.editors["helpfulness"].clear()
        annotator.save()
        assert annotator.wait(15)
        assert "Labels wait" not in message(annotator)
        assert not caplog.records, "the notebook is not written full of warnings"
        annotator.close()


def test_disk__that_refuses_is_said_and_nothing_moves_on(
    annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotator = annotate()

    def full(*_: Any, **__: Any) -> None:
        raise OutboxError("the outbox can't be used: database or disk is full")

    annotator.editors["helpfulness"].value = 4
    monkeypatch.setattr(annotator._session._outbox, "save", full)
    annotator.save()
    assert annotator.position == 0
    assert "can't be used: database or disk is full" in message(annotator)
    assert annotator.editors["helpfulness"].value == 4


# -- several notebooks, several people ----------------------------------------------------------

LABELLER = """
import sys, os, signal
import pandas as pd
from respan_notebook import Annotator, Evaluator, RespanClient
from respan_notebook.labelling.outbox.sender import SenderSettings
url, key, outbox, start, stop, kill = sys.argv[1:]
if kill:  # However slow the machine is, nothing is sent before.
    Annotator.sender_settings = SenderSettings(moment=60)
frame = pd.DataFrame({"log_id": [f"demo_{n:02}" for n in range(1, 31)]})
stars = Evaluator(id="eval_helpfulness", score_value_type="numerical",
                  score_config={"min_score": 1, "max_score": 5})
annotator = frame.respan.annotate([stars], client=RespanClient(key, url), outbox=outbox)
for row in range(int(start), int(stop)):
    annotator.go_to(row)
    annotator.editors["eval_helpfulness"].value = 1 + row % 5
    annotator.save()
if kill == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
print(annotator.wait())
annotator.close()
"""


def start_labeller(sandbox: Sandbox, outbox: Path, rows: range, kill: str = "") -> Any:
    command = [sys.executable, "-c", LABELLER, sandbox.base_url, sandbox.api_key, str(outbox)]
    rest = [str(rows.start), str(rows.stop), kill]
    return subprocess.Popen([*command, *rest], stdout=subprocess.PIPE, text=True)


def test_two_notebooks__on_one_outbox_send_all_of_it_once(
    sandbox: Sandbox, outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from respan_notebook.sandbox.store import Store

    written = []
    upsert = Store.upsert_score

    def counted(self: Store, **score: Any) -> Any:
        written.append(score["log_id"])
        return upsert(self, **score)

    monkeypatch.setattr(Store, "upsert_score", counted)
    start_labeller(sandbox, outbox, range(20), "kill").communicate(timeout=60)
    assert written == [], "they wait, and both notebooks find them when they open"
    both = [start_labeller(sandbox, outbox, range(n, n + 5)) for n in (20, 25)]
    assert [one.communicate(timeout=60)[0].strip() for one in both] == ["True", "True"]
    assert sorted(written) == [f"demo_{n:02}" for n in range(1, 31)]
    assert [row[3] for row in stored(sandbox)] == [1 + n % 5 for n in range(30)]


def test_kill_9__right_after_save_loses_nothing(
    sandbox: Sandbox, outbox: Path, annotate: Open
) -> None:
    killed = start_labeller(sandbox, outbox, range(5), "kill")
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    annotator = annotate()
    assert annotator.position == 5
    assert annotator.wait()
    assert [row[3] for row in stored(sandbox)] == [1, 2, 3, 4, 5]


def test_two_people__keep_their_labels_apart(
    sandbox: Sandbox, client: RespanClient, annotate: Open
) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01", "demo_02"]})
    ann = annotate("helpfulness", frame)
    label(ann, helpfulness=1)
    assert ann.wait()
    ann._session._sender.close()
    label(ann, helpfulness=2)
    ann.close()
    with RespanClient(sandbox.api_keys["bob@example.com"], sandbox.base_url) as bobs:
        bob = annotate("helpfulness", frame, client=bobs)
        assert bob.position == 0
        label(bob, helpfulness=5)
        assert bob.wait()
        bob.close()
        bob = annotate("helpfulness", frame, client=bobs)
        assert "1 of ann@example.com" in message(bob)
        bob.close()
    assert ("demo_02", "helpfulness", ME, 2.0) not in stored(sandbox)
    ann = annotate("helpfulness", frame)
    assert ann.wait()
    assert stored(sandbox) == [
        ("demo_01", "helpfulness", ME, 1.0),
        ("demo_01", "helpfulness", "bob@example.com", 5.0),
        ("demo_02", "helpfulness", ME, 2.0),
    ]


def test_outbox__holds_no_key_and_no_text_of_a_log(
    sandbox: Sandbox, annotate: Open, outbox: Path, logs: pd.DataFrame
) -> None:
    annotator = annotate(SLUGS)
    label(annotator, **VALUES)
    assert annotator.wait()
    annotator.editors["comments"].value = "a draft"
    content = b"".join(path.read_bytes() for path in outbox.parent.glob("outbox*"))
    assert sandbox.api_key.encode() not in content
    for text in logs["output"].dropna():
        assert str(text)[:40].encode() not in content
    assert b"a draft" in content


def test_untried_key__keeps_its_labels_from_others(
    sandbox: Sandbox, client: RespanClient, annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Annotator, "sender_settings", SenderSettings(moment=60.0)
    )  # Ann's are not sent before she closes.
    ann = annotate()
    label(ann, helpfulness=1)
    ann.close()
    monkeypatch.undo()
    with RespanClient(sandbox.api_keys["bob@example.com"], sandbox.base_url) as bobs:
        bob = annotate(client=bobs)
        assert "Scores entered with other keys wait" in message(bob)
        label(bob, helpfulness=5)
        assert bob.wait()
    assert [row[2:] for row in stored(sandbox)] == [("bob@example.com", 5.0)]
    again = annotate()
    assert again.wait()
    assert ("demo_01", "helpfulness", ME, 1.0) in stored(sandbox)


@pytest.mark.parametrize("status", [302, 403])
def test_key__that_was_not_refused_is_not_taken_for_wrong(
    canned: Any, outbox: Path, status: int
) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01"]})
    stars = Evaluator(id="e", score_value_type="numerical")
    server = canned(status=status, headers={"Location": "/login"})
    with RespanClient("ann", server.base_url) as ann, RespanClient("bob", server.base_url) as bob:
        first = frame.respan.annotate([stars], client=ann, outbox=outbox)
        first.editors["e"].value = 1
        first.save()
        assert wait_until(lambda: list(first.scores["state"]) == ["refused"], 5)
        first.close()
        second = frame.respan.annotate([stars], client=bob, outbox=outbox)
        assert second.scores.empty
        second.close()


def test_two_keys__of_one_person_keep_the_later_label(sandbox: Sandbox, outbox: Path) -> None:
    old, new = (Outbox(outbox, "http://server", person) for person in ("key 1", "key 2"))
    old.save([Change("e", Upsert("log", {"evaluator_id": "e", "numerical_value": 1.0}))])
    new.save([Change("e", Upsert("log", {"evaluator_id": "e", "numerical_value": 5.0}))])
    old.save([Change("e", Upsert("other", {"evaluator_id": "e", "numerical_value": 2.0}))])
    for box in (old, new):
        box.accounts.store_scorer("ann@example.com")
    new.accounts.adopt_own()
    kept = [(one.log_id, one.body["numerical_value"]) for one in new.labels()]
    assert kept == [("log", 5.0), ("other", 2.0)]
    assert old.labels() == []
    old.close()
    new.close()


# -- what it gives ------------------------------------------------------------------------------


def test_scores__is_a_tidy_frame_that_push_scores_takes(
    sandbox: Sandbox, client: RespanClient, annotate: Open
) -> None:
    annotator = annotate(SLUGS)
    label(annotator, **VALUES)
    assert annotator.wait()
    scores = annotator.scores
    expected = [("demo_01", slug, VALUES[slug], "delivered") for slug in SLUGS]
    columns = ["log_id", "evaluator_slug", "value", "state"]
    assert sorted(scores[columns].itertuples(index=False, name=None)) == sorted(expected)
    report = scores.respan.push_scores(client=client, progress=False)
    assert report.counts == {"updated": 10}


def test_scores__counts_only_the_logs_and_evaluators_at_hand(annotate: Open) -> None:
    annotator = annotate(["helpfulness", "tone"])
    label(annotator, helpfulness=3, tone="curt")
    label(annotator, helpfulness=4)
    frame = pd.DataFrame({"log_id": ["demo_01"]})
    other = annotate("tone", frame)
    assert list(other.scores["value"]) == ["curt"]


def test_repr__is_short(annotate: Open) -> None:
    annotator = annotate()
    label(annotator, helpfulness=3)
    assert repr(annotator) == "Annotator(log 2 of 30, 1 scored)"
    assert repr(annotator.editors["helpfulness"]) == "Editor('helpfulness', value=None)"


@pytest.mark.parametrize("show", ["model", ["model"]])
def test_show__picks_columns(annotate: Open, show: Any) -> None:
    annotator = annotate(show=show)
    assert "gpt-4o-mini" in html_of(annotator)
    assert "bike lock" not in html_of(annotator)
    with pytest.raises(FrameError, match="did you mean 'model'"):
        annotate(show=["modle"])


# -- what must not lock the screen ----------------------------------------------------------------


def test_received__answers_whatever_goes_wrong(
    annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotator = annotate()
    monkeypatch.setattr(Actions, "save", lambda *_: 1 / 0)
    sent = send(annotator, "save")
    assert annotator.answer == sent
    assert "ZeroDivisionError" in message(annotator)
    assert annotator.screen["message"]["is_wrong"]


@pytest.mark.parametrize(
    "fields",
    [
        {"numerical_value": [3]},
        {"numerical_value": 9},
        {"numerical_value": None, "explanation": "the judge failed"},
        {"numerical_value": 2, "string_value": ""},
    ],
    ids=["odd type", "out of bounds", "no value", "a second field"],
)
def test_existing__odd_scores_stand_in_nobodys_way(
    sandbox: Sandbox, annotate: Open, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    odd = Score(id="s", log_id="demo_01", evaluator_id="eval_helpfulness", scorer=ME, **fields)
    monkeypatch.setattr("respan_notebook.labelling.prefetch.read_scores", lambda *_, **__: [odd])
    annotator = annotate()
    assert annotator.wait()
    annotator.go_to(0)
    label(annotator, helpfulness=4)
    assert annotator.position == 1
    assert annotator.wait()
    assert stored(sandbox) == [("demo_01", "helpfulness", ME, 4.0)]


def test_save__of_the_value_that_is_there_goes_on(annotate: Open) -> None:
    annotator = annotate()
    label(annotator, helpfulness=3)
    annotator.back()
    label(annotator, helpfulness=3)
    assert annotator.position == 1
    assert "Nothing was changed" in message(annotator)


def test_screen__does_not_show_one_logs_entries_over_another(
    annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotator = annotate()
    annotator.editors["helpfulness"].value = 1
    read = Outbox.log

    def fail_once(self: Outbox, log_id: str) -> Any:
        if log_id == "demo_01":
            return read(self, log_id)
        monkeypatch.setattr(Outbox, "log", read)
        raise OutboxError("disk I/O error")

    monkeypatch.setattr(Outbox, "log", fail_once)
    annotator.save()
    assert (annotator.position, annotator.editors["helpfulness"].value) == (1, None)
    assert "disk I/O error" in message(annotator)


def test_draft__of_a_type_that_is_not_known_any_more_stays(annotate: Open) -> None:
    first = annotate([Evaluator(evaluator_slug="t", score_value_type="json")])
    send(first, "draft", t=typed("{"))
    first.close()
    second = annotate([Evaluator(evaluator_slug="t", score_value_type="vector")])
    assert second.editors["t"].value is None


def test_one_bad_log__does_not_stop_the_others(
    sandbox: Sandbox, annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    from respan_notebook.errors import BadRequestError

    list_scores = RespanClient.list_scores

    def refuse(self: RespanClient, log_id: Any, **_: Any) -> Any:
        if log_id == "demo_02":
            return list_scores(self, log_id)
        raise BadRequestError("400", status=400)

    monkeypatch.setattr(RespanClient, "list_scores", refuse)
    monkeypatch.setattr(RespanClient, "score_pages", refuse)
    annotator = annotate()
    for value in (1, 2, 3):
        label(annotator, helpfulness=value)
    assert annotator.wait()
    monkeypatch.undo()
    assert [row[3] for row in stored(sandbox)] == [1, 2, 3]


def test_frame__that_is_sorted_meanwhile_changes_nothing(
    sandbox: Sandbox, annotate: Open, logs: pd.DataFrame
) -> None:
    annotator = annotate("helpfulness", logs)
    with warnings.catch_warnings(action="ignore"):  # pandas 3.1 warns of inplace.
        logs.sort_values("unique_id", ascending=False, inplace=True)
    annotator.go_to(1)
    assert "You charged me twice" in html_of(annotator)
    label(annotator, helpfulness=3)
    assert annotator.wait()
    assert [row[0] for row in stored(sandbox)] == ["demo_02"]


def test_draft__of_another_definition_is_no_score(annotate: Open) -> None:
    def tags(*names: str) -> Evaluator:
        choices = {"choices": [{"name": name} for name in names]}
        return Evaluator(evaluator_slug="t", score_value_type="multi_select", score_config=choices)

    first = annotate([tags("a", "b")])
    first.editors["t"].value = ["a"]
    first.close()
    second = annotate([tags("new", "a", "b")])
    assert second.editors["t"].value == ["a"]
    second.close()
    third = annotate([tags("new", "b")])
    assert (third.editors["t"].value, third.editors["t"].state) == (None, "invalid")


# -- bad input ----------------------------------------------------------------------------------


def test_rows__without_a_log_id_are_shown_and_cant_be_scored(
    sandbox: Sandbox, annotate: Open
) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01", None, "demo_02", "demo_01"], "input": list("abcd")})
    annotator = annotate("helpfulness", frame)
    label(annotator, helpfulness=3)
    label(annotator, helpfulness=3)
    assert annotator.position == 1
    assert "this row can't be scored: no log id" in message(annotator)
    annotator.skip()
    assert annotator.progress["scored"] == 2, "both rows of demo_01"
    label(annotator, helpfulness=4)
    assert annotator.wait()
    assert [row[:2] for row in stored(sandbox)] == [
        ("demo_01", "helpfulness"),
        ("demo_02", "helpfulness"),
    ]


def test_annotate__shows_a_type_that_it_does_not_know(annotate: Open) -> None:
    odd = Evaluator(evaluator_slug="odd", score_value_type="vector")
    annotator = annotate([odd, "helpfulness"])
    label(annotator, helpfulness=2)
    assert annotator.position == 1
    assert annotator.wait()


@pytest.mark.parametrize(
    ("evaluators", "frame", "error", "text"),
    [
        ("helpfulness", pd.DataFrame({"log_id": []}), FrameError, "the frame has no rows"),
        ("helpfulness", pd.DataFrame({"text": ["a"]}), FrameError, "no log id"),
        ([], None, ConfigurationError, "no evaluator given"),
        ("helpfulnes", None, UnknownEvaluatorError, "did you mean 'helpfulness'"),
        ([3], None, FrameError, "an evaluator is a slug, an id or an Evaluator"),
    ],
    ids=["no rows", "no ids", "no evaluator", "typo", "no name"],
)
def test_annotate__says_what_is_wrong(
    annotate: Open, evaluators: Any, frame: pd.DataFrame | None, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        annotate(evaluators, frame)


def test_annotate__without_a_key_names_the_ways_to_go_on(logs: pd.DataFrame) -> None:
    with pytest.raises(ConfigurationError, match="three ways"):
        logs.respan.annotate("helpfulness")


def _folder(path: Path) -> None:
    path.mkdir()


def _garbage(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to be looked at" * 30)


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()


@pytest.mark.parametrize(
    ("spoil", "text"),
    [(_folder, "unable to open"), (_garbage, "not a database"), (_newer, "a newer version")],
)
def test_annotate__says_when_labels_cant_be_kept(
    annotate: Open, outbox: Path, spoil: Any, text: str
) -> None:
    spoil(outbox)
    with pytest.raises(ConfigurationError, match=f"labels can't be kept in .*{text}.*outbox="):
        annotate(outbox=outbox)


def test_default_path__is_in_the_users_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    from respan_notebook.labelling.outbox.outbox import default_path

    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    assert default_path().name == "outbox.sqlite3"
    assert default_path().parent.name == "respan_notebook"


def test_close__ends_everything_and_can_be_called_twice(annotate: Open) -> None:
    opened = live_widgets()
    annotator = annotate()
    label(annotator, helpfulness=2)
    annotator.close()
    annotator.close()
    assert list(annotator.scores["value"]) == [2.0]
    with pytest.raises(ConfigurationError, match="this annotator is closed"):
        annotator.save()
    assert live_widgets() == opened
    assert not annotator._session._sender.busy


def test_columns__that_tell_what_others_said_are_hidden_and_the_log_is_not(annotate: Open) -> None:
    frame = pd.DataFrame(
        {"log_id": ["demo_01"], "output": ["the answer"], "tone": ["curt"], "tone_why": ["rude"]}
    )
    tone = Evaluator(
        id="eval_tone",
        evaluator_slug="tone",
        name="Output",
        score_value_type="single_select",
        score_config={"choices": [{"name": "Curt", "value": "curt"}]},
    )
    annotator = annotate([tone], frame)
    assert "the answer" in html_of(annotator)
    assert "rude" not in html_of(annotator)
    assert "Not shown while you label" in message(annotator)
    assert "rude" in html_of(annotate([tone], frame, show=["output", "tone_why"]))
