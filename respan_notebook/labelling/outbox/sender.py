"""Send the queued labels of an outbox to Respan, in the background.

The thread lives while labels are queued; one process at a time sends for a person, so that no label
is sent twice and the latest version wins.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from filelock import FileLock, Timeout

from respan_notebook.client.answer_check import AnswerCheck
from respan_notebook.client.client import RespanClient
from respan_notebook.client.retry import RetryBudget, is_transient
from respan_notebook.errors import (
    AuthenticationError,
    HTTPError,
    NotFoundError,
    PermissionDeniedError,
    RedirectError,
    RespanError,
    StoppedError,
)
from respan_notebook.labelling.outbox.label import Label
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.models import VALUE_FIELDS, Evaluator, Score, ScoreWrite, Upsert
from respan_notebook.push.engine import Engine
from respan_notebook.push.outcomes import FAILED, Result
from respan_notebook.push.progress import wait_reason

_FINAL = (AuthenticationError, PermissionDeniedError, RedirectError)
_FINAL_STATUSES: Final = frozenset(range(300, 400)) | {401, 403}
_UNAUTHORIZED: Final = 401
_TRANSIENT_STATUSES: Final = frozenset({0, 408, 409, 429})
_CLOSED: Final = "the annotator was closed"
_CONCURRENCY: Final = 16  # Requests in flight at once.


@dataclass(frozen=True)
class SenderSettings:
    """Set the attempts and pauses of a sender; every time is in seconds.

    Attributes
    ----------
    attempts : int
        Requests per score and round, not counting those answered 429.
    first_pause, longest_pause : float
        The pause after a round that failed, which doubles, and the longest of all.
    moment : float
        The pause before a round, in which the next log comes on screen.
    look : float
        The pause between two attempts to get the lock that another notebook holds.
    grace : float
        The time that closing waits for the request in flight.
    """

    attempts: int = 5
    first_pause: float = 2.0
    longest_pause: float = 60.0
    moment: float = 0.1
    look: float = 1.0
    grace: float = 3.0


class Sender:
    """Send the labels of an outbox until none is queued.

    Parameters
    ----------
    outbox : Outbox
        Has the labels.
    client : RespanClient
        Sends them.
    changed : Callable
        Called from the sender's thread, whenever a label or :attr:`status` changed.
    settings : SenderSettings
        Attempts and pauses.

    Attributes
    ----------
    status : str
        The reason why labels wait; empty while there is none.
    halted : bool
        Whether nothing more is sent, since the server refuses the key.
    adopted : int
        The number of other keys whose labels this one has taken over.
    """

    def __init__(
        self,
        outbox: Outbox,
        client: RespanClient,
        changed: Callable[[], object],
        settings: SenderSettings = SenderSettings(),
    ) -> None:
        self.status = ""
        self.halted = False
        self.adopted = 0
        # A connection of its own: the screen never waits for the disk, and yet a label survives a
        # power cut from the moment that the sender reads it.
        self._outbox = outbox.open_durable()
        self._client, self._changed, self._settings = client, changed, settings
        name = hashlib.sha256(f"{client.base_url} {client.fingerprint}".encode()).hexdigest()[:12]
        self._turn = FileLock(outbox.path.with_name(f"{outbox.path.name}.{name}.lock"))
        self._budget = RetryBudget(client.settings)
        # Log and evaluator -> the label, and the scores of which one may be its previous score.
        self._previous: dict[tuple[str, str], tuple[Label, list[Score]]] = {}
        self._more = threading.Event()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def kick(self) -> None:
        """Start sending the queued labels, now."""
        with self._lock:
            self._more.set()
            if self._thread is None and not (self.halted or self._closed.is_set()):
                self._thread = threading.Thread(target=self._run, name="respan-sender", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the sending; queued labels stay in the outbox."""
        with self._lock:
            self._closed.set()
            self._more.set()
            self._budget.cancel(_CLOSED)
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(self._settings.grace)
        self._outbox.close()

    @property
    def busy(self) -> bool:
        """Return whether the thread runs: it sends, or waits to send again."""
        return self._thread is not None

    def _run(self) -> None:
        pause = self._settings.first_pause
        while True:
            self._closed.wait(self._settings.moment)
            self._more.clear()
            try:
                fine = self._send_all()
            except Exception as bug:  # noqa: BLE001 - a thread that dies would show nothing.
                fine = False
                self._set_status(f"{type(bug).__name__}: {bug}")
            if not fine and not self.halted and not self._closed.is_set():
                self._more.wait(pause)
                pause = min(2 * pause, self._settings.longest_pause)
                continue
            pause = self._settings.first_pause
            with self._lock:
                if self.halted or self._closed.is_set() or not self._more.is_set():
                    self._client.close()
                    self._thread = None
                    break
        self._notify()

    def _set_status(self, status: str) -> None:
        if status != self.status:
            self.status = status
            self._notify()

    def _notify(self) -> None:
        try:
            self._changed()
        except Exception as bug:  # noqa: BLE001 - a fault of the screen must not end the sending.
            self.status = f"{type(bug).__name__}: {bug}"

    def _send_all(self) -> bool:
        """Send the queued labels when no other notebook does; return whether that succeeded."""
        while not self._turn.is_locked:
            try:
                self._turn.acquire(timeout=self._settings.look)
            except Timeout:
                self._set_status("another notebook is sending")
                if self._closed.is_set():
                    return False
        try:
            return self._send_in_turn()
        finally:
            self._turn.release()

    def _send_in_turn(self) -> bool:
        labels = self._outbox.labels(state="waiting")
        if self._closed.is_set():
            return False
        try:
            postponed, reason = self._look_up(labels)
            labels = [label for label in labels if label not in postponed]
            fine = self._write([one for one in labels if not one.removed]) and not postponed
            if postponed:
                self._set_status(reason)
        except RespanError as error:
            fine = self._report_failure(error)
            # The scores of the others may not have been looked up.
            labels = [label for label in labels if label.tried]
        for label in labels:
            if label.removed and not (self.halted or self._closed.is_set()):
                try:
                    self._remove(label)
                except RespanError as error:
                    fine = self._report_failure(error)
        if fine:
            self._set_status("")
        return fine

    def _report_failure(self, error: RespanError) -> bool:
        """Set the status to an error, and halt when it is final; return False."""
        if isinstance(error, _FINAL):
            self._halt(unknown_key=isinstance(error, AuthenticationError))
        if not isinstance(error, StoppedError):
            self._set_status(str(error))
        return False

    def _halt(self, *, unknown_key: bool) -> None:
        self.halted = True
        if unknown_key:
            self._outbox.accounts.mark_refused()

    def _call_budget(self) -> RetryBudget:
        """Return the budget of one call, whose waits become the status."""
        return self._new_budget(lambda reason, _: self._set_status(reason))

    def _new_budget(self, announce: Callable[[str, float], object] | None) -> RetryBudget:
        """Return a budget that closing cancels."""
        settings = self._client.settings
        with self._lock:
            self._budget = RetryBudget(
                settings,
                attempts=self._settings.attempts,
                retries=settings.budget,
                announce=announce,
            )
            if self._closed.is_set():
                self._budget.cancel(_CLOSED)
            return self._budget

    # -- previous scores ------------------------------------------------------------------------

    def _look_up(self, labels: Sequence[Label]) -> tuple[list[Label], str]:
        """Look up the previous scores that are not known; return postponed labels and the reason.

        A label is postponed, and not sent, when its log can't be looked up now. When the server
        refuses the look-up, the previous score stays unknown and that write can't be undone.
        """
        postponed: list[Label] = []
        reason = ""
        for label in self._outbox.with_unknown_previous(labels):
            try:
                listed = self._client.list_scores(label.log_id, budget=self._call_budget())
            except NotFoundError:
                listed = []
            except RespanError as error:
                if isinstance(error, HTTPError) and _is_refusal(error):
                    continue
                if isinstance(error, _FINAL) or postponed:
                    raise  # After a second failure the log is not the cause.
                postponed.append(label)
                reason = str(error)
                self._set_status(reason)
                continue
            self._set_status(reason)  # The wait, if there was one, is over.
            scores = [score for score in listed if label.evaluator in score.evaluator_names]
            self._previous[label.log_id, label.evaluator] = label, scores
            self._store_previous(label, scores)
        return postponed, reason

    @property
    def _scorer(self) -> str | None:
        return self._client.scorer or self._outbox.accounts.scorer

    def _store_previous(self, label: Label, scores: Sequence[Score]) -> None:
        """Store the previous score, once the owner of the key is known.

        The first answer to a write names the owner; until then the scores stay in this object.
        """
        if scores and not self._scorer:
            return
        del self._previous[label.log_id, label.evaluator]
        mine = [score for score in scores if score.scorer == self._scorer]
        previous = encode_previous(mine[0], label.body, _field(label.body)) if mine else None
        if previous is not None or not mine:
            self._outbox.store_previous(label, previous)

    # -- writing --------------------------------------------------------------------------------

    def _write(self, labels: Sequence[Label]) -> bool:
        labels = self._outbox.mark_tried(labels)
        if not labels:
            return True
        results = self._send(labels)
        self._learn_scorer()
        status, answers = "", list[tuple[Label, str | None, str]]()
        for i, label in enumerate(labels):
            result = results.get(i, Result(FAILED, error=self._budget.cancelled))
            code = result.http_status
            if result.score is not None:
                answers.append((label, result.score.id, ""))
            elif 400 <= code < 500 and code not in _TRANSIENT_STATUSES | _FINAL_STATUSES:
                answers.append((label, None, result.error))
            else:
                status = status or result.error
                if code in _FINAL_STATUSES:
                    self._halt(unknown_key=code == _UNAUTHORIZED)
        self._outbox.mark_answers(answers)
        self.status = status
        self._notify()
        return not status

    def _send(self, labels: Sequence[Label]) -> dict[int, Result]:
        upserts = [Upsert(label.log_id, label.body) for label in labels]
        results: dict[int, Result] = {}
        budget = self._new_budget(None)
        check = AnswerCheck(lambda: [one.log_id for one in upserts], _evaluators(labels))
        with Engine(self._client, budget, results.__setitem__, check) as engine:
            engine.send(
                range(len(upserts)),
                upserts.__getitem__,
                concurrency=_CONCURRENCY,
                watch=lambda: self._set_status(wait_reason(self._client.gate, budget)),
            )
        return results

    def _learn_scorer(self) -> None:
        """Store the owner of the key from an answer, with previous scores; adopt labels."""
        for label, scores in list(self._previous.values()):
            self._store_previous(label, scores)
        scorer = self._client.scorer
        accounts = self._outbox.accounts
        if scorer is not None and scorer != accounts.scorer:
            accounts.store_scorer(scorer)
            self.adopted += accounts.adopt(in_use=False)
            self._more.set()

    # -- removing -------------------------------------------------------------------------------

    def _remove(self, label: Label) -> None:
        """Remove the score in Respan, if there may be one."""
        try:
            score_id = label.score_id
            if score_id is None and self._outbox.may_have_score(label):
                if not self._outbox.mark_tried([label]):
                    return  # The label was changed meanwhile.
                score_id = self._learn_id(label)
            if score_id is not None:
                with contextlib.suppress(NotFoundError):
                    self._client.delete_score(label.log_id, score_id, budget=self._call_budget())
        except HTTPError as error:
            if not _is_refusal(error):
                raise
            self._outbox.mark_removal_refused(label, f"it could not be taken away: {error}")
        else:
            self._outbox.mark_removed(label)
        self._notify()

    def _learn_id(self, label: Label) -> str | None:
        """Return the id of a score that Respan may have: the API gives it in answer to a write."""
        try:
            upsert = Upsert(label.log_id, label.body)
            score, _ = self._client.send_upsert(upsert, self._call_budget().call())
            self._learn_scorer()
            return score.id
        except HTTPError as error:
            if _is_refusal(error):
                return None  # It was refused before as well, so there is no score.
            raise


def _is_refusal(error: HTTPError) -> bool:
    """Return whether the server refuses this score for good, while it may take others."""
    final = isinstance(error, _FINAL) or error.status == 429
    return 400 <= error.status < 500 and not (final or is_transient(error))


def encode_previous(score: Score, like: Mapping[str, Any], field: str) -> dict[str, Any] | None:
    """Return the body that writes a score again, with evaluator and context of another body.

    None when it can't be written: a score stored by an older version of the server may not fit.
    """
    context = {name: v for name, v in like.items() if name not in (*VALUE_FIELDS, "explanation")}
    body = {**context, field: getattr(score, field)}
    if score.explanation:
        body["explanation"] = score.explanation
    try:
        return ScoreWrite.model_validate(body).body()
    except ValueError:
        return None


def _evaluators(labels: Sequence[Label]) -> list[Evaluator]:
    names = {(one.body.get("evaluator_id"), one.body.get("evaluator_slug")) for one in labels}
    return [Evaluator(id=id_, evaluator_slug=slug) for id_, slug in names]


def _field(body: Mapping[str, Any]) -> str:
    return next(name for name in VALUE_FIELDS if name in body)


def wait_until(done: Callable[[], bool], timeout: float) -> bool:
    """Wait until a condition holds; return whether it did within ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
