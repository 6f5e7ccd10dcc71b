"""Hold what a session shows at one moment; whatever draws it needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from respan_notebook.labelling.entry import Entry
from respan_notebook.labelling.outbox.accounts import Foreign

REFUSED, DRAFT, PARTLY, SCORED, SKIPPED, LEFT = (
    *("refused", "draft", "partly", "scored", "skipped", "left"),
)
"""The marks of a log; the earlier one counts."""


@dataclass(frozen=True)
class ShownLog:
    """Hold a log as it is on screen.

    Attributes
    ----------
    position : int
        Its row, from 0.
    log_id : str or None
        None when it has none that can be sent.
    html : str
        The log, rendered; nothing in it runs or loads.
    problem : str
        The reason why it can't be scored; empty when it can.
    """

    position: int
    log_id: str | None
    html: str
    problem: str = ""


@dataclass(frozen=True)
class Message:
    """Hold what a session says of the last action.

    Attributes
    ----------
    text : str
        One or two sentences; empty for none.
    is_wrong : bool
        Whether the action failed.
    offer : {"", "undo", "redo"}
        The action that takes it back.
    evaluator : str
        The evaluator whose entry is at fault, as in :attr:`Screen.entries`; empty for none.
    is_end : bool
        Whether there is no further log to go to.
    """

    text: str = ""
    is_wrong: bool = False
    offer: str = ""
    evaluator: str = ""
    is_end: bool = False


@dataclass(frozen=True)
class Sync:
    """Hold how far the labels are on their way to Respan.

    Attributes
    ----------
    state : {"done", "sending", "waiting", "halted", "kept"}
        All are delivered or refused; some are on their way; they wait for the server or another
        notebook; nothing is sent for a while, since the server refuses the key, or all logs alike;
        these labels are never sent.
    reason : str
        The reason of a wait; also that why scores in Respan could not be read.
    """

    state: str = "done"
    reason: str = ""


@dataclass(frozen=True)
class Screen:
    """Hold all that is shown at one moment.

    Attributes
    ----------
    turn : int
        Grows whenever a log is shown anew; an intent names the turn that it belongs to.
    log : ShownLog
        The log on screen.
    size : int
        The number of rows.
    entries : mapping of str to Entry
        One per evaluator, by id, else by slug; in the order of the evaluators.
    counts : mapping of str to int
        As :attr:`Annotator.progress`.
    marks : tuple of str
        The marks of the rows around the position.
    first_mark : int
        The row of the first of them.
    shown : {"all", "unscored", "refused"}
        The rows that moving stops at.
    place : tuple of int
        The number of the log among these rows, from 1 (0 when it is none of them), and theirs.
    message : Message
        What is said of the last action.
    sync : Sync
        How far the labels are on their way.
    seconds_left : float or None
        The time that the logs that are left take at the present pace; None while that is unknown.
    foreign : tuple of Foreign
        Whose labels wait in the outbox beside one's own.
    elsewhere : int
        Refused scores of logs or evaluators that are not in this annotator.
    """

    turn: int
    log: ShownLog
    size: int
    entries: Mapping[str, Entry]
    counts: Mapping[str, int]
    marks: tuple[str, ...]
    first_mark: int
    shown: str
    place: tuple[int, int]
    message: Message
    sync: Sync
    seconds_left: float | None
    foreign: tuple[Foreign, ...]
    elsewhere: int

    def as_json(self) -> dict[str, Any]:
        """Return the screen in the types of JSON."""
        return asdict(self)
