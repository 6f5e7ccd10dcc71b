"""What the other browser tests rely on: the harness sees what happens, and leaves no trace."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from lab_page import App, NotebookPage, OpenNotebook, Theme
from lab_server import LabServer
from lab_traffic import Frame, TrafficLog, read_frame

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


def test_errors__of_cells_and_of_run_code(open_notebook: OpenNotebook, app: App) -> None:
    page = open_notebook(["1 / 0", "2"], app=app)
    with pytest.raises(AssertionError, match="ZeroDivisionError: division by zero"):
        page.run_all()
    page.run_all(allow_errors=True)
    (error,) = page.errors()
    assert "ZeroDivisionError: division by zero" in error
    assert "\x1b" not in error
    with pytest.raises(AssertionError, match="KeyError: 'absent'"):
        page.run_code("{}['absent']")


def test_kernel__is_the_tests_own_python_in_folders_of_its_own(
    open_notebook: OpenNotebook, lab: LabServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_notebook([], env={"RESPAN_API_KEY": "sk-local"})
    names = ["HOME", "JUPYTER_CONFIG_DIR", "RESPAN_API_KEY", "RESPAN_BASE_URL"]
    code = f"import json, os, sys; print(json.dumps([sys.executable, *map(os.getenv, {names})]))"
    home, config = str(lab.folder / "home"), str(lab.folder / "config")
    assert json.loads(page.run_code(code)) == [sys.executable, home, config, "sk-local", None]


def test_kill_kernel__page_has_another_kernel_process(
    open_notebook: OpenNotebook, app: App
) -> None:
    page = open_notebook([BUTTON], app=app)
    page.run_all()
    pid, kernel = page.kernel_pid(), page.kernel_id
    page.kill_kernel()
    assert page.kernel_pid() != pid
    assert (page.kernel_id, page.kernel_status()) == (kernel, "idle")
    assert page.run_code("print('button' in globals())") == "False\n"
    page.page.get_by_role("button", name="Ok", exact=True).click()
    assert page.console_errors == []


def test_reload__shows_the_widgets_of_the_running_kernel(
    open_notebook: OpenNotebook, app: App
) -> None:
    page = open_notebook([BUTTON], app=app)
    page.run_all()
    page.page.get_by_role("button", name="Go").wait_for()
    page.command("docmanager:save")
    pid = page.kernel_pid()
    page.reload()
    _click(page)
    assert page.kernel_pid() == pid


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_theme__of_opened_page_and_changed(
    open_notebook: OpenNotebook, app: App, theme: Theme, tmp_path: Path
) -> None:
    page = open_notebook([BUTTON], app=app, theme=theme, size=(900, 600))
    body = page.page.locator("body")
    light = [body.get_attribute("data-jp-theme-light")]
    page.set_theme("dark" if theme == "light" else "light")
    light.append(body.get_attribute("data-jp-theme-light"))
    assert light == (["true", "false"] if theme == "light" else ["false", "true"])
    page.screenshot(tmp_path / "page.png")
    width_and_height = (tmp_path / "page.png").read_bytes()[16:24]
    assert struct.unpack(">2I", width_and_height) == (900, 600)


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


def test_console_errors__are_messages_and_exceptions(open_notebook: OpenNotebook, app: App) -> None:
    page = open_notebook([], app=app)
    script = 'console.error("oh no"); setTimeout(() => { throw new Error("uncaught"); })'
    page.page.evaluate(f"() => {{ {script} }}")
    page.page.wait_for_timeout(300)
    assert page.console_errors == ["oh no ()", "uncaught"]


def test_traffic__leaves_out_run_code_but_not_what_it_does(open_notebook: OpenNotebook) -> None:
    page = open_notebook([BUTTON])
    page.run_all()
    page.page.get_by_role("button", name="Go").wait_for()
    page.reset_traffic()
    page.run_code("print('not counted')")
    assert (page.traffic().sent.types, page.traffic().received.types) == ({}, {})
    page.run_code("text.value = 'counted'")
    assert (page.traffic().sent.types, page.traffic().received.types) == ({}, {"comm_msg": 1})


def test_waiting__ends_with_idle_and_a_requests_reply() -> None:
    log = TrafficLog()

    def add(type_: str, id_: str, parent: str = "", *, sent: bool = False) -> dict[str, str]:
        header = {"msg_type": type_, "msg_id": id_}
        content = {"execution_state": "idle"} if type_ == "status" else {}
        message = {"header": header, "parent_header": {"msg_id": parent}, "content": content}
        log.add(json.dumps(message), sent=sent)
        return log.waiting()

    assert add("comm_msg", "a", sent=True) == {"a": "comm_msg"}
    assert add("status", "b", "a") == {}
    assert add("execute_request", "c", sent=True) == {"c": "execute_request"}
    assert add("status", "d", "c") == {"c": "execute_request"}
    log.clear()
    assert add("execute_reply", "e", "c") == {}
    assert log.traffic().received.messages == 0


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


def test_stop__ends_the_server_by_its_own_id(tmp_path: Path) -> None:
    with LabServer(tmp_path) as server:
        assert server.api("GET", "kernels") == []
    assert server.process.returncode == 0


def test_server__ends_with_its_standard_input(tmp_path: Path) -> None:
    with LabServer(tmp_path) as server:
        server.process.stdin.close()
        try:
            assert server.process.wait(15) == 0
        except subprocess.TimeoutExpired:
            pytest.fail("the server outlives the tests")
