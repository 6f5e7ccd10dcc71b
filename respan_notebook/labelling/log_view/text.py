"""Render texts of a log, which may be hostile, as HTML in which nothing runs or loads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Final

from respan_notebook.labelling.log_view.escape import cannot_be_shown, described, visible
from respan_notebook.labelling.log_view.json_view import indented_json, is_container, pretty_json
from respan_notebook.labelling.log_view.markdown import markdown_cost, markdown_html

_LONG: Final = 2000  # Characters, and
_LONG_LINES: Final = 40  # lines, from which on a text is folded,
_START: Final = 1200  # and how many of them stay visible.
_START_LINES: Final = 24
_LONGEST_MARKDOWN: Final = 100_000
_MOST_OF_TEXT: Final = 200_000  # Characters of one text that are shown,
_MOST_OF_LOG: Final = 400_000  # and of all texts of a log.
_MOST_PARTS_OF_LOG: Final = 2_000  # The parts of its messages, those within parts included.
_MARKDOWN_OF_TEXT: Final = 40_000.0  # Microseconds for one text,
_MARKDOWN_OF_LOG: Final = 200_000.0  # and for all texts of a log.

_SHOW_ALL: Final = (
    '<span class="rn-shut">Show all ({:,} characters)</span><span class="rn-open">Show less</span>'
)


@dataclass
class Budget:
    """Limit the texts, the parts and the rendering time of one log."""

    characters: int = _MOST_OF_LOG
    """Characters that may still be shown."""

    parts: int = _MOST_PARTS_OF_LOG
    """Parts of messages that may still be shown."""

    markdown: float = _MARKDOWN_OF_LOG
    """Microseconds that may still be spent on Markdown, by estimate.

    A text that would take more is shown as it is.
    """

    def take(self, text: str) -> str:
        """Return the part of a text that may be shown, and count it."""
        text = text[: min(_MOST_OF_TEXT, self.characters)]
        self.characters -= len(text)
        return text

    def take_part(self) -> bool:
        """Return whether one more part of a message may be shown, and count it."""
        self.parts -= 1
        return self.parts >= 0

    def affords_markdown(self, text: str) -> bool:
        """Return whether a text may be rendered as Markdown, and count it when it may."""
        if len(text) > _LONGEST_MARKDOWN:
            return False
        cost = markdown_cost(text)
        if cost > min(_MARKDOWN_OF_TEXT, self.markdown):
            return False
        self.markdown -= cost
        return True


def text_html(text: str, budget: Budget) -> str:
    """Render a text of a model: JSON indented, anything else as Markdown."""
    taken = budget.take(text)
    pretty = pretty_json(taken)
    if pretty is not None:
        return _folded_html(pretty, plain_html, len(text), len(taken))
    shown = visible(taken)
    to_html = _visible_markdown if budget.affords_markdown(shown) else plain_html
    return _folded_html(shown, to_html, len(text), len(taken))


def code_html(value: object, budget: Budget) -> str:
    """Render any value as code; JSON and containers indented."""
    try:
        text = indented_json(value) if is_container(value) else described(value)
    except Exception as error:  # noqa: BLE001 - an odd object in a cell is shown as odd.
        text = cannot_be_shown(error)
    taken = budget.take(text)
    return _folded_html(pretty_json(taken) or taken, plain_html, len(text), len(taken))


def plain_html(text: str) -> str:
    """Render a text unchanged, preformatted."""
    return f"<pre><code>{escape(visible(text))}</code></pre>"


def _visible_markdown(text: str) -> str:
    # Entities may have become what was not in the source: &#x202e; is a control.
    return visible(markdown_html(text))


def _folded_html(source: str, to_html: Callable[[str], str], size: int, taken: int) -> str:
    """Render a text, folded when it is long, with a note when it was cut."""
    body = to_html(source)
    if taken < size:
        body += (
            f'<p class="rn-note">{size - taken:,} of {size:,} characters are not shown. '
            "They are in the DataFrame.</p>"
        )
    if len(source) > _LONG or source.count("\n") >= _LONG_LINES:
        body = (
            f'<div class="rn-fold"><div class="rn-start">{to_html(_start(source))}</div>'
            f"<details><summary>{_SHOW_ALL.format(size)}</summary>{body}</details></div>"
        )
    return f'<div class="rn-text" dir="auto">{body}</div>'


def _start(text: str) -> str:
    start = "\n".join(text[:_START].split("\n")[:_START_LINES])
    # Cut between two words, if there are any.
    return start[: max(start.rfind(" "), start.rfind("\n"), _START // 2)]
