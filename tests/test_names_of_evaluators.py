"""Evaluators named by any iterable: a list, the columns of a frame, an array, ..."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from respan_notebook import ConfigurationError, Evaluator, FrameError, RespanClient
from respan_notebook.catalogue import Catalogue

STARS = Evaluator(evaluator_slug="stars", score_value_type="numerical")
LOGS = pd.DataFrame({"log_id": ["demo_01"], "fluency": [3], "coverage": [50]})
NAMES = ["fluency", "coverage"]

LISTS: dict[str, Callable[[], Any]] = {
    "list": lambda: NAMES,
    "tuple": lambda: tuple(NAMES),
    "Index": lambda: LOGS.columns[1:],
    "array": lambda: np.array(NAMES),
    "object array": lambda: np.array(NAMES, dtype=object),
    "Series": lambda: pd.Series(NAMES),
    "Series of strings": lambda: pd.Series(NAMES, dtype="string"),
    "keys": lambda: dict.fromkeys(NAMES).keys(),
    "generator": lambda: (name for name in NAMES),
    "twice": lambda: NAMES * 2,
}


@pytest.mark.parametrize("make", LISTS.values(), ids=LISTS)
def test_names_of__any_iterable(client: RespanClient, tmp_path: Path, make: Any) -> None:
    report = LOGS.respan.push_scores(make(), client=client, progress=False)
    assert report.frame["evaluator"].tolist() == NAMES
    pulled = LOGS.respan.pull_scores(make(), client=client)
    pd.testing.assert_frame_equal(pulled, LOGS[NAMES].astype(float))
    annotator = LOGS.respan.annotate(make(), client=client, outbox=tmp_path / "outbox")
    try:
        assert list(annotator.editors) == NAMES
    finally:
        annotator.close()


@pytest.mark.parametrize("make", [set, frozenset], ids=lambda make: make.__name__)
def test_names_of__a_set_is_sorted(make: Callable[[Any], Any]) -> None:
    names = make([*"thequickbrown", STARS])
    assert Catalogue([], None).names_of(names) == [*"bcehiknoqr", "stars", *"tuw"]


def test_names_of__are_plain_text() -> None:
    assert [type(name) for name in Catalogue([], None).names_of(np.array(NAMES))] == [str, str]


def call_push(client: RespanClient, given: Any, _outbox: Path) -> Any:
    return LOGS.respan.push_scores(given, client=client, dry_run=True)


def call_pull(client: RespanClient, given: Any, _outbox: Path) -> Any:
    return LOGS.respan.pull_scores(given, client=client)


def call_annotate(client: RespanClient, given: Any, outbox: Path) -> Any:
    return LOGS.respan.annotate(given, client=client, outbox=outbox)


CALLS = pytest.mark.parametrize("call", [call_push, call_pull, call_annotate])


@pytest.fixture
def offline() -> Iterator[RespanClient]:
    """Give a client of no server: nothing is sent to it."""
    with RespanClient("key", "http://127.0.0.1:1") as client:
        yield client


@CALLS
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (LOGS, "not a whole DataFrame"),
        (3, r"one or a list of them, not 3 \(int\)"),
        ([3], r"an evaluator is a slug, an id or an Evaluator, not 3 \(int\)"),
        (["fluency", None], "a slug, an id or an Evaluator, not None"),
        (["fluency", ["coverage"]], r"an Evaluator, not \['coverage'\] \(list\)"),
        (b"fluency", r"an Evaluator, not 102 \(int\)"),
        (pd.MultiIndex.from_tuples([("a", "b")]), r"an Evaluator, not \('a', 'b'\) \(tuple\)"),
    ],
    ids=["frame", "number", "numbers", "None", "nested", "bytes", "MultiIndex"],
)
def test_names_of__refuses(
    offline: RespanClient, tmp_path: Path, call: Any, given: Any, message: str
) -> None:
    with pytest.raises(FrameError, match=message):
        call(offline, given, tmp_path / "outbox")


@pytest.mark.parametrize("call", [call_pull, call_annotate])
def test_names_of__refuses_a_mapping(offline: RespanClient, tmp_path: Path, call: Any) -> None:
    with pytest.raises(FrameError, match=r"one or a list of them, not \{'fluency': 'x'\}"):
        call(offline, {"fluency": "x"}, tmp_path / "outbox")


@pytest.mark.parametrize("given", [[], LOGS.columns[:0], iter(())], ids=["list", "Index", "iter"])
def test_names_of__none(offline: RespanClient, tmp_path: Path, given: Any) -> None:
    with pytest.raises(FrameError, match="no evaluator given"):
        call_push(offline, given, tmp_path)
    with pytest.raises(ConfigurationError, match="no evaluator given"):
        call_annotate(offline, given, tmp_path / "outbox")


@CALLS
def test_default_client__says_that_the_call_has_none(tmp_path: Path, call: Any) -> None:
    with pytest.raises(ConfigurationError) as refused:
        call(None, "fluency", tmp_path / "outbox")
    first, *ways = str(refused.value).splitlines()
    assert first == (
        "no client was given: pass client=client to this call, if you have one. If not: no API "
        "key. There are three ways to go on:"
    )
    assert ways[0].startswith("  1. pass it: RespanClient(api_key=")


def test_default_client__a_client_made_by_hand_is_told_the_ways_alone() -> None:
    with pytest.raises(ConfigurationError, match=r"^no API key\. There are three ways"):
        RespanClient()
