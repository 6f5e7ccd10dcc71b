"""Write what the browser draws as small JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import pandas as pd

from respan_notebook.labelling.entry import Entry
from respan_notebook.labelling.log_view.escape import visible
from respan_notebook.labelling.screen import Screen
from respan_notebook.models import Evaluator
from respan_notebook.wording import render_number

_DEFAULTS: Final = asdict(Entry())
_MOST_VALUES: Final = 8  # Of an evaluator, on the finish card.
_LONGEST: Final = 40
_LETTERS: Final = {
    "refused": "r",
    "draft": "d",
    "partly": "p",
    "scored": "s",
    "skipped": "k",
    "left": "l",
}


def entry_json(entry: Entry) -> dict[str, Any]:
    """Return the fields of an entry that are not as in an entry of nothing."""
    fields = {name: value for name, value in vars(entry).items() if value != _DEFAULTS[name]}
    return dict(as_wire(fields))


def screen_json(screen: Screen) -> dict[str, Any]:
    """Return what a screen says of its log, but the text, which is sent by itself."""
    return {
        "turn": screen.turn,
        "position": screen.log.position,
        "log_id": as_wire(screen.log.log_id),
        "problem": visible(screen.log.problem),
        "size": screen.size,
        "entries": [entry_json(entry) for entry in screen.entries.values()],
        "shown": screen.shown,
        "place": list(screen.place),
        "message": _message_json(screen),
    }


def status_json(screen: Screen) -> dict[str, Any]:
    """Return what a screen says of all logs and of the way to Respan, the marks as letters."""
    return {
        "counts": dict(screen.counts),
        "marks": "".join(_LETTERS[mark] for mark in screen.marks),
        "first_mark": screen.first_mark,
        "sync": as_wire(asdict(screen.sync)),
        "seconds_left": screen.seconds_left,
        "foreign": [[visible(one.who), one.queued] for one in screen.foreign],
        "elsewhere": screen.elsewhere,
    }


def _message_json(screen: Screen) -> dict[str, Any]:
    fields = dict(as_wire(asdict(screen.message)))
    names = list(screen.entries)
    name = screen.message.evaluator
    return {**fields, "evaluator": str(names.index(name)) if name in names else ""}


def finish_json(scores: pd.DataFrame, evaluators: Iterable[Evaluator]) -> list[Any]:
    """Return the distribution of each evaluator's scores: a title, and (value, count) by count."""
    found = []
    for evaluator in evaluators:
        name = "evaluator_id" if evaluator.id else "evaluator_slug"
        is_its = (scores[name] == evaluator.id_or_slug).tolist()
        values: list[Any] = scores.loc[is_its, "value"].tolist()
        counts = Counter[str](_said(value) for value in values)
        if counts:
            top = counts.most_common(_MOST_VALUES)
            others = counts.total() - sum(count for _, count in top)
            rows = [*top, *([("others", others)] if others else [])]
            found.append([visible(evaluator.display_name), [[visible(t), n] for t, n in rows]])
    return found


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, float):
        return render_number(value)
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def drafts_of(content: Any, count: int) -> dict[int, Mapping[str, Any] | None]:
    """Return the drafts that an intent carries, by the place of their editor, one of ``count``.

    Raises
    ------
    TypeError, ValueError
        The content is no intent.
    """
    if not isinstance(content, Mapping):
        raise TypeError("an intent is an object")
    found = {}
    entries = content.get("entries") or {}
    if not isinstance(entries, Mapping):
        raise TypeError("the entries of an intent are an object")
    for place, draft in entries.items():
        if int(place) not in range(count):
            raise ValueError(f"there is no editor {place}")
        if draft is not None and not isinstance(draft, Mapping):
            raise TypeError("a draft is an object")
        found[int(place)] = draft
    return found


def as_wire(value: Any) -> Any:
    """Return a value of the types of JSON with texts that can be sent: surrogates written out."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return visible(value)
        return value
    if isinstance(value, Mapping):
        return {as_wire(key): as_wire(one) for key, one in value.items()}
    return [as_wire(one) for one in value] if isinstance(value, Sequence) else value
