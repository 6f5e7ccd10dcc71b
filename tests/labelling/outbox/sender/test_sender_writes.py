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
    ServerError,
)
from respan_notebook.labelling.outbox.label import REFUSED, SENT, Change
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.sender import Sender


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


def test_write__of_an_evaluator_whose_type_was_changed(
    box: Outbox, sender: Sender, sandbox: Sandbox, waits: Waits
) -> None:
    values = {"demo_01": {"numerical_value": 3.0}, "demo_02": {"string_value": "fine"}}
    for log_id, value in values.items():
        box.save(log_id, [Change("own", {"evaluator_slug": "own", **value})], ["own"])
    send(sender)
    assert stored(sandbox) == [("demo_01", "own", ME, 3.0), ("demo_02", "own", ME, "fine")]
    assert waits.pauses == [], "both went at once"
