"""Taking a score away that the server has refused before, and the sender's defaults."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from canned import CannedServer

from respan_notebook import RespanClient
from respan_notebook.labelling.outbox.label import Change
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.sender import Sender, SenderSettings, wait_until
from respan_notebook.models import Upsert

BODY = {"evaluator_id": "e1", "numerical_value": 3.0}


def test_remove__of_a_score_that_the_server_refuses_leaves_none(
    canned: Callable[..., CannedServer], tmp_path: Path
) -> None:
    server = canned(status=400, body=b'{"detail": "No such evaluator."}')
    with (
        RespanClient("key", server.base_url) as client,
        closing(Outbox(tmp_path / "outbox", client.base_url, client.fingerprint)) as box,
    ):
        box.save([Change("e1", Upsert("log_1", BODY))])
        box.delivery.mark_tried(box.labels())
        box.save([Change("e1", Upsert("log_1", BODY), removed=True)])
        with closing(Sender(box, client, bool, SenderSettings(moment=0.0))) as sender:
            sender.kick()
            assert wait_until(lambda: not sender.busy, 10)
        [label] = box.labels()
    assert (label.state, label.removed, label.tried, label.reason) == (
        "delivered",
        True,
        False,
        None,
    )
    assert [one[0] for one in server.requests] == ["GET", "POST"]


def test_sender_settings__defaults_suit_the_service() -> None:
    assert SenderSettings() == SenderSettings(
        attempts=5,
        first_pause=2.0,
        longest_pause=60.0,
        halt=60.0,
        longest_halt=900.0,
        moment=0.1,
        look=1.0,
        grace=3.0,
    )
