"""Scores that are written: changed under way, refused, tried again, or halted by the key."""

from __future__ import annotations

import pytest
from labels import stored
from sending import LOG, ME, Client, Waits, enter, failing, send

from respan_notebook import Sandbox
from respan_notebook.errors import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    HTTPError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RedirectError,
    ServerError,
)
from respan_notebook.labelling.outbox.label import DELIVERED, REFUSED, Change, Counts
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.sender import Sender, wait_until
from respan_notebook.models import Upsert


def test_write__of_a_label_that_changes_under_way_is_followed_by_the_newer(
    box: Outbox, client: Client, sender: Sender, sandbox: Sandbox
) -> None:
    client.before["write"] = lambda: (client.before.clear(), enter(box, 5))
    enter(box, 3, known=False)
    send(sender)
    send(sender)
    (label,) = box.labels()
    assert (label.state, label.body["numerical_value"]) == (DELIVERED, 5)
    assert stored(sandbox) == [(LOG, "helpfulness", ME, 5.0)]


@pytest.mark.parametrize(
    ("kind", "status", "state"),
    [
        (BadRequestError, 400, REFUSED),
        (NotFoundError, 404, REFUSED),
        (BadRequestError, 422, REFUSED),
        (BadRequestError, 408, DELIVERED),
        (ConflictError, 409, DELIVERED),
        (RateLimitError, 429, DELIVERED),
        (ServerError, 500, DELIVERED),
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
def test_halt__by_a_401_is_for_a_while_and_refuses_nothing(
    box: Outbox, client: Client, sender: Sender, waits: Waits, where: str
) -> None:
    waits.seconds = 30
    client.before[where] = failing(1, AuthenticationError("no", status=401))
    enter(box, 3, known=False)
    send(sender)
    assert (sender.halted, sender.status, box.counts().queued) == (True, "no", 1)
    assert wait_until(lambda: waits.pauses == [60.0], 5)
    enter(box, 4)
    sender.kick()
    assert (sender.halted, box.counts().refused) == (True, 0), "a save does not end the halt"
    sender.kick(again=True)
    assert wait_until(lambda: not box.counts().queued, 10)
    assert (sender.halted, [one.state for one in box.labels()]) == (False, [DELIVERED])


def test_halt__ends_by_itself_and_the_next_one_is_longer(
    box: Outbox, client: Client, sender: Sender, sandbox: Sandbox, waits: Waits
) -> None:
    client.before["write"] = failing(6, AuthenticationError("no", status=401))
    enter(box, 3)
    sender.kick()
    assert wait_until(lambda: not box.counts().queued, 10)
    assert waits.pauses == [60.0, 120.0, 240.0, 480.0, 900.0, 900.0]
    assert stored(sandbox) == [(LOG, "helpfulness", ME, 3.0)]


@pytest.mark.parametrize("kind", [PermissionDeniedError, RedirectError, NotFoundError])
def test_refusal__of_one_log_does_not_stop_the_others(
    box: Outbox, client: Client, sender: Sender, sandbox: Sandbox, kind: type[HTTPError]
) -> None:
    """Whether it is answered before the others, or in one round with them."""
    status = {PermissionDeniedError: 403, RedirectError: 302, NotFoundError: 404}[kind]
    client.refused = {"demo_01": kind("no", status=status, detail="not demo_01")}
    enter(box, 1, "demo_01")
    send(sender)
    assert (sender.halted, box.counts().refused) == (False, 1)
    enter(box, 2, "demo_02")
    enter(box, 2, "demo_01")
    send(sender)
    assert [(one.log_id, one.state) for one in box.labels()] == [
        ("demo_02", DELIVERED),
        ("demo_01", REFUSED),
    ]
    assert stored(sandbox) == [("demo_02", "helpfulness", ME, 2.0)]


@pytest.mark.parametrize("together", [True, False], ids=["in one round", "one by one"])
@pytest.mark.parametrize("status", [302, 403, 404])
def test_refusal__of_several_logs_alike_halts_and_refuses_none(
    box: Outbox,
    client: Client,
    sender: Sender,
    sandbox: Sandbox,
    waits: Waits,
    status: int,
    *,
    together: bool,
) -> None:
    waits.seconds = 30
    kind = {403: PermissionDeniedError, 302: RedirectError, 404: NotFoundError}[status]
    logs = ["demo_01", "demo_02"]
    client.refused = {log: kind("no", status=status, detail=f"not {log}") for log in logs}
    for log in logs:
        enter(box, 1, log)
        if not together:
            send(sender)
    send(sender)
    assert (sender.halted, sender.status) == (True, "no")
    assert (box.counts().queued, box.counts().refused) == (2, 0)
    client.refused = {}
    sender.kick(again=True)
    assert wait_until(lambda: not box.counts().queued, 10)
    assert [row[0] for row in stored(sandbox)] == logs


@pytest.mark.parametrize("status", [402, 404, 405, 421, 423, 425, 451])
def test_gateway__that_answers_for_the_server_makes_no_label_refused(
    box: Outbox, client: Client, sender: Sender, waits: Waits, statuses: list[str], status: int
) -> None:
    page = NotFoundError if status == 404 else BadRequestError
    client.before["write"] = failing(3, page("a page", status=status, is_documented=False))
    for log in ("demo_01", "demo_02", "demo_03"):
        enter(box, 1, log)
    send(sender)
    assert statuses == ["a page", ""]
    assert [one.state for one in box.labels()] == [DELIVERED] * 3
    assert waits.pauses == [2.0]


def test_send_again__sends_all_that_was_refused(
    box: Outbox, client: Client, sender: Sender, sandbox: Sandbox
) -> None:
    client.before["write"] = failing(2, BadRequestError("no", status=400))
    enter(box, 1, "demo_01")
    enter(box, 2, "demo_02")
    send(sender)
    assert box.counts() == Counts(refused=2)
    assert box.send_again() == 2
    assert box.counts() == Counts(queued=2)
    send(sender)
    assert [row[3] for row in stored(sandbox)] == [1, 2]


def test_write__of_an_evaluator_whose_type_was_changed(
    box: Outbox, sender: Sender, sandbox: Sandbox, waits: Waits
) -> None:
    values = {"demo_01": {"numerical_value": 3.0}, "demo_02": {"string_value": "fine"}}
    for log_id, value in values.items():
        box.save([Change("own", Upsert(log_id, {"evaluator_slug": "own", **value}))])
    send(sender)
    assert stored(sandbox) == [("demo_01", "own", ME, 3.0), ("demo_02", "own", ME, "fine")]
    assert waits.pauses == [], "both went at once"
