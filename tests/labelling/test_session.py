"""What a person does, as intents: each is about the log that the person saw, and no other."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from labels import stored

from respan_notebook import RespanClient, Sandbox
from respan_notebook.labelling.intents import Intent, carry_out
from respan_notebook.labelling.outbox.shared import OpenOutbox
from respan_notebook.labelling.queue import Queue
from respan_notebook.labelling.screen import Screen
from respan_notebook.labelling.session import Session

LOGS = pd.DataFrame({"log_id": [f"demo_{n:02}" for n in range(1, 6)], "output": list("abcde")})
STARS, TONE, REMARKS = "eval_helpfulness", "eval_tone", "eval_remarks"
OpenSession = Callable[..., Session]


@pytest.fixture
def open_session(client: RespanClient, outbox: Path) -> Iterator[OpenSession]:
    """Open sessions: ``open_session(frame=LOGS, slugs=(...), required=None)``."""
    opened: list[Session] = []

    def open_(
        frame: pd.DataFrame = LOGS,
        slugs: tuple[str, ...] = ("helpfulness", "tone", "remarks"),
        **options: Any,
    ) -> Session:
        definitions = {one.evaluator_slug: one for one in client.list_evaluators()}
        session = Session(
            Queue(frame),
            [definitions[slug] for slug in slugs],
            client,
            OpenOutbox(outbox, client),
            lambda cells: f"<p>{cells.get('output')}</p>",
            **options,
        )
        opened.append(session)
        return session

    yield open_
    for one in opened:
        one.close()


def entered(value: Any, explanation: str = "") -> dict[str, Any]:
    return {"state": "set", "value": value, "typed": None, "explanation": explanation}


def intent(session: Session, do: str, argument: str = "", **entries: Any) -> Intent:
    """Return an intent of the present turn."""
    screen = session.screen
    named = {f"eval_{slug}": draft for slug, draft in entries.items()}
    return Intent(do, screen.turn, screen.log.log_id, named, argument)


def do(session: Session, what: str, argument: str = "", **entries: Any) -> Screen:
    return carry_out(session, intent(session, what, argument, **entries))


# -- turns --------------------------------------------------------------------------------------


def test_save__carries_its_entries_and_moves_on(
    open_session: OpenSession, sandbox: Sandbox
) -> None:
    session = open_session()
    screen = do(session, "save", helpfulness=entered(4, "because"), tone=entered("curt"))
    assert (screen.log.log_id, screen.message.text, screen.message.offer) == (
        "demo_02",
        "Saved.",
        "undo",
    )
    assert all(entry.is_at_rest for entry in screen.entries.values())
    assert session.wait(10)
    assert [row[:2] + row[3:] for row in stored(sandbox)] == [
        ("demo_01", "helpfulness", 4.0),
        ("demo_01", "tone", ["curt"]),
    ]


def test_intent__of_an_old_turn_changes_nothing(open_session: OpenSession) -> None:
    session = open_session()
    saved = intent(session, "save", helpfulness=entered(4))
    first = carry_out(session, saved)
    again = carry_out(session, saved)
    assert again == first, "a second press while the first was on its way"
    assert len(session.scores) == 1
    old = intent(session, "skip")
    do(session, "go_to", "demo_05")
    assert carry_out(session, old).log.log_id == "demo_05"
    assert session.progress["skipped"] == 0


def test_entry__of_an_old_turn_is_kept_as_a_draft_of_its_log(open_session: OpenSession) -> None:
    session = open_session()
    typed = intent(session, "draft", remarks=entered("too long"))
    do(session, "go_to", "demo_05")
    screen = carry_out(session, typed)
    assert all(entry.is_at_rest for entry in screen.entries.values())
    assert screen.marks[0] == "draft"
    screen = do(session, "go_to", "demo_01")
    assert (screen.entries[REMARKS].state, screen.entries[REMARKS].value) == ("set", "too long")
    assert session.scores.empty


def test_entry__of_an_old_turn_does_not_replace_a_newer_draft(open_session: OpenSession) -> None:
    session = open_session()
    typed = intent(session, "draft", helpfulness=entered(2))
    do(session, "draft", helpfulness=entered(3))
    do(session, "go_to", "demo_05")
    carry_out(session, typed)
    assert do(session, "go_to", "demo_01").entries[STARS].value == 3


def test_intent__about_what_is_not_there_changes_nothing(open_session: OpenSession) -> None:
    session = open_session()
    turn = session.turn
    for odd in (
        Intent("save", turn, "demo_99", {STARS: entered(4)}),
        Intent("save", turn, None, {STARS: entered(4)}),
        Intent("draft", turn, "demo_01", {"eval_gone": entered(4)}),
        Intent("close", turn, "demo_01"),
        Intent("go_to", turn, "demo_01", {}, "9" * 5000),
        Intent("go_to", turn, "demo_01", {}, "demo_99"),
    ):
        screen = carry_out(session, odd)
        assert (screen.log.log_id, screen.turn) == ("demo_01", turn)
    assert "there is no log 'demo_99'" in screen.message.text
    assert session.scores.empty


def test_intent__after_closing_is_answered(open_session: OpenSession) -> None:
    session = open_session()
    late = intent(session, "save", helpfulness=entered(4))
    session.close()
    carry_out(session, late)
    assert session.scores.empty


# -- entries ------------------------------------------------------------------------------------


def test_save__that_is_refused_names_the_entry_at_fault(open_session: OpenSession) -> None:
    session = open_session()
    before = session.turn
    screen = do(session, "save", helpfulness=entered(4), tone=entered("nice"))
    assert (screen.turn, screen.log.log_id) == (before, "demo_01")
    assert (screen.message.is_wrong, screen.message.evaluator) == (True, TONE)
    assert screen.entries[TONE].state == "invalid"
    assert screen.entries[TONE].typed == "nice"
    assert screen.entries[STARS].value == 4, "what was entered stays"
    assert session.scores.empty


def test_entry__that_is_taken_back_leaves_no_draft(open_session: OpenSession) -> None:
    session = open_session()
    assert do(session, "draft", helpfulness=entered(4)).marks[0] == "draft"
    screen = do(session, "draft", helpfulness=None)
    assert (screen.entries[STARS].state, screen.marks[0]) == ("unset", "left")


def test_draft__outlives_the_session(open_session: OpenSession) -> None:
    first = open_session()
    do(first, "draft", helpfulness=entered(0.5), remarks=entered("   "), tone=entered("rude"))
    first.close()
    screen = open_session().screen
    assert screen.entries[STARS].state == "invalid"
    assert screen.entries[REMARKS].typed == "   "
    assert screen.entries[TONE].value == "rude"
    assert screen.marks[0] == "draft"


# -- undo and redo ------------------------------------------------------------------------------


def test_undo__is_taken_back_by_redo(open_session: OpenSession, sandbox: Sandbox) -> None:
    session = open_session()
    do(session, "save", helpfulness=entered(2))
    assert session.wait(10)
    do(session, "back")
    do(session, "save", helpfulness=entered(4, "now better"))
    assert session.wait(10)
    screen = do(session, "undo")
    assert (screen.log.log_id, screen.message.offer) == ("demo_01", "redo")
    assert (screen.entries[STARS].previous, screen.entries[STARS].explanation) == (2.0, "")
    assert session.wait(10)
    assert stored(sandbox)[0][3] == 2.0
    screen = do(session, "redo")
    assert (screen.log.log_id, screen.message.text) == ("demo_02", "Saved again.")
    assert session.wait(10)
    assert stored(sandbox)[0][3] == 4.0
    do(session, "undo")
    do(session, "undo")
    assert session.wait(10)
    assert stored(sandbox) == []


def test_undo__of_a_skip_comes_first_when_it_was_last(open_session: OpenSession) -> None:
    session = open_session()
    do(session, "save", helpfulness=entered(2), tone=entered("curt"))
    assert do(session, "skip").message.offer == "undo"
    assert session.progress["skipped"] == 1
    screen = do(session, "undo")
    assert (screen.log.log_id, session.progress["skipped"]) == ("demo_02", 0)
    assert session.progress["scored"] == 1
    assert do(session, "redo").log.log_id == "demo_03"
    assert session.progress["skipped"] == 1
    do(session, "undo")
    do(session, "undo")
    assert session.progress["left"] == 5
    assert do(session, "undo").message.text == "There is nothing to undo."


def test_redo__is_over_when_something_else_was_done(open_session: OpenSession) -> None:
    session = open_session()
    do(session, "save", helpfulness=entered(2))
    do(session, "undo")
    do(session, "skip")
    assert do(session, "redo").message.text == "There is nothing to redo."
    assert session.scores.empty


def test_undo__leaves_what_is_being_typed_elsewhere(open_session: OpenSession) -> None:
    session = open_session()
    do(session, "save", helpfulness=entered(2))
    screen = do(session, "undo", remarks=entered("half a sent"))
    assert screen.log.log_id == "demo_01"
    assert do(session, "go_to", "demo_02").entries[REMARKS].value == "half a sent"


# -- counts and marks ---------------------------------------------------------------------------


def test_progress__counts_each_log_once(open_session: OpenSession) -> None:
    session = open_session()
    do(session, "save", helpfulness=entered(2), tone=entered("curt"))
    do(session, "save", tone=entered("curt"))
    do(session, "save", remarks=entered("only words"))
    screen = do(session, "skip")
    logs = [screen.counts[name] for name in ("scored", "partly", "skipped", "left")]
    assert logs == [1, 2, 1, 1]
    assert screen.marks == ("scored", "partly", "partly", "skipped", "left")
    again = open_session()
    assert again.screen.marks == screen.marks, "skips are kept as well"
    assert again.position == 1, "the first that is not scored"


@pytest.mark.parametrize(
    ("required", "marks"),
    [
        ({REMARKS}, ("partly", "scored")),
        (set(), ("scored", "scored")),
        (None, ("partly", "partly")),
    ],
)
def test_required__decides_what_is_partly(
    open_session: OpenSession, required: set[str] | None, marks: tuple[str, ...]
) -> None:
    session = open_session(required=required)
    do(session, "save", helpfulness=entered(2))
    screen = do(session, "save", remarks=entered("fine"))
    assert screen.marks[:2] == marks


def test_partly__does_not_count_what_was_refused_of_other_evaluators(
    open_session: OpenSession,
) -> None:
    gone = pd.DataFrame({"log_id": ["gone", "demo_01"]})
    first = open_session(gone, ("helpfulness", "tone"))
    do(first, "save", helpfulness=entered(4), tone=entered("curt"))
    assert first.wait(10)
    assert first.progress["refused"] == 2
    second = open_session(gone, ("helpfulness",))
    do(second, "go_to", "gone")
    assert second.screen.marks[0] == "refused"
    assert second.screen.elsewhere == 1, "that of the tone"
    cleared = {"state": "cleared", "value": None, "typed": None, "explanation": ""}
    screen = do(second, "save", helpfulness=cleared)
    assert screen.marks[0] == "left"
    assert (screen.counts["partly"], screen.counts["left"]) == (0, 2)


def test_pace__is_what_is_left_at_the_pace_so_far(open_session: OpenSession) -> None:
    session = open_session()
    assert session.screen.seconds_left is None
    for _ in range(2):
        screen = do(session, "save", helpfulness=entered(2), tone=entered("curt"))
    assert list(session.pace["log_id"]) == ["demo_01", "demo_02"]
    do(session, "undo")
    do(session, "redo")
    do(session, "go_to", "demo_01")
    screen = do(session, "save")
    assert len(session.pace) == 2, "what is done again or unchanged was not scored anew"
    seconds = session.pace["seconds"]
    assert screen.seconds_left == pytest.approx(3 * seconds.median())


# -- what is shown ------------------------------------------------------------------------------


def test_screen__is_json(open_session: OpenSession) -> None:
    screen = do(open_session(), "draft", helpfulness=entered(4))
    read = json.loads(json.dumps(screen.as_json()))
    assert read["entries"][STARS]["value"] == 4
    assert read["log"] == {"position": 0, "log_id": "demo_01", "html": "<p>a</p>", "problem": ""}


def test_around__has_the_previous_log_and_the_next_two(open_session: OpenSession) -> None:
    session = open_session()
    assert [one.html for one in session.around()] == ["<p>b</p>", "<p>c</p>"]
    session.act(lambda actions: actions.go_to(2))
    assert [one.position for one in session.around()] == [1, 3, 4]
    session.act(lambda actions: actions.go_to(4))
    assert [one.position for one in session.around()] == [3]


def test_frame__that_is_changed_in_place_shows_what_it_was(open_session: OpenSession) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01", "demo_02"], "output": ["a", "b"]})
    session = open_session(frame)
    frame.loc[:, "log_id"] = ["demo_02", "demo_01"]
    frame.loc[:, "output"] = ["b", "a"]
    screen = do(session, "save", helpfulness=entered(4))
    assert (screen.log.log_id, screen.log.html) == ("demo_02", "<p>b</p>")
    assert list(session.scores["log_id"]) == ["demo_01"]


def test_cell__that_is_changed_in_place_can_be_scored_no_more(open_session: OpenSession) -> None:
    turns: list[list[dict[str, Any]]] = [[{"content": n}] for n in range(300)]
    ids = [f"demo_{n:03}" for n in range(300)]
    session = open_session(pd.DataFrame({"log_id": ids, "output": turns}))
    turns[1][0]["content"] = "of another log"
    do(session, "save", helpfulness=entered(4))
    screen = do(session, "save", helpfulness=entered(4))
    assert screen.log.log_id is None
    assert "was changed since the annotator was opened" in screen.log.problem
    assert "was changed since" in do(session, "save", helpfulness=entered(4)).message.text
    assert list(session.scores["log_id"]) == ["demo_000"]


def test_save__reads_twice_and_writes_once(
    open_session: OpenSession, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_session()
    do(session, "save", helpfulness=entered(2))
    assert session.wait(10)
    statements: list[str] = []
    here = threading.get_ident()

    def note(statement: str) -> None:
        if threading.get_ident() == here:  # Not what the sender does meanwhile.
            statements.append(statement)

    database = session._outbox._db
    with database.write() as db:
        db.set_trace_callback(note)
    monkeypatch.setattr(session._sender, "kick", lambda: None)
    do(session, "save", helpfulness=entered(4))
    began, ended = statements.index("BEGIN IMMEDIATE"), len(statements) - 1
    while statements[ended] != "COMMIT":
        ended -= 1
    reads = [*statements[1:began], *statements[ended + 1 :]]  # The first is the tracer's COMMIT.
    assert statements.count("BEGIN IMMEDIATE") == 1
    assert len(reads) == 2
    assert all(one.startswith("SELECT") for one in reads)
