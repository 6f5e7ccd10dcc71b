"""The key is shown nowhere: by no error, traceback, log, pickle or repr."""

from __future__ import annotations

import json
import logging
import pickle
import signal
import socket
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from canned import CannedServer

import respan_notebook
from respan_notebook import (
    AuthenticationError,
    ConfigurationError,
    RespanClient,
    RespanError,
    ScoreWrite,
)

KEY = "sk-secret-0123456789"
Start = Callable[..., CannedServer]
GOOD = ScoreWrite(evaluator_slug="helpfulness", numerical_value=4)

PACKAGE = Path(respan_notebook.__file__).parent


def shown_locals(error: BaseException) -> str:
    """Return what a verbose traceback shows of the package's own frames."""
    verbose = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [f for f in verbose.stack if Path(f.filename).is_relative_to(PACKAGE)]
    assert frames, "else it is not known what they show"
    return "".join(str(frame.locals) for frame in frames)


@pytest.mark.parametrize("key", ["Bearer s3krit-key", "s3krit\nkey", "é-s3krit-key"])
def test_client__refuses_key_without_showing_it(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RespanClient(key)
    assert "s3krit" not in str(caught.value)
    assert "s3krit" not in shown_locals(caught.value)


def test_client__shows_the_key_nowhere(canned: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    body = json.dumps({"detail": f"Unknown key {KEY}"}).encode()
    client = RespanClient(KEY, canned(status=401, body=body).base_url)
    with client, pytest.raises(AuthenticationError) as caught:
        client.upsert_score("log_1", GOOD)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(client)
    gone = RespanClient(KEY, "http://127.0.0.1:1")
    with gone, pytest.raises(ConnectionError) as unreachable:
        gone.get_log("log_1")
    for error in (caught.value, unreachable.value):
        assert KEY not in shown_locals(error)
        assert KEY not in f"{error!r} {error.__dict__}"
        assert KEY.encode() not in pickle.dumps(error)
        assert error.__context__ is None
    assert KEY not in f"{client!r} {vars(client)} {caplog.text}"
    moved = canned(status=302, headers={"Location": f"https://x.example/?k={KEY}"})
    with RespanClient(KEY, moved.base_url) as redirected, pytest.raises(RespanError) as location:
        redirected.get_log("log_1")
    assert KEY not in str(location.value)
    assert "Unknown key [key]" in str(caught.value)


@pytest.mark.usefixtures("interruptible")
def test_client__an_interrupt_shows_no_key() -> None:
    """Ctrl-C while a request hangs: the frames of requests, which hold headers, are gone."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        main = threading.main_thread().ident or 0

        hanging: list[socket.socket] = []

        def press() -> None:
            hanging.append(silent.accept()[0])
            hanging[0].recv(1)  # So the request is in flight.
            signal.pthread_kill(main, signal.SIGINT)

        keyboard = threading.Thread(target=press)
        keyboard.start()
        client = RespanClient(KEY, url)
        client.gate.refused(client.gate.request()[1], 0.0)  # So the request is the probe.
        with client, pytest.raises(KeyboardInterrupt) as caught:
            client.get_log("log_1")
        keyboard.join()
        hanging[0].close()
    assert client.gate.request()[0] == 0, "the probe is not taken for one that is still out"
    verbose = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = [frame for frame in verbose.stack if frame.filename != __file__]
    assert shown
    assert KEY not in "".join(str(frame.locals) for frame in shown)
    assert not any("urllib3" in frame.filename for frame in verbose.stack)
