"""Share one outbox and one sender among the annotators of a process.

A cell that is run again opens the outbox again, and its former annotator stays with ipywidgets:
each with files and a thread of its own, they would use up what a process may have open.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final

from respan_notebook.client.client import RespanClient
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.labelling.outbox.sender import Sender, SenderSettings
from respan_notebook.labelling.outbox.unsent import NoSender


class _Shared:
    """Hold an outbox and its sender, and call those annotators that are still there."""

    def __init__(
        self, outbox: Outbox, client: RespanClient | None, settings: SenderSettings
    ) -> None:
        self.outbox, self.users = outbox, 0
        self.sender: Sender | NoSender = (
            NoSender() if client is None else Sender(outbox, client, settings=settings)
        )


class OpenOutbox:
    """Hold the outbox and the sender of one annotator, which others in this process may share.

    Parameters
    ----------
    path : str or Path
        The file; ``~`` is the home folder.
    client : RespanClient or None
        Sends the labels; that of the annotator that opened the outbox first does. None: they are
        stored, and never sent.
    settings : SenderSettings
        Of the sender, if it is not there yet.
    kept_as : str
        Without a client, the name of what the labels belong to; in the place of a server's.

    Attributes
    ----------
    outbox : Outbox
        Has the labels.
    sender : Sender or NoSender
        Sends them.

    Raises
    ------
    ConfigurationError
        Labels can't be stored in this file.
    """

    def __init__(
        self,
        path: str | Path,
        client: RespanClient | None,
        settings: SenderSettings = SenderSettings(),  # noqa: B008 - it is frozen.
        *,
        kept_as: str = "",
    ) -> None:
        path = Path(path).expanduser().absolute()
        server, person = (client.base_url, client.fingerprint) if client else (kept_as, "")
        identity = (os.getpid(), str(path), server, person)
        self._identity, self._is_closed = identity, False
        with _LOCK:
            shared = _SHARED.get(identity)
            if shared is None:
                outbox = Outbox(path, server, person)
                shared = _SHARED[identity] = _Shared(outbox, client, settings)
            shared.users += 1
        self._shared = shared
        self.outbox, self.sender = shared.outbox, shared.sender
        self._listeners: list[Callable[[], object]] = []

    def subscribe(self, changed: Callable[[], object]) -> None:
        """Call a function whenever a label or the sender's status changed, until :meth:`close`."""
        self._listeners.append(changed)
        self.sender.subscribe(changed)

    def close(self) -> None:
        """Close the outbox and end the sending, unless another annotator goes on with them."""
        for changed in self._listeners:
            self.sender.unsubscribe(changed)
        with _LOCK:
            if self._is_closed:
                return
            self._is_closed = True
            self._shared.users -= 1
            is_last = self._shared.users == 0
            if is_last:
                _SHARED.pop(self._identity, None)
        if is_last:
            self.sender.close()
            self.outbox.close()


_SHARED: Final[weakref.WeakValueDictionary[tuple[int, str, str, str], _Shared]] = (
    weakref.WeakValueDictionary()
)
_LOCK = threading.Lock()
