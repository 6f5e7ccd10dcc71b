"""Render the messages of a conversation, in the formats of the makers of models."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from respan_notebook.labelling.log_view.escape import described, escaped, escaped_name
from respan_notebook.labelling.log_view.markdown import media_text
from respan_notebook.labelling.log_view.text import Budget, code_html, text_html
from respan_notebook.values.cells import is_missing

_LONGEST_JSON: Final = 2_000_000  # Characters of text that are parsed.
_MOST_MESSAGES: Final = 200
_MOST_PARTS: Final = 100  # Of a message.
_DEEPEST: Final = 3  # Results of tools hold parts, too.
_PLAIN_MESSAGE: Final = frozenset({"role", "content"})
_EMPTY: Final = '<p class="rn-note">(empty)</p>'

_CLASSES: Final[Mapping[str, str]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function": "tool",
    "input": "user",
    "output": "assistant",
}
"""Role -> style of its messages."""


def read_json(text: str) -> Any:
    """Parse a text that is a JSON object, list or string; return any other text as it is."""
    if len(text) > _LONGEST_JSON or text.lstrip()[:1] not in ("{", "[", '"'):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict | list | str) else text


def as_messages(cell: object) -> list[Any] | None:
    """Return the messages that a cell holds, also as JSON text; None when it holds none.

    A cell holds messages when it is a message, a list of nothing but messages, or a request with
    such a list as ``messages``. A message is an object with a ``role``.
    """
    value = read_json(str.__str__(cell)) if isinstance(cell, str) else cell
    if isinstance(value, Mapping):
        value = [value] if "role" in value else value.get("messages")  # As a request has it.
    members = members_of(value)
    if members and all(isinstance(one, Mapping) and "role" in one for one in members):
        return members
    return None


def is_instruction(message: object) -> bool:
    """Return whether a message says how to answer, and is no turn of the conversation."""
    role = message.get("role") if isinstance(message, Mapping) else None
    return isinstance(role, str) and _CLASSES.get(role.lower()) == "system"


def members_of(value: object) -> list[Any] | None:
    """Return the members of a list, tuple or array; None for anything else."""
    if isinstance(value, np.ndarray):
        value = np.atleast_1d(value).tolist()
    return list(value) if isinstance(value, list | tuple) else None


def repeats(cell: object, messages: Sequence[Any]) -> bool:
    """Return whether a cell, as text, JSON or messages, only repeats the messages."""
    said, found = texts_of(messages), as_messages(cell)
    if found is None:
        text = read_json(cell) if isinstance(cell, str) else cell
        return isinstance(text, str) and text.strip() in said
    there = set(map(_spelled, messages))
    return all(
        (_PLAIN_MESSAGE.issuperset(one) and texts_of([one]) <= said) or _spelled(one) in there
        for one in found
    )


def _spelled(message: object) -> str:
    """Return a text that is the same for equal messages, so that many are compared quickly."""
    return json.dumps(message, sort_keys=True, default=repr)


def texts_of(messages: Iterable[Any]) -> set[str]:
    """Return the texts of messages, by which a cell that repeats them is recognized."""
    texts = set()
    for message in messages:
        content = message.get("content") if isinstance(message, Mapping) else message
        for part in members_of(content) or [content]:
            text = part.get("text") if isinstance(part, Mapping) else part
            if isinstance(text, str):
                texts.add(text.strip())
    return texts


def messages_html(messages: Sequence[Any], budget: Budget, *, role: str = "message") -> str:
    """Render messages one below the other; of more than 200 the first and the last 100.

    ``role`` is the role of a message without one.
    """
    left_out = len(messages) - _MOST_MESSAGES
    if left_out <= 0:
        return "".join(message_html(one, budget, role=role) for one in messages)
    half = _MOST_MESSAGES // 2
    note = f"{left_out:,} messages between are not shown. They are in the DataFrame."
    return (
        messages_html(messages[:half], budget, role=role)
        + f'<p class="rn-note">{note}</p>'
        + messages_html(messages[-half:], budget, role=role)
    )


def message_html(message: object, budget: Budget, *, role: str = "message") -> str:
    """Render one message under its role."""
    if not isinstance(message, Mapping) or _KNOWN.isdisjoint(message):
        return framed_html(role, _content(message, budget) or _EMPTY)
    given, about = message.get("role"), [message.get(field) for field in ("name", "tool_call_id")]
    body = "".join(render(message.get(field), budget, 0) for field, render in _SHOWN.items())
    others = {field: message[field] for field in message if field not in _KNOWN}
    others = {field: value for field, value in others.items() if not is_empty(value)}
    if others:
        inside = code_html(others, budget)
        body += f"<details><summary>More of this message</summary>{inside}</details>"
    return framed_html(
        role if is_empty(given) else described(given),
        body or _EMPTY,
        about=" ".join(described(one) for one in about if not is_empty(one)),
    )


def framed_html(role: str, body: str, *, about: str = "") -> str:
    """Render the frame of a message around HTML, with the role as heading."""
    style = _CLASSES.get(role.lower(), "other")
    return (
        f'<article class="rn-message rn-{style}" aria-label="{escaped_name(role)}">'
        f'<h4 class="rn-role"><bdi>{escaped_name(role)}</bdi>{_aside(about)}</h4>{body}</article>'
    )


def _aside(text: str) -> str:
    return f" <small><bdi>{escaped_name(text)}</bdi></small>" if text else ""


def is_empty(value: object) -> bool:
    """Return whether a value is missing, or an empty text, list or object."""
    return is_missing(value) or (isinstance(value, str | list | dict | tuple) and not value)


# -- the content of a message -------------------------------------------------------------------

RenderPart = Callable[[Any, Budget, int], str]
"""A field of a message, or a part of it -> HTML; the number is its depth of nesting."""


def _content(content: object, budget: Budget, depth: int = 0) -> str:
    if is_empty(content) or (isinstance(content, str) and not content.strip()):
        return ""
    if isinstance(content, str):
        return text_html(content, budget)
    parts = [content] if isinstance(content, Mapping) else members_of(content)
    if parts is None or depth > _DEEPEST:
        return code_html(content, budget)
    shown = []
    for part in parts[:_MOST_PARTS]:
        if not budget.take_part():
            break
        shown.append(_part(part, budget, depth))
    if len(parts) > len(shown):
        note = f"{len(parts) - len(shown):,} more parts are not shown."
        shown.append(f'<p class="rn-note">{note}</p>')
    return "".join(shown)


def _part(part: object, budget: Budget, depth: int) -> str:
    if isinstance(part, str):
        return text_html(part, budget)
    if isinstance(part, Mapping):
        kind = part.get("type")
        render = _PARTS.get(kind) if isinstance(kind, str) else None
        html = render(part, budget, depth) if render else ""
        if html:
            return html
    return code_html(part, budget)


def _content_of(field: str, label: str = "") -> RenderPart:
    def render(part: Mapping[str, Any], budget: Budget, depth: int) -> str:
        return _labelled(label)(part.get(field), budget, depth)

    return render


def _labelled(label: str) -> RenderPart:
    def render(content: object, budget: Budget, depth: int) -> str:
        html = _content(content, budget, depth + 1)
        return f'<p class="rn-label">{label}</p>{html}' if html and label else html

    return render


def _image(part: Mapping[str, Any], _budget: Budget, _depth: int) -> str:
    image = part.get("image_url", part.get("source"))
    if isinstance(image, Mapping):
        image = image.get("url") or image.get("media_type") or image.get("file_id")
    return _media("Image", image)


def _audio(part: Mapping[str, Any], _budget: Budget, _depth: int) -> str:
    audio = part.get("input_audio")
    return _media("Audio", audio.get("format") if isinstance(audio, Mapping) else None)


def _media(kind: str, word: object) -> str:
    if not isinstance(word, str):
        return ""
    return f'<p class="rn-media"><bdi>{escaped(media_text(kind, word))}</bdi></p>'


def _tool_calls(calls: object, budget: Budget, _depth: int) -> str:
    if is_empty(calls):
        return ""
    several = members_of(calls) or [calls]
    return "".join(_tool_call(call, budget) for call in several[:_MOST_PARTS])


def _tool_call(call: object, budget: Budget, _depth: int = 0) -> str:
    if is_empty(call):
        return ""
    if not isinstance(call, Mapping):
        return code_html(call, budget)
    function = call.get("function")
    inner = function if isinstance(function, Mapping) else call
    name, arguments = inner.get("name"), inner.get("arguments", inner.get("input"))
    if not isinstance(name, str):
        return code_html(call, budget)
    about = "" if is_empty(call.get("id")) else described(call["id"])
    inside = "" if is_empty(arguments) else code_html(arguments, budget)
    head = f"calls <code><bdi>{escaped_name(name)}</bdi></code>{_aside(about)}"
    return f'<div class="rn-call"><p class="rn-label">{head}</p>{inside}</div>'


_SHOWN: Final[Mapping[str, RenderPart]] = {
    "reasoning_content": _labelled("Reasoning"),
    "content": _content,
    "refusal": _labelled("Refusal"),
    "tool_calls": _tool_calls,
    "function_call": _tool_call,
}
"""Field of a message -> the function that renders it, in this order."""

_KNOWN: Final = frozenset({*_SHOWN, "role", "name", "tool_call_id"})

_PARTS: Final[Mapping[str, RenderPart]] = {
    "text": _content_of("text"),
    "input_text": _content_of("text"),
    "output_text": _content_of("text"),
    "refusal": _content_of("refusal", "Refusal"),
    "thinking": _content_of("thinking", "Reasoning"),
    "image_url": _image,
    "input_image": _image,
    "image": _image,
    "input_audio": _audio,
    "tool_use": _tool_call,
    "tool_result": _content_of("content", "Result"),
}
"""Type of a part -> the function that renders it; any other part is shown as JSON."""
