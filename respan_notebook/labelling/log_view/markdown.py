"""Render Markdown of a language model, which may be hostile, as safe HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any, Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.normalize_url import normalizeLink
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

# Characters; longer addresses stay text: normalizing takes 1 microsecond a character.
_LONGEST_ADDRESS: Final = 2000
_ADDRESS: Final = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)


def markdown_html(text: str) -> str:
    """Render Markdown as HTML in which nothing runs or loads.

    Line breaks stay; headings begin at ``h5``; an image becomes a text with its address; only
    http, https and mailto become links. HTML in the text is shown as it is written.
    """
    return _CLEANER.clean(_MARKDOWN.render(text))


# -- cost ---------------------------------------------------------------------------------------

_MARK: Final = re.compile(r"[\n!#$%&*+\-:<=>@\[\\\]^_`{|}~]")
_RULER: Final = re.compile(r"[-*_ \t]{3,}")
_PREFIX: Final = re.compile(r"^(?:[ \t>*+-]|\d{1,9}[.)])*", re.MULTILINE)
_DEEPEST: Final = 20  # The nesting at which the "commonmark" preset stops.
_PARENTHESES: Final = 32  # Open parentheses at which markdown-it gives up an address.


def markdown_cost(text: str) -> float:
    """Estimate the most microseconds that :func:`markdown_html` may take.

    Markdown of hostile text is not linear: an address is tried from each of 32 open parentheses,
    a short row of a table is filled up with empty cells, and quotes in quotes look at all their
    lines again and again. The weights were measured with markdown-it-py 4.3.
    """
    depths = (len(prefix) for prefix in _PREFIX.findall(text) if not _RULER.fullmatch(prefix))
    nesting = (8 + 2.5 * min(_DEEPEST, max(depths, default=0) // 2)) * text.count("\n")
    return nesting + sum(map(_block_cost, text.split("\n\n")))


def _block_cost(block: str) -> float:
    marks = len(_MARK.findall(block))
    cost = 25 + 0.1 * len(block) + 0.5 * block.count('"') + (20 if "[" in block else 7) * marks
    if links := min(_PARENTHESES, block.count("](")):
        cost += 0.12 * links * max(map(len, block.split()))
    if "|" in block and "-" in block:
        lines = block.split("\n")
        cost += 9 * len(lines) * max(line.count("|") for line in lines)
    if ">" in block:
        quotes = max(prefix.count(">") for prefix in _PREFIX.findall(block))
        cost += 0.5 * (quotes if quotes > 1 else 0) * (1 + block.count("\n")) ** 2
    return cost


# -- parsing ------------------------------------------------------------------------------------


def _literal(state: StateInline, silent: bool) -> bool:
    r"""Keep mathematics as it is written: the stars of 3*4*5 and x**2, the brackets of \(x\)."""
    match = _LITERAL.match(state.src, state.pos, state.posMax)
    if not match:
        return False
    if not silent:
        state.pending += match[0]
    state.pos = match.end()
    return True


_LITERAL: Final = re.compile(
    r"(?<=[0-9A-Za-z)%$¼-¾])(?:\*(?=[0-9A-Za-z($.])|\*\*(?=[0-9]))|\\[()\[\]{},;:%&\\]"
)


def _refine(state: StateCore) -> None:
    """Set the levels of headings, classes for alignment, true addresses as titles of links."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h5" if token.tag in ("h1", "h2") else "h6"
        elif token.type in ("th_open", "td_open"):
            side = str(token.attrs.pop("style", "")).removeprefix("text-align:")
            if side in ("center", "right"):
                token.attrSet("class", f"rn-{side}")
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("title", str(child.attrGet("href")))


def _image(_self: Any, tokens: Sequence[Token], at: int, _options: Any, _env: Any) -> str:
    token = tokens[at]
    words = (token.content, str(token.attrGet("src")))
    return f'<span class="rn-media">{escape(media_text("Image", *words))}</span>'


def media_text(kind: str, *words: str) -> str:
    """Return the text shown for an image or a sound, with its address; inline data is cut short."""
    return f"{kind}, not loaded: " + ", ".join(_short(word) for word in words if word)


def _short(address: str) -> str:
    if address.startswith("data:"):
        return f"{address[:40].partition(',')[0]} in the log, {len(address):,} characters"
    return address if len(address) <= 100 else f"{address[:70]} … {address[-20:]}"


def _is_address(url: str) -> bool:
    return bool(_ADDRESS.match(url))


def _address(url: str) -> str:
    return normalizeLink(url) if len(url) <= _LONGEST_ADDRESS else ""


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True})
    markdown.enable(["table", "strikethrough"])
    # A definition may be long and used a thousand times, and a person who judges wants to see it.
    markdown.disable("reference")
    markdown.inline.ruler.before("escape", "literal", _literal)
    markdown.core.ruler.push("refine", _refine)
    markdown.add_render_rule("image", _image)
    markdown.validateLink = _is_address  # type: ignore[method-assign]
    markdown.normalizeLink = _address  # type: ignore[method-assign]
    return markdown


_MARKDOWN: Final = _markdown()

_SIDES: Final = {"rn-center", "rn-right"}
_CLEANER: Final = nh3.Cleaner(
    tags={
        *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li"),
        *("h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "a", "span"),
    },
    attributes={"a": {"href", "title"}, "ol": {"start"}},
    allowed_classes={"th": _SIDES, "td": _SIDES, "span": {"rn-media"}},
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)
