"""Scores that are taken away, also where they are entered anew while a request is under way."""

from __future__ import annotations

from labels import stored
from sending import EVALUATOR, LOG, ME, Client, Waits, enter, failing, remove, send

from respan_notebook import RespanClient, Sandbox
from respan_notebook.errors import BadRequestError, ConflictError, StoppedError, TransportError
from respan_notebook.labelling.outbox.label import DELIVERED, REFUSED
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.sender import Sender, wait_until


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
    assert wait_until(lambda: not (sender.busy or box.counts().queued), 10)
    assert stored(sandbox) == [(LOG, "helpfulness", ME, 5.0)]
    (label,) = box.labels()
    assert (label.state, label.removed, label.body["numerical_value"]) == (DELIVERED, False, 5)
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
    assert box.counts().queued == 0


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
    assert wait_until(lambda: not (sender.busy or box.counts().queued), 10)
    assert stored(sandbox) == [(LOG, "helpfulness", ME, 5.0)]
    (label,) = box.labels()
    assert (label.state, label.removed, label.reason) == (DELIVERED, False, None)


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
    client.before["delete"] = failing(1, StoppedError("closed"))
    send(sender)
    assert statuses == [""]
    assert box.counts().queued == 0
