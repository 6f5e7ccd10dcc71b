"""Test that characters which nobody sees, and HTML, are written out."""

from __future__ import annotations

import pytest
from log_pages import Odd

from respan_notebook.labelling.log_view.escape import escaped, visible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x00\x1b\x7f", "a␀␛␡"),
        ("a\r\nb\rc\td", "a\nb\nc\td"),
        ("\u202ea\u200b\ufeff\x85", "\\u202ea\\u200b\\ufeff\\u0085"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("👩\u200d🚀 ❤\ufe0f 1\ufe0f\u20e3", "👩\u200d🚀 ❤\ufe0f 1\ufe0f\u20e3"),
        ("می\u200cخواهم क्\u200dष", "می\u200cخواهم क्\u200dष"),
        ("pay\u200dpal", "pay\\u200dpal"),
        ("👩\u200d\u200d", "👩\u200d\\u200d"),
        ("a\ufe00\ufe01\ufe02", "a\ufe00\\ufe01\\ufe02"),
    ],
    ids=[
        "ascii", "breaks", "format", "surrogate", "tag", "emoji", "joiners", "latin", "row",
        "variants",
    ],
)  # fmt: skip
def test_visible__writes_out_what_nobody_sees(text: str, expected: str) -> None:
    assert visible(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('<a href="x">\'&', "&lt;a href=&quot;x&quot;&gt;&#x27;&amp;"),
        ("a\u202e\ud800\x00", "a\\u202e\\ud800␀"),
        (3, "3"),
        (None, "None"),
        (Odd(), "cannot be shown: TypeError"),
    ],
    ids=["markup", "unseen", "number", "none", "odd"],
)
def test_escaped__any_value_as_text(value: object, expected: str) -> None:
    assert escaped(value) == expected
