"""Escape the text of a log, which may be hostile, so that it is shown and does nothing."""

from __future__ import annotations

import re
from html import escape
from typing import Final

_LONGEST_NAME: Final = 200

_VARIANTS: Final = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_UNSEEN: Final = re.compile(
    # Controls but tab and newline, halves of surrogate pairs, what is no character.
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    # Marks that turn the direction of writing, spaces without width, fillers, hidden tags.
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e"
    "\u200b\u2060-\u2065\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
    # Joiners belong to emoji and to several scripts, but not to Latin letters.
    "|(?<![^\x00-\u02ff\u2000-\u206f])[\u200c\u200d]"
    # One of these may follow a character; a row of them hides a message.
    f"|(?<=[{_VARIANTS}])[{_VARIANTS}]"
)
_NEWLINE: Final = re.compile("\r\n?")


def visible(text: str) -> str:
    r"""Write out the characters of a text that are invisible, or that mislead.

    Controls become ␀, ␛ and the like; the others, as the marks that turn the direction of
    writing, and halves of surrogate pairs, become ``\u202e``. Tabs and line breaks stay.
    """
    if "\r" in text:
        text = _NEWLINE.sub("\n", text)
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub(_written_out, text)


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:  # The controls of ASCII have pictures.
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def escaped(text: object) -> str:
    """Escape any value, by its ``str``, for the content or a quoted attribute of HTML."""
    return escape(visible(described(text)))


def escaped_name(name: object) -> str:
    """Escape a name, such as a role or a column, cut to 200 characters."""
    text = described(name)
    return escaped(text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…")


def described(value: object) -> str:
    """Return ``str(value)``, or a text with the error when that raises."""
    try:
        return str.__str__(value if isinstance(value, str) else str(value))
    except Exception as error:  # noqa: BLE001 - an odd object in a cell is shown as odd.
        return cannot_be_shown(error)


def cannot_be_shown(error: Exception) -> str:
    """Return the text shown in place of a value that raises when it is read."""
    return f"cannot be shown: {type(error).__name__}"
