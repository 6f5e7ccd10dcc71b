"""What the tests of the sender share: an outbox and a sender, without a screen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sending import Client, Waits

from respan_notebook import Sandbox
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.sender import Sender


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with Client(sandbox.api_key, sandbox.base_url) as connected:
        yield connected


@pytest.fixture
def box(tmp_path: Path, client: Client) -> Iterator[Outbox]:
    opened = Outbox(tmp_path / "outbox.sqlite3", client.base_url, client.fingerprint)
    yield opened
    opened.close()


@pytest.fixture
def statuses() -> list[str]:
    """What the sender said, without repetitions."""
    return []


@pytest.fixture
def sender(box: Outbox, client: Client, statuses: list[str]) -> Iterator[Sender]:
    def changed() -> None:
        if [one.status] != statuses[-1:]:
            statuses.append(one.status)

    one = Sender(box, client, changed)
    yield one
    one.close()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    waits, wait = Waits(), threading.Event.wait

    def told(self: threading.Event, timeout: float | None = None) -> bool:
        own = timeout is not None and threading.current_thread().name == "respan-sender"
        return wait(self, waits.take(timeout or 0) if own else timeout)

    monkeypatch.setattr(threading.Event, "wait", told)
    return waits
