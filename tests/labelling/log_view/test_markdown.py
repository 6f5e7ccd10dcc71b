"""Test Markdown as language models write it, links and images included."""

from __future__ import annotations

import pytest
from log_pages import Page, answer, seen

from respan_notebook.labelling.log_view.markdown import markdown_html


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


def test_log_html__a_markdown_image_is_only_named() -> None:
    assert seen(answer("a ![pic](https://x.example/p.png) b")) == (
        "assistant a Image, not loaded: pic, https://x.example/p.png b"
    )
