"""The sender: what waits in the outbox goes to Respan, in the background.

Scores go through the push engine. The thread lives while something waits; one process at a time
sends for a person, so that nothing goes twice and the latest version wins.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pandas as pd
from filelock import FileLock, Timeout

from respan_notebook.batch import Batch, Outcomes, Target
from respan_notebook.client import RespanClient
from respan_notebook.columns import CONTEXT_COLUMNS
from respan_notebook.errors import (
    AuthenticationError,
    HTTPError,
    NotFoundError,
    PermissionDeniedError,
    RedirectError,
    RespanError,
)
from respan_notebook.labelling.outbox.label import Label
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.models import VALUE_FIELDS, Evaluator, Score, ScoreWrite
from respan_notebook.push import Sending
from respan_notebook.retry import BUDGET, Effort, StoppedError, is_passing
from respan_notebook.values import TYPE_OF_FIELD

_Key = tuple[str, str]  # Log and evaluator of a label.
_FINAL = (AuthenticationError, PermissionDeniedError, RedirectError)
_FINAL_STATUSES: Final = frozenset(range(300, 400)) | {401, 403}
_UNAUTHORIZED: Final = 401
_PASSING_STATUSES: Final = frozenset({0, 408, 409, 429})
_CLOSED: Final = "the annotator was closed"
_ATTEMPTS: Final = 5  # Requests per score and round, not counting those answered 429.
_FIRST_PAUSE: Final = 2.0  # Seconds until another try after one that failed; doubles.
_LONGEST_PAUSE: Final = 60.0
_MOMENT: Final = 0.1  # Seconds that the next log has to come on screen before anything is sent.
_LOOK: Final = 1.0  # Seconds between two looks whether another notebook has sent.
_GRACE: Final = 3.0  # Seconds that closing waits for the request on its way.


class Sender:
    """Sends the labels of an outbox until none waits.

    Parameters
    ----------
    outbox : Outbox
        What to send.
    client : RespanClient
        Where to.
    changed : Callable
        Is called, from the sender's thread, whenever a label or :attr:`trouble` changed.

    Attributes
    ----------
    trouble : str
        Why labels wait; empty while there is no reason.
    halted : bool
        Whether nothing more is sent, since the server refuses the key.
    adopted : int
        How many other keys of the same person have left their labels to this one.
    """

    def __init__(self, outbox: Outbox, client: RespanClient, changed: Callable[[], object]) -> None:
        self.trouble = ""
        self.halted = False
        self.adopted = 0
        # Its own connection: nobody at the screen waits for the disk, and yet a label outlives a
        # power cut from the moment that the sender takes it up.
        self._outbox = outbox.another()
        self._client, self._changed = client, changed
        name = hashlib.sha256(f"{client.base_url} {client.fingerprint}".encode()).hexdigest()[:12]
        self._turn = FileLock(outbox.path.with_name(f"{outbox.path.name}.{name}.lock"))
        self._effort = Effort()
        self._past: dict[_Key, tuple[Label, list[Score]]] = {}  # Not yet kept.
        self._more = threading.Event()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def kick(self) -> None:
        """Send what waits, now."""
        with self._lock:
            self._more.set()
            if self._thread is None and not (self.halted or self._closed.is_set()):
                self._thread = threading.Thread(target=self._run, name="respan-sender", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Send nothing more; what waits stays in the outbox."""
        with self._lock:
            self._closed.set()
            self._more.set()
            self._effort.end(_CLOSED)
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_GRACE)
        self._outbox.close()

    @property
    def busy(self) -> bool:
        """Whether labels are being sent, or will be without anybody doing anything."""
        return self._thread is not None

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            self._closed.wait(_MOMENT)
            self._more.clear()
            try:
                fine = self._send_all()
            except Exception as bug:  # noqa: BLE001 - a thread that dies would say nothing.
                fine = False
                self._tell(f"{type(bug).__name__}: {bug}")
            if not fine and not self.halted and not self._closed.is_set():
                self._more.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            with self._lock:
                if self.halted or self._closed.is_set() or not self._more.is_set():
                    self._client.close()
                    self._thread = None
                    break
        self._notify()

    def _tell(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._notify()

    def _notify(self) -> None:
        try:
            self._changed()
        except Exception as bug:  # noqa: BLE001 - what is shown must not end the sending.
            self.trouble = f"{type(bug).__name__}: {bug}"

    def _send_all(self) -> bool:
        """Send what waits; return whether nothing is left that could be sent."""
        while not self._turn.is_locked:
            try:
                self._turn.acquire(timeout=_LOOK)
            except Timeout:
                self._tell("another notebook is sending")
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
            held, reason = self._look_up(labels)
            labels = [label for label in labels if label not in held]
            fine = self._write([one for one in labels if not one.removed]) and not held
            if held:
                self._tell(reason)
        except RespanError as error:
            fine = self._stumble(error)
            # Of the others it is not known what is there.
            labels = [label for label in labels if label.tried]
        for label in labels:
            if label.removed and not (self.halted or self._closed.is_set()):
                try:
                    self._remove(label)
                except RespanError as error:
                    fine = self._stumble(error)
        if fine:
            self._tell("")
        return fine

    def _stumble(self, error: RespanError) -> bool:
        """Take note of what stands in the way; return False."""
        if isinstance(error, _FINAL):
            self._halt(unknown_key=isinstance(error, AuthenticationError))
        if not isinstance(error, StoppedError):
            self._tell(str(error))
        return False

    def _halt(self, *, unknown_key: bool) -> None:
        self.halted = True
        if unknown_key:
            self._outbox.know_refused()

    def _call(self) -> Effort:
        """Return the effort of one call, whose waits are told."""
        return self._new_effort(lambda reason, _: self._tell(reason))

    def _new_effort(self, announce: Callable[[str, float], object] | None) -> Effort:
        """Return an effort that closing ends."""
        with self._lock:
            self._effort = Effort(attempts=_ATTEMPTS, budget=BUDGET, announce=announce)
            if self._closed.is_set():
                self._effort.end(_CLOSED)
            return self._effort

    # -- what was there before ------------------------------------------------------------------

    def _look_up(self, labels: Sequence[Label]) -> tuple[list[Label], str]:
        """Look up the scores that first writes may replace, where that is not known yet.

        Returns
        -------
        tuple of (held, reason)
            Labels that can't be looked up now, and so not sent, and why. Where the server refuses,
            the past stays unknown: no undo for that write.
        """
        held: list[Label] = []
        reason = ""
        for label in self._outbox.of_unknown_past(labels):
            try:
                listed = self._client.list_scores(label.log_id, effort=self._call())
            except NotFoundError:
                listed = []
            except RespanError as error:
                if isinstance(error, HTTPError) and _is_refusal(error):
                    continue
                if isinstance(error, _FINAL) or held:
                    raise  # The second one: it is not this log.
                held.append(label)
                reason = str(error)
                self._tell(reason)
                continue
            self._tell(reason)  # No wait any more.
            scores = [
                score
                for score in listed
                if label.evaluator in (score.evaluator_id, score.evaluator_slug)
            ]
            self._past[_key(label)] = label, scores
            self._know_former(label, scores)
        return held, reason

    @property
    def _scorer(self) -> str | None:
        return self._client.scorer or self._outbox.scorer

    def _know_former(self, label: Label, scores: Sequence[Score]) -> None:
        """Keep what was there before, as soon as it is known which of the scores is this person's.

        With the first answer that is known; until then the scores are kept here.
        """
        if scores and not self._scorer:
            return
        del self._past[_key(label)]
        mine = [score for score in scores if score.scorer == self._scorer]
        former = body_of(mine[0], label.body, _field(label.body)) if mine else None
        if former is not None or not mine:
            self._outbox.know_former(label, former)

    # -- writing --------------------------------------------------------------------------------

    def _write(self, labels: Sequence[Label]) -> bool:
        labels = self._outbox.try_(labels)
        if not labels:
            return True
        batch = _batch(labels)
        sending, effort = Sending(progress=False), self._new_effort(None)
        report = sending.push(
            batch, Outcomes(len(batch)), self._client, [], effort=effort, tell=self._tell
        )
        self._learn_scorer()
        lines = report.frame[["status", "http_status", "score_id", "error"]]
        trouble, answers = "", []
        for label, (status, code, score_id, error) in zip(
            labels, lines.itertuples(index=False, name=None), strict=True
        ):
            code = 0 if pd.isna(code) else int(code)
            if status in ("created", "updated"):
                answers.append((label, score_id, ""))
            elif 400 <= code < 500 and code not in _PASSING_STATUSES | _FINAL_STATUSES:
                answers.append((label, None, error))
            else:
                trouble = trouble or error or ""
                if code in _FINAL_STATUSES:
                    self._halt(unknown_key=code == _UNAUTHORIZED)
        self._outbox.settle(answers)
        self.trouble = trouble
        self._notify()
        return not trouble

    def _learn_scorer(self) -> None:
        """Keep what an answer has said about whose key this is, and what follows from it."""
        for label, scores in list(self._past.values()):
            self._know_former(label, scores)
        scorer = self._client.scorer
        if scorer is not None and scorer != self._outbox.scorer:
            self._outbox.know_scorer(scorer)
            self.adopted += self._outbox.adopt(in_use=False)
            self._more.set()

    # -- removing -------------------------------------------------------------------------------

    def _remove(self, label: Label) -> None:
        """Take a score away, if one may be there."""
        try:
            score_id = label.score_id
            if score_id is None and self._outbox.may_be_there(label):
                if not self._outbox.try_([label]):
                    return  # It was changed meanwhile.
                score_id = self._learn_id(label)
            if score_id is not None:
                with contextlib.suppress(NotFoundError):
                    self._client.delete_score(label.log_id, score_id, effort=self._call())
        except HTTPError as error:
            if not _is_refusal(error):
                raise
            self._outbox.keep_after_all(label, f"it could not be taken away: {error}")
        else:
            self._outbox.forget(label)
        self._notify()

    def _learn_id(self, label: Label) -> str | None:
        """Return the id of a score that may be there: it is written to learn it."""
        try:
            body = ScoreWrite.model_validate(label.body)
            score, _ = self._client.upsert_score_within(label.log_id, body, self._call())
            self._learn_scorer()
            return score.id
        except HTTPError as error:
            if _is_refusal(error):
                return None  # Then it was refused before, too.
            raise


def _key(label: Label) -> _Key:
    return label.log_id, label.evaluator


def _is_refusal(error: HTTPError) -> bool:
    """Whether the server will not take this score, now or later, while it may take others."""
    final = isinstance(error, _FINAL) or error.status == 429
    return 400 <= error.status < 500 and not (final or is_passing(error))


def body_of(score: Score, like: Mapping[str, Any], field: str) -> dict[str, Any] | None:
    """Return the body that writes a score as it is, for evaluator and log of another body.

    None when it can't be written: what an older version of the server kept may not fit.
    """
    kept = {name: v for name, v in like.items() if name not in (*VALUE_FIELDS, "explanation")}
    body = {**kept, field: getattr(score, field)}
    if score.explanation:
        body["explanation"] = score.explanation
    try:
        return ScoreWrite.model_validate(body).body()
    except ValueError:
        return None


def _field(body: Mapping[str, Any]) -> str:
    return next(name for name in VALUE_FIELDS if name in body)


def _batch(labels: Sequence[Label]) -> Batch:
    """Return labels, which were checked when they were entered, as a push takes them."""
    targets: dict[tuple[str, str], Target] = {}
    codes, values = [], []
    for label in labels:
        field = _field(label.body)
        evaluator = Evaluator(
            id=label.body.get("evaluator_id"),
            evaluator_slug=label.body.get("evaluator_slug"),
            score_value_type=TYPE_OF_FIELD[field],
        )
        key = (label.evaluator, field)
        targets.setdefault(key, Target(label.evaluator, lambda raw: raw, evaluator))
        codes.append(list(targets).index(key))
        values.append(label.body[field])
    context = {name: [label.body.get(name) for label in labels] for name in CONTEXT_COLUMNS}
    return Batch(
        pd.RangeIndex(len(labels)),
        [label.log_id for label in labels],
        list(targets.values()),
        codes,
        values,
        context,
    )


def wait_until(done: Callable[[], bool], timeout: float) -> bool:
    """Wait until something is so; return whether it came to be in time."""
    end = time.monotonic() + timeout
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
