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


class _Shared:
    """Hold an outbox and its sender, and call those annotators that are still there."""

    def __init__(self, outbox: Outbox, client: RespanClient, settings: SenderSettings) -> None:
        self.outbox, self.users = outbox, 0
        self.sender = Sender(outbox, client, settings=settings)


class OpenOutbox:
    """Hold the outbox and the sender of one annotator, which others in this process may share.

    Parameters
    ----------
    path : str or Path
        The file; ``~`` is the home folder.
    client : RespanClient
        Sends the labels; that of the annotator that opened the outbox first does.
    settings : SenderSettings
        Of the sender, if it is not there yet.

    Attributes
    ----------
    outbox : Outbox
        Has the labels.
    sender : Sender
        Sends them.

    Raises
    ------
    ConfigurationError
        Labels can't be stored in this file.
    """

    def __init__(
        self,
        path: str | Path,
        client: RespanClient,
        settings: SenderSettings = SenderSettings(),  # noqa: B008 - it is frozen.
    ) -> None:
        path = Path(path).expanduser().absolute()
        identity = (os.getpid(), str(path), client.base_url, client.fingerprint)
        self._identity, self._is_closed = identity, False
        with _LOCK:
            shared = _SHARED.get(identity)
            if shared is None:
                outbox = Outbox(path, client.base_url, client.fingerprint)
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
