"""Test that nothing in a log runs, loads or misleads, whatever it holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_pages import COLUMNS, Page, answer, seen

from respan_notebook.labelling.log_view import log
from respan_notebook.labelling.log_view.log import log_html

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


def test_log_html__a_renderer_that_forgets_to_escape_runs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All that is shown goes through one sanitiser, whatever rendered it."""
    hostile = '<img src=x onerror="alert(1)"><script>alert(1)</script><p style="top:0">x</p>'
    monkeypatch.setattr(log, "metadata_html", lambda _cell, _budget: hostile)
    monkeypatch.setattr(log, "facts_html", lambda _cells: hostile)

    html = log_html({"log_id": "a", "metadata": {"a": 1}, "output": "hello"})

    assert "hello" in html
    assert not re.search("<img|<script|onerror|style|alert", html)
