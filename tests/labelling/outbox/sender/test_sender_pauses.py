"""Bugs, pauses and turns: the sender says what it waits for, and goes on."""

from __future__ import annotations

from typing import Any

import pytest
from filelock import FileLock, Timeout
from labels import stored
from sending import LOG, ME, Client, Waits, enter, failing, send

from respan_notebook import Sandbox
from respan_notebook.errors import TransportError
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.sender import Sender, wait_until


def test_bug__is_said_and_the_sender_goes_on_after_the_pause(
    box: Outbox,
    client: Client,
    sender: Sender,
    sandbox: Sandbox,
    waits: Waits,
    statuses: list[str],
) -> None:
    client.before["list"] = failing(7, RuntimeError("a bug"))
    enter(box, 3, known=False)
    send(sender)
    assert waits.pauses == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert statuses == ["RuntimeError: a bug", ""]
    assert (sender.status, sender.halted) == ("", False)
    assert stored(sandbox) == [(LOG, "helpfulness", ME, 3.0)]
    # The next trouble begins with a short pause again.
    waits.pauses.clear()
    client.before["write"] = failing(1, TransportError("no connection"))
    enter(box, 4)
    send(sender)
    assert waits.pauses == [2.0]
    assert statuses == ["RuntimeError: a bug", "", "no connection", ""]
    assert stored(sandbox) == [(LOG, "helpfulness", ME, 4.0)]


def test_pause__is_short_again_after_a_success(
    box: Outbox, client: Client, sender: Sender, waits: Waits
) -> None:
    def write() -> None:
        left.pop()
        if len(left) in (5, 4, 2):
            raise TransportError("no connection")
        if len(left) == 3:  # Something more is entered while this arrives.
            enter(box, 4)
            sender.kick()

    left = list(range(6))
    client.before["write"] = write
    enter(box, 3)
    send(sender)
    assert waits.pauses == [2.0, 4.0, 2.0]
    assert (len(left), box.counts().queued, sender.status) == (1, 0, "")


def test_bug__is_over_sooner_when_something_is_entered(
    box: Outbox, client: Client, sender: Sender, waits: Waits, statuses: list[str]
) -> None:
    waits.seconds = 30
    client.before["list"] = failing(1, RuntimeError("a bug"))
    enter(box, 3, known=False)
    sender.kick()
    assert wait_until(lambda: bool(statuses), 5)
    assert (statuses, sender.busy, box.counts().queued) == (["RuntimeError: a bug"], True, 1)
    sender.kick()
    assert wait_until(lambda: not sender.busy, 10)
    assert (sender.status, box.counts().queued) == ("", 0)


def test_close__ends_a_pause(
    box: Outbox, client: Client, sender: Sender, waits: Waits, statuses: list[str]
) -> None:
    waits.seconds = 30
    client.before["list"] = failing(9, RuntimeError("a bug"))
    enter(box, 3, known=False)
    sender.kick()
    assert wait_until(lambda: bool(statuses), 5)
    sender.close()
    assert not sender.busy
    assert box.counts().queued == 1
    sender.kick()
    assert not sender.busy, "it is closed"


def test_changed__that_fails_is_said_and_ends_nothing(
    box: Outbox, client: Client, sandbox: Sandbox
) -> None:
    def changed() -> None:
        raise RuntimeError("comm closed")

    sender = Sender(box, client, changed)
    enter(box, 3, known=False)
    send(sender)
    assert sender.status == "RuntimeError: comm closed"
    assert stored(sandbox) == [(LOG, "helpfulness", ME, 3.0)]
    sender.close()


def test_turn__of_another_notebook_is_waited_for_and_said(
    box: Outbox, sender: Sender, statuses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    acquire, refused = FileLock.acquire, [Timeout("a lock")]

    def acquire_later(self: FileLock, *given: Any, **named: Any) -> Any:
        if refused:
            raise refused.pop()
        return acquire(self, *given, **named)

    monkeypatch.setattr(FileLock, "acquire", acquire_later)
    enter(box, 3)
    send(sender)
    assert statuses == ["another notebook is sending", ""]
    assert box.counts().queued == 0


def test_wait_until__says_whether_it_came_in_time() -> None:
    assert wait_until(lambda: True, 0)
    assert not wait_until(lambda: False, 0.02)
