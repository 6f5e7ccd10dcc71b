"""What the other browser tests rely on: the harness sees what happens, and leaves no trace."""

from __future__ import annotations

import json
import struct

import pytest
from lab_page import App, NotebookPage, OpenNotebook
from lab_traffic import Frame, read_frame

BUTTON = """\
import ipywidgets
button, text = ipywidgets.Button(description="Go"), ipywidgets.HTML("old")
button.on_click(lambda _button: setattr(text, "value", "<em>new</em>"))
ipywidgets.VBox([button, text])
"""
# What a click costs: the click, the changed trait, and that the kernel is busy and idle again.
CLICK = ({"comm_msg": 1}, {"comm_msg": 1, "status": 2})


@pytest.fixture(params=["lab", "notebook"])
def app(request: pytest.FixtureRequest) -> App:
    return request.param


def _click(page: NotebookPage, cell: int = 0) -> None:
    page.page.get_by_role("button", name="Go").click()
    page.output_area(cell).locator("em", has_text="new").wait_for()


def test_round_trip__widget(open_notebook: OpenNotebook, app: App) -> None:
    page = open_notebook([BUTTON, "1 + 1"], app=app)
    page.run_all()
    before = page.execution_counts()
    page.page.get_by_role("button", name="Go").wait_for()
    page.reset_traffic()
    _click(page)
    traffic = page.traffic()
    assert (traffic.sent.types, traffic.received.types) == CLICK
    assert (traffic.sent.messages, traffic.received.messages) == (1, 3)
    assert 200 < traffic.sent.bytes < traffic.received.bytes < 4000
    assert page.run_code("print(text.value)") == "<em>new</em>\n"
    assert before == page.execution_counts() == [1, 2]
    assert page.sources() == [BUTTON, "1 + 1"]
    assert page.errors() == page.console_errors == []


def test_focus__letters_on_a_plain_button_are_commands_of_jupyter(
    open_notebook: OpenNotebook, app: App
) -> None:
    page = open_notebook(["1 + 1", BUTTON], app=app)
    page.run_all()
    page.page.get_by_role("button", name="Go").wait_for()
    page.command("notebook:move-cursor-up")
    assert (page.active_cell(), page.cell_count()) == (0, 2)
    _click(page, cell=1)
    assert (page.active_cell(), page.mode()) == (1, "command")
    page.page.keyboard.press("b")
    assert (page.active_cell(), page.cell_count()) == (2, 3)


@pytest.mark.parametrize(
    ("script", "noticed"),
    [
        ('new Image().src = "http://respan.invalid/a.png"', "http://respan.invalid/a.png"),
        ('new WebSocket("ws://respan.invalid/b")', "ws://respan.invalid/b"),
        ('alert("boo")', "alert: boo"),
    ],
    ids=["request", "websocket", "dialog"],
)
def test_assert_contained__fails_after(
    open_notebook: OpenNotebook, script: str, noticed: str
) -> None:
    page = open_notebook([], app="notebook")
    page.assert_contained()
    page.page.evaluate(f"() => {{ {script} }}")
    # A request is told of after the script that caused it.
    page.page.wait_for_timeout(300)
    assert page.remote_requests + page.dialogs == [noticed]
    with pytest.raises(AssertionError, match=noticed):
        page.assert_contained()
    page.remote_requests.clear()
    page.dialogs.clear()


def test_traffic__leaves_out_run_code_but_not_what_it_does(open_notebook: OpenNotebook) -> None:
    page = open_notebook([BUTTON])
    page.run_all()
    page.page.get_by_role("button", name="Go").wait_for()
    page.reset_traffic()
    page.run_code("print('not counted')")
    assert (page.traffic().sent.types, page.traffic().received.types) == ({}, {})
    page.run_code("text.value = 'counted'")
    assert (page.traffic().sent.types, page.traffic().received.types) == ({}, {"comm_msg": 1})


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_read_frame__either_protocol(binary: bool) -> None:
    header, parent = {"msg_type": "status", "msg_id": "b"}, {"msg_id": "a"}
    message = {
        "header": header,
        "parent_header": parent,
        "metadata": {},
        "content": {"execution_state": "idle"},
    }
    payload: str | bytes = json.dumps(message)
    if binary:
        parts = [b"iopub", *(json.dumps(part).encode() for part in message.values()), b"buffer"]
        starts = [8 * (len(parts) + 2) + sum(map(len, parts[:n])) for n in range(len(parts) + 1)]
        payload = struct.pack(f"<{len(starts) + 1}Q", len(starts), *starts) + b"".join(parts)
    assert read_frame(payload, sent=False) == Frame(False, len(payload), "status", "b", "a", True)
