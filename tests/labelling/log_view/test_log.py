"""Test the arrangement of a log: what it shows, in which order, what is left out or folded."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from log_pages import COLUMNS, LOOP, MESSAGES, Odd, Page, answer, seen

from respan_notebook.labelling.log_view.log import log_html
from respan_notebook.sandbox.demo import DEMO_LOGS

GSM8K = Path(__file__).parents[3] / "../shared/data/gsm8k_logs.jsonl.gz"


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
        '<section class="rn-answer">'
        '<article class="rn-message rn-assistant" aria-label="assistant"><h4 class="rn-role">'
        '<bdi>assistant</bdi></h4><div class="rn-text" dir="auto"><p><strong>Hello</strong></p>\n'
        "</div></article></section>"
        '<dl class="rn-facts"><div><dt>Model</dt><dd><bdi>gpt-4o</bdi></dd></div></dl></section>'
    )


TURNS = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Yes?"},
    {"role": "user", "content": "Why?"},
]


def test_log_html__folds_what_was_said_before_and_frames_the_answer() -> None:
    row = {"prompt_messages": TURNS, **answer("So.")}
    html = log_html(row)
    kinds = r'<(details|section) class="(rn-instructions|rn-earlier|rn-answer)"'
    assert re.findall(kinds, html) == [
        ("details", "rn-instructions"),
        ("details", "rn-earlier"),
        ("section", "rn-answer"),
    ]
    assert seen(row) == (
        "system prompt system Be brief. 2 earlier turns user Hi assistant Yes? user Why? "
        "assistant So."
    )
    assert "open" not in html, "folded until somebody asks for it"
    assert html.index("</details>", html.index("Yes?")) < html.index("Why?")


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (TURNS[1:2], "user Hi"),
        (TURNS[:1], "system Be brief."),
        (TURNS[1:3], "1 earlier turn user Hi assistant Yes?"),
        (TURNS[:2], "system prompt system Be brief. user Hi"),
    ],
    ids=["one", "instructions alone", "no instructions", "no earlier turn"],
)
def test_log_html__what_was_said_last_is_never_folded(messages: Any, expected: str) -> None:
    assert seen({"prompt_messages": messages}) == expected
    html = log_html({"prompt_messages": messages})
    assert html.rindex("<article") > html.rfind("</details>")


@pytest.mark.parametrize(
    ("row", "framed"),
    [
        ({"input": "2+2?", "output": "4"}, "output 4"),
        ({"prompt_messages": MESSAGES[:1], "output": "x"}, "output x"),
        ({**answer("Yes"), "output": "Yes"}, "assistant Yes"),
        ({**answer("Yes"), "output": "Yes, but"}, "assistant Yes"),
        (answer(None), "assistant (empty)"),
        ({"input": "2+2?"}, None),
    ],
    ids=["text", "no completion", "both", "both that differ", "empty", "none"],
)
def test_log_html__frames_what_is_judged(row: dict[str, Any], framed: str | None) -> None:
    found = re.findall(r'<section class="rn-answer">(.*?)</section>', log_html(row), re.DOTALL)
    texts = [Page(html).text for html in found]
    assert texts == ([] if framed is None else [framed])


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


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT], ids=repr)
def test_log_html__missing_cells_are_left_out(missing: Any) -> None:
    columns = ("prompt_messages", "output", "model", "metadata", "status_code", "other", 3)
    assert seen(dict.fromkeys(columns, missing)) == "This log is empty."


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


class OddClass:
    @property
    def __class__(self) -> Any:
        raise RuntimeError

    @__class__.setter
    def __class__(self, value: Any) -> None: ...


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
