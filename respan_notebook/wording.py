"""Render values, names, lists and numbers for messages, and make foreign text printable."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Hashable, Iterable

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60
_MOST_NAMES = 10
_JOINERS = "\u200c\u200d"


def render_short(value: object) -> str:
    """Return the repr of a value, shortened.

    Examples
    --------
    >>> render_short(list(range(100)))
    '[0, 1, 2, 3, 4, 5, ...]'
    """
    try:
        return _SHORT.repr(value)
    except ValueError:  # A whole number too long to be printed.
        return "<too long to show>"


def render_value(value: object) -> str:
    """Return the shortened repr of a value, and its type.

    Examples
    --------
    >>> render_value("four")
    "'four' (str)"
    """
    return f"{render_short(value)} ({type(value).__name__})"


def render_number(number: object) -> str:
    """Return a number without the ``.0`` of a whole float.

    Examples
    --------
    >>> render_number(5.0), render_number(0.25)
    ('5', '0.25')
    """
    return repr(number).removesuffix(".0") if isinstance(number, float) else str(number)


def render_range(low: float | None, high: float | None) -> str:
    """Return bounds for a sentence, "" where there are none.

    Examples
    --------
    >>> render_range(1.0, 5.0), render_range(None, 10.0)
    (' from 1 to 5', ' up to 10')
    """
    start = "" if low is None else f" from {render_number(low)}"
    if high is None:
        return start
    return f"{start} to {render_number(high)}" if start else f" up to {render_number(high)}"


def render_count(count: int, noun: str) -> str:
    """Return a number with its noun, which takes an s in the plural.

    Examples
    --------
    >>> render_count(1, "scorer"), render_count(2, "scorer")
    ('1 scorer', '2 scorers')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"


def render_duration(seconds: float) -> str:
    """Return seconds as seconds, minutes or hours.

    Examples
    --------
    >>> render_duration(42), render_duration(600), render_duration(10_000)
    ('42 s', '10 min', '2.8 h')
    """
    minutes, hours = seconds / 60, seconds / 3600
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if hours < 1 else f"{hours:.1f} h"


def render_names(names: Iterable[Hashable]) -> str:
    """Return the reprs of up to ten names, and the number of the others."""
    texts = [repr(name) for name in names]
    more = f" and {len(texts) - _MOST_NAMES} more" if len(texts) > _MOST_NAMES else ""
    return (", ".join(texts[:_MOST_NAMES]) or "none") + more


def suggest_close(name: Hashable, options: Iterable[Hashable]) -> str:
    """Return the option that was likely meant, "" when none is close.

    Examples
    --------
    >>> suggest_close("hepfulness", ["helpfulness", "tone"]), suggest_close("x", ["tone"])
    ("did you mean 'helpfulness'?", '')
    """
    close = difflib.get_close_matches(str(name), map(str, options), n=1, cutoff=0.7)
    return f"did you mean {close[0]!r}?" if close else ""


def suggest_name(name: Hashable, options: Iterable[Hashable]) -> str:
    """Return the option that was likely meant, else all of them.

    Examples
    --------
    >>> suggest_name("hepfulness", ["helpfulness", "tone"])
    "did you mean 'helpfulness'?"
    """
    texts = [str(option) for option in options]
    return suggest_close(name, texts) or f"there are {render_names(texts)}."


def make_printable(text: str) -> str:
    r"""Return text in which line breaks are spaces, and what can't be printed is written out.

    Written out are control characters, those that change the direction of text, halves of
    surrogate pairs and the like; the joiners that some scripts and emoji need stay.

    Examples
    --------
    >>> make_printable("gone\r\n\x1b[31mred")
    'gone  \\x1b[31mred'
    """
    return text if text.isprintable() else "".join(map(_make_one_printable, text))


def _make_one_printable(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return " " if character.isspace() else character.encode("unicode_escape").decode()


def render_foreign(text: str, longest: int = 2000) -> str:
    r"""Return text of a server for a message or report: printable, and not longer than this.

    Examples
    --------
    >>> render_foreign("no\tsuch log " * 9, 36)
    'no such log no s... (108 characters)'
    """
    text = make_printable(text)
    if len(text) <= longest:
        return text
    remark = f"... ({len(text):,} characters)"
    return text[: max(0, longest - len(remark))] + remark


def find_surrogate(text: str) -> str:
    """Return the place of half a surrogate pair, in words; "" for valid Unicode."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"character {error.start} is half of a surrogate pair"
    return ""
