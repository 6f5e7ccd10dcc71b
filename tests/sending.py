"""A sender's client that a test can stop, the waits of its thread, and labels to send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from respan_notebook import RespanClient, Score
from respan_notebook.client.retry import Call
from respan_notebook.labelling.outbox.label import Change
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.sender import Sender, wait_until
from respan_notebook.models import Upsert

LOG, EVALUATOR, ME = "demo_01", "eval_helpfulness", "ann@example.com"


class Client(RespanClient):
    """A real client, before whose requests a test may do something."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.before: dict[str, Callable[[], object]] = {}
        self.listed: list[Score] | None = None  # Instead of what is there.
        self.refused: dict[str, Exception] = {}  # Writes of these logs.

    def _step(self, name: str) -> None:
        self.before.get(name, bool)()

    def list_scores(self, *given: Any, **named: Any) -> list[Score]:
        self._step("list")
        listed = super().list_scores(*given, **named)
        return listed if self.listed is None else self.listed

    def send_upsert(self, upsert: Upsert, call: Call | None = None) -> tuple[Score, int]:
        self._step("write")
        if upsert.log_id in self.refused:
            raise self.refused[upsert.log_id]
        return super().send_upsert(upsert, call)

    def delete_score(self, *given: Any, **named: Any) -> None:
        self._step("delete")
        super().delete_score(*given, **named)
        self._step("deleted")


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


def enter(box: Outbox, value: float, log_id: str = LOG, **known: Any) -> None:
    upsert = Upsert(log_id, {"evaluator_id": EVALUATOR, "numerical_value": value})
    box.save([Change(EVALUATOR, upsert, **known)])


def remove(box: Outbox, log_id: str = LOG) -> None:
    label = box.log(log_id).labels[EVALUATOR]
    change = Change(EVALUATOR, label.upsert, True, True, label.body, label.score_id)
    box.save([change])


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
