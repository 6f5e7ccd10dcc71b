"""Carry out what a person wants of the log that the person saw, and of no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import methodcaller
from typing import Any, Final

from respan_notebook.errors import ConfigurationError, RespanError
from respan_notebook.labelling.screen import Screen
from respan_notebook.labelling.session import Session

_KNOWN: Final = frozenset(
    (
        *("draft", "save", "skip", "back", "undo", "redo", "go_to", "show_row", "show_only"),
        *("adopt", "send_again", "list_elsewhere", "look"),
    )
)


@dataclass(frozen=True)
class Intent:
    """Hold what a person wants, and all that it is about.

    Attributes
    ----------
    do : str
        ``"draft"``, ``"save"``, ``"skip"``, ``"back"``, ``"undo"``, ``"redo"``, ``"go_to"``,
        ``"show_row"``, ``"show_only"``, ``"adopt"``, ``"send_again"``, ``"list_elsewhere"``, or
        ``"look"``, which does nothing and is answered.
    turn : int
        The turn of the Screen that the person saw.
    log_id : str or None
        The log that the person saw.
    entries : mapping of str to (mapping or None)
        By evaluator: the entries that were changed, as :attr:`Entry.draft`.
    argument : str
        A log id or number, a row from 0, a filter, or whose labels.
    """

    do: str
    turn: int
    log_id: str | None
    entries: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    argument: str = ""


def carry_out(session: Session, intent: Intent) -> Screen:
    """Do what a person wants, unless it belongs to another turn; return the present Screen.

    Of an intent of another turn only the entries count: they are kept as drafts of their log.
    """
    with session.lock:
        if session.is_closed:
            return session.screen
        try:
            if (intent.turn, intent.log_id) != (session.turn, session.log_id):
                _keep_late(session, intent)
            else:
                _act(session, intent)
        except RespanError as error:
            text = str(error)
            session.act(lambda actions: actions.say(text, is_wrong=True))
        return session.screen


def _act(session: Session, intent: Intent) -> None:
    if intent.do not in _KNOWN:
        raise ConfigurationError(f"the annotator can't do {intent.do!r}")
    entries = {
        name: session.current.read(name, draft)
        for name, draft in intent.entries.items()
        if name in session.current.evaluators
    }
    if intent.do == "save":
        session.act(lambda actions: actions.save(entries))
        return
    session.act(lambda actions: actions.put(entries))
    match intent.do:
        case "skip" | "back" | "undo" | "redo" | "send_again" | "list_elsewhere":
            session.act(methodcaller(intent.do))
        case "show_row":
            session.act(methodcaller("go_to", int(intent.argument)))
        case "go_to" | "show_only" | "adopt":
            session.act(methodcaller(intent.do, intent.argument))


def _keep_late(session: Session, intent: Intent) -> None:
    for name, draft in intent.entries.items():
        if intent.log_id is None or draft is None or name not in session.current.evaluators:
            continue
        if intent.log_id != session.log_id:
            session.act(methodcaller("keep", intent.log_id, name, draft))
        elif session.current.entries[name].is_at_rest:
            session.act(methodcaller("put", {name: session.current.read(name, draft)}))
