"""Test messages of a conversation: their shapes, roles, parts and tool calls."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from log_pages import MESSAGES, answer, seen

from respan_notebook.labelling.log_view.log import log_html


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
    assert seen({"prompt_messages": cell}) == "1 earlier turn user Hi assistant Yes?"
    assert seen({"input": cell}) == "user Hi assistant Yes?"


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
        '1 earlier turn assistant calls find c1 { "near": "x", "n": 1.0 } tool c1 [1, 2] '
        "assistant calls old not JSON"
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
    assert text.startswith("999 earlier turns")
    assert [f"m{n}." in text for n in (0, 99, 100, 898, 899, 999)] == [
        True,
        True,
        False,
        False,
        True,
        True,
    ]
    assert "799 messages between are not shown." in text


def test_messages__that_repeat_each_other_a_million_times_are_cut() -> None:
    part: object = [{"type": "tool_result", "content": "t" * 100}] * 100
    for _ in range(3):
        part = [{"type": "tool_result", "content": part}] * 100
    html = log_html({"prompt_messages": [{"role": "user", "content": part}]})
    assert "more parts are not shown" in html
    assert len(html) < 1_000_000


def test_repeats__is_seen_among_many_messages() -> None:
    said = [{"role": "user", "content": f"hello {n}", "name": "ann"} for n in range(20_000)]
    html = log_html({"prompt_messages": said, "input": json.dumps(said[1:])})
    assert "hello 19999" in html
    assert html.count("hello 19999") == 1
