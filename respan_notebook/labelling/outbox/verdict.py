"""Decide what an answer means for the label that was sent, and for those that are not sent yet."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Final

from respan_notebook.errors import AuthenticationError, HTTPError, RespanError
from respan_notebook.labelling.outbox.label import Label

_REFUSALS: Final = frozenset({400, 410, 413, 414, 422, 431})
"""The statuses by which the server refuses this score for good, while it may take others."""
_ALIKE: Final = 2  # Logs that are answered alike, from which on the logs are not the cause.


class Verdict(Enum):
    """Say what becomes of a label that was not delivered.

    ``REFUSED``: the server does not take this label. ``SUSPECT``: it refuses the label, unless it
    answers other logs alike. ``WAITING``: the label is sent again later. ``HALTED``: so are all.
    """

    REFUSED = "refused"
    SUSPECT = "suspect"
    WAITING = "waiting"
    HALTED = "halted"


def judge(error: RespanError | None, *, has_arrived: bool) -> Verdict:
    """Return what an error means for the label that was sent; None is no answer.

    ``has_arrived`` says whether this key has delivered a label to this server before.
    """
    if isinstance(error, AuthenticationError):
        return Verdict.HALTED
    if not isinstance(error, HTTPError):
        return Verdict.WAITING
    if error.status in _REFUSALS:
        return Verdict.REFUSED
    if 300 <= error.status < 400 or error.status == 403:
        return Verdict.SUSPECT
    if error.status == 404 and error.is_documented:
        return Verdict.REFUSED if has_arrived else Verdict.SUSPECT
    return Verdict.WAITING  # A gateway's perhaps, such as 404 in HTML, 405, 421, 423, 425 and 451.


class Suspects:
    """Hold labels that were refused in a way in which all labels may be refused.

    A label that arrives clears the suspicion. When the labels of several logs are answered alike
    and none arrives, they are queued again, and sending halts.
    """

    def __init__(self) -> None:
        self._alike: dict[tuple[int, str], dict[tuple[str, str], Label]] = {}

    def clear(self) -> None:
        """Take all of them for refused, since another label arrived."""
        self._alike.clear()

    def add(self, refused: Iterable[tuple[Label, HTTPError]]) -> list[Label]:
        """Add labels; return those that are to be queued again since several logs are alike."""
        for label, error in refused:
            alike = self._alike.setdefault(_likeness(label, error), {})
            alike[label.log_id, label.evaluator] = label
        return [
            label
            for alike in self._alike.values()
            if len({log_id for log_id, _ in alike}) >= _ALIKE
            for label in alike.values()
        ]


def _likeness(label: Label, error: HTTPError) -> tuple[int, str]:
    """Return what two answers have in common when the log is not the cause."""
    if error.status < 400:
        return error.status, ""  # A redirect names the path.
    log_id = re.escape(label.log_id)
    return error.status, re.sub(rf"(?<!\w){log_id}(?!\w)", "", error.detail)
