"""Hold what an editor shows and what was entered in it.

Nothing is a score until the person made it one: unset, a previous score that is shown, ``0``,
``False`` and ``""`` are different things. An entry is frozen; each action returns another one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from respan_notebook.errors import InvalidValueError
from respan_notebook.labelling.current_scores import entered_value
from respan_notebook.models import Evaluator
from respan_notebook.values.encoding import encoder
from respan_notebook.values.types import value_type

UNSET, SET, INVALID, SHOWN, CLEARED = "unset", "set", "invalid", "shown", "cleared"
"""The states of an entry."""

Check = Callable[[Any], Any]
"""A raw value -> the value as it is sent, None for a missing one; InvalidValueError when it can't
be a score."""


class Typed(str):
    """A text that was typed; where a number is scored, it is read as one."""

    __slots__ = ()


def check_of(evaluator: Evaluator) -> Check:
    """Return the check of the values of an evaluator.

    Raises
    ------
    UnsupportedEvaluatorError
        Its type is unknown, or its bounds or choices can't be used.
    """
    encode, field = encoder(evaluator), value_type(evaluator).field

    def check(raw: Any) -> Any:
        if isinstance(raw, Typed):
            raw = read_number(raw) if field == "numerical_value" else str(raw)
        value = encode(raw)
        return None if value is None else entered_value({field: value}, evaluator)

    return check


def read_number(text: str) -> int | float | str:
    """Return the number that a text is, else the text."""
    stripped = text.strip()
    if re.fullmatch(r"[+-]?\d{1,30}", stripped):
        return int(stripped)
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", stripped, re.IGNORECASE):
        return float(stripped)
    return str(text)


@dataclass(frozen=True)
class Entry:
    """Hold the entry of one editor, for one log.

    Attributes
    ----------
    state : {"unset", "set", "invalid", "shown", "cleared"}
        Nothing was entered; a score was entered; what was entered is no score; the previous score
        is shown and nothing was entered; the previous score was cleared.
    value : object
        The score that was entered, as it is sent: float, bool, str (text, one choice, JSON text)
        or a list of str. None while there is none.
    explanation : str
        The reason behind the score; empty for none.
    previous : object
        The score that the log has already; None for none.
    previous_explanation : str
        The explanation of the previous score.
    source : str
        The place of the previous score, in words.
    error : str
        The reason why the entry is no score; empty when it is one.
    typed : str or None
        The text that is no score.
    refusal : str
        The reason why the server refused the previous score; empty when it did not.
    """

    state: str = UNSET
    value: Any = None
    explanation: str = ""
    previous: Any = None
    previous_explanation: str = ""
    source: str = ""
    error: str = ""
    typed: str | None = None
    refusal: str = ""

    # -- what the person does -------------------------------------------------------------------

    def enter(self, raw: Any, check: Check) -> Entry:
        """Return the entry after a raw value, which may be a score, nothing, or no score."""
        try:
            value = None if raw is None else check(raw)
        except InvalidValueError as error:
            return replace(
                self,
                state=INVALID,
                value=None,
                error=error.reason or str(error),
                typed=str(raw),
                refusal="",
            )
        nothing = UNSET if self.previous is None else CLEARED
        state = nothing if value is None else SET
        return replace(self, state=state, value=value, error="", typed=None, refusal="")

    def explain(self, explanation: str) -> Entry:
        """Return the entry with this explanation."""
        return replace(self, explanation=explanation)

    def clear(self) -> Entry:
        """Return the entry without score and explanation."""
        state = UNSET if self.previous is None else CLEARED
        return replace(
            self, state=state, value=None, explanation="", error="", typed=None, refusal=""
        )

    def accept(self, check: Check) -> Entry:
        """Return the entry with the previous score as the person's; without one, unchanged."""
        return self.enter(self.previous, check) if self.state == SHOWN else self

    # -- what is there --------------------------------------------------------------------------

    def with_previous(self, previous: Any, source: str) -> Entry:
        """Return the entry with a previous score that was found after it began."""
        if self.previous is not None:
            return self
        return replace(self, previous=previous, source=source)

    @property
    def is_changed(self) -> bool:
        """Tell whether saving would change anything."""
        if self.state == SHOWN:
            return self.explanation != self.previous_explanation
        return self.state != UNSET

    @property
    def is_at_rest(self) -> bool:
        """Tell whether nothing was entered."""
        return not self.is_changed and not (self.state == UNSET and self.explanation)

    # -- drafts ---------------------------------------------------------------------------------

    @property
    def draft(self) -> dict[str, Any] | None:
        """The entry as JSON, for :meth:`restore`; None when nothing was entered."""
        if self.is_at_rest:
            return None
        # A value and not the state of a widget: another version of the evaluator may lack it.
        return {
            "state": self.state,
            "value": self.value,
            "typed": self.typed,
            "explanation": self.explanation,
        }

    def restore(self, draft: Mapping[str, Any], check: Check) -> Entry:
        """Return the entry after a draft; one that is no score any more becomes invalid."""
        entry = replace(self, explanation=str(draft.get("explanation") or ""))
        match draft.get("state"):
            case "set":
                return entry.enter(draft.get("value"), check)
            case "invalid":
                typed = draft.get("typed")
                return entry if typed is None else entry.enter(Typed(typed), check)
            case "cleared":
                return entry.enter(None, check)
            case "accepted":  # The browser need not have its exact value.
                return entry.accept(check)
        return entry


def rest(
    previous: Any = None, explanation: str = "", *, source: str = "", refusal: str = ""
) -> Entry:
    """Return the entry that shows a previous score, or nothing; either way nothing was entered.

    Parameters
    ----------
    previous : object
        As :func:`respan_notebook.labelling.current_scores.entered_value` returns it; None for no
        score.
    explanation : str
        The explanation of the previous score.
    source : str
        The place of the previous score, in words.
    refusal : str
        The reason why the server refused it.
    """
    if previous is None:
        return Entry(source=source, refusal=refusal)
    return Entry(
        SHOWN,
        explanation=explanation,
        previous=previous,
        previous_explanation=explanation,
        source=source,
        refusal=refusal,
    )
