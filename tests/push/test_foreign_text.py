"""What a server writes is printable, and short, wherever a push shows it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from canned import Canned, CannedServer
from stars import frame_of, push

from respan_notebook import PushReport, RespanClient
from respan_notebook.client.settings import RequestSettings

Start = Callable[..., CannedServer]
NASTY = "\ud800 \x1b[31mred\r\n\x00 \u202etxt\u2066 \x9b \ufeff \u2028"
SETTINGS = RequestSettings(attempts=2, backoff=0.001, longest_backoff=0.001)


def encode(body: Any) -> bytes:
    """Return JSON whose half of a surrogate pair is escaped, as a server may send it."""
    return json.dumps(body).encode()


NASTY_HEADER = "/\x1b[31m\x9b\xe9/api"
ANSWERS = {
    "detail": Canned(400, encode({"detail": NASTY})),
    "field": Canned(422, encode({NASTY: [NASTY]})),
    "fields of errors": Canned(400, encode({"errors": {NASTY: [NASTY, NASTY]}})),
    "no object": Canned(400, encode([NASTY])),
    "no JSON": Canned(500, NASTY.encode("utf-8", "surrogatepass")),
    "redirect": Canned(308, headers={"Location": NASTY_HEADER}),
    "no score": Canned(201, encode({"id": {NASTY: NASTY}, "numerical_value": NASTY})),
    "429": Canned(429, encode({"detail": NASTY})),
    "401": Canned(401, encode({"detail": NASTY})),
    "id": Canned(201, encode({"id": NASTY, "scorer": NASTY, "is_passed": NASTY})),
    "log": Canned(201, encode({"id": "s", "log_id": NASTY, "evaluator_slug": NASTY})),
}


def is_clean(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


def check_shown(report: PushReport, folder: Path) -> None:
    """All ways to show or save the report work, and show nothing that can't be printed."""
    assert is_clean(repr(report))
    assert is_clean(report._repr_html_())
    for column in ("error", "score_id"):
        for text in report.frame[column].dropna():
            assert text.isprintable()
            assert len(text) <= 2_000
    assert all(warning.isprintable() for warning in report.warnings)
    report.frame.to_csv(folder / "report.csv")
    report.frame.to_parquet(folder / "report.parquet")
    saved = pd.read_parquet(folder / "report.parquet")
    assert saved["error"].fillna("").tolist() == report.frame["error"].fillna("").tolist()


@pytest.mark.parametrize("kind", ANSWERS)
def test_report__is_printable(canned: Start, kind: str, tmp_path: Path) -> None:
    settings = RequestSettings(
        attempts=2, backoff=0.001, longest_backoff=0.001, hold_backoff=0.01, refusals=1
    )
    screen = io.StringIO()
    server = canned(lambda _path: ANSWERS[kind])
    with RespanClient("key", server.base_url, settings=settings) as client, redirect_stderr(screen):
        report = push(frame_of(3), client, concurrency=1, progress=True)
    check_shown(report, tmp_path)
    shown = screen.getvalue().replace("\r", "\n").replace("\x1b[A", "")
    assert is_clean(shown)
    assert "3" in shown


def test_report__of_another_log_is_printable(canned: Start, tmp_path: Path) -> None:
    answers = [Canned(201, b'{"id": "s", "log_id": "log_0"}'), ANSWERS["log"]]
    server = canned(lambda path: answers["log_0" not in path])
    with RespanClient("key", server.base_url) as client:
        report = push(frame_of(3), client, concurrency=1)
    assert report.counts == {"created": 1, "failed": 2}
    check_shown(report, tmp_path)


def test_bar__shows_the_reason_of_a_wait_printable(canned: Start) -> None:
    server = canned(
        lambda _path: (
            Canned(503, encode({"detail": NASTY}))
            if len(server.requests) < 4
            else Canned(201, b'{"id": "s"}')
        )
    )
    screen = io.StringIO()
    settings = RequestSettings(backoff=1.0, longest_backoff=1.0)
    with RespanClient("key", server.base_url, settings=settings) as client, redirect_stderr(screen):
        report = push(frame_of(1), client, progress=True)
    assert report.ok
    shown = screen.getvalue().replace("\r", "\n").replace("\x1b[A", "")
    assert "trying again after: " in shown
    assert is_clean(shown)


@pytest.mark.parametrize("size", [1_700, 1_800, 1_801, 2_000_000])
def test_report__error_is_cut_and_says_its_length(canned: Start, size: int) -> None:
    server = canned(status=400, body=encode({"detail": "x" * size}))
    settings = RequestSettings(longest_answer=2**22)
    with RespanClient("key", server.base_url, settings=settings) as client:
        (error,) = push(frame_of(1), client).frame["error"]
    assert error.startswith("POST /api/logs/log_0/scores/ answered 400: xxx")
    assert len(error) <= 2_000
    assert (f"x... ({size:,} characters)" in error) == (size > 1_800)


def test_report__id_of_a_score_is_cut(canned: Start, tmp_path: Path) -> None:
    server = canned(status=201, body=encode({"id": "x" * 100_000}))
    with RespanClient("key", server.base_url) as client:
        report = push(frame_of(1), client)
    (score_id,) = report.frame["score_id"]
    assert len(score_id) == 2_000
    assert score_id.endswith("x... (100,000 characters)")
    check_shown(report, tmp_path)


def test_report__of_many_long_errors_is_small(canned: Start) -> None:
    many = {f"field {n}": ["x" * 5_000] * 5 for n in range(40)}
    server = canned(status=400, body=encode(many))
    with RespanClient("key", server.base_url) as client:
        report = push(frame_of(20), client)
    assert report.frame["error"].str.len().max() <= 2_000


def test_push_scores__an_evaluator_with_a_nasty_name(canned: Start, tmp_path: Path) -> None:
    evaluator = {"id": "ev_1", "evaluator_slug": "stars", "name": NASTY}
    page = {"results": [{**evaluator, "score_value_type": "numerical"}], "next": None}
    server = canned(
        lambda path: Canned(200, encode(page)) if "evaluators" in path else ANSWERS["detail"]
    )
    with RespanClient("key", server.base_url, settings=SETTINGS) as client:
        report = frame_of(2).respan.push_scores("stars", client=client, progress=False)
    check_shown(report, tmp_path)
