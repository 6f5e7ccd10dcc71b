"""Random sessions of two kernels on one outbox, against a plain model of what was done.

The server fails now and then, kernels end without closing, clocks jump, and intents come too late.
``RESPAN_SESSIONS=10000`` runs as many. What the threads do meanwhile differs from run to run; the
steps of a session do not.
"""

from __future__ import annotations

import os
import random
import time
from operator import methodcaller
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from respan_notebook import Evaluator, RespanClient, Sandbox
from respan_notebook.errors import BadRequestError
from respan_notebook.labelling.actions import Actions
from respan_notebook.labelling.intents import Intent, carry_out
from respan_notebook.labelling.outbox.sender import SenderSettings
from respan_notebook.labelling.outbox.shared import OpenOutbox
from respan_notebook.labelling.queue import Queue
from respan_notebook.labelling.session import Session

ME = "ann@example.com"
SESSIONS = int(os.environ.get("RESPAN_SESSIONS", "100"))
STEPS = 15
LOGS = 3  # Of a session; those of the sandbox last for ten sessions.
STARS, FAULTS = "eval_helpfulness", "eval_issues"
VALUES: dict[str, list[Any]] = {
    STARS: [1.0, 2.0, 3.0],
    FAULTS: [["made_up"], ["made_up", "off_topic"]],
}
SETTINGS = SenderSettings(moment=0.0, first_pause=0.01, longest_pause=0.05, look=0.05)
Key = tuple[str, str]


class Kernels:
    """Two kernels of one person, and the model of what was done in them."""

    def __init__(self, clients: tuple[RespanClient, RespanClient], folder: Path, seed: int) -> None:
        self.clients, self.folder, self.random = clients, folder, random.Random(seed)
        first = seed * LOGS % 30
        self.logs = [f"demo_{first + n + 1:02}" for n in range(LOGS)]
        self.scores: dict[Key, Any] = {}
        self.drafts: dict[Key, Any] = {}
        self.saves: list[dict[Key, Any]] = []  # What was there before.
        self.undone: list[list[dict[Key, Any]]] = [[], []]  # By kernel: what it put back last.
        named = {one.id: one for one in clients[0].list_evaluators()}
        self.evaluators: list[Evaluator] = [named[STARS], named[FAULTS]]
        (folder / "file").mkdir(parents=True)
        (folder / "link").symlink_to(folder / "file")  # Else they would share a connection.
        self.kernels = [self.open(0), self.open(1)]

    def open(self, number: int) -> tuple[Session, OpenOutbox]:
        path = self.folder / ("link" if number else "file") / "outbox.sqlite3"
        opened = OpenOutbox(path, self.clients[number], SETTINGS)
        queue = Queue(pd.DataFrame({"log_id": self.logs}))
        client = self.clients[number]
        return Session(queue, self.evaluators, client, opened, str, first_look=5), opened

    def reopen(self, number: int, *, kill: bool) -> None:
        session, opened = self.kernels[number]
        if kill:
            opened.outbox.close()  # From now on nothing reaches the disk.
        session.close()
        self.kernels[number] = self.open(number)
        self.undone[number] = []

    def close(self) -> None:
        for session, _ in self.kernels:
            session.close()

    # -- what a person does ---------------------------------------------------------------------

    def go(self, number: int, log_id: str) -> Session:
        session = self.kernels[number][0]
        session.act(methodcaller("go_to", log_id))
        return session

    def intent(self, session: Session, do: str) -> Intent:
        """Return an intent with an entry or two: values, or scores cleared."""
        log_id = session.log_id or ""
        entries: dict[str, Any] = {}
        for name in self.random.choice([[STARS], [FAULTS], [STARS, FAULTS]]):
            cleared = self.scores.get((log_id, name)) is not None and self.random.random() < 0.2
            value = None if cleared else self.random.choice(VALUES[name])
            state = "cleared" if cleared else "set"
            entries[name] = {"state": state, "value": value, "typed": None, "explanation": ""}
        return Intent(do, session.turn, log_id, entries)

    def save(self, number: int) -> None:
        session = self.go(number, self.random.choice(self.logs))
        log_id, intent = session.log_id or "", self.intent(session, "save")
        entered = {key: value for key, value in self.drafts.items() if key[0] == log_id}
        entered |= {(log_id, name): one["value"] for name, one in intent.entries.items() if one}
        screen = carry_out(session, intent)
        assert screen.message.text.startswith(("Saved.", "Nothing was changed.")), screen.message
        self.drafts = {key: value for key, value in self.drafts.items() if key[0] != log_id}
        self.note(number, entered)

    def note(self, number: int, entered: dict[Key, Any]) -> None:
        before = {key: self.scores.get(key) for key in entered}
        changed = {key: value for key, value in before.items() if value != entered[key]}
        if changed:
            self.saves.append(changed)
            self.undone[number] = []
            self.scores |= entered

    def draft(self, number: int) -> None:
        session = self.go(number, self.random.choice(self.logs))
        intent = self.intent(session, "draft")
        carry_out(session, intent)
        for name, one in intent.entries.items():
            self.drafts[session.log_id or "", name] = one and one["value"]

    def late(self, number: int) -> None:
        """Send an intent for a log that is no longer on screen: what it has is a draft."""
        session = self.go(number, self.random.choice(self.logs))
        intent = self.intent(session, self.random.choice(["save", "skip", "undo", "draft"]))
        other = self.random.choice([one for one in self.logs if one != intent.log_id])
        screen = carry_out(self.go(number, other), intent)
        assert screen.log.log_id == other
        for name, one in intent.entries.items():
            key = (intent.log_id or "", name)
            if key not in self.drafts and one and one["value"] != self.scores.get(key):
                self.drafts[key] = one["value"]

    def undo(self, number: int) -> None:
        session = self.kernels[number][0]
        session.act(Actions.undo)
        said = session.screen.message.text
        if "is undone" in said:
            before = self.saves.pop()
            self.undone[number].append({key: self.scores.get(key) for key in before})
            self.scores |= before
        elif "nothing to undo" in said:
            assert not self.saves
        else:
            assert "be undone yet: it is on its way" in said

    def redo(self, number: int) -> None:
        session = self.kernels[number][0]
        session.act(Actions.redo)
        if self.undone[number]:
            after = self.undone[number].pop()
            self.saves.append({key: self.scores.get(key) for key in after})
            self.scores |= after
            self.drafts = {key: v for key, v in self.drafts.items() if key not in after}
        else:
            assert "nothing to redo" in session.screen.message.text

    def wait(self, number: int) -> None:
        self.kernels[number][0].wait(0.05)

    def step(self) -> None:
        number = self.random.randrange(2)
        action = self.random.choice(
            [self.save] * 6 + [self.undo] * 3 + [self.redo, self.draft, self.late, self.wait]
        )
        action(number)
        if self.random.random() < 0.08:
            self.reopen(number, kill=self.random.random() < 0.5)

    # -- what came of it ------------------------------------------------------------------------

    def shown(self) -> tuple[dict[Key, Any], dict[Key, Any]]:
        """Return what a kernel that is opened anew shows: previous scores, and drafts."""
        self.reopen(0, kill=False)
        scores: dict[Key, Any] = {}
        drafts: dict[Key, Any] = {}
        for log_id in self.logs:
            for name, entry in self.go(0, log_id).screen.entries.items():
                scores[log_id, name] = entry.previous
                if not entry.is_at_rest:
                    drafts[log_id, name] = entry.value
        return scores, drafts


def given(scores: dict[Key, Any]) -> dict[Key, Any]:
    return {key: value for key, value in scores.items() if value is not None}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let a test set the clock by so many nanoseconds."""
    offset, true = [0], time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: true() + offset[0])
    return offset


def refuse_filters(*_: Any, **__: Any) -> Any:
    raise BadRequestError("400: unknown filter", status=400)


@pytest.mark.timeout(0)
@pytest.mark.parametrize("by_log", [False, True], ids=["filter", "by log"])
def test_session__ends_with_what_the_person_did_last(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    no_backoff: None,
    clock: list[int],
    *,
    by_log: bool,
) -> None:
    for first in range(0, SESSIONS // 2, 10):
        with (
            Sandbox(demo=True, annotators=[ME], fail=0.15) as sandbox,
            RespanClient(sandbox.api_key, sandbox.base_url) as one,
            RespanClient(sandbox.api_key, sandbox.base_url) as other,
            monkeypatch.context() as patch,
        ):
            if by_log:
                patch.setattr(RespanClient, "score_pages", refuse_filters)
            for seed in range(first, first + 10):
                label(Kernels((one, other), tmp_path / str(seed), seed), clock)


def label(kernels: Kernels, clock: list[int]) -> None:
    """Let a person label, and compare what is there in the end with what was done."""
    try:
        kernels.save(0)
        assert kernels.kernels[0][0].wait(30), "from now on it is known whose key this is"
        for _ in range(STEPS):
            clock[0] += kernels.random.choice([0, 0, 0, 10**15, -(10**15)])
            kernels.step()
        for session, _ in kernels.kernels:
            assert session.wait(30), session.screen.sync
        scores, drafts = kernels.shown()
    finally:
        kernels.close()
    wanted = given(kernels.scores)
    assert arrived(kernels.clients[0], kernels.logs) == wanted, kernels.folder
    assert given(scores) == wanted, kernels.folder
    assert drafts == {
        key: value for key, value in kernels.drafts.items() if value is not None or key in wanted
    }, kernels.folder


def arrived(client: RespanClient, logs: list[str]) -> dict[Key, Any]:
    """Return the scores of these logs, as the server has them."""
    return {
        (log_id, score.evaluator_id or ""): score.numerical_value or score.categorical_value
        for log_id in logs
        for score in client.list_scores(log_id)
    }
