"""Labelling while requests fail, threads race, or evaluators and frames are odd."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from labels import Open, label, line, message, stored
from seed import add_logs

from respan_notebook import (
    ConfigurationError,
    Evaluator,
    RespanClient,
    Sandbox,
    ScoreWrite,
)
from respan_notebook.client.transport import Transport
from respan_notebook.errors import (
    AuthenticationError,
    BadRequestError,
    RateLimitError,
    ServerError,
    TransportError,
)
from respan_notebook.labelling.outbox.delivery import Delivery
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.sender import SenderSettings, wait_until
from respan_notebook.labelling.widgets import annotator as annotator_module
from respan_notebook.labelling.widgets.annotator import Annotator

ME = "ann@example.com"
NO_BOUNDS = {"min_score": 5, "max_score": 1}


class OtherKey(RespanClient):
    """Another key of the same person, which the sandbox has no second one for."""

    fingerprint = "another key of the same person"  # type: ignore[assignment]


def refused(*_: Any, **__: Any) -> Any:
    raise BadRequestError("400: no", status=400)


def broken(*_: Any, **__: Any) -> Any:
    raise ServerError("500: broken", status=500)


@pytest.fixture
def by_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server does not filter scores, so that every display looks its log up."""
    monkeypatch.setattr(RespanClient, "score_pages", refused)


# -- what stands after scores were taken away ---------------------------------------------------


def test_undo__then_the_same_score_again_is_sent(
    client: RespanClient, annotate: Open, by_log: None
) -> None:
    annotator = annotate()
    label(annotator, helpfulness=3)
    assert annotator.wait()
    annotator.undo()  # The look-up that this begins still finds the score.
    assert annotator.wait()
    label(annotator, helpfulness=3)
    assert annotator.wait()
    assert [score.numerical_value for score in client.list_scores("demo_01")] == [3]
    assert list(annotator.scores["value"]) == [3]
    annotator.undo()
    assert annotator.wait()
    assert client.list_scores("demo_01") == []


def test_undo__of_a_score_entered_after_an_undo_brings_nothing_back(
    client: RespanClient, annotate: Open, by_log: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotator = annotate()
    label(annotator, helpfulness=3)
    assert annotator.wait()
    annotator.undo()
    assert annotator.wait()
    monkeypatch.setattr(Annotator, "sender_settings", SenderSettings(moment=1.0))
    label(annotator, helpfulness=5)
    annotator.undo()  # Before anything was sent.
    assert annotator.wait()
    assert "not scored" in line(annotator)
    label(annotator, helpfulness=3)
    assert annotator.wait()
    assert [score.numerical_value for score in client.list_scores("demo_01")] == [3]


def test_undo__of_what_the_sender_has_in_hand_sends_nothing(
    client: RespanClient, annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotator = annotate()
    label(annotator, helpfulness=3)
    assert annotator.wait()
    annotator.undo()
    assert annotator.wait()
    mark_tried, undone = Delivery.mark_tried, []

    def undo_meanwhile(self: Delivery, labels: Any) -> Any:
        if labels and not undone:
            undone.append(True)
            annotator.undo()
        return mark_tried(self, labels)

    monkeypatch.setattr(Delivery, "mark_tried", undo_meanwhile)
    label(annotator, helpfulness=4)
    assert wait_until(lambda: bool(undone), 5)
    assert annotator.wait()
    assert client.list_scores("demo_01") == []


def test_removal__that_is_refused_is_said(annotate: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    annotator = annotate()
    label(annotator, helpfulness=3)
    assert annotator.wait()
    monkeypatch.setattr(RespanClient, "delete_score", refused)
    annotator.undo()
    assert annotator.wait()
    assert {k: annotator.progress[k] for k in ("scored", "refused")} == {"scored": 1, "refused": 1}
    assert annotator.status["counts"]["refused"] == 1
    assert re.search("refused by Respan: .*could not be taken away", line(annotator))
    annotator.show_only("refused")
    assert annotator.position == 0


def test_removal__that_waits_is_waited_for(annotate: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    annotator = annotate()
    label(annotator, helpfulness=3)
    assert annotator.wait()

    def revoked(*_: Any, **__: Any) -> None:
        raise AuthenticationError("401: revoked", status=401)

    monkeypatch.setattr(RespanClient, "delete_score", revoked)
    annotator.undo()
    assert annotator.wait() is False
    assert annotator.progress["queued"] == 1


# -- what is on screen --------------------------------------------------------------------------


def test_score__that_arrives_is_said_beside_its_editor(annotate: Open) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01"]})
    annotator = annotate("helpfulness", frame)
    label(annotator, helpfulness=3)
    assert annotator.wait()
    assert wait_until(lambda: "in Respan" in line(annotator), 5)


def test_refusal__is_said_beside_the_editor_that_is_shown(annotate: Open) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01", "gone"]})
    annotator = annotate("helpfulness", frame)
    annotator.go_to(1)
    label(annotator, helpfulness=3)
    assert annotator.wait()
    assert wait_until(lambda: "refused by Respan" in line(annotator), 5)


def test_odd_evaluator__with_a_score_keeps_nothing_of_another_log(
    client: RespanClient, annotate: Open
) -> None:
    client.upsert_score("demo_01", ScoreWrite(evaluator_slug="coverage", numerical_value=2))
    client.upsert_score("demo_03", ScoreWrite(evaluator_slug="coverage", numerical_value=2))
    odd = Evaluator(id="eval_coverage", score_value_type="numerical", score_config=NO_BOUNDS)
    annotator = annotate([odd, "helpfulness"])
    assert annotator.wait()
    annotator.go_to(1)
    label(annotator, helpfulness=4)
    assert annotator.position == 2
    assert annotator.editors["helpfulness"].state == "unset"


def test_fault__while_a_log_is_shown_leaves_no_entry_of_the_last_one(
    annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotator = annotate()
    annotator.editors["helpfulness"].value = 4

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Outbox, "log", fail)
    with pytest.raises(RuntimeError):
        annotator.save()
    assert annotator.position == 1
    assert annotator.editors["helpfulness"].state == "unset"


def test_fault__of_the_screen_does_not_end_the_sending(
    sandbox: Sandbox, annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotator = annotate()
    annotator.wait()
    draw, here = annotator_module.screen_json, threading.current_thread()

    def fail_behind(*given: Any, **named: Any) -> dict[str, Any]:
        if threading.current_thread() is not here:
            raise RuntimeError("comm closed")
        return draw(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(annotator_module, "screen_json", fail_behind)
        label(annotator, helpfulness=3)
        assert wait_until(lambda: not annotator._session._sender.busy, 5)
    label(annotator, helpfulness=4)
    assert annotator.wait()
    assert [row[3] for row in stored(sandbox)] == [3, 4]


def test_closed__annotator_says_so_and_keeps_its_scores(annotate: Open) -> None:
    annotator = annotate()
    annotator._session._outbox.close()
    annotator.close()
    assert list(annotator.scores.columns)[:2] == ["log_id", "evaluator_id"]
    with pytest.raises(ConfigurationError, match="is closed"):
        annotator.wait()
    with pytest.raises(ConfigurationError, match="is closed"):
        _ = annotator.progress


def test_outbox__that_can_only_be_read_is_refused_at_opening(
    annotate: Open, outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotate().close()
    connect = sqlite3.connect

    def read_only(path: Path, **options: Any) -> sqlite3.Connection:
        return connect(f"file:{path}?mode=ro", uri=True, **options)

    monkeypatch.setattr(sqlite3, "connect", read_only)
    with pytest.raises(ConfigurationError, match=r"can't be kept in .*readonly.*outbox="):
        annotate()


def test_disk__that_is_full_is_named(annotate: Open) -> None:
    annotator = annotate("comments")
    db = annotator._session._outbox._db._db
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages}")
    annotator.editors["comments"].value = "x" * 100_000
    annotator.save()
    assert annotator.position == 0
    assert "database or disk is full" in message(annotator)
    assert annotator.editors["comments"].value == "x" * 100_000


# -- counts -------------------------------------------------------------------------------------


def test_progress__counts_all_rows_of_a_log(client: RespanClient, annotate: Open) -> None:
    client.upsert_score("demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=2))
    annotator = annotate("helpfulness", pd.DataFrame({"log_id": ["demo_01", "demo_01", "demo_02"]}))
    assert annotator.wait()
    assert (annotator.position, annotator.progress["scored"], annotator.progress["left"]) == (
        2,
        2,
        1,
    )


def test_open__reads_no_more_rows_than_are_at_hand(annotate: Open) -> None:
    annotator = annotate("helpfulness", pd.DataFrame({"log_id": [f"x{n}" for n in range(1000)]}))
    assert annotator.wait()
    assert "rows" not in vars(annotator._session._queue), (
        "of 100,000 that would take longer than the rest"
    )


def test_progress__sees_what_another_annotator_did(annotate: Open) -> None:
    here, there = annotate(), annotate()
    label(there, helpfulness=4)
    assert there.wait()
    here.go_to(0)
    assert {k: here.progress[k] for k in ("scored", "delivered")} == {"scored": 1, "delivered": 1}


def test_progress__sees_what_was_deleted_elsewhere(client: RespanClient, annotate: Open) -> None:
    first = annotate()
    label(first, helpfulness=3)
    assert first.wait()
    first.close()
    (score,) = client.list_scores("demo_01")
    client.delete_score("demo_01", score.id)
    again = annotate()
    assert again.wait()
    assert again.progress["scored"] == 0
    again.show_only("unscored")
    assert again.position == 0


# -- waits and their reasons --------------------------------------------------------------------


def test_look_up__that_fails_before_a_write_is_the_reason_of_the_wait(
    annotate: Open, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotator = annotate()
    annotator.wait()
    with monkeypatch.context() as patch:
        patch.setattr(RespanClient, "list_scores", broken)
        label(annotator, helpfulness=3)
        time.sleep(0.5)
        assert "Labels wait: 500: broken" in message(annotator)
    annotator._session._sender.kick()
    assert annotator.wait()
    assert "Labels wait" not in message(annotator)


def test_look_up__says_no_reason_when_the_wait_is_over(
    annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotator = annotate()
    annotator.wait()
    send, troubles = Transport.send, []

    def slow_down_once(self: Transport, method: str, path: str, *rest: Any, **named: Any) -> Any:
        if method == "GET" and "/scores/" in path:
            troubles.append(annotator._session._sender.status)
            if len(troubles) == 1:
                raise RateLimitError("429: slow down", status=429, retry_after=0.6)
        return send(self, method, path, *rest, **named)

    monkeypatch.setattr(Transport, "send", slow_down_once)
    for _ in range(4):
        label(annotator, helpfulness=3)
    assert annotator.wait()
    assert troubles[0] == ""
    assert "the server asks to wait" in troubles[1]
    assert not [one for one in troubles[2:] if "asks to wait" in one]


def test_look_up__of_what_is_there_says_why_it_waits(outbox: Path, logs: pd.DataFrame) -> None:
    with (
        Sandbox(demo=True, rate_limit=(2, 3)) as sandbox,
        RespanClient(sandbox.api_key, sandbox.base_url) as client,
    ):
        client.list_evaluators()
        annotator = logs.respan.annotate("helpfulness", client=client, outbox=outbox)
        assert "not read yet: the server asks to wait" in message(annotator)
        assert annotator.wait(10)
        assert "not read yet" not in message(annotator)
        annotator.close()


def test_by_log__asks_for_no_whole_chunks(
    sandbox: Sandbox, annotate: Open, requests: list[str], by_log: None
) -> None:
    frame = pd.DataFrame({"log_id": [f"x{n:03}" for n in range(200)]})
    add_logs(sandbox.base_url, sandbox.api_key, frame["log_id"])
    annotator = annotate("helpfulness", frame)
    annotator.wait()
    annotator._session._prefetch.by_log = False
    annotator.go_to(90)  # Chunks before and after this row are asked for.
    assert annotator.wait()
    assert {one for one in requests if "/logs/x" in one} == {
        f"GET /api/logs/{log_id}/scores/?page_size=100" for log_id in ("x000", "x090")
    }


def test_by_log__after_another_failure_forgets_that(
    annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([broken])

    def pages(*_: Any, **__: Any) -> Any:
        next(answers, refused)()

    monkeypatch.setattr(RespanClient, "score_pages", pages)
    annotator = annotate()
    assert annotator.wait()
    assert "could not be read" not in message(annotator)
    assert annotator._session._current_scores.log_ids == ["demo_01"]


# -- whose, and what was there before -----------------------------------------------------------


@pytest.mark.parametrize("written", [False, True], ids=["new client", "client that has written"])
def test_revoked_key__its_labels_go_out_after_the_first_save_with_a_new_one(
    sandbox: Sandbox, annotate: Open, monkeypatch: pytest.MonkeyPatch, *, written: bool
) -> None:
    first = annotate()
    label(first, helpfulness=1)
    assert first.wait()
    with monkeypatch.context() as patch:

        def revoked(*_: Any, **__: Any) -> None:
            raise AuthenticationError("401: revoked", status=401)

        patch.setattr(RespanClient, "send_upsert", revoked)
        label(first, helpfulness=2)
        assert wait_until(lambda: first._session._sender.halted, 5)
        first.close()
    with OtherKey(sandbox.api_key, sandbox.base_url) as renewed:
        if written:
            renewed.upsert_score("demo_01", {"evaluator_slug": "helpfulness", "numerical_value": 1})
        again = annotate(client=renewed)
        assert "1 of ann@example.com" in message(again)
        again.go_to(2)
        label(again, helpfulness=5)
        assert again.wait()
        assert [row[3] for row in stored(sandbox)] == [1, 2, 5]
        assert list(again.scores["value"]) == [1, 2, 5]
        assert [again.progress[name] for name in ("scored", "delivered")] == [3, 3]
        again.close()


def test_undo__knows_the_past_also_when_the_first_write_failed(
    sandbox: Sandbox, annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Annotator, "sender_settings", SenderSettings(first_pause=0.1))
    with RespanClient(sandbox.api_key, sandbox.base_url) as other:
        other.upsert_score("demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=2))
    upsert, failed = RespanClient.send_upsert, []

    def fail_once(self: RespanClient, *given: Any, **named: Any) -> Any:
        if not failed:
            failed.append(True)
            raise TransportError("no connection")
        return upsert(self, *given, **named)

    monkeypatch.setattr(RespanClient, "send_upsert", fail_once)
    annotator = annotate()
    annotator.go_to(0)
    label(annotator, helpfulness=5)
    assert annotator.wait()
    annotator.undo()
    assert annotator.wait()
    assert failed
    assert stored(sandbox) == [("demo_01", "helpfulness", ME, 2.0)]


def test_save__leaves_the_draft_of_an_editor_that_takes_none(annotate: Open) -> None:
    note = {"evaluator_slug": "note"}
    first = annotate([Evaluator(**note, score_value_type="text")])
    first.editors["note"].value = "a long text"
    first.close()
    odd = annotate([Evaluator(**note, score_value_type="vector"), "helpfulness"])
    label(odd, helpfulness=3)
    odd.close()
    again = annotate([Evaluator(**note, score_value_type="text")])
    again.go_to(0)
    assert again.editors["note"].value == "a long text"


def test_other_key__in_use_keeps_its_labels(
    sandbox: Sandbox, annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = annotate()
    label(first, helpfulness=1)
    assert first.wait()
    with OtherKey(sandbox.api_key, sandbox.base_url) as second_key:
        other = annotate(client=second_key)
        other.go_to(1)
        label(other, helpfulness=2)
        assert other.wait()
        assert list(first.scores["value"]) == [1], "its annotator is open"
        first.undo()
        assert first.wait()
        other.close()
    assert [row[:2] for row in stored(sandbox)] == [("demo_02", "helpfulness")]


def test_clear__before_a_label_was_sent_takes_the_older_score_away(
    sandbox: Sandbox, annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RespanClient(sandbox.api_key, sandbox.base_url) as other:
        other.upsert_score("demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=1))
    annotator = annotate()
    monkeypatch.setattr(Annotator, "sender_settings", SenderSettings(moment=1.0))
    annotator.go_to(0)
    label(annotator, helpfulness=4)
    annotator.go_to(0)
    annotator.editors["helpfulness"].clear()
    annotator.save()
    assert annotator.wait()
    assert stored(sandbox) == []
    annotator.undo()
    annotator.undo()
    assert annotator.wait()
    assert stored(sandbox) == [("demo_01", "helpfulness", ME, 1.0)]


def test_clear__of_what_the_sender_has_in_hand_takes_the_older_score_away(
    sandbox: Sandbox, client: RespanClient, annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upsert_score("demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=1))
    mark_tried, cleared = Delivery.mark_tried, []

    def clear_meanwhile(self: Delivery, labels: Any) -> Any:
        if labels and not cleared:
            cleared.append(True)
            annotator.go_to(0)
            annotator.editors["helpfulness"].clear()
            annotator.save()
        return mark_tried(self, labels)

    monkeypatch.setattr(RespanClient, "score_pages", refused)
    monkeypatch.setattr(Annotator, "first_look", 0)
    annotator = annotate()
    annotator.go_to(0)
    monkeypatch.setattr(Delivery, "mark_tried", clear_meanwhile)
    label(annotator, helpfulness=4)
    assert wait_until(lambda: bool(cleared), 5)
    assert annotator.wait()
    monkeypatch.undo()
    assert stored(sandbox) == []


def test_clear__before_a_label_was_sent_writes_nothing_where_nothing_was(
    sandbox: Sandbox, annotate: Open, requests: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    annotator = annotate()
    monkeypatch.setattr(Annotator, "sender_settings", SenderSettings(moment=1.0))
    label(annotator, helpfulness=4)
    annotator.go_to(0)
    annotator.editors["helpfulness"].clear()
    annotator.save()
    assert annotator.wait()
    assert stored(sandbox) == []
    assert [one for one in requests if one.startswith("POST /api/logs")] == []


def test_undo__knows_the_past_of_a_label_that_was_refused(
    sandbox: Sandbox, annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RespanClient(sandbox.api_keys["bob@example.com"], sandbox.base_url) as bob:
        bob.upsert_score("demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=2))
    upsert = RespanClient.send_upsert

    def refuse_one(self: RespanClient, log_id: str, *given: Any, **named: Any) -> Any:
        return refused() if log_id == "demo_01" else upsert(self, log_id, *given, **named)

    monkeypatch.setattr(RespanClient, "send_upsert", refuse_one)
    annotator = annotate()
    annotator.go_to(0)
    label(annotator, helpfulness=5)
    assert annotator.wait()
    label(annotator, helpfulness=4)
    assert annotator.wait()
    annotator.undo()
    annotator.undo()
    assert "of log demo_01 is undone" in message(annotator)
    assert annotator.wait()
    assert [row[2:] for row in stored(sandbox)] == [("bob@example.com", 2.0)]


def test_redraw__takes_no_draft_of_another_window(annotate: Open) -> None:
    here, there = annotate(), annotate()
    here.wait()
    there.editors["helpfulness"].value = 4
    here._session._changed_behind()
    assert here.editors["helpfulness"].state == "unset"
    there.save()
    assert there.wait()


def test_look_up__that_ends_while_one_types_is_seen_by_all_editors(
    client: RespanClient, annotate: Open, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.upsert_score("demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=2))
    client.upsert_score("demo_01", ScoreWrite(evaluator_slug="tone", categorical_value=["curt"]))
    read, typed = RespanClient.score_pages, threading.Event()

    def read_later(*given: Any, **named: Any) -> Any:
        typed.wait(10)
        return read(*given, **named)

    monkeypatch.setattr(RespanClient, "score_pages", read_later)
    monkeypatch.setattr(Annotator, "first_look", 0)
    annotator = annotate(["helpfulness", "tone"])
    annotator.editors["helpfulness"].value = 4
    typed.set()
    assert annotator.wait()
    assert "in Respan" in line(annotator, "tone")
    assert annotator.editors["helpfulness"].value == 4
    annotator.editors["helpfulness"].clear()
    assert line(annotator).startswith("cleared")
    annotator.save()
    assert annotator.wait()
    assert [row[1] for row in stored(sandbox)] == ["tone"]


def test_redraw__does_not_bring_back_a_draft_that_was_cleared(annotate: Open) -> None:
    annotator = annotate()
    annotator.wait()
    annotator.editors["helpfulness"].value = 4
    annotator.skip()
    annotator.back()
    assert annotator.editors["helpfulness"].value == 4
    annotator.editors["helpfulness"].clear()
    annotator._session._changed_behind()
    assert annotator.editors["helpfulness"].state == "unset"


def test_exit__without_close_is_quiet(sandbox: Sandbox, outbox: Path) -> None:
    code = (
        "import sys, pandas as pd\n"
        "from respan_notebook import RespanClient\n"
        "client = RespanClient(*sys.argv[1:3])\n"
        "frame = pd.DataFrame({'log_id': ['demo_01']})\n"
        "annotator = frame.respan.annotate('helpfulness', client=client, outbox=sys.argv[3])\n"
        "annotator.editors['helpfulness'].value = 4\n"
        "annotator.save()\n"
        "annotator.wait()\n"
    )
    command = [sys.executable, "-c", code, sandbox.api_key, sandbox.base_url, str(outbox)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")
