"""Show one log after the other, with an editor per evaluator.

A label is in the outbox before the screen moves on, and is sent to Respan in the background. All
widgets are built once; moving to another log only changes their values.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import ipywidgets as widgets
import pandas as pd

from respan_notebook.client.client import RespanClient
from respan_notebook.errors import ConfigurationError, FrameError
from respan_notebook.labelling.current_scores import CurrentScores, entered_value
from respan_notebook.labelling.log_view.log import log_html
from respan_notebook.labelling.outbox.label import REFUSED, WAITING, Label
from respan_notebook.labelling.outbox.outbox import Outbox, UnknownPreviousError
from respan_notebook.labelling.outbox.sender import Sender, SenderSettings, wait_until
from respan_notebook.labelling.prefetch import Prefetch
from respan_notebook.labelling.progress import Progress
from respan_notebook.labelling.queue import CHUNK, Queue
from respan_notebook.labelling.queue import SHOWN as FILTERS
from respan_notebook.labelling.static import STYLE
from respan_notebook.labelling.widgets.changes import change_of
from respan_notebook.labelling.widgets.editor import (
    SET,
    SHOWN,
    Editor,
    UnsupportedEditor,
    plain_editor,
)
from respan_notebook.labelling.widgets.keyboard import ACTIONS, Keyboard
from respan_notebook.labelling.widgets.screen import (
    action_button,
    close_all,
    help_html,
    status_html,
)
from respan_notebook.models import Evaluator, Score

Self = TypeVar("Self", bound="Annotator")
P = ParamSpec("P")
_IN_BACKGROUND: Final = ("_changed_behind", "_found")


def _exclusive(
    method: Callable[Concatenate[Self, P], None],
) -> Callable[Concatenate[Self, P], None]:
    """Let one thread at a time change the screen, and show errors of the disk."""

    @wraps(method)
    def locked(self: Self, /, *args: P.args, **kwargs: P.kwargs) -> None:
        with self._lock:
            if self._closed and method.__name__ in _IN_BACKGROUND:
                return
            self._check_open()
            try:
                method(self, *args, **kwargs)
            except sqlite3.Error as error:
                self._say(f"{self._outbox.path} can't be used: {error}", wrong=True)

    return locked


class Annotator(widgets.VBox):
    """Show logs one by one and take their scores; made by ``df.respan.annotate(...)``.

    Every action of the person can be done from Python as well: ``editors["tone"].value =
    "friendly"``, ``save()`` or ``save_button.click()``.

    Parameters
    ----------
    queue : Queue
        The logs.
    evaluators : sequence of Evaluator
        The evaluators, with one editor each.
    client : RespanClient
        Sends the scores.
    outbox : Outbox
        Stores the labels.
    show : sequence of column names, optional
        The columns of a log to show, in this order; else all.

    Attributes
    ----------
    editors : dict of str to Editor
        By slug, else id; by id also where several evaluators have one slug.
    save_button, skip_button, back_button, undo_button : Button
        The actions.
    position : int
        The row that is shown, from 0.
    first_look : float
        Class attribute: the seconds that opening waits for the look-up of scores in Respan.
    sender_settings : SenderSettings
        Class attribute: attempts and pauses of the background sender.
    """

    first_look = 1.0
    sender_settings = SenderSettings()

    def __init__(
        self,
        queue: Queue,
        evaluators: Sequence[Evaluator],
        client: RespanClient,
        outbox: Outbox,
        *,
        show: Sequence[Hashable] | None = None,
    ) -> None:
        self._lock = threading.RLock()
        self._closed = False
        self._queue = queue
        self._client, self._outbox, self._columns = client, outbox, show
        self._sender = Sender(outbox, client, self._changed_behind, self.sender_settings)
        self._prefetch = Prefetch(
            client,
            [one for one in evaluators if one.id_or_slug],
            self._found,
            self._changed_behind,
        )
        self._enqueued: set[int] = set()  # Chunks of rows.
        self._current_scores = CurrentScores(evaluators, client, outbox)
        known = {one.id_or_slug: one for one in evaluators}
        self._progress = Progress(queue, known, outbox, self._current_scores)
        self._last_scores = self._progress.no_scores()
        self._restored: dict[str, Any] = {}  # Drafts of the log, read when it was shown.
        self._showing = False
        self._turn = 0
        self._message = ("", False)
        self._build(evaluators)
        self._open()

    def __repr__(self) -> str:
        scored = int(self._queue.scored.sum())
        return f"Annotator(log {self.position + 1} of {len(self._queue)}, {scored} scored)"

    # -- the screen -----------------------------------------------------------------------------

    def _build(self, evaluators: Sequence[Evaluator]) -> None:
        slugs = Counter(one.slug_or_id for one in evaluators)
        self.editors: dict[str, Editor] = {
            one.slug_or_id if slugs[one.slug_or_id] == 1 else one.id_or_slug: plain_editor(one)
            for one in evaluators
        }
        self._by_identity = {e.evaluator.id_or_slug: e for e in self.editors.values()}
        self._log, self._status = widgets.HTML(), widgets.HTML()
        self._log.add_class("rn-side")
        self._status.add_class("rn-status")
        side = widgets.VBox(list(self.editors.values()))
        side.add_class("rn-editors")
        body = widgets.HBox([self._log, side])
        body.add_class("rn-body")
        keyboard = Keyboard(
            hotkeys=["".join(editor.hotkeys) for editor in self.editors.values()],
            controls=[
                box.model_id or "" for editor in self.editors.values() for box in editor.inputs
            ],
        )
        keyboard.on_msg(self._pressed)
        for editor in self.editors.values():
            editor.lock = self._lock
            editor.observe(self._entered, "entries")
        help_ = widgets.HTML(help_html(self.editors.values()))
        help_.add_class("rn-help")
        super().__init__(
            [widgets.HTML(STYLE), self._navigation(), self._status, body, help_, keyboard]
        )
        self.add_class("rn-annotator")

    def _navigation(self) -> widgets.HBox:
        self.back_button = action_button("‹ Back", "b", "back", self.back)
        self.skip_button = action_button("Skip ›", "s", "skip", self.skip)
        self.undo_button = action_button("Undo", "u", "undo", self.undo)
        self.save_button = action_button("Save & next", "Enter", "save", self.save)
        self.save_button.button_style = "primary"
        self._filter = widgets.Dropdown(
            options=[(f"show {name}", name) for name in FILTERS], value="all", description="Show"
        )
        self._filter.observe(lambda change: self._filtered(change["new"]), "value")
        self._jump = widgets.Text(
            placeholder="go to: number or id", description="Go to", continuous_update=False
        )
        self._jump.observe(lambda change: self._jumped(change["new"]), "value")
        buttons = [self.back_button, self.skip_button, self.undo_button, self.save_button]
        bar = widgets.HBox([*buttons, self._filter, self._jump])
        bar.add_class("rn-nav")
        return bar

    def _display(self) -> None:
        """Show the row at the position of the queue."""
        self._turn += 1
        self._log.value = log_html(self._queue.cells(), self._columns)
        try:
            self._restored = self._drafts()
            if self._queue.log_id_or_none is not None:
                self._progress.mark_shown(self._queue.log_id)
            self._display_editors(anew=True)
        except BaseException:
            for editor in self.editors.values():
                editor.show()  # No entry of another log may stay.
            raise
        self._look_up_around()

    def _display_editors(self, *, anew: bool) -> None:
        """Show the current scores and the drafts of the log; entries stay unless ``anew``."""
        self._showing = True
        try:
            labels = self._labels()
            for name, editor in self._by_identity.items():
                stays = not anew and not editor.at_rest
                self._show_previous(editor, labels.get(name), stays=stays)
                # A draft that another notebook has stored since is not shown.
                if name in self._restored and not stays:
                    editor.restore(self._restored[name])
        finally:
            self._showing = False
        self._draw_status()

    def _show_previous(self, editor: Editor, label: Label | None, *, stays: bool) -> None:
        log_id = self._queue.log_id_or_none or ""
        fields, source = self._current_scores.fields(log_id, editor.evaluator, label)
        previous = entered_value(fields or {}, editor.evaluator)
        if stays:
            editor.set_previous(previous, source)
            return
        explanation = (fields or {}).get("explanation") or ""
        refusal = label.reason if label is not None and label.state == REFUSED else None
        editor.show(previous, explanation, source=source, refusal=refusal or "")

    def _draw_status(self) -> None:
        progress: dict[str, int] = {}
        with contextlib.suppress(sqlite3.Error):  # The message has the error of the outbox.
            progress = self.progress
        message, wrong = self._message
        self._status.value = status_html(
            f"Log {self.position + 1} of {len(self._queue)}",
            self._turn,
            progress,
            message=message,
            wrong=wrong,
            status=self._waiting_reason(),
        )

    def _waiting_reason(self) -> str:
        if self._sender.halted:
            return (
                f"Nothing is sent: {self._sender.status}. Your labels are kept; open the "
                "annotator again with a key that works, and they go out."
            )
        if self._sender.status:
            return f"Labels wait: {self._sender.status}. They are kept, and sent when it works."
        if self._prefetch.wait:
            return f"What Respan has already is not read yet: {self._prefetch.wait}"
        if self._prefetch.status:
            return f"What Respan has already could not be read: {self._prefetch.status}"
        return ""

    def _say(self, message: str, *, wrong: bool = False) -> None:
        """Show a message, until the next one."""
        self._turn += 1
        self._message = (message, wrong)
        self._draw_status()

    # -- progress -------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """The row that is shown, from 0."""
        return self._queue.position

    @property
    def progress(self) -> dict[str, int]:
        """The number of logs that are ``scored``, ``skipped`` and ``left``, and of labels by state.

        ``saved`` (in Respan) and ``refused`` count the labels of these logs, ``on_their_way`` all
        queued labels of the outbox.
        """
        self._check_open()
        return self._progress.counts()

    @property
    def scores(self) -> pd.DataFrame:
        """The labels of these logs, entered here or in an earlier session, a row each.

        Columns, all object: ``log_id``, ``evaluator_id``, ``evaluator_slug``, ``value`` (float,
        bool, str or list of str; JSON as text), ``explanation``, ``state`` ("saved" in Respan,
        "on its way", "refused") and ``reason`` (of a refusal); RangeIndex, in the order of the
        logs and of the editors. A cell without a value is None. ``push_scores`` takes this frame.
        """
        if self._closed:
            return self._last_scores.copy()
        return self._progress.scores()

    def wait(self, timeout: float = 30.0) -> bool:
        """Wait until all labels are delivered or refused, and no look-up is in flight.

        Parameters
        ----------
        timeout : float
            Seconds.

        Returns
        -------
        bool
            Whether no label is queued any more.
        """
        self._check_open()
        self._sender.kick()
        wait_until(self._is_done, timeout)
        return self._is_done() and not self._outbox.waiting()

    def _is_done(self) -> bool:
        """Return whether nothing is sent or looked up any more."""
        if self._sender.busy or self._prefetch.busy:
            return False
        return self._sender.halted or not self._outbox.waiting()

    def _check_open(self) -> None:
        if self._closed:
            raise ConfigurationError("this annotator is closed; open one with annotate(...)")

    def _open(self) -> None:
        self._outbox.accounts.adopt()
        self._progress.mark_labelled()
        self._go_to_first_unscored()
        elsewhere = self._outbox.accounts.waiting_elsewhere()
        if elsewhere:
            self._message = (
                f"{elsewhere} scores entered with another key wait in {self._outbox.path}. If that "
                "key is yours, too, they go out after your first save; else when its owner opens "
                "the annotator.",
                False,
            )
        self._display()
        self._sender.kick()

    def _go_to_first_unscored(self) -> None:
        """Go to the first log without a score, within ``first_look`` seconds.

        Later on the position never moves by itself: an entry would land on another log.
        """
        deadline = time.monotonic() + self.first_look
        while (position := self._queue.first_unscored()) is not None:
            self._queue.position = position
            if self._queue.log_id_or_none in (None, *self._current_scores.log_ids):
                return
            self._look_up_around()
            wait_until(lambda: not self._prefetch.busy, deadline - time.monotonic())
            if time.monotonic() > deadline or self._prefetch.status or self._prefetch.by_log:
                return
        self._queue.position = 0

    # -- actions --------------------------------------------------------------------------------

    @_exclusive
    def save(self) -> None:
        """Store the entries, and go to the next log; a message says when that is not possible."""
        try:
            log_id = self._queue.log_id
            labels, current = self._labels(), self._current_scores
            changes = [
                change
                for name, editor in self._by_identity.items()
                if (change := change_of(editor, labels.get(name), self._queue, current))
            ]
        except ValueError as error:
            self._say(f"Nothing was saved. {error}", wrong=True)
            return
        if not changes and not any(e.state in (SHOWN, SET) for e in self.editors.values()):
            self._say("Nothing is scored yet. Score something, or skip this log.", wrong=True)
            return
        able = [n for n, one in self._by_identity.items() if not isinstance(one, UnsupportedEditor)]
        self._outbox.save(log_id, changes, able)
        if changes:
            self._current_scores.mark_changed(log_id, [change.evaluator for change in changes])
            self._progress.mark(log_id)
        self._go_on("Saved." if changes else "Nothing was changed.")
        self._sender.kick()

    @_exclusive
    def skip(self) -> None:
        """Go to the next log; entries stay with this one as drafts."""
        if not self._queue.scored[self.position]:
            self._queue.skipped[self.position] = True
        self._go_on("Skipped.")

    @_exclusive
    def back(self) -> None:
        """Go to the previous log; entries stay with this one as drafts."""
        if not self._queue.move(-1):
            self._say("This is the first log.")
            return
        self._message = ("", False)
        self._display()

    @_exclusive
    def undo(self) -> None:
        """Restore the previous scores of the last save, here and in Respan, and show that log."""
        try:
            undone = self._outbox.undo(self._queue.rows, self._by_identity)
        except UnknownPreviousError as error:
            why = (
                " yet: it is on its way."
                if error.state == WAITING
                else ": what was there before it could not be read."
            )
            self._say(f"The last save can't be undone{why}", wrong=True)
            return
        if undone is None:
            self._say("There is nothing to undo.")
            return
        log_id, changed = undone
        self._current_scores.mark_changed(log_id, changed)
        self._progress.mark(log_id)
        self._queue.position = self._queue.rows[log_id][0]
        self._message = (f"The last save of log {log_id} is undone.", False)
        self._display()
        self._sender.kick()

    @_exclusive
    def go_to(self, row: int | str) -> None:
        """Show a row: by its position, from 0, or by a log id; text also by its number, from 1.

        Raises
        ------
        FrameError
            There is no such row.
        """
        found = self._queue.find(row) if isinstance(row, str) else row
        if found is None or not 0 <= found < len(self._queue):
            last = len(self._queue)
            range_ = f"1 to {last}" if isinstance(row, str) else f"0 to {last - 1}"
            raise FrameError(f"there is no log {row!r}; rows are {range_}, or the id of a log")
        self._queue.position = found
        self._message = ("", False)
        self._display()

    @_exclusive
    def show_only(self, which: str) -> None:
        """Go through ``"all"`` rows, the ``"unscored"`` ones, or the ``"refused"`` ones.

        Raises
        ------
        ConfigurationError
            ``which`` is anything else.
        """
        if which not in FILTERS:
            raise ConfigurationError(f"show one of {FILTERS}, not {which!r}")
        start, self._queue.shown = self.position, which
        if which == "all":
            self._say("")
        else:
            self._queue.position = -1
            if self._queue.move(1):
                self._message = ("", False)
                self._display()
            else:
                self._queue.position, self._queue.shown = start, "all"
                self._say(f"No log is {which}.")
        self._filter.value = self._queue.shown

    def _filtered(self, which: str) -> None:
        if which != self._queue.shown:
            self.show_only(which)

    def _go_on(self, message: str) -> None:
        if self._queue.move(1):
            self._message = (message, False)
        else:
            left = self.progress["left"] + self.progress["skipped"]
            more = f"{left} have no score yet." if left else "All are scored."
            self._message = (f"{message} This was the last log. {more}", False)
        self._display()

    def _jumped(self, text: str) -> None:
        if not text.strip():
            return
        self._jump.value = ""
        try:
            self.go_to(text.strip())
        except FrameError as error:
            self._say(str(error), wrong=True)

    def _pressed(self, _widget: object, content: Mapping[str, Any], _buffers: object) -> None:
        """Do an action of the key layer, unless it was meant for an earlier screen."""
        if content.get("turn") != self._turn:
            return
        try:
            self._do(content)
        except BaseException as error:  # Any error is shown: the browser waits for an answer.
            self._say(f"{type(error).__name__}: {error}", wrong=True)
            if not isinstance(error, Exception):
                raise

    def _do(self, content: Mapping[str, Any]) -> None:
        action, place = content.get("do"), content.get("editor")
        if action in ("save", *ACTIONS.values()):
            getattr(self, str(action))()
        elif isinstance(place, int) and 0 <= place < len(self.editors):
            self._edit(list(self.editors.values())[place], content)

    @_exclusive
    def _edit(self, editor: Editor, content: Mapping[str, Any]) -> None:
        match content.get("do"):
            case "press":
                editor.press(str(content.get("key")))
            case "step":
                editor.step(1 if content.get("by") == 1 else -1)
            case "accept":
                editor.accept()
            case "clear":
                editor.clear()

    @_exclusive
    def _entered(self, change: Any) -> None:
        """Store an entry as a draft, so that it outlives the kernel."""
        if self._showing:
            return
        log_id = self._queue.log_id_or_none
        if log_id is None:
            return  # Saving will say why.
        editor = change["owner"]
        name = editor.evaluator.id_or_slug
        self._restored.pop(name, None)
        self._outbox.store_draft(log_id, name, editor.draft)

    # -- look-ups -------------------------------------------------------------------------------

    def _labels(self) -> dict[str, Label]:
        log_id = self._queue.log_id_or_none
        return {} if log_id is None else self._progress.labels(log_id)

    def _drafts(self) -> dict[str, Any]:
        log_id = self._queue.log_id_or_none
        return {} if log_id is None else self._outbox.drafts(log_id)

    @_exclusive
    def _changed_behind(self) -> None:
        self._progress.refresh(self._sender.adopted)
        self._display_editors(anew=False)

    def _look_up_around(self) -> None:
        """Enqueue look-ups of the logs near the position, unless they were enqueued."""
        if self._prefetch.by_log:
            log_id = self._queue.log_id_or_none
            if log_id is not None:
                self._prefetch.enqueue([log_id])
            return
        ahead = min(self.position + CHUNK // 4, len(self._queue) - 1)
        for position in (ahead, self.position):
            number = position // CHUNK
            if number not in self._enqueued:
                self._enqueued.add(number)
                self._prefetch.enqueue(self._queue.chunk(position))

    @_exclusive
    def _found(self, log_ids: Sequence[str], scores: Sequence[Score], began: int) -> None:
        """Store the scores of a look-up, and show them where nothing was entered yet."""
        self._current_scores.store_found(log_ids, scores, began)
        self._progress.mark_found({*log_ids, *(score.log_id or "" for score in scores)})
        if not log_ids:
            self._enqueued.clear()  # It failed; the next log enqueues it again.
            if self._prefetch.by_log and not self._prefetch.status:
                self._look_up_around()
        self._display_editors(anew=False)

    def close(self) -> None:
        """Close the widgets and end the threads; queued labels stay in the outbox."""
        if sys.is_finalizing():
            return  # Python ends: so do threads and files.
        with self._lock:
            if self._closed:
                return
            with contextlib.suppress(sqlite3.Error):
                self._last_scores = self.scores
            self._closed = True
        self._sender.close()
        self._prefetch.close()
        self._outbox.close()
        close_all(self)
