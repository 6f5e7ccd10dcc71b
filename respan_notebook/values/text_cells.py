"""Parse values that stand in a cell as text, as a CSV file has them.

A ``parse_*`` function takes an evaluator and a text, and returns the value that its check takes, or
None for any other text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from respan_notebook.models import Evaluator
from respan_notebook.values.checks import Check, RefusedError, choice_names, parse_json_list

Parse = Callable[[Evaluator, str], Any]
"""Evaluator and text -> raw value, None for text that is none."""

_BOOLEANS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("true", "yes", "1"), True),
    **dict.fromkeys(("false", "no", "0"), False),
}


def parse_number(_evaluator: Evaluator, text: str) -> float | None:
    """Return the number that Python's ``float`` reads; ``1_000`` is none."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def parse_boolean(_evaluator: Evaluator, text: str) -> bool | None:
    """Return True for true, yes and 1, and False for false, no and 0, in any case."""
    return _BOOLEANS.get(text.lower())


def parse_one_choice(evaluator: Evaluator, text: str) -> list[Any] | None:
    """Return the members of a JSON list, unless the text names a choice itself."""
    members = parse_json_list(text)
    return None if members is None or text in choice_names(evaluator) else members


def check_text_cells(
    check: Check, parse: Parse | None, evaluator: Evaluator, *, parse_text: bool
) -> Check:
    """Return a check that parses text first, or else refuses it with the advice to parse it.

    Text that says a value which is refused is refused as that value.
    """
    if parse is None:
        return check

    def check_cell(raw: Any) -> Any:
        parsed = parse(evaluator, raw) if isinstance(raw, str) else None
        if parsed is None or parse_text:
            return check(raw if parsed is None else parsed)
        try:
            return check(raw)
        except RefusedError as refusal:
            reason = refusal.args[0]
        check(parsed)
        raise RefusedError(f"{reason}, and this is one as text: pass parse_text=True")

    return check_cell
