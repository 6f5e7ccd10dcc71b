"""Defaults of the client, and what it says of a server that is not there."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from pydantic import SecretStr

from respan_notebook.client.server import Server
from respan_notebook.client.settings import Clock, RequestSettings
from respan_notebook.client.transport import Transport
from respan_notebook.errors import TransportError


def test_request_settings__defaults_suit_the_service() -> None:
    assert RequestSettings() == RequestSettings(
        attempts=10,
        call_attempts=5,
        call_deadline=60.0,
        budget=200,
        backoff=0.25,
        longest_backoff=8.0,
        hold_backoff=1.0,
        longest_hold_backoff=60.0,
        longest_hold=900.0,
        refusals=20,
        longest_request=300.0,
        longest_answer=1024**2,
        longest_page=64 * 1024**2,
        clock=Clock(time.monotonic, threading.Event.wait),
    )


@pytest.mark.parametrize(
    ("host", "hint"), [("127.0.0.1", True), ("0.0.0.0", False)], ids=["local", "elsewhere"]
)
def test_send__asks_for_the_sandbox_of_this_machine_alone(host: str, hint: bool) -> None:
    with socket.socket() as unused:
        unused.bind((host, 0))  # Nobody listens.
        origin = f"http://{host}:{unused.getsockname()[1]}"
        transport = Transport(Server(origin, "/api", SecretStr("key"), 1.0))
        with pytest.raises(TransportError) as failed:
            transport.send("GET", "/api/", timeout=1.0, deadline=5.0, longest=100)
        transport.close()
    assert str(failed.value).endswith("; is the sandbox running?") is hint
    assert str(failed.value).startswith(f"no answer from {origin}: ")
