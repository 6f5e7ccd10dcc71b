"""Read the HTML of a log as a browser does, and refuse all that may not be in it."""

from __future__ import annotations

import re
from collections.abc import Hashable
from html.parser import HTMLParser
from typing import Any

from respan_notebook.labelling.log_view.log import log_html

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


MESSAGES = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}]


class Odd:
    """Fails whenever it is looked at."""

    def __str__(self) -> str:
        raise TypeError

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        raise ValueError

    __hash__ = None  # type: ignore[assignment]


LOOP: list[Any] = []
LOOP.append(LOOP)

COLUMNS = (
    "prompt_messages", "completion_message", "input", "output", "metadata", "blurred",
    "status_code", "error_message", "model", "timestamp", "latency", "cost", "prompt_tokens", "x",
)  # fmt: skip
