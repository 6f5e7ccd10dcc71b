"""Test texts of any length: indented, folded, cut, and never slow."""

from __future__ import annotations

import time

import pytest
from log_pages import Page, answer, seen

from respan_notebook.labelling.log_view.log import log_html
from respan_notebook.labelling.log_view.text import Budget, text_html


def test_log_html__json_is_indented_and_keeps_its_spelling() -> None:
    text = '{"total": 48.90, "a": 1, "a": 1e5, "name": "\\u00e9", "big": ' + "9" * 5000 + "}"
    expected = f'{{ "total": 48.90, "a": 1, "a": 1e5, "name": "é", "big": {"9" * 5000} }}'
    assert seen(answer(text)).endswith(expected)


def test_log_html__a_long_text_is_folded_with_its_beginning_visible() -> None:
    text = "\n\n".join(f"Paragraph {n} of a long text." for n in range(100))
    html = log_html(answer(text))
    shut, rest = html.split("<details>")
    assert "Paragraph 0 " in shut
    assert "Paragraph 30 " not in shut
    assert rest.startswith(f'<summary><span class="rn-shut">Show all ({len(text):,} characters)')
    assert "Paragraph 0 " in rest
    assert "Paragraph 99 " in rest


@pytest.mark.parametrize(
    ("text", "is_folded"),
    [("a " * 1000, False), ("a " * 1001, True), ("a\n" * 39, False), ("a\n" * 41, True)],
)
def test_log_html__folds_from_2000_characters_or_40_lines(text: str, is_folded: bool) -> None:
    assert ("<details>" in log_html(answer(text))) is is_folded


def test_log_html__a_megabyte_is_cut_with_a_note() -> None:
    html = log_html({"output": "x" * 1_000_000})
    assert len(html) < 250_000
    assert "800,000 of 1,000,000 characters are not shown. They are in the DataFrame." in html
    several = log_html({"prompt_messages": [{"role": "user", "content": "x" * 150_000}] * 20})
    assert len(several) < 500_000


COSTLY = {
    "brackets": "[" * 100_000,
    "images": "![" * 50_000,
    "stars": "*a " * 30_000,
    "emphasis": "a*" * 50_000,
    "quotes": ">" * 100_000,
    "lazy-quotes": "> " * 19 + "a\n" + "b\n" * 20_000,
    "quotes-in-quotes": "\n&\n>>>>>>>> " * 5_000,
    "ticks": "".join("`" * n + " " for n in range(440)),
    "parentheses": "[a](" * 40 + "x" * 90_000,
    "cells": "|".join("a" * 999) + "\n" + "|".join("-" * 999) + "\n" + "|a\n" * 999,
    "paragraphs": "a\n\n" * 30_000,
    "address": f"[a](http://{'ü' * 60_000})",
    "definitions": f"[x]: http://{'a' * 50_000}\n\n" + "[x] " * 5_000,
    "json": "[" * 39 + "[]," * 20_000 + "1" + "]" * 39,
    "controls": "\u202e" * 100_000,
}


@pytest.mark.parametrize("text", COSTLY.values(), ids=COSTLY)
def test_text_html__hostile_text_is_not_slow(text: str) -> None:
    # Most take some 10 ms, and without the limits seconds to hours; the rest is for slow machines.
    start = time.process_time()
    Page(text_html(text, Budget()))
    assert time.process_time() - start < 1.5
