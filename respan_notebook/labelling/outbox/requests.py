"""Send the requests of a sender, which closing ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from respan_notebook.client.answer_check import AnswerCheck
from respan_notebook.client.client import RespanClient
from respan_notebook.client.retry import Call, RetryBudget
from respan_notebook.errors import NotFoundError, RespanError
from respan_notebook.labelling.outbox.label import Label
from respan_notebook.models import Evaluator, Score, Upsert
from respan_notebook.push.engine import Engine
from respan_notebook.push.outcomes import FAILED, Result
from respan_notebook.push.progress import wait_reason

_CONCURRENCY: Final = 16  # Requests in flight at once.


@dataclass(frozen=True)
class Sent:
    """Hold the result of a label that was sent, and the error behind it if there was one."""

    label: Label
    result: Result
    error: RespanError | None


class Requests:
    """Send the requests of one sender.

    Parameters
    ----------
    client : RespanClient
        Sends them.
    attempts : int
        Requests per call or score, not counting those answered 429.
    set_status : Callable
        Called with the reason why requests wait, and with "" when they do no longer.
    """

    def __init__(
        self, client: RespanClient, attempts: int, set_status: Callable[[str], object]
    ) -> None:
        self.client, self._attempts, self._set_status = client, attempts, set_status
        self._lock = threading.Lock()
        self._closed = ""
        self._budget = self._new_budget(None)

    @property
    def closed(self) -> str:
        """The reason why nothing is sent any more; empty while requests are sent."""
        return self._closed

    def close(self, reason: str) -> None:
        """End the request in flight, and send no more."""
        with self._lock:
            self._closed = reason
            self._budget.cancel(reason)

    def _new_budget(self, announce: Callable[[str, float], object] | None) -> RetryBudget:
        settings = self.client.settings
        with self._lock:
            self._budget = RetryBudget(
                settings, attempts=self._attempts, retries=settings.budget, announce=announce
            )
            if self._closed:
                self._budget.cancel(self._closed)
            return self._budget

    def _call_budget(self) -> RetryBudget:
        """Return the budget of one call, whose waits become the status."""
        return self._new_budget(lambda reason, _: self._set_status(reason))

    def list_scores(self, log_id: str) -> list[Score]:
        """Return all scores of a log; none when the API says that there is no such log."""
        try:
            return self.client.list_scores(log_id, budget=self._call_budget())
        except NotFoundError as error:
            if error.is_documented:
                return []
            raise

    def send_upsert(self, upsert: Upsert) -> Score:
        """Send one upsert."""
        return self.client.send_upsert(upsert, self._call_budget().call())[0]

    def delete_score(self, log_id: str, score_id: str) -> None:
        """Delete a score."""
        self.client.delete_score(log_id, score_id, budget=self._call_budget())

    def send_all(self, labels: Sequence[Label]) -> list[Sent]:
        """Send labels at once; return what became of each."""
        errors: dict[tuple[str, str], RespanError] = {}
        results: dict[int, Result] = {}
        upserts = [label.upsert for label in labels]

        def write(upsert: Upsert, call: Call) -> tuple[Score, int]:
            try:
                return self.client.send_upsert(upsert, call)
            except RespanError as error:
                errors[upsert.log_id, _evaluator_name(upsert)] = error
                raise

        budget = self._new_budget(None)
        check = AnswerCheck(lambda: [one.log_id for one in upserts], _evaluators(upserts))
        with Engine(self.client, budget, results.__setitem__, check, write=write) as engine:
            engine.send(
                range(len(upserts)),
                upserts.__getitem__,
                concurrency=_CONCURRENCY,
                watch=lambda: self._set_status(wait_reason(self.client.gate, budget)),
            )
        unsent = Result(FAILED, error=budget.cancelled)
        return [
            Sent(
                label,
                results.get(i, unsent),
                errors.get((label.log_id, _evaluator_name(label.upsert))),
            )
            for i, label in enumerate(labels)
        ]


def _evaluator_name(upsert: Upsert) -> str:
    return str(upsert.body.get("evaluator_id") or upsert.body["evaluator_slug"])


def _evaluators(upserts: Iterable[Upsert]) -> list[Evaluator]:
    names = {(one.body.get("evaluator_id"), one.body.get("evaluator_slug")) for one in upserts}
    return [Evaluator(id=id_, evaluator_slug=slug) for id_, slug in names]
