"""Do what a person does while labelling, without a widget: intents go in, a Screen comes out.

A label is in the outbox before the screen moves on, and is sent to Respan in the background. One
lock is held by whatever changes a session, be it the person or a background thread.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import pandas as pd

from respan_notebook.client.client import RespanClient
from respan_notebook.errors import ConfigurationError, OutboxError
from respan_notebook.labelling.actions import Actions
from respan_notebook.labelling.current_log import CurrentLog
from respan_notebook.labelling.current_scores import CurrentScores
from respan_notebook.labelling.display import Display, Render
from respan_notebook.labelling.nearby import Nearby
from respan_notebook.labelling.outbox.accounts import Foreign
from respan_notebook.labelling.outbox.label import Label
from respan_notebook.labelling.outbox.sender import wait_until
from respan_notebook.labelling.outbox.shared import OpenOutbox
from respan_notebook.labelling.outbox.unsent import NoPrefetch
from respan_notebook.labelling.prefetch import Prefetch
from respan_notebook.labelling.progress import Progress, choose_required
from respan_notebook.labelling.queue import Queue
from respan_notebook.labelling.screen import Screen, ShownLog
from respan_notebook.models import Evaluator, Score

T = TypeVar("T")


class Session:
    """Take the scores of the rows of a queue.

    Parameters
    ----------
    queue : Queue
        The logs.
    evaluators : sequence of Evaluator
        What they are scored by.
    client : RespanClient or None
        Looks up the scores in Respan. None: the labels are stored, and have nothing to do with it.
    opened : OpenOutbox
        Stores the labels, and sends them.
    render : Callable
        Renders a log.
    required : collection of str, optional
        The evaluators that a log must have scores of to count as scored, by id, else slug; by
        default all but text, comment and json.
    first_look : float
        Seconds that opening waits for the look-up of scores in Respan.
    notice : str
        What is to be said at the beginning.

    Attributes
    ----------
    lock : RLock
        Held while the session changes.
    current : CurrentLog
        The entries of the log on screen.
    required : frozenset of str
        The evaluators that a log must have scores of to count as scored, by id, else slug.
    """

    def __init__(
        self,
        queue: Queue,
        evaluators: Sequence[Evaluator],
        client: RespanClient | None,
        opened: OpenOutbox,
        render: Render,
        *,
        required: Collection[str] | None = None,
        first_look: float = 1.0,
        notice: str = "",
    ) -> None:
        self.lock = threading.RLock()
        self._closed = False
        self._queue, self._opened = queue, opened
        outbox, sender = opened.outbox, opened.sender
        self._outbox, self._sender = outbox, sender
        self._listeners: list[Callable[[], object]] = []
        self._current_scores = CurrentScores(evaluators, client, outbox)
        self.current = CurrentLog(queue, evaluators, outbox, self._current_scores)
        self.required = frozenset(choose_required(evaluators) if required is None else required)
        self._progress = Progress(
            queue,
            self.current.evaluators,
            self.required,
            outbox,
            self._current_scores,
        )
        named = [one for one in evaluators if one.id_or_slug]
        self._prefetch = prefetch = (
            NoPrefetch()
            if client is None
            else Prefetch(client, named, self._found, self._changed_behind, lambda: outbox.order)
        )
        self._nearby = Nearby(queue, prefetch)
        self._display = Display(queue, self.current, self._progress, sender, prefetch, render)
        self._actions = Actions(
            queue, self.current, self._progress, self._display, self._nearby, outbox, sender
        )
        self._last_scores = self._progress.no_scores()
        self._open(first_look, notice)

    def _open(self, first_look: float, notice: str) -> None:
        self._outbox.accounts.adopt_own()
        self._progress.mark_stored()
        self._nearby.go_to_first_unscored(
            lambda log_id: not self._sender.sends or log_id in self._current_scores.log_ids,
            first_look,
        )
        self._display.foreign = tuple(self._outbox.accounts.foreign())
        if self._display.foreign:
            names = ", ".join(f"{one.queued} of {one.who}" for one in self._display.foreign)
            waiting = (
                f"Scores entered with other keys wait in {self._outbox.path}: {names}. They go out "
                "when their owners open the annotator; if they are yours, adopt() sends them."
            )
            notice = f"{notice} {waiting}".strip()
        self._actions.show(notice)
        self._opened.subscribe(self._changed_behind)
        self._sender.kick(again=True)

    def __len__(self) -> int:
        return len(self._queue)

    def check_open(self) -> None:
        """Raise ConfigurationError when the session is closed."""
        if self._closed:
            raise ConfigurationError("this annotator is closed; open one with annotate(...)")

    def subscribe(self, changed: Callable[[], object]) -> None:
        """Call this, from a background thread, whenever something but the person changed it."""
        self._listeners.append(changed)

    @property
    def is_closed(self) -> bool:
        """Tell whether :meth:`close` was called."""
        return self._closed

    @property
    def turn(self) -> int:
        """The number that grows whenever a log is shown anew."""
        return self._display.turn

    @property
    def log_id(self) -> str | None:
        """The log on screen; None when it can't be scored."""
        return self._queue.log_id_or_none

    @property
    def screen(self) -> Screen:
        """The Screen of this moment."""
        with self.lock:
            return self._display.screen()

    def around(self) -> list[ShownLog]:
        """Return the previous log and the next two, which can be shown before the answer comes."""
        with self.lock:
            return self._display.around()

    def act(self, action: Callable[[Actions], T]) -> T | None:
        """Do an action of the person, as the only thread, and return its result.

        An error of the disk is said, and None returned.

        Raises
        ------
        ConfigurationError
            The session is closed.
        """
        with self.lock:
            self.check_open()
            try:
                return action(self._actions)
            except OutboxError as error:
                self._actions.say(str(error), is_wrong=True)
                return None

    # -- in the background ----------------------------------------------------------------------

    def _changed_behind(self) -> None:
        with self.lock:
            if self._closed:
                return
            with contextlib.suppress(OutboxError):  # The next action of the person says it.
                self._progress.refresh(self._sender.adopted)
                self.current.refresh()
        self._notify()

    def _found(self, log_ids: Sequence[str], scores: Sequence[Score], began: int) -> None:
        """Store the scores of a look-up, and show them where nothing was entered yet."""
        with self.lock:
            if self._closed:
                return
            with contextlib.suppress(OutboxError):
                self._current_scores.store_found(log_ids, scores, began)
                self._progress.mark_found({*log_ids, *(score.log_id or "" for score in scores)})
                if not log_ids:
                    self._nearby.fail()
                self.current.refresh()
        self._notify()

    def _notify(self) -> None:
        for changed in self._listeners:
            changed()

    # -- what Python asks -----------------------------------------------------------------------

    @property
    def position(self) -> int:
        """The row that is shown, from 0."""
        return self._queue.position

    @property
    def progress(self) -> dict[str, int]:
        """The counts; see :attr:`Annotator.progress`."""
        with self.lock:
            self.check_open()
            self._progress.count()
            return self._progress.counts()

    @property
    def scores(self) -> pd.DataFrame:
        """The labels of these logs; see :attr:`Annotator.scores`."""
        with self.lock:
            return self._last_scores.copy() if self._closed else self._progress.scores()

    @property
    def labels(self) -> list[Label]:
        """All labels of the outbox, those of other frames as well."""
        with self.lock:
            self.check_open()
            return self._outbox.labels()

    @property
    def pace(self) -> pd.DataFrame:
        """A row per log that was saved or skipped; see :attr:`Annotator.pace`."""
        with self.lock:
            return self._display.pace.frame()

    @property
    def foreign(self) -> list[Foreign]:
        """Whose labels wait in this outbox; see :attr:`Annotator.foreign`."""
        self.check_open()
        return self._outbox.accounts.foreign()

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is sent or looked up any more; return whether no label is queued."""
        self.check_open()
        self._sender.kick(again=True)
        wait_until(self._is_done, timeout)
        return self._is_done() and not self._queued()

    def _is_done(self) -> bool:
        if self._sender.busy or self._prefetch.busy:
            return False
        return self._sender.halted or not self._queued()

    def _queued(self) -> int:
        return self._outbox.counts().queued if self._sender.sends else 0

    def close(self) -> None:
        """End the threads; queued labels stay in the outbox."""
        with self.lock:
            if self._closed:
                return
            with contextlib.suppress(OutboxError):
                self._last_scores = self._progress.scores()
            self._closed = True
        self._opened.close()
        self._prefetch.close()
        self._queue.close()
