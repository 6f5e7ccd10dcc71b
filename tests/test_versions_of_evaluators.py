"""Several versions of one evaluator, and several evaluators with one slug."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from canned import Canned, CannedServer

from respan_notebook import Evaluator, RespanClient, UnknownEvaluatorError
from respan_notebook.client.evaluator_versions import newest_versions

Start = Callable[..., CannedServer]


def entry(id_: str | None, slug: str | None = "tone", most: float = 5, **more: Any) -> Evaluator:
    bounds = {"min_score": 1, "max_score": most}
    fields = {"evaluator_slug": slug, "score_value_type": "numerical", "score_config": bounds}
    return Evaluator(id=id_, **fields, **more)


@pytest.mark.parametrize(
    ("entries", "newest"),
    [
        ([entry("a:1", version=1), entry("a:3", version=3), entry("a:2", version=2)], 1),
        ([entry("a:1"), entry("a:10"), entry("a:9")], 1),
        ([entry("a:0", version=0), entry("a:1", version=1)], 1),
        ([entry("a", version=0), entry("a", version=2, is_read_only=True)], 1),
        ([entry("a:7", version=7, is_read_only=True), entry("a:0", version=0)], 0),
        ([entry("a:x"), entry("a:2")], 1),
        ([entry("a:0", version=0)], 0),
        ([entry("a:3")], 0),
    ],
    ids=["by version", "by id", "draft", "same id", "draft last", "odd", "draft alone", "one"],
)
def test_newest_versions__takes_the_newest_committed_one(
    entries: list[Evaluator], newest: int
) -> None:
    assert newest_versions(entries) == [entries[newest].model_copy(update={"id": "a"})]


def test_newest_versions__keeps_other_evaluators_and_their_order() -> None:
    others = [entry("b"), entry(None, "c"), entry(None, "c"), entry(None, "d")]
    assert newest_versions([entry("a:1"), *others, entry("a:2")]) == [entry("a"), *others]


LISTED = [
    entry("ev_tone:1", most=3, version=1, is_read_only=True),
    entry("ev_tone:2", most=5, version=2, is_read_only=True),
    entry("ev_tone:0", most=9, version=0, is_read_only=False),
    entry("ev_a", "twin"),
    entry("ev_b", "twin", most=2),
    entry("ev_good", "good"),
]


def start_server(canned: Start) -> CannedServer:
    def answer(path: str) -> Canned:
        if "/evaluators/list/" in path:
            found = [json.loads(one.model_dump_json()) for one in LISTED]
            return Canned(body=json.dumps({"next": None, "results": found}).encode())
        return Canned(201, b'{"id": "s1"}')

    return canned(answer)


def bodies(server: CannedServer) -> list[dict[str, Any]]:
    return [json.loads(b) for _, path, _, b in server.requests if path.endswith("/scores/")]


FRAME = pd.DataFrame({"log_id": ["log"], "x": [4]})


@pytest.mark.parametrize("name", ["tone", "ev_tone", "ev_tone:1", "ev_tone:2", "ev_tone:0"])
def test_push_scores__goes_by_the_newest_committed_version(canned: Start, name: str) -> None:
    server = start_server(canned)
    with RespanClient("key", server.base_url) as client:
        report = FRAME.respan.push_scores({name: "x"}, client=client, progress=False)
        beyond = FRAME.assign(x=6).respan.push_scores({name: "x"}, client=client, progress=False)
    assert report.counts == {"created": 1}
    assert bodies(server) == [{"evaluator_id": "ev_tone", "numerical_value": 4.0}]
    assert beyond.counts == {"invalid": 1}


@pytest.mark.parametrize("given", [None, LISTED], ids=["listed", "definitions"])
def test_push_scores__a_slug_of_two_evaluators_is_an_error_of_this_name_only(
    canned: Start, given: list[Evaluator] | None
) -> None:
    server = start_server(canned)
    options: dict[str, Any] = {"progress": False, "evaluators": given}
    with RespanClient("key", server.base_url) as client:
        push = FRAME.assign(y=2).respan.push_scores
        assert push({"good": "x", "ev_b": "y"}, client=client, **options).ok
        with pytest.raises(UnknownEvaluatorError, match="2 evaluators have the slug 'twin'"):
            push({"good": "x", "twin": "y"}, client=client, **options)
    assert sorted(body["evaluator_id"] for body in bodies(server)) == ["ev_b", "ev_good"]


def test_push_scores__tidy_rows_with_a_slug_of_two_evaluators_are_invalid(canned: Start) -> None:
    server = start_server(canned)
    frame = pd.DataFrame(
        {
            "log_id": ["a", "b", "c", "d"],
            "evaluator_id": [None, "ev_b", None, "ev_good"],
            "evaluator_slug": ["twin", "twin", "good", "twin"],
            "numerical_value": [1, 2, 3, 4],
        }
    )
    with RespanClient("key", server.base_url) as client:
        report = frame.respan.push_scores(client=client, custom_evaluators=True, progress=False)
    assert report.frame["status"].tolist() == ["invalid", "created", "created", "invalid"]
    first, _, _, last = report.frame["error"]
    assert "2 evaluators have the slug 'twin'" in first
    assert last == "evaluator_id 'ev_good' and evaluator_slug 'twin' differ"
    assert sorted(body["evaluator_id"] for body in bodies(server)) == ["ev_b", "ev_good"]
    assert report.warnings == []


def test_names_of__takes_what_list_evaluators_returned(canned: Start, tmp_path: Path) -> None:
    server = start_server(canned)
    with RespanClient("key", server.base_url) as client:
        listed = client.list_evaluators()
        frame = FRAME.assign(**dict.fromkeys(("tone", "ev_a", "ev_b", "good"), 2))
        report = frame.respan.push_scores(listed, client=client, progress=False)
        annotator = FRAME.respan.annotate(listed, client=client, outbox=tmp_path / "outbox")
        try:
            identities = [one.evaluator.id for one in annotator.editors.values()]
        finally:
            annotator.close()
    assert sorted(body["evaluator_id"] for body in bodies(server)) == sorted(identities)
    assert report.ok
    assert identities == ["ev_tone", "ev_a", "ev_b", "ev_good"]


def test_get_evaluator__by_slug_goes_by_the_newest_version(canned: Start) -> None:
    def answer(path: str) -> Canned:
        if "/evaluators/list/" in path:
            found = [json.loads(one.model_dump_json()) for one in LISTED]
            return Canned(body=json.dumps({"next": None, "results": found}).encode())
        return Canned(404, b'{"detail": "Not found."}')

    with RespanClient("key", canned(answer).base_url) as client:
        assert client.get_evaluator("tone") == LISTED[1].model_copy(update={"id": "ev_tone"})
        with pytest.raises(UnknownEvaluatorError, match="2 evaluators have the slug 'twin'"):
            client.get_evaluator("twin")
