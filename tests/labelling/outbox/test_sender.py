"""The sender, without a screen: bugs, pauses, and labels that change while it is at work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout
from labels import stored

from respan_notebook import RespanClient, Sandbox, Score
from respan_notebook.client.retry import CancelledError
from respan_notebook.errors import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    HTTPError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    TransportError,
)
from respan_notebook.labelling.outbox.label import REFUSED, SENT, Change
from respan_notebook.labelling.outbox.outbox import Outbox, UnknownPreviousError
from respan_notebook.labelling.outbox.sender import Sender, encode_previous, wait_until

LOG, EVALUATOR, ME = "demo_01", "eval_helpfulness", "ann@example.com"


class Client(RespanClient):
    """A real client, before whose requests a test may do something."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.before: dict[str, Callable[[], object]] = {}
        self.listed: list[Score] | None = None  # Instead of what is there.

    def _step(self, name: str) -> None:
        self.before.get(name, bool)()

    def list_scores(self, *given: Any, **named: Any) -> list[Score]:
        self._step("list")
        listed = super().list_scores(*given, **named)
        return listed if self.listed is None else self.listed

    def send_upsert(self, *given: Any, **named: Any) -> Any:
        self._step("write")
        return super().send_upsert(*given, **named)

    def delete_score(self, *given: Any, **named: Any) -> None:
        self._step("delete")
        super().delete_score(*given, **named)
        self._step("deleted")


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


@dataclass
class Waits:
    """The waits of the sender's thread: moments take no time, and pauses as long as is said."""

    pauses: list[float] = field(default_factory=list)
    seconds: float = 0.001

    def take(self, timeout: float) -> float:
        if timeout < 1:
            return 0.001
        self.pauses.append(timeout)
        return self.seconds


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    waits, wait = Waits(), threading.Event.wait

    def told(self: threading.Event, timeout: float | None = None) -> bool:
        own = timeout is not None and threading.current_thread().name == "respan-sender"
        return wait(self, waits.take(timeout or 0) if own else timeout)

    monkeypatch.setattr(threading.Event, "wait", told)
    return waits


def enter(box: Outbox, value: float, log_id: str = LOG, **known: Any) -> None:
    body = {"evaluator_id": EVALUATOR, "numerical_value": value}
    box.save(log_id, [Change(EVALUATOR, body, **known)], [EVALUATOR])


def remove(box: Outbox, log_id: str = LOG) -> None:
    (label,) = box.labels(log_id)
    change = Change(EVALUATOR, label.body, True, True, label.body, label.score_id)
    box.save(log_id, [change], [EVALUATOR])


def send(sender: Sender) -> None:
    sender.kick()
    assert wait_until(lambda: not sender.busy, 10)


def failing(times: int, error: Exception) -> Callable[[], None]:
    """Fail so many times, and no more."""
    left = [error] * times

    def fail() -> None:
        if left:
            raise left.pop()

    return fail


# -- bugs and pauses ----------------------------------------------------------------------------


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
    assert (len(left), box.waiting(), sender.status) == (1, 0, "")


def test_bug__is_over_sooner_when_something_is_entered(
    box: Outbox, client: Client, sender: Sender, waits: Waits, statuses: list[str]
) -> None:
    waits.seconds = 30
    client.before["list"] = failing(1, RuntimeError("a bug"))
    enter(box, 3, known=False)
    sender.kick()
    assert wait_until(lambda: bool(statuses), 5)
    assert (statuses, sender.busy, box.waiting()) == (["RuntimeError: a bug"], True, 1)
    sender.kick()
    assert wait_until(lambda: not sender.busy, 10)
    assert (sender.status, box.waiting()) == ("", 0)


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
    assert box.waiting() == 1
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


# -- labels that change while a request is under way ----------------------------------------------


def test_removal__of_a_score_that_is_entered_anew_leaves_that(
    box: Outbox, client: Client, sender: Sender, sandbox: Sandbox
) -> None:
    enter(box, 3, known=False)
    send(sender)
    (first,) = box.labels()
    remove(box)
    client.before["delete"] = lambda: (client.before.clear(), enter(box, 5))
    send(sender)
    sender.kick()
    assert wait_until(lambda: not (sender.busy or box.waiting()), 10)
    assert stored(sandbox) == [(LOG, "helpfulness", ME, 5.0)]
    (label,) = box.labels()
    assert (label.state, label.removed, label.body["numerical_value"]) == (SENT, False, 5)
    assert label.score_id not in (None, first.score_id)
    remove(box)
    send(sender)
    assert stored(sandbox) == []


def test_removal__of_a_score_whose_answer_was_lost_finds_it(
    box: Outbox, client: Client, sender: Sender, sandbox: Sandbox, waits: Waits
) -> None:
    """Deleted, entered anew and written, and the answer lost: the old id is of no use."""
    enter(box, 3, known=False)
    send(sender)
    remove(box)

    def write_unseen() -> None:
        client.before.clear()
        with RespanClient(sandbox.api_key, sandbox.base_url) as other:
            other.upsert_score(LOG, {"evaluator_id": EVALUATOR, "numerical_value": 5})
        raise TransportError("the answer is lost")

    client.before["deleted"] = lambda: (client.before.clear(), enter(box, 5))
    send(sender)
    client.before["write"] = write_unseen
    waits.seconds = 30
    sender.kick()
    assert wait_until(lambda: sender.status == "the answer is lost", 5)
    assert stored(sandbox) == [(LOG, "helpfulness", ME, 5.0)]
    remove(box)
    send(sender)
    assert stored(sandbox) == []
    assert box.waiting() == 0


def test_removal__that_is_refused_of_a_score_that_is_entered_anew_leaves_that(
    box: Outbox, client: Client, sender: Sender, sandbox: Sandbox
) -> None:
    enter(box, 3, known=False)
    send(sender)
    remove(box)

    def refuse() -> None:
        client.before.clear()
        enter(box, 5)
        raise BadRequestError("400: no", status=400)

    client.before["delete"] = refuse
    send(sender)
    sender.kick()
    assert wait_until(lambda: not (sender.busy or box.waiting()), 10)
    assert stored(sandbox) == [(LOG, "helpfulness", ME, 5.0)]
    (label,) = box.labels()
    assert (label.state, label.removed, label.reason) == (SENT, False, None)


def test_removal__that_is_refused_is_there_still(
    box: Outbox, client: Client, sender: Sender, sandbox: Sandbox
) -> None:
    enter(box, 3, known=False)
    send(sender)
    remove(box)
    client.before["delete"] = failing(1, BadRequestError("400: no", status=400))
    send(sender)
    (label,) = box.labels()
    assert (label.state, label.removed, label.reason) == (
        REFUSED,
        False,
        "it could not be taken away: 400: no",
    )
    assert stored(sandbox) == [(LOG, "helpfulness", ME, 3.0)]


def test_write__of_a_label_that_changes_under_way_is_followed_by_the_newer(
    box: Outbox, client: Client, sender: Sender, sandbox: Sandbox
) -> None:
    client.before["write"] = lambda: (client.before.clear(), enter(box, 5))
    enter(box, 3, known=False)
    send(sender)
    send(sender)
    (label,) = box.labels()
    assert (label.state, label.body["numerical_value"]) == (SENT, 5)
    assert stored(sandbox) == [(LOG, "helpfulness", ME, 5.0)]


# -- answers that are no success ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status", "state"),
    [
        (BadRequestError, 400, REFUSED),
        (NotFoundError, 404, REFUSED),
        (BadRequestError, 422, REFUSED),
        (BadRequestError, 408, SENT),
        (ConflictError, 409, SENT),
        (RateLimitError, 429, SENT),
        (ServerError, 500, SENT),
    ],
)
def test_write__is_refused_or_tried_again(
    box: Outbox, client: Client, sender: Sender, kind: type[HTTPError], status: int, state: str
) -> None:
    client.before["write"] = failing(1, kind("no", status=status))
    enter(box, 3)
    send(sender)
    (label,) = box.labels()
    reason = "no" if state == REFUSED else None
    assert (label.state, label.reason, sender.halted) == (state, reason, False)


@pytest.mark.parametrize("where", ["list", "write"])
@pytest.mark.parametrize(
    ("kind", "status", "adopted"),
    [(AuthenticationError, 401, 1), (PermissionDeniedError, 403, 0)],
)
def test_halt__only_a_key_that_is_unknown_leaves_its_labels_to_others(
    box: Outbox,
    client: Client,
    sender: Sender,
    where: str,
    kind: type[HTTPError],
    status: int,
    adopted: int,
) -> None:
    client.before[where] = failing(9, kind("no", status=status))
    enter(box, 3, known=False)
    send(sender)
    assert (sender.halted, sender.status, box.waiting()) == (True, "no", 1)
    other = Outbox(box.path, client.base_url, "another key")
    assert other.accounts.adopt() == adopted
    other.close()


def test_removal__that_is_answered_409_is_tried_again(
    box: Outbox, client: Client, sender: Sender, sandbox: Sandbox
) -> None:
    enter(box, 3, known=False)
    send(sender)
    remove(box)
    client.before["delete"] = failing(1, ConflictError("busy", status=409))
    send(sender)
    assert stored(sandbox) == []
    assert box.labels()[0].reason is None


def test_removal__that_closing_stopped_is_not_said(
    box: Outbox, client: Client, sender: Sender, statuses: list[str]
) -> None:
    enter(box, 3, known=False)
    send(sender)
    remove(box)
    client.before["delete"] = failing(1, CancelledError("closed"))
    send(sender)
    assert statuses == [""]
    assert box.waiting() == 0


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
    assert box.waiting() == 0


# -- what was there before ------------------------------------------------------------------------


def test_look_up__of_a_log_that_is_gone_finds_nothing(box: Outbox, sender: Sender) -> None:
    enter(box, 3, "gone", known=False)
    send(sender)
    assert [one.state for one in box.labels()] == [REFUSED]
    assert box.undo({"gone": 0}, [EVALUATOR]) is not None


def test_look_up__of_a_score_that_cant_be_written_leaves_the_past_unknown(
    box: Outbox, client: Client, sender: Sender
) -> None:
    about = {"log_id": LOG, "evaluator_id": EVALUATOR, "scorer": ME}
    client.listed = [Score(id="old", string_value="of another type", **about)]
    enter(box, 3, known=False)
    send(sender)
    with pytest.raises(UnknownPreviousError):
        box.undo({LOG: 0}, [EVALUATOR])


def test_look_up__that_fails_writes_nothing_of_what_is_to_be_taken_away(
    box: Outbox, client: Client, sender: Sender, waits: Waits
) -> None:
    written: list[bool] = []
    client.before["list"] = failing(9, ServerError("500: broken", status=500))
    client.before["write"] = lambda: written.append(True)
    waits.seconds = 30
    for log_id in ("demo_01", "demo_02"):
        enter(box, 3, log_id, known=False)
        remove(box, log_id)
    sender.kick()
    assert wait_until(lambda: bool(waits.pauses), 5)
    assert (written, box.waiting(), sender.status) == ([], 2, "500: broken")


def test_write__of_an_evaluator_whose_type_was_changed(
    box: Outbox, sender: Sender, sandbox: Sandbox, waits: Waits
) -> None:
    values = {"demo_01": {"numerical_value": 3.0}, "demo_02": {"string_value": "fine"}}
    for log_id, value in values.items():
        box.save(log_id, [Change("own", {"evaluator_slug": "own", **value})], ["own"])
    send(sender)
    assert stored(sandbox) == [("demo_01", "own", ME, 3.0), ("demo_02", "own", ME, "fine")]
    assert waits.pauses == [], "both went at once"


def test_encode_previous__writes_a_score_as_it_is() -> None:
    like = {"evaluator_id": "e", "numerical_value": 5.0, "explanation": "new", "environment": "x"}
    score = Score(id="s", evaluator_id="other", numerical_value=2.0, explanation="old")
    kept = {"evaluator_id": "e", "environment": "x", "numerical_value": 2.0}
    assert encode_previous(score, like, "numerical_value") == {**kept, "explanation": "old"}
    bare = Score(id="s", numerical_value=2.0)
    assert encode_previous(bare, like, "numerical_value") == kept
    assert encode_previous(bare, like, "string_value") is None
