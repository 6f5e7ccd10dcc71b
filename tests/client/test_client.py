"""The client's routes against the real sandbox, and what it refuses to do."""

from __future__ import annotations

import json
import logging
import pickle
import signal
import socket
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from canned import Canned, CannedServer

import respan_notebook
from respan_notebook import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    Evaluator,
    InvalidValueError,
    NotFoundError,
    RespanClient,
    RespanError,
    Sandbox,
    ScoreWrite,
    UnexpectedAnswerError,
    UnknownEvaluatorError,
)
from respan_notebook.models import Upsert

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


# -- how it is set up ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "base_url",
    [
        "https://api.respan.ai",
        "https://api.respan.ai/",
        "https://api.respan.ai/api",
        "https://api.respan.ai/api/",
        " https://api.respan.ai/api/ ",
    ],
)
def test_client__base_url_with_and_without_api(base_url: str) -> None:
    assert RespanClient(KEY, base_url).base_url == "https://api.respan.ai"


@pytest.mark.parametrize(
    ("base_url", "message"),
    [
        ("api.respan.ai", "must look like"),
        ("ftp://api.respan.ai", "must look like"),
        ("https://", "must look like"),
        ("https://api.respan.ai:port", "must look like"),
        ("https://[::1", "must look like"),
        ("https://someone:pass@api.respan.ai", "plain URL"),
        ("https://api.respan.ai/?a=1", "plain URL"),
        ("http://api.respan.ai", "must start with https"),
        ("http://127.0.0.1.evil.example", "must start with https"),
        ("http://localhost.evil.example", "must start with https"),
    ],
)
def test_client__refuses_base_url(base_url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        RespanClient(KEY, base_url)
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1:1", "127.9.9.9", "[::1]:1"])
def test_client__http_to_loopback_is_fine(host: str) -> None:
    assert RespanClient(KEY, f"http://{host}").base_url == f"http://{host}"


def test_client__from_the_environment(monkeypatch: pytest.MonkeyPatch, canned: Start) -> None:
    server = canned()
    monkeypatch.setenv("RESPAN_API_KEY", KEY)
    assert RespanClient().base_url == "https://api.respan.ai"
    monkeypatch.setenv("RESPAN_BASE_URL", server.base_url + "/api")
    with RespanClient() as client:
        client.get_log("log_1")
    with RespanClient("another-key") as client:
        client.get_log("log_1")
    assert [r[2]["Authorization"] for r in server.requests] == [
        f"Bearer {KEY}",
        "Bearer another-key",
    ]


def test_client__path_before_api(canned: Start) -> None:
    server = canned()
    with RespanClient(KEY, server.base_url + "/gateway/api/") as client:
        client.get_log("log_1")
    assert server.requests[0][1] == "/gateway/api/request-logs/log_1/"


@pytest.mark.parametrize("key", [None, "", "  "])
def test_client__no_key_names_three_ways(key: str | None) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RespanClient(key)
    for way in ("api_key=", "RESPAN_API_KEY", "Sandbox("):
        assert way in str(caught.value)


@pytest.mark.parametrize("key", ["Bearer s3krit-key", "s3krit\nkey", "é-s3krit-key"])
def test_client__refuses_key_without_showing_it(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RespanClient(key)
    assert "s3krit" not in str(caught.value)
    assert "s3krit" not in shown_locals(caught.value)


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan"), None, "30"])
def test_client__timeouts_always(timeout: Any) -> None:
    with pytest.raises(ConfigurationError, match="timeout must be"):
        RespanClient(KEY, timeout=timeout)


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
        timer = threading.Timer(0.3, signal.pthread_kill, [main, signal.SIGINT])
        timer.start()
        client = RespanClient(KEY, url)
        client.gate.refused(client.gate.request()[1], 0.0)  # So the request is the probe.
        with client, pytest.raises(KeyboardInterrupt) as caught:
            client.get_log("log_1")
        timer.join()
    assert client.gate.request()[0] == 0, "the probe is not taken for one that is still out"
    verbose = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = [frame for frame in verbose.stack if frame.filename != __file__]
    assert shown
    assert KEY not in "".join(str(frame.locals) for frame in shown)
    assert not any("urllib3" in frame.filename for frame in verbose.stack)


# -- log ids ------------------------------------------------------------------------------------


@pytest.mark.parametrize("log_id", ["", ".", "..", "\ud83d", None, 7])
def test_upsert_score__refuses_log_id_before_sending(canned: Start, log_id: Any) -> None:
    server = canned()
    with RespanClient(KEY, server.base_url) as client, pytest.raises(InvalidValueError):
        client.upsert_score(log_id, GOOD)
    assert server.requests == []


ODD_IDS = ["a/b", "a?b=c", "a#b", "100%", "%2F", "two words", "🎉", "...", "x" * 10_000, "a\\b"]


@pytest.mark.parametrize("log_id", ODD_IDS, ids=lambda log_id: log_id[:10])
def test_upsert_score__any_log_id_is_one_segment(client: RespanClient, log_id: str) -> None:
    client.create_log({"unique_id": log_id, "input": "q", "output": "a"})
    assert client.upsert_score(log_id, GOOD).log_id == log_id
    assert [score.log_id for score in client.list_scores(log_id)] == [log_id]
    assert client.get_log(log_id)["unique_id"] == log_id


# -- scores -------------------------------------------------------------------------------------


def test_upsert_score__creates_then_updates(client: RespanClient) -> None:
    created, first = client.send_upsert(Upsert("demo_01", GOOD.body()))
    again = ScoreWrite(evaluator_slug="helpfulness", numerical_value=2, explanation="on reflection")
    updated, second = client.send_upsert(Upsert("demo_01", again.body()))
    assert (first, second) == (201, 200)
    assert (created.id, created.numerical_value, created.scorer) == (
        updated.id,
        4.0,
        "ann@example.com",
    )
    assert (updated.numerical_value, updated.explanation) == (2.0, "on reflection")
    assert client.list_scores("demo_01") == [updated]
    assert client.upsert_score("demo_01", again.body()).id == updated.id


def test_scores__one_per_scorer(sandbox: Sandbox, client: RespanClient) -> None:
    with RespanClient(sandbox.api_keys["bob@example.com"], sandbox.base_url) as bob:
        bob.upsert_score("demo_01", GOOD)
        client.upsert_score("demo_01", GOOD)
        assert {s.scorer for s in bob.list_scores("demo_01")} == {
            "ann@example.com",
            "bob@example.com",
        }


def test_scores__get_replace_patch_delete(client: RespanClient) -> None:
    score = client.upsert_score("demo_01", GOOD)
    assert client.get_score("demo_01", score.id) == score
    whole = ScoreWrite(evaluator_slug="helpfulness", numerical_value=1)
    assert client.replace_score("demo_01", score.id, whole).numerical_value == 1.0
    patched = client.patch_score("demo_01", score.id, numerical_value=5, explanation="why")
    assert (patched.numerical_value, patched.explanation) == (5.0, "why")
    client.delete_score("demo_01", score.id)
    assert client.list_scores("demo_01") == []
    with pytest.raises(NotFoundError):
        client.get_score("demo_01", score.id)


def test_patch_score__refuses_other_fields_and_nan(client: RespanClient) -> None:
    with pytest.raises(TypeError, match="log_id"):
        client.patch_score("demo_01", "s1", log_id="demo_02")
    with pytest.raises(InvalidValueError, match="JSON"):
        client.patch_score("demo_01", "s1", numerical_value=float("nan"))


def test_upsert_score__no_such_log(client: RespanClient) -> None:
    with pytest.raises(NotFoundError, match="check the id"):
        client.upsert_score("no_such_log", GOOD)


def test_upsert_score__wrong_key(sandbox: Sandbox) -> None:
    with RespanClient(KEY, sandbox.base_url) as client, pytest.raises(AuthenticationError):
        client.upsert_score("demo_01", GOOD)


def test_filter_scores__follows_every_page(client: RespanClient) -> None:
    for number in range(120):
        slug = f"own_{number}"
        client.upsert_score("demo_01", ScoreWrite(evaluator_slug=slug, boolean_value=True))
    client.upsert_score("demo_02", GOOD)
    only = {"log_id": {"operator": "in", "value": ["demo_01"]}}
    found = client.filter_scores(only, sort_by="created_at")
    assert len(found) == 120
    assert {score.log_id for score in found} == {"demo_01"}
    assert len(client.filter_scores()) == 121
    with pytest.raises(BadRequestError):
        client.filter_scores({"no_such_field": {"operator": "", "value": [1]}})


# -- evaluators ---------------------------------------------------------------------------------


def test_evaluators__create_get_list(client: RespanClient) -> None:
    made = client.create_evaluator(
        Evaluator(
            id="ignored",
            name="Stars",
            evaluator_slug="stars",
            type="human",
            score_value_type="numerical",
            score_config={"min_score": 1, "max_score": 5},
        )
    )
    assert made.id not in (None, "ignored")
    assert made.bounds == (1.0, 5.0)
    assert client.get_evaluator(made.id or "") == client.get_evaluator("stars") == made
    assert made in client.list_evaluators()
    copied = client.create_evaluator({"name": "Moons", "score_value_type": "text", "tags": None})
    assert copied.evaluator_slug == "moons"
    with pytest.raises(UnknownEvaluatorError, match="no evaluator has the id or slug 'suns'"):
        client.get_evaluator("suns")


# -- logs ---------------------------------------------------------------------------------------

EARLY = datetime(2026, 1, 1)


def test_logs__as_a_frame(client: RespanClient) -> None:
    frame = client.logs(start_time=EARLY, sort_by="timestamp")
    assert list(frame.columns[:1]) == ["unique_id"]
    assert "id" not in frame
    assert frame["unique_id"].iloc[0] == "demo_01"
    assert frame["timestamp"].dtype.tz is not None  # type: ignore[union-attr]
    assert isinstance(frame["prompt_messages"].dropna().iloc[0], list)
    assert frame.index.equals(pd.RangeIndex(len(frame)))


def test_logs__limit_filters_and_fields(client: RespanClient) -> None:
    assert len(client.logs(limit=3, start_time=EARLY)) == 3
    assert client.logs(limit=0, start_time=EARLY).empty
    one = {"unique_id": {"operator": "", "value": ["demo_02"]}}
    fields = ["unique_id", "model"]
    frame = client.logs(one, start_time=EARLY, include_fields=fields)
    assert frame["unique_id"].tolist() == ["demo_02"]
    assert set(frame.columns) <= {"unique_id", "model"}


def test_logs__nothing_found_says_why(client: RespanClient) -> None:
    with pytest.warns(UserWarning, match="last hour only"):
        frame = client.logs()
    assert list(frame.columns) == ["unique_id"]


def test_log_pages__pages_are_lists_of_logs(client: RespanClient) -> None:
    pages = list(client.log_pages(start_time="2026-01-01T00:00:00Z", page_size=10))
    assert [len(page) for page in pages[:-1]] == [10] * (len(pages) - 1)
    assert len({log["unique_id"] for page in pages for log in page}) == sum(map(len, pages))


def test_create_log__gives_the_id(client: RespanClient) -> None:
    log = client.create_log({"input": "q", "output": "a", "timestamp": "2026-02-01T00:00:00Z"})
    assert client.get_log(log["unique_id"])["output"] == "a"
    with pytest.raises(InvalidValueError, match="JSON"):
        client.create_log({"input": datetime.now(UTC)})


# -- pages --------------------------------------------------------------------------------------


def test_pages__count_is_not_trusted_and_the_scheme_is_ours(canned: Start) -> None:
    def answer(path: str) -> Canned:
        last = "page=2" in path
        # As a server behind a gateway writes it.
        url = server.base_url.replace("http:", "https:") + "/api/scores/list/?page=2"
        page = {"count": 1, "next": None if last else url, "results": [{"id": path[-1]}]}
        return Canned(body=json.dumps(page).encode())

    server = canned(answer)
    with RespanClient(KEY, server.base_url) as client:
        assert [score.id for score in client.filter_scores()] == ["0", "2"]
    assert [path for _, path, _, _ in server.requests] == [
        "/api/scores/list/?page_size=100",
        "/api/scores/list/?page=2",
    ]


def test_pages__never_to_another_host(canned: Start) -> None:
    elsewhere = canned()
    page = {"count": 1, "next": f"{elsewhere.base_url}/api/scores/list/?page=2", "results": []}
    server = canned(body=json.dumps(page).encode())
    with (
        RespanClient(KEY, server.base_url) as client,
        pytest.raises(UnexpectedAnswerError, match="another host"),
    ):
        client.filter_scores()
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "@127.0.0.1:{port}/steal/",
        ".evil.example/x",
        "//127.0.0.1:{port}/x",
        "http://h:99999/x",
        5,
        {},
    ],
    ids=str,
)
def test_pages__a_crafted_next_leads_nowhere_else(canned: Start, url: Any) -> None:
    elsewhere = canned()
    port = elsewhere.base_url.rpartition(":")[2]
    url = url.format(port=port) if isinstance(url, str) else url

    def answer(_path: str) -> Canned:
        last = len(server.requests) > 1
        page = {"next": None if last else url, "results": []}
        return Canned(body=json.dumps(page).encode())

    server = canned(answer)
    with RespanClient(KEY, server.base_url) as client, suppress(UnexpectedAnswerError):
        client.filter_scores()
    assert elsewhere.requests == []
    assert all(path.startswith("/api/scores/list/") for _, path, _, _ in server.requests)


def test_pages__a_query_alone_is_the_same_route(canned: Start) -> None:
    def answer(path: str) -> Canned:
        page = {"next": None if "page=2" in path else "?page=2", "results": []}
        return Canned(body=json.dumps(page).encode())

    server = canned(answer)
    with RespanClient(KEY, server.base_url) as client:
        client.filter_scores()
    assert server.requests[1][1] == "/api/scores/list/?page=2"


def test_pages__in_a_circle(canned: Start) -> None:
    body = b'{"next": "?page_size=100", "results": []}'
    with (
        RespanClient(KEY, canned(body=body).base_url) as client,
        pytest.raises(UnexpectedAnswerError, match="in a circle"),
    ):
        client.filter_scores()


@pytest.mark.parametrize("body", [b"{}", b'{"results": {}}', b"[]", b'{"results": [1]}'])
def test_pages__no_page(canned: Start, body: bytes) -> None:
    with (
        RespanClient(KEY, canned(body=body).base_url) as client,
        pytest.raises(UnexpectedAnswerError, match=r"no page of results|results of another kind"),
    ):
        client.list_evaluators()


def test_model__answer_of_another_kind(canned: Start) -> None:
    with (
        RespanClient(KEY, canned(body=b'{"ok": true}').base_url) as client,
        pytest.raises(UnexpectedAnswerError, match=r"no Score, although it answered 200.*: id"),
    ):
        client.upsert_score("log_1", GOOD)


def test_package__exports_are_there() -> None:
    assert sorted(respan_notebook.__all__) == respan_notebook.__all__
    for name in respan_notebook.__all__:
        assert getattr(respan_notebook, name)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        respan_notebook.Nothing  # noqa: B018
