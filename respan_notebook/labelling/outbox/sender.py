"""Send the queued labels of an outbox to Respan, in the background.

The thread lives while labels are queued; one process at a time sends for a person, so that no label
is sent twice and the latest version wins.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from filelock import FileLock, Timeout

from respan_notebook.client.client import RespanClient
from respan_notebook.errors import RespanError
from respan_notebook.labelling.outbox.accounts import lock_path
from respan_notebook.labelling.outbox.courier import Courier, Outcome
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.requests import Requests

_CLOSED: Final = "the annotator was closed"


@dataclass(frozen=True)
class SenderSettings:
    """Set the attempts and pauses of a sender; every time is in seconds.

    Attributes
    ----------
    attempts : int
        Requests per score and round, not counting those answered 429.
    first_pause, longest_pause : float
        The pause after a round that failed, which doubles, and the longest of all.
    halt, longest_halt : float
        The same after a round in which the server refused the key, or all logs alike.
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
    halt: float = 60.0
    longest_halt: float = 900.0
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
    changed : Callable, optional
        Called from the sender's thread, whenever a label or :attr:`status` changed.
    settings : SenderSettings
        Attempts and pauses.

    Attributes
    ----------
    status : str
        The reason why labels wait; empty while there is none.
    halted : bool
        Whether nothing is sent for a while, since the server refuses the key, or all logs alike.
    sends : bool
        Always True; see :class:`~respan_notebook.labelling.outbox.unsent.NoSender`.
    """

    sends = True

    def __init__(
        self,
        outbox: Outbox,
        client: RespanClient,
        changed: Callable[[], object] | None = None,
        settings: SenderSettings = SenderSettings(),
    ) -> None:
        self.status = ""
        self.halted = False
        self._changed = [changed] if changed else []
        self._settings = settings
        self._requests = Requests(client, settings.attempts, self._set_status)
        self._courier = Courier(
            outbox, self._requests, self._set_status, self._notify, lambda: self._more.set()
        )
        self._turn = FileLock(lock_path(outbox.path, client.base_url, client.fingerprint))
        self._more = threading.Event()
        self._resumed = threading.Event()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def adopted(self) -> int:
        """The number of other keys of the same owner whose labels this one has taken over."""
        return self._courier.adopted

    @property
    def busy(self) -> bool:
        """Return whether the thread sends, or waits to send again soon."""
        return self._thread is not None and not self.halted

    def subscribe(self, changed: Callable[[], object]) -> None:
        """Call this, too, whenever a label or :attr:`status` changed."""
        with self._lock:
            self._changed = [*self._changed, changed]

    def unsubscribe(self, changed: Callable[[], object]) -> None:
        """Call this no longer."""
        with self._lock:
            self._changed = [one for one in self._changed if one != changed]

    def kick(self, *, again: bool = False) -> None:
        """Start sending the queued labels, now.

        While the sender is halted they wait, unless ``again``: then the server is asked at once.
        """
        with self._lock:
            self._more.set()
            if again:
                self.halted = False
                self._resumed.set()
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._run, name="respan-sender", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the sending; queued labels stay in the outbox."""
        with self._lock:
            self._closed.set()
            self._more.set()
            self._resumed.set()
        self._requests.close(_CLOSED)
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(self._settings.grace)

    # -- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        settings = self._settings
        pause, halt = settings.first_pause, settings.halt
        while not self._is_over():
            self._closed.wait(settings.moment)
            self._more.clear()
            self._resumed.clear()
            if self._closed.is_set():  # Perhaps since before they were cleared.
                continue
            outcome = self._send()
            if outcome is Outcome.HALTED:
                self._halt(halt)
                halt = min(2 * halt, settings.longest_halt)
                continue
            halt = settings.halt
            if outcome is Outcome.WAITING:
                self._more.wait(pause)
                self._more.set()
                pause = min(2 * pause, settings.longest_pause)
            else:
                pause = settings.first_pause
        self._notify()

    def _is_over(self) -> bool:
        """Return whether nothing is left to send; then the thread ends."""
        with self._lock:
            if self._more.is_set() and not self._closed.is_set():
                return False
            self._requests.client.close()
            self._thread = None
            return True

    def _send(self) -> Outcome:
        try:
            return self._send_in_turn()
        except RespanError as error:
            self._set_status(str(error))
        except Exception as bug:  # noqa: BLE001 - a thread that dies would show nothing.
            self._set_status(f"{type(bug).__name__}: {bug}")
        return Outcome.WAITING

    def _halt(self, seconds: float) -> None:
        with self._lock:
            self.halted = not self._resumed.is_set()
        self._requests.client.close()
        self._notify()
        self._resumed.wait(seconds)
        with self._lock:
            self.halted = False
            self._more.set()

    def _send_in_turn(self) -> Outcome:
        """Send the queued labels when no other notebook does."""
        while not self._turn.is_locked:
            try:
                self._turn.acquire(timeout=self._settings.look)
            except Timeout:
                self._set_status("another notebook is sending")
                if self._closed.is_set():
                    return Outcome.WAITING
        try:
            return self._courier.deliver()
        finally:
            self._turn.release()

    def _set_status(self, status: str) -> None:
        if status != self.status:
            self.status = status
            self._notify()

    def _notify(self) -> None:
        for changed in self._changed:
            try:
                changed()
            except Exception as bug:  # noqa: BLE001 - a fault of the screen must not end the sending.
                self.status = f"{type(bug).__name__}: {bug}"


def wait_until(done: Callable[[], bool], timeout: float) -> bool:
    """Wait until a condition holds; return whether it did within ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
