"""What once lost labels, gave them to another, or called saved what was nowhere.

All of it goes through the annotator's public face, a real sandbox and a gateway before it.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from gateway import PAGE, Gateway, gateway_before
from labels import Open, label, message, stored

from respan_notebook import (
    Annotator,
    ConfigurationError,
    Evaluator,
    RespanClient,
    Sandbox,
)
from respan_notebook.labelling.outbox.sender import SenderSettings

ME, BOB = "ann@example.com", "bob@example.com"
LOGS = pd.DataFrame({"log_id": ["demo_01", "demo_02", "demo_03"]})
STARS = "helpfulness"
NO_LOG = (404, {"detail": "Not found."})


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, no_backoff: None) -> None:
    settings = SenderSettings(moment=0.02, first_pause=0.05)
    monkeypatch.setattr(Annotator, "sender_settings", settings)


@pytest.fixture
def gateway(sandbox: Sandbox) -> Iterator[Gateway]:
    with gateway_before(sandbox.base_url) as gate:
        yield gate


@pytest.fixture
def through(gateway: Gateway, sandbox: Sandbox) -> Iterator[RespanClient]:
    with RespanClient(sandbox.api_key, gateway.base_url) as client:
        yield client


def values(sandbox: Sandbox) -> list[tuple[str, str, Any]]:
    return [(log_id, scorer, value) for log_id, _, scorer, value in stored(sandbox)]


def write_to(log_id: str) -> Any:
    return lambda method, path: method == "POST" and path == f"/api/logs/{log_id}/scores/"


# -- the file -----------------------------------------------------------------------------------


def labels_in(path: Path) -> list[str]:
    with sqlite3.connect(path) as db:
        found = [row[0] for row in db.execute("SELECT log_id FROM labels ORDER BY log_id")]
    db.close()
    return found


@pytest.mark.parametrize("how", ["deleted", "deleted but for its log", "folder renamed"])
def test_file__that_is_gone_is_made_anew_with_all_that_was_in_it(
    annotate: Open, tmp_path: Path, how: str
) -> None:
    outbox = tmp_path / "box" / "outbox.sqlite3"
    annotator = annotate(STARS, LOGS, outbox=outbox)
    label(annotator, helpfulness=1)
    assert annotator.wait()
    if how == "folder renamed":
        outbox.parent.rename(tmp_path / "elsewhere")
    elif how == "deleted":
        shutil.rmtree(outbox.parent)
    else:
        outbox.unlink()
    label(annotator, helpfulness=2)
    assert "Saved" in message(annotator)
    annotator.close()
    assert labels_in(outbox) == ["demo_01", "demo_02"]


def test_file__that_another_one_replaced_keeps_what_both_had(
    annotate: Open, tmp_path: Path
) -> None:
    outbox, copy = tmp_path / "outbox.sqlite3", tmp_path / "copy"
    annotator = annotate(STARS, LOGS, outbox=outbox)
    label(annotator, helpfulness=1)
    assert annotator.wait()
    with sqlite3.connect(outbox) as db, sqlite3.connect(copy) as other:
        db.backup(other)
    db.close()
    other.close()
    label(annotator, helpfulness=2)
    for path in tmp_path.glob("outbox.sqlite3*"):
        path.unlink()
    copy.rename(outbox)
    label(annotator, helpfulness=3)
    annotator.close()
    assert labels_in(outbox) == ["demo_01", "demo_02", "demo_03"]


def test_file__of_another_program_is_refused_and_stays_as_it_was(
    annotate: Open, outbox: Path
) -> None:
    with sqlite3.connect(outbox) as db:
        db.execute("CREATE TABLE photos (id)")
    db.close()
    before = outbox.read_bytes()
    with pytest.raises(ConfigurationError, match="another program's"):
        annotate(STARS, LOGS)
    assert outbox.read_bytes() == before


def test_file__with_a_tilde_is_in_the_home_folder(
    annotate: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    annotate(STARS, LOGS, outbox="~/box.sqlite3").close()
    assert (tmp_path / "box.sqlite3").exists()
    assert not (tmp_path / "~").exists()


# -- order --------------------------------------------------------------------------------------


def test_undo__after_the_clock_was_set_back_takes_the_last_save(
    annotate: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotator = annotate(STARS, LOGS)
    label(annotator, helpfulness=1)
    assert annotator.wait()
    hour_ago = time.time_ns() - 3_600 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: hour_ago)
    label(annotator, helpfulness=2)
    annotator.undo()
    assert "demo_02 is undone" in message(annotator)
    assert list(annotator.scores["log_id"]) == ["demo_01"]


# -- answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [(403, {"detail": "No."}), (302, "")], ids=["403", "302"])
def test_refusal__of_one_log_stops_no_other(
    annotate: Open, gateway: Gateway, through: RespanClient, sandbox: Sandbox, answer: Any
) -> None:
    gateway.order = lambda *request: answer if write_to("demo_01")(*request) else None
    annotator = annotate(STARS, LOGS, client=through)
    for value in (1, 2, 3):
        label(annotator, helpfulness=value)
    assert annotator.wait()
    assert values(sandbox) == [("demo_02", ME, 2), ("demo_03", ME, 3)]
    assert annotator.scores["state"][0] == "refused"


@pytest.mark.parametrize("status", [404, 405, 421, 423, 425, 451])
def test_gateway__whose_pages_answer_for_a_while_makes_no_label_refused(
    annotate: Open, gateway: Gateway, through: RespanClient, sandbox: Sandbox, status: int
) -> None:
    left, is_write = [(status, PAGE)], write_to("demo_01")
    gateway.order = lambda *request: left.pop() if left and is_write(*request) else None
    annotator = annotate(STARS, LOGS, client=through)
    label(annotator, helpfulness=1)
    assert annotator.wait()
    assert left == []
    assert values(sandbox) == [("demo_01", ME, 1)]


@pytest.mark.parametrize("page", [(404, PAGE), NO_LOG], ids=["page", "json"])
def test_removal__answered_404_by_a_gateway_is_made_sure_of(
    annotate: Open, gateway: Gateway, through: RespanClient, sandbox: Sandbox, page: Any
) -> None:
    annotator = annotate(STARS, LOGS, client=through)
    label(annotator, helpfulness=1)
    assert annotator.wait()
    left = [page]
    gateway.order = lambda method, _: left.pop() if left and method == "DELETE" else None
    annotator.undo()
    assert annotator.wait()
    assert values(sandbox) == []


def test_removal__of_a_score_that_was_made_anew_elsewhere_removes_that(
    annotate: Open, client: RespanClient, sandbox: Sandbox
) -> None:
    annotator = annotate(STARS, LOGS)
    label(annotator, helpfulness=1)
    assert annotator.wait()
    [score] = client.list_scores("demo_01")
    client.delete_score("demo_01", score.id)
    client.upsert_score("demo_01", {"evaluator_slug": STARS, "numerical_value": 5})
    annotator.undo()
    assert annotator.wait()
    assert values(sandbox) == []


@pytest.mark.parametrize(
    "wrong", [{"id": None}, {"log_id": "demo_99"}], ids=["no id", "another log"]
)
def test_answer__that_is_not_about_the_score_does_not_count(
    annotate: Open, gateway: Gateway, through: RespanClient, sandbox: Sandbox, wrong: Any
) -> None:
    annotator = annotate(STARS, LOGS, client=through)
    assert annotator.wait()
    is_write, lies = write_to("demo_01"), [True]

    def lie(method: str, path: str) -> Any:
        if not is_write(method, path) or not lies:
            return None
        lies.pop()
        return 201, {"id": "s", "created_at": None, "log_id": "demo_01", "scorer": ME, **wrong}

    gateway.order = lie  # Nothing is stored.
    label(annotator, helpfulness=4)
    assert annotator.wait()
    assert values(sandbox) == [("demo_01", ME, 4)]


def test_answer__of_a_server_that_has_its_own_names_for_logs_counts(
    annotate: Open, gateway: Gateway, through: RespanClient, sandbox: Sandbox
) -> None:
    def rename(method: str, path: str, body: Any) -> Any:
        return {**body, "log_id": "internal_7"} if write_to("demo_01")(method, path) else body

    gateway.change = rename
    annotator = annotate(STARS, LOGS, client=through)
    label(annotator, helpfulness=4)
    assert annotator.wait()
    assert sum(write_to("demo_01")(*one.split()) for one in gateway.requests) == 1
    assert list(annotator.scores["state"]) == ["delivered"]


def test_key__that_a_server_takes_for_the_scorers_name_is_stored_nowhere(
    annotate: Open, gateway: Gateway, through: RespanClient, sandbox: Sandbox, outbox: Path
) -> None:
    key = sandbox.api_key

    def reveal(_method: str, _path: str, body: Any) -> Any:
        for score in body.get("results", [body]):
            if "scorer" in score:
                score["scorer"] = key
        return body

    gateway.change = reveal
    annotator = annotate(STARS, LOGS, client=through)
    label(annotator, helpfulness=4)
    assert annotator.wait()
    annotator.go_to(0)
    assert key not in json.dumps(annotator.screen)
    annotator.undo()
    assert annotator.wait()
    assert values(sandbox) == [], "its own scores are known all the same"
    annotator.close()
    content = b"".join(path.read_bytes() for path in outbox.parent.glob("outbox*"))
    assert key.encode() not in content


# -- whose labels -------------------------------------------------------------------------------


def test_401__that_passes_gives_the_labels_to_nobody_else(
    annotate: Open, gateway: Gateway, through: RespanClient, sandbox: Sandbox
) -> None:
    """Ann's key has written nothing yet; Bob opens on the same machine."""
    down = [True]
    gateway.order = lambda _, path: (401, {"detail": "?"}) if down and "/logs/" in path else None
    ann = annotate(STARS, LOGS, client=through)
    label(ann, helpfulness=1)
    assert ann.wait() is False
    assert list(ann.scores["state"]) != ["refused"]
    ann.close()
    down.clear()
    with RespanClient(sandbox.api_keys[BOB], gateway.base_url) as bobs:
        bob = annotate(STARS, LOGS, client=bobs)
        label(bob, helpfulness=5)
        assert bob.wait()
        assert [value for *_, value in values(sandbox)] == [5]
        bob.close()
    again = annotate(STARS, LOGS, client=through)
    assert again.wait()
    assert values(sandbox) == [("demo_01", ME, 1), ("demo_01", BOB, 5)]


def test_401__that_passes_stops_sending_for_a_while_only(
    annotate: Open, gateway: Gateway, through: RespanClient, sandbox: Sandbox
) -> None:
    down = [True]
    gateway.order = lambda _, path: (401, {"detail": "?"}) if down and "/logs/" in path else None
    annotator = annotate(STARS, LOGS, client=through)
    label(annotator, helpfulness=1)
    assert annotator.wait() is False
    down.clear()
    assert annotator.wait()
    assert values(sandbox) == [("demo_01", ME, 1)]


# -- explanations -------------------------------------------------------------------------------


def test_explanation__of_another_is_not_prefilled_and_not_sent(
    annotate: Open, sandbox: Sandbox
) -> None:
    with RespanClient(sandbox.api_keys[BOB], sandbox.base_url) as bobs:
        words = {"evaluator_slug": STARS, "numerical_value": 2, "explanation": "Bob's words"}
        bobs.upsert_score("demo_01", words)
    annotator = annotate(STARS, LOGS)
    assert annotator.wait()
    annotator.go_to(0)
    assert annotator.editors[STARS].explanation == ""
    label(annotator, helpfulness=3)
    assert annotator.wait()
    assert annotator.scores["explanation"].tolist() == [None]


def test_explanation__that_was_there_before_goes_when_the_field_is_empty(
    annotate: Open,
    client: RespanClient,
    gateway: Gateway,
    through: RespanClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The value is entered before the look-up is back."""
    words = {"evaluator_slug": STARS, "numerical_value": 2, "explanation": "old words"}
    client.upsert_score("demo_01", words)
    back = threading.Event()
    gateway.order = lambda _, path: back.wait(10) and None if "/scores/list/" in path else None
    monkeypatch.setattr(Annotator, "first_look", 0.0)
    annotator = annotate(STARS, LOGS, client=through)
    annotator.editors[STARS].value = 3
    back.set()
    assert annotator.wait()
    annotator.save()
    assert annotator.wait()
    [score] = client.list_scores("demo_01")
    assert (score.numerical_value, score.explanation or "") == (3, "")


# -- evaluators that were changed ---------------------------------------------------------------


def own(kind: str, **config: Any) -> Evaluator:
    return Evaluator(evaluator_slug="own", score_value_type=kind, score_config=config or None)


CHOICES = [{"name": name, "value": name} for name in ("a", "b")]
CHANGED = {
    "numerical to text": (own("numerical"), 3, own("text")),
    "bounds": (own("numerical"), 9, own("numerical", min_score=1, max_score=5)),
    "multi to single": (
        own("multi_select", choices=CHOICES),
        ["a", "b"],
        own("single_select", choices=CHOICES),
    ),
    "choice gone": (
        own("single_select", choices=CHOICES),
        "b",
        own("single_select", choices=CHOICES[:1]),
    ),
}


@pytest.mark.parametrize(("then", "value", "now"), CHANGED.values(), ids=CHANGED)
def test_evaluator__that_was_changed_refuses_what_no_longer_fits(
    annotate: Open,
    gateway: Gateway,
    through: RespanClient,
    sandbox: Sandbox,
    then: Evaluator,
    value: Any,
    now: Evaluator,
) -> None:
    down = [True]
    gateway.order = lambda _, path: (503, "") if down and "/logs/" in path else None
    first = annotate([then], LOGS, client=through)
    first.editors["own"].value = value
    first.save()
    first.close()
    down.clear()
    second = annotate([now], LOGS, client=through)
    assert second.wait()
    assert values(sandbox) == []
    assert second.progress["refused"] == 1
    assert "the evaluator was changed" in second.scores["reason"][0]


def test_evaluator__that_was_widened_sends_what_waits(
    annotate: Open, gateway: Gateway, through: RespanClient, sandbox: Sandbox
) -> None:
    down = [True]
    gateway.order = lambda _, path: (503, "") if down and "/logs/" in path else None
    first = annotate([own("numerical", min_score=1, max_score=5)], LOGS, client=through)
    first.editors["own"].value = 4
    first.save()
    first.close()
    down.clear()
    assert annotate([own("numerical")], LOGS, client=through).wait()
    assert values(sandbox) == [("demo_01", ME, 4)]


def test_draft__of_a_number_does_not_become_yes(annotate: Open) -> None:
    first = annotate([own("numerical")], LOGS)
    first.editors["own"].value = 1
    first.editors["own"].explanation = "why"
    first.close()
    second = annotate([own("boolean")], LOGS)
    editor = second.editors["own"]
    assert (editor.state, editor.value, editor.explanation) == ("unset", None, "why")


# -- labels of other frames ---------------------------------------------------------------------


def test_progress__counts_what_was_refused_in_another_frame(annotate: Open) -> None:
    first = annotate(STARS, pd.DataFrame({"log_id": ["demo_01", "gone"]}))
    label(first, helpfulness=1)
    label(first, helpfulness=2)
    assert first.wait()
    first.close()
    other = annotate(STARS, pd.DataFrame({"log_id": ["demo_05"]}))
    assert other.wait()
    assert other.progress["refused"] == 1


def test_evaluator__that_was_made_anew_has_the_labels_that_wait(
    annotate: Open, gateway: Gateway, through: RespanClient, sandbox: Sandbox
) -> None:
    down = [True]
    gateway.order = lambda _, path: (503, "") if down and "/logs/" in path else None
    former = Evaluator(id="eval_1", evaluator_slug=STARS, score_value_type="numerical")
    first = annotate([former], LOGS, client=through)
    first.editors[STARS].value = 4
    first.save()
    first.close()
    down.clear()
    second = annotate(STARS, LOGS, client=through)
    assert second.progress["scored"] == 1
    assert list(second.scores["evaluator_id"]) == ["eval_helpfulness"]
    assert second.wait()
    assert values(sandbox) == [("demo_01", ME, 4)]
