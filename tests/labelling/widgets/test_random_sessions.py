"""Long random sessions of labelling, on a server that fails now and then, against a plain model.

What the threads do meanwhile differs from run to run; the steps of a session do not.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from labels import message, stored

from respan_notebook import RespanClient, Sandbox
from respan_notebook.errors import BadRequestError
from respan_notebook.labelling.outbox.sender import SenderSettings
from respan_notebook.labelling.widgets.annotator import Annotator

ME = "ann@example.com"
STEPS = 50
LOGS = [f"demo_{n:02}" for n in range(1, 9)]
SLUGS = ["helpfulness", "issues"]
Scores = dict[tuple[str, str], Any]


class Session:
    """An annotator, and what should have become of everything that was done with it."""

    def __init__(self, client: RespanClient, outbox: Path, seed: int) -> None:
        self.client, self.outbox = client, outbox
        self.random = random.Random(seed)
        self.expected: Scores = {}
        self.saves: list[tuple[str, Scores]] = []  # The log, and what was there before.
        self.open()
        self.save()
        assert self.annotator.wait(), "from now on it is known whose key this is"

    def open(self) -> None:
        frame = pd.DataFrame({"log_id": LOGS})
        self.annotator: Annotator = frame.respan.annotate(
            SLUGS, client=self.client, outbox=self.outbox
        )

    def reopen(self) -> None:
        self.annotator.close()
        self.open()

    def wait(self) -> None:
        self.annotator.wait(0.3)

    def save(self) -> None:
        log_id = self.random.choice(LOGS)
        self.annotator.go_to(log_id)
        stars = float(self.random.randint(1, 5))
        faults = self.random.choice([["made_up"], ["off_topic"], ["made_up", "off_topic"]])
        wanted = {"helpfulness": stars, "issues": faults}
        for slug in self.random.choice([SLUGS, SLUGS[:1], SLUGS[1:]]):
            self.annotator.editors[slug].value = wanted[slug]
        self._save(log_id)

    def clear(self) -> None:
        held = [key for key, value in self.expected.items() if value is not None]
        if held:
            log_id, slug = self.random.choice(held)
            self.annotator.go_to(log_id)
            self.annotator.editors[slug].clear()
            self._save(log_id)

    def _save(self, log_id: str) -> None:
        entered = {
            (log_id, slug): editor.value
            for slug, editor in self.annotator.editors.items()
            if editor.state in ("set", "cleared")
        }
        self.annotator.save()
        assert "Nothing was saved" not in message(self.annotator)
        before = {key: self.expected.get(key) for key in entered}
        changed = {key: value for key, value in before.items() if value != entered[key]}
        if changed:
            self.saves.append((log_id, changed))
            self.expected |= entered

    def undo(self) -> None:
        self.annotator.undo()
        said = message(self.annotator)
        if "is undone" in said:
            log_id, before = self.saves.pop()
            assert f"log {log_id} is undone" in said
            self.expected |= before
        elif "nothing to undo" in said:
            assert not self.saves
        else:
            assert "be undone yet: it is on its way" in said

    def shown(self) -> Scores:
        found: Scores = {}
        for log_id in LOGS:
            self.annotator.go_to(log_id)
            for slug, editor in self.annotator.editors.items():
                found[log_id, slug] = editor.previous
        return found


@pytest.mark.parametrize("by_log", [False, True], ids=["filter", "by log"])
@pytest.mark.parametrize("seed", range(3))
def test_session__ends_with_what_the_person_did_last(
    outbox: Path, monkeypatch: pytest.MonkeyPatch, no_backoff: None, seed: int, *, by_log: bool
) -> None:
    monkeypatch.setattr(Annotator, "sender_settings", SenderSettings(moment=0.02, first_pause=0.05))
    with (
        Sandbox(demo=True, annotators=[ME], fail=0.15, latency_ms=3) as sandbox,
        RespanClient(sandbox.api_key, sandbox.base_url) as client,
    ):
        with monkeypatch.context() as patch:
            if by_log:

                def refuse(*_: Any, **__: Any) -> Any:
                    raise BadRequestError("400: unknown filter", status=400)

                patch.setattr(RespanClient, "score_pages", refuse)
            session = Session(client, outbox, seed)
            steps = [session.save] * 5 + [session.undo] * 3 + [session.clear, session.wait]
            for _ in range(STEPS):
                session.random.choice(steps)()
                if session.random.random() < 0.3:
                    time.sleep(session.random.uniform(0, 0.1))
                if session.random.random() < 0.1:
                    session.reopen()
            assert session.annotator.wait()
            shown = session.shown()
            session.annotator.close()
        expected = {key: value for key, value in session.expected.items() if value is not None}
        assert {(log_id, slug): value for log_id, slug, _, value in stored(sandbox)} == expected
        assert {key: value for key, value in shown.items() if value is not None} == expected
