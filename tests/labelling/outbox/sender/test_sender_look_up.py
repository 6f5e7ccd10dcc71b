"""What was there before a label: looked up before the first write."""

from __future__ import annotations

import pytest
from sending import EVALUATOR, LOG, ME, Client, Waits, enter, failing, remove, send

from respan_notebook import Score
from respan_notebook.errors import ServerError
from respan_notebook.labelling.outbox.history import UnknownPreviousError
from respan_notebook.labelling.outbox.label import REFUSED, encode_previous
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.sender import Sender, wait_until


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
    assert (written, box.counts().queued, sender.status) == ([], 2, "500: broken")


def test_encode_previous__writes_a_score_as_it_is() -> None:
    like = {"evaluator_id": "e", "numerical_value": 5.0, "explanation": "new", "environment": "x"}
    score = Score(id="s", evaluator_id="other", numerical_value=2.0, explanation="old")
    kept = {"evaluator_id": "e", "environment": "x", "numerical_value": 2.0}
    assert encode_previous(score, like, "numerical_value") == {**kept, "explanation": "old"}
    bare = Score(id="s", numerical_value=2.0)
    assert encode_previous(bare, like, "numerical_value") == kept
    assert encode_previous(bare, like, "string_value") is None
