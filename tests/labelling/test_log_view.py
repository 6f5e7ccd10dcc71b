"""One log as HTML: what it shows, and that nothing in it runs, loads or misleads."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Hashable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from respan_notebook.labelling.log_view.escape import escaped, visible
from respan_notebook.labelling.log_view.json_view import json_text, pretty_json
from respan_notebook.labelling.log_view.log import log_html
from respan_notebook.labelling.log_view.markdown import markdown_html
from respan_notebook.labelling.log_view.text import Budget, text_html
from respan_notebook.labelling.static import read_static
from respan_notebook.sandbox.demo import DEMO_LOGS

GSM8K = Path(__file__).parents[2] / "../shared/data/gsm8k_logs.jsonl.gz"

# -- what a browser sees ------------------------------------------------------------------------

INLINE = {"span", "bdi", "small", "strong", "em", "s", "code", "a"}
BLOCKS = {"section", "article", "div", "p", "h4", "h5", "h6", "pre", "br", "hr", "blockquote"}
BLOCKS |= {"ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td"}
BLOCKS |= {"details", "summary"}
ATTRIBUTES = {"class", "aria-label", "role", "scope", "dir", "href", "title", "rel", "target"}
ATTRIBUTES |= {"start"}
VOID = {"br", "hr"}


class Page(HTMLParser):
    """What is on the page, and a refusal of all that may not be there."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        html.encode()
        self.open: list[str] = []
        self.links: list[dict[str, str]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        assert tag in INLINE | BLOCKS, tag
        assert set(names) <= ATTRIBUTES, names
        for name in (names.get("class") or "").split():
            assert name.startswith("rn-"), name
        if tag == "a":
            assert re.match(r"(https?://|mailto:)", names["href"] or "", re.IGNORECASE)
            assert names["rel"] == "noopener noreferrer nofollow"
            assert names["target"] == "_blank"
            self.links.append({key: value or "" for key, value in names.items()})
        if tag in BLOCKS:
            self.texts.append("\n")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag in BLOCKS:
            self.texts.append("\n")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)

    @property
    def text(self) -> str:
        """What is to be read, one space between words."""
        return " ".join("".join(self.texts).split())


def seen(row: dict[Any, Any], show: list[Hashable] | None = None) -> str:
    return Page(log_html(row, show)).text


def answer(content: Any, **fields: Any) -> dict[str, Any]:
    return {"completion_message": {"role": "assistant", "content": content, **fields}}


# -- the conversation ---------------------------------------------------------------------------


def test_log_html__a_chat_in_full() -> None:
    row = {
        "prompt_messages": [{"role": "user", "content": "Hi"}],
        "completion_message": {"role": "assistant", "content": "**Hello**"},
        "model": "gpt-4o",
    }
    assert log_html(row) == (
        '<section class="rn-log">'
        '<article class="rn-message rn-user" aria-label="user"><h4 class="rn-role">'
        '<bdi>user</bdi></h4><div class="rn-text" dir="auto"><p>Hi</p>\n</div></article>'
        '<article class="rn-message rn-assistant" aria-label="assistant"><h4 class="rn-role">'
        '<bdi>assistant</bdi></h4><div class="rn-text" dir="auto"><p><strong>Hello</strong></p>\n'
        "</div></article>"
        '<dl class="rn-facts"><div><dt>Model</dt><dd><bdi>gpt-4o</bdi></dd></div></dl></section>'
    )


@pytest.mark.parametrize(
    ("role", "style"),
    [
        ("system", "system"),
        ("developer", "system"),
        ("User", "user"),
        ("assistant", "assistant"),
        ("tool", "tool"),
        ("narrator", "other"),
    ],
)
def test_log_html__each_role_has_its_style(role: str, style: str) -> None:
    html = log_html({"prompt_messages": [{"role": role, "content": "x"}]})
    assert f'<article class="rn-message rn-{style}" aria-label="{role}">' in html


MESSAGES = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}]


@pytest.mark.parametrize(
    "cell",
    [
        MESSAGES,
        tuple(MESSAGES),
        np.array(MESSAGES, dtype=object),
        json.dumps(MESSAGES),
        {"messages": MESSAGES},
    ],
    ids=["list", "tuple", "array", "json", "request"],
)
def test_log_html__messages_in_any_shape(cell: Any) -> None:
    assert seen({"prompt_messages": cell}) == "user Hi assistant Yes?"
    assert seen({"input": cell}) == "user Hi assistant Yes?"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"input": "2+2?", "output": "4"}, "input 2+2? output 4"),
        ({"input": '"a\\nb"'}, "input a b"),
        ({"input": {"q": 1.50}}, 'input { "q": 1.5 }'),
        ({"output": '{"q": 1.50}'}, 'output { "q": 1.50 }'),
        ({"output": {"role": "assistant", "content": "x"}}, "assistant x"),
        ({"prompt_messages": [], "input": "x"}, "input x"),
        ({"prompt_messages": "Tell me", "completion_message": "No"}, "user Tell me assistant No"),
        ({"prompt_messages": MESSAGES[:1], "output": "x"}, "user Hi output x"),
        (answer(None), "assistant (empty)"),
        (answer(""), "assistant (empty)"),
        ({}, "This log is empty."),
    ],
    ids=[
        "text", "json-text", "object", "json-object", "message", "no-messages", "no-list",
        "no-completion", "none", "blank", "nothing",
    ],
)  # fmt: skip
def test_log_html__input_and_output(row: dict[str, Any], expected: str) -> None:
    assert seen(row) == expected


@pytest.mark.parametrize(
    "output",
    [
        "Yes",
        " Yes\n",
        '"Yes"',
        {"role": "assistant", "content": "Yes"},
        '{"role":"a","content":"Yes"}',
    ],
    ids=["text", "space", "json", "message", "json-message"],
)
def test_log_html__what_repeats_the_messages_is_left_out(output: Any) -> None:
    row = {"prompt_messages": MESSAGES[:1], **answer("Yes")}
    assert seen({**row, "input": "Hi", "output": output}) == "user Hi assistant Yes"


def test_log_html__what_differs_from_the_messages_stays() -> None:
    row = {**answer("Yes"), "output": "Yes, but"}
    assert seen(row) == "assistant Yes More fields (1) output Yes, but"
    calls = {"role": "assistant", "content": "Yes", "tool_calls": [{"function": {"name": "f"}}]}
    assert "calls" not in seen(answer("Yes"))
    assert "More fields (1)" in seen({**answer("Yes"), "output": calls})


def test_log_html__tool_calls_and_their_results() -> None:
    call = {"id": "c1", "function": {"name": "find", "arguments": '{"near": "x", "n": 1.0}'}}
    row = {
        "prompt_messages": [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "[1, 2]"},
        ],
        **answer(None, function_call={"name": "old", "arguments": "not JSON"}),
    }
    assert seen(row) == (
        'assistant calls find c1 { "near": "x", "n": 1.0 } tool c1 [1, 2] assistant calls old '
        "not JSON"
    )


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "text", "text": "*a*"}, "a"),
        ({"type": "input_text", "text": "a"}, "a"),
        ("a", "a"),
        (
            {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
            "Image, not loaded: https://x.example/a.png",
        ),
        (
            {"type": "image_url", "image_url": "data:image/png;base64," + "A" * 3000},
            "Image, not loaded: data:image/png;base64 in the log, 3,022 characters",
        ),
        (
            {"type": "image_url", "image_url": {"url": f"https://x.example/{'a' * 200}.png"}},
            f"Image, not loaded: https://x.example/{'a' * 52} … {'a' * 16}.png",
        ),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A"}},
            "Image, not loaded: image/png",
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "A", "format": "wav"}},
            "Audio, not loaded: wav",
        ),
        ({"type": "tool_use", "name": "f", "id": "t", "input": {"x": 1}}, 'calls f t { "x": 1 }'),
        ({"type": "tool_result", "content": [{"type": "text", "text": "ok"}]}, "Result ok"),
        ({"type": "refusal", "refusal": "No."}, "Refusal No."),
        ({"type": "new", "x": [1]}, '{ "type": "new", "x": [1] }'),
        ({"type": ["odd"]}, '{ "type": ["odd"] }'),
        (None, "None"),
        (3, "3"),
    ],
    ids=lambda case: str(case.get("type", "no-type")) if isinstance(case, dict) else None,
)  # fmt: skip
def test_log_html__parts_of_a_message(part: Any, expected: str) -> None:
    assert seen(answer([part, "end"])) == f"assistant {expected} end"


def test_log_html__the_rest_of_a_message_is_folded() -> None:
    row = answer("a", refusal="I will not.", name="Bo", annotations=[1], audio=None)
    assert (
        seen(row)
        == 'assistant Bo a Refusal I will not. More of this message { "annotations": [1] }'
    )


def test_log_html__of_very_many_messages_the_ends() -> None:
    row = {"prompt_messages": [{"role": "user", "content": f"m{n}."} for n in range(1000)]}
    text = seen(row)
    assert [f"m{n}." in text for n in (0, 99, 100, 899, 900, 999)] == [
        True,
        True,
        False,
        False,
        True,
        True,
    ]
    assert "800 messages between are not shown." in text


# -- errors, facts and fields -------------------------------------------------------------------


def test_log_html__errors_come_first_in_words() -> None:
    row = {"model": "m", **answer("x"), "status_code": 429.0, "error_message": "slow <b>down</b>"}
    assert seen(row) == (
        "Error: status 429 Error message: slow <b>down</b> assistant x Model m"
    )  # fmt: skip


@pytest.mark.parametrize("blurred", [True, np.True_, 1.0, "true"], ids=repr)
def test_log_html__a_blurred_log_says_so(blurred: Any) -> None:
    assert seen({"blurred": blurred}).startswith("This log is blurred: it is over the quota")


@pytest.mark.parametrize("cell", [False, None, np.nan, "false", 0.0], ids=repr)
def test_log_html__a_log_that_is_not_blurred_says_nothing(cell: Any) -> None:
    assert seen({"blurred": cell, "status_code": 200}) == "Status 200"


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("latency", 0.8412345, "Latency 0.841 s"),
        ("latency", np.float64(31), "Latency 31 s"),
        ("latency", 0.00001, "Latency 1e-05 s"),
        ("latency", 0, "Latency 0 s"),
        ("latency", "fast", "Latency fast"),
        ("cost", 0.000112, "Cost 0.000112 USD"),
        ("cost", 1234.5, "Cost 1,234.5 USD"),
        ("prompt_tokens", 1804.0, "Prompt tokens 1,804"),
        ("prompt_tokens", float("inf"), "Prompt tokens inf"),
        ("timestamp", pd.Timestamp("2026-01-05T09:00Z"), "Time 2026-01-05 09:00:00 UTC"),
        ("timestamp", np.datetime64("2026-01-05T09:00"), "Time 2026-01-05 09:00:00"),
        ("environment", "prod", "Environment prod"),
        ("unique_id", 7, "Log 7"),
        ("model", ["a"], 'More fields (1) model ["a"]'),
    ],
)
def test_log_html__facts_with_their_units(column: str, cell: Any, expected: str) -> None:
    assert seen({column: cell}) == expected


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT], ids=repr)
def test_log_html__missing_cells_are_left_out(missing: Any) -> None:
    columns = ("prompt_messages", "output", "model", "metadata", "status_code", "other", 3)
    assert seen(dict.fromkeys(columns, missing)) == "This log is empty."


def test_log_html__metadata_is_a_table_also_from_json_text() -> None:
    metadata = {"city": "Tallinn", "tags": ["a"], "note": "one\ntwo", "blank": ""}
    expected = 'metadata city Tallinn tags ["a"] note one two blank (empty)'
    assert seen({"metadata": metadata}) == expected
    assert seen({"metadata": json.dumps(metadata)}) == expected
    assert seen({"metadata": {}}) == "This log is empty."
    assert '<th scope="row"><bdi>city</bdi></th><td><bdi>Tallinn</bdi></td>' in log_html(
        {"metadata": metadata}
    )


def test_log_html__other_columns_are_folded_with_any_name() -> None:
    row = {**answer("x"), ("a", 1): {"b": 2}, 7: "text", "scores": {}}
    text = seen(row)
    assert text == "assistant x More fields (3) ('a', 1) { \"b\": 2 } 7 text scores {}"
    assert '<details class="rn-more"><summary>More fields (3)</summary>' in log_html(row)


def test_log_html__a_frame_of_other_columns_shows_its_texts() -> None:
    row = {"question": "**What?**", "n": 3}
    assert seen(row) == "question What? More fields (1) n 3"


def test_log_html__show_picks_columns_in_order() -> None:
    row = {"model": "m", "latency": 2.0, **answer("x"), "output": "**y**", "note": "*z*", "a": None}
    assert (
        seen(row, ["note", "latency", "model", "output"]) == "note z Latency 2 s Model m output y"
    )
    assert seen(row, ["completion_message"]) == "assistant x"
    assert seen(row, ["a", "absent"]) == "a (missing) absent (missing)"
    assert seen({"status_code": 500, "metadata": {"a": 1}}, ["metadata", "status_code"]) == (
        "metadata a 1 Error: status 500"
    )


class Odd:
    """Fails whenever it is looked at."""

    def __str__(self) -> str:
        raise TypeError

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        raise ValueError

    __hash__ = None  # type: ignore[assignment]


class OddClass:
    @property
    def __class__(self) -> Any:
        raise RuntimeError

    @__class__.setter
    def __class__(self, value: Any) -> None: ...


LOOP: list[Any] = []
LOOP.append(LOOP)

COLUMNS = (
    "prompt_messages", "completion_message", "input", "output", "metadata", "blurred",
    "status_code", "error_message", "model", "timestamp", "latency", "cost", "prompt_tokens", "x",
)  # fmt: skip


BLURRED = "This log is blurred: it is over the quota"
TYPE_ERROR, RUNTIME_ERROR = "cannot be shown: TypeError", "cannot be shown: RuntimeError"
EMPTY = "This log is empty."
NUMBERED = '{ "1": 2, "None": { "(1, 2)": [3] } }'

# What each cell is shown as, and the columns in which it is shown as something else.
ODD_CELLS: dict[str, tuple[Any, str, dict[str, str]]] = {
    "odd": (Odd(), TYPE_ERROR, {"blurred": BLURRED}),
    "class": (OddClass(), RUNTIME_ERROR, {"blurred": EMPTY, "error_message": EMPTY}),
    "in-a-list": ([Odd()], TYPE_ERROR, {"blurred": BLURRED}),
    "in-a-message": ({"role": "user", "content": Odd()}, TYPE_ERROR, {"blurred": BLURRED}),
    "loop": (LOOP, "[ [ [ [ [ [ [ [", {"blurred": BLURRED}),
    "bytes": (b"\x00<b>", r"b'\x00<b>'", {"blurred": BLURRED}),
    "huge": (10**5000, "cannot be shown: ValueError", {"blurred": BLURRED}),
    "series": (pd.Series([1]), "0 1 dtype: int64", {"blurred": EMPTY}),
    "array": (
        np.zeros((2, 2)),
        "[ [0.0, 0.0], [0.0, 0.0] ]",
        {
            "blurred": EMPTY,
            "prompt_messages": "user 0.0 0.0 user 0.0 0.0",
            "completion_message": "assistant 0.0 0.0 assistant 0.0 0.0",
        },
    ),
    "keys": (
        {1: 2, None: {(1, 2): {3}}},
        NUMBERED,
        {"blurred": BLURRED, "metadata": '1 2 None { "(1, 2)": [3] }'},
    ),
    "inf": (
        float("inf"),
        "inf",
        {
            "blurred": BLURRED,
            "status_code": "Error: status inf",
            "latency": "Latency inf s",
            "cost": "Cost inf USD",
        },
    ),
    "delta": (pd.Timedelta("1s"), "0 days 00:00:01", {"blurred": BLURRED}),
}


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("name", ODD_CELLS)
def test_log_html__never_raises(name: str, column: str) -> None:
    cell, expected, exceptions = ODD_CELLS[name]
    expected = exceptions.get(column, expected)
    assert expected in seen({column: cell})
    # A column that is asked for is never left out.
    asked = ODD_CELLS[name][1] if expected == EMPTY else expected
    assert asked in seen({column: cell}, [column])


# -- texts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "he has <<16-3=13>>13 and $<<13*2=26>>26, $5",
        "3*4*5 = 60, 2**3 = 8, x**2 and 30%*$40,000 = $<<30*.01*40000=12000.0>>12,000",
        r"\(x^2\) and \[a \\ b\] and 50\%",
        "[a]: https://x.example/ [a]",
        "<b>bold</b> &copy",
        "a_b_c and __init__x",
    ],
)
def test_log_html__plain_text_stays_as_it_is(text: str) -> None:
    assert seen(answer(text)) == f"assistant {text}"


def test_markdown_html__what_models_write() -> None:
    text = (
        "# T\nline\nbreak\n\n- ~~a~~\n\n1. b\n\n| x | y |\n|--|-:|\n| 1 | 2 |\n\n```py\na < b\n```"
    )
    assert markdown_html(text) == (
        "<h5>T</h5>\n<p>line<br>\nbreak</p>\n<ul>\n<li><s>a</s></li>\n</ul>\n<ol>\n<li>b</li>\n"
        '</ol>\n<table>\n<thead>\n<tr>\n<th>x</th>\n<th class="rn-right">y</th>\n</tr>\n</thead>\n'
        '<tbody>\n<tr>\n<td>1</td>\n<td class="rn-right">2</td>\n</tr>\n</tbody>\n</table>\n'
        "<pre><code>a &lt; b\n</code></pre>\n"
    )


def test_markdown_html__a_link_shows_where_it_leads() -> None:
    page = Page(
        markdown_html("[https://bank.example](https://evil.example/ü 'click') <me@x.example>")
    )
    assert [(link["href"], link["title"]) for link in page.links] == [
        ("https://evil.example/%C3%BC", "https://evil.example/%C3%BC"),
        ("mailto:me@x.example", "mailto:me@x.example"),
    ]


def test_log_html__json_is_indented_and_keeps_its_spelling() -> None:
    text = '{"total": 48.90, "a": 1, "a": 1e5, "name": "\\u00e9", "big": ' + "9" * 5000 + "}"
    expected = f'{{ "total": 48.90, "a": 1, "a": 1e5, "name": "é", "big": {"9" * 5000} }}'
    assert seen(answer(text)).endswith(expected)


@pytest.mark.parametrize(
    "text",
    ["42", "true", '"a"', "{}x", "[1,]", "[" * 5000 + "]" * 5000, "[" * 60 + "]" * 60, "[a]"],
)
def test_pretty_json__anything_else_is_left_alone(text: str) -> None:
    assert pretty_json(text) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": np.int64(1), "b": pd.NA, "c": True}, '{\n  "a": 1,\n  "b": null,\n  "c": true\n}'),
        ([np.nan, 1.0, None], "[nan, 1.0, null]"),
        ({"x"}, '["x"]'),
        (LOOP, None),
        (range(3), '"range(0, 3)"'),
        ([[]] * 6000, None),
    ],
    ids=["scalars", "list", "set", "loop", "other", "long"],
)
def test_json_text__values_as_pandas_gives_them(value: Any, expected: str | None) -> None:
    text = json_text(value)
    assert text == expected if expected is not None else "…" in text


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


@pytest.mark.parametrize(
    "name", ["key", "column", "role", "tool"]
)  # fmt: skip
def test_log_html__long_names_are_cut(name: str) -> None:
    long = "n" * 100_000
    row = {
        "key": {"metadata": {long: 1}},
        "column": {long: 1},
        "role": {"prompt_messages": [{"role": long, "content": "x", "name": long}]},
        "tool": answer(None, tool_calls=[{"id": long, "function": {"name": long}}]),
    }[name]
    assert len(log_html(row)) < 2_000


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


# -- hostile logs -------------------------------------------------------------------------------

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "svg": "<svg onload=alert(1)><use href=data:x>",
    "style": "<style>*{display:none}</style><p style='position:fixed'>",
    "iframe": "<iframe srcdoc='<script>1</script>'></iframe>",
    "meta": '<meta http-equiv="refresh" content="0;url=//x.example">',
    "form": "<form action=//x.example id=a><input name=submit autofocus onfocus=alert(1)>",
    "break-out": "</code></pre></bdi></div></details></article></section><h1 id=top>out",
    "unclosed": "<a href='https://x.example",
    "comment": "<!-- --><!DOCTYPE html><?php ?><![CDATA[x]]>",
    "attribute": '" onmouseover="alert(1)" x="',
    "quote": "' onmouseover='alert(1)",
    "markdown-image": "![a](https://x.example/p.png) ![a][b]\n\n[b]: https://x.example/p.png",
    "javascript": "[a](javascript:alert(1)) [a](<JaVaScRiPt:alert(1)>) <javascript:alert(1)>",
    "javascript-entity": "[a](java&#115;cript:alert(1)) [a](&#x6A;avascript&colon;alert(1))",
    "data": "[a](data:text/html,<script>1</script>) <data:text/html,x> ![a](data:image/png,A)",
    "vbscript": "[a](vbscript:x) [a](file:///etc/passwd) [a](blob:x)",
    "relative": "[a](/lab?reset) [b](//x.example) [c](#top) [d](?x)",
    "nested-link": "[![a](https://x.example/p.png)](https://y.example) [<b>](https://z.example)",
    "title": '[a](https://x.example "\\" onclick=alert(1) x=\\"")',
    "fence": "```x\" onload=\"alert(1)\n</code></pre><script>\n```",
    "entities": "&lt;script&gt;alert(1)&lt;/script&gt; &#60;img src=x&#62; &#x202e; &#0; &#xd800;",
    "controls": "a\x00b\x1bc\x7fd\x85e\u2028f\r\ng",
    "bidi": "a\u202eb\u2066c\u200fd\u061ce",
    "unseen": "a\u200bb\ufeffc\u00add\U000e0041e\u3164f",
    "surrogates": "a\ud800b\udc00c\udfff",
    "noncharacters": "a\uffffb\ufdd0c\U000e0fffd",
}  # fmt: skip


def rows_with(text: str) -> Iterator[dict[Any, Any]]:
    call = {"id": text, "type": text, "function": {"name": text, "arguments": text}}
    yield {"input": text, "output": json.dumps({text: text})}
    yield {"prompt_messages": text, "completion_message": text}
    yield {"prompt_messages": [{"role": text, "content": text, "name": text, "tool_call_id": text}]}
    yield answer(None, tool_calls=[call], refusal=text, function_call={"name": text})
    yield answer([{"type": text, "text": text}, {"type": "image_url", "image_url": {"url": text}}])
    yield answer([{"type": "tool_use", "name": text, "input": {text: text}}, text], **{text: text})
    yield {"metadata": {text: text, "deep": [{text: [text]}]}, text: text, (text, 1): 2}
    yield {"error_message": text, "status_code": text, "blurred": text, "model": text, "cost": text}
    yield {**answer("x"), "other": text, "unique_id": text, "timestamp": text, text: [text]}


UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_log_html__hostile_text_in_any_field_is_only_shown(text: str) -> None:
    for row in rows_with(text):
        for show in (None, list(row)):
            html = log_html(row, show)
            Page(html)
            assert not UNSEEN.search(html)


@pytest.mark.parametrize(
    "name",
    [
        "script",
        "image",
        "svg",
        "style",
        "iframe",
        "meta",
        "form",
        "break-out",
        "comment",
        "relative",
    ],
)
def test_log_html__hostile_text_is_shown_as_it_is_written(name: str) -> None:
    assert seen(answer(HOSTILE[name])) == f"assistant {HOSTILE[name]}"


def test_log_html__a_markdown_image_is_only_named() -> None:
    assert seen(answer("a ![pic](https://x.example/p.png) b")) == (
        "assistant a Image, not loaded: pic, https://x.example/p.png b"
    )


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


ANY_TEXT = st.text(
    st.one_of(
        st.characters(codec=None, exclude_categories=()),
        st.sampled_from("<>&\"'`*_[]()!#|-\\~:/\n\x00\u202e\ud800"),
    ),
    max_size=60,
) | st.lists(st.sampled_from([*HOSTILE.values()]), max_size=3).map("".join)


@given(ANY_TEXT)
def test_log_html__any_text_in_any_field_is_only_shown(text: str) -> None:
    for row in rows_with(text):
        Page(log_html(row))
        Page(log_html(row, list(row)))


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["role", "content", "type", "text", "tool_calls", "function", "name"])
        | ANY_TEXT,
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.sampled_from(COLUMNS), ANY_JSON)
def test_log_html__any_value_in_any_column_is_only_shown(column: str, cell: Any) -> None:
    Page(log_html({column: cell}))
    Page(log_html({column: cell}, [column]))


@given(st.lists(st.text("abcxyzäöüß漢字かなабв", min_size=1, max_size=8), min_size=1, max_size=8))
def test_log_html__the_words_of_a_plain_text_survive(words: list[str]) -> None:
    text = " ".join(words)
    assert seen({"input": text, "note": text}) == f"input {text} More fields (1) note {text}"


# -- whole logs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("log", DEMO_LOGS, ids=[log["unique_id"] for log in DEMO_LOGS])
def test_log_html__demo_logs_with_the_gaps_of_a_frame(log: dict[str, Any]) -> None:
    row = pd.DataFrame(list(DEMO_LOGS)).set_index("unique_id", drop=False).loc[log["unique_id"]]
    page = Page(log_html(row.to_dict()))
    assert f"Model {log['model']}" in page.text
    assert "nan" not in page.text.lower().split()
    assert "cannot be shown" not in page.text
    for message in log.get("prompt_messages", []):
        if isinstance(message["content"], str) and not message["content"].startswith(("{", "|")):
            assert " ".join(message["content"].split(" ")[:3]) in page.text


def test_log_html__real_logs_lose_no_character() -> None:
    if not GSM8K.exists():
        pytest.skip("the real logs (shared/data) are not here")
    with gzip.open(GSM8K, "rt", encoding="utf-8") as lines:
        logs = [json.loads(line) for line in lines][::20]
    for log in logs:
        text = seen(log)
        for message in (*log["prompt_messages"], log["completion_message"]):
            assert " ".join(message["content"].split()) in text


def test_log_css__touches_nothing_but_logs() -> None:
    sheet = read_static("log.css")
    rules = re.findall(r"([^{}]+)\{[^{}]*\}", sheet)
    selectors = [part for rule in rules for part in re.split(r",(?![^(]*\))", rule)]
    assert len(selectors) > 50
    assert [one for one in selectors if not one.strip().startswith(".rn-log")] == []
    assert "url(" not in sheet
    assert "@import" not in sheet
