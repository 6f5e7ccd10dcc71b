"""Test the versions of an evaluator: a draft, and committed ones that are read-only."""

from __future__ import annotations

import pandas as pd
import pytest

from respan_notebook import RespanClient

TONE = {"score_config": {"min_score": 1, "max_score": 3}}


def test_versions__are_committed_read_only_and_listed(serve):
    api = serve()
    draft = api.evaluator("numerical", **TONE)
    path = f"evaluators/{draft['id']}/"

    first = api("POST", f"{path}versions/", {}).json()
    second = api("POST", f"{path}versions/", {"description": "new"}).json()

    slug = draft["evaluator_slug"]
    assert [one["id"] for one in (first, second)] == [f"{draft['id']}:1", f"{draft['id']}:2"]
    assert [one["version"] for one in (first, second)] == [1, 2]
    assert (second["description"], second["is_read_only"], second["evaluator_slug"]) == (
        "new",
        True,
        slug,
    )
    listed = api("GET", f"{path}versions/?sort_by=version").json()["results"]
    assert [one["version"] for one in listed] == [0, 1, 2]
    assert [one["evaluator_slug"] for one in api("GET", "evaluators/").json()["results"]] == [
        slug
    ] * 3
    assert api("GET", f"{path}versions/2/").json() == second
    assert api("GET", f"{path}versions/0/").json()["version"] == 0
    assert api("GET", f"evaluators/{first['id']}/").json() == first
    for version in ("3", "x", "%2F"):
        assert api("GET", f"{path}versions/{version}/").status_code == 404


def test_versions__committed_ones_cannot_be_changed(serve):
    api = serve()
    draft = api.evaluator("numerical", **TONE)
    version = api("POST", f"evaluators/{draft['id']}/versions/", {}).json()

    for method in ("PATCH", "PUT"):
        body = {"name": "x", "score_value_type": "text"}
        answer = api(method, f"evaluators/{version['id']}/", body)
        assert (answer.status_code, set(answer.json())) == (400, {"version"})
    assert api("PATCH", f"evaluators/{draft['id']}/", {"description": "d"}).status_code == 200
    assert api("POST", f"evaluators/{version['id']}/versions/", {}).status_code == 404
    assert api("POST", "evaluators/none/versions/", {}).status_code == 404
    assert api("DELETE", f"evaluators/{draft['id']}/").status_code == 204
    assert api("GET", "evaluators/").json()["results"] == []


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_versions__have_the_slug_of_a_renamed_evaluator(serve, method):
    api = serve()
    draft, other = api.evaluator("text"), api.evaluator("text")
    path = f"evaluators/{draft['id']}/"
    version = api("POST", f"{path}versions/", {}).json()
    taken = {"name": "x", "score_value_type": "text", "evaluator_slug": other["evaluator_slug"]}
    assert api(method, path, taken).status_code == 400
    assert api("GET", f"{path}versions/1/").json() == version

    renamed = {**taken, "evaluator_slug": "über 'all'"}
    assert api(method, path, renamed).status_code == 200

    assert api("GET", f"{path}versions/1/").json() == version | {"evaluator_slug": "über 'all'"}
    filters = {"evaluator_slug": {"operator": "", "value": ["über 'all'"]}}
    listed = api("POST", "evaluators/list/?sort_by=version", {"filters": filters}).json()
    assert [one["id"] for one in listed["results"]] == [draft["id"], version["id"]]
    filters = {"evaluator_slug": {"operator": "", "value": [draft["evaluator_slug"]]}}
    assert api("POST", "evaluators/list/", {"filters": filters}).json()["results"] == []


def test_versions__scores_are_of_the_evaluator(serve):
    api = serve()
    draft = api.evaluator("numerical", **TONE)
    version = api("POST", f"evaluators/{draft['id']}/versions/", {}).json()
    path = f"logs/{api.log()}/scores/"

    first = api("POST", path, {"evaluator_id": version["id"], "numerical_value": 1})
    second = api("POST", path, {"evaluator_id": draft["id"], "numerical_value": 2})

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["evaluator_id"] == draft["id"]
    unknown = api("POST", path, {"evaluator_id": f"{draft['id']}:9", "numerical_value": 2})
    assert unknown.status_code == 400


def test_push_scores__goes_by_the_newest_committed_version_of_a_real_list(serve):
    api = serve()
    draft = api.evaluator("numerical", **TONE)
    slug = draft["evaluator_slug"]
    wider = {"score_config": {"min_score": 1, "max_score": 5}}
    api("POST", f"evaluators/{draft['id']}/versions/", wider)
    api("PATCH", f"evaluators/{draft['id']}/", {"score_config": {"min_score": 8, "max_score": 9}})
    frame = pd.DataFrame({"log_id": [api.log(), api.log()], slug: [5, 8]})

    with RespanClient(api.sandbox.api_key, api.sandbox.base_url) as client:
        report = frame.respan.push_scores(slug, client=client, progress=False)
        pulled = frame.respan.pull_scores(slug, client=client)

    assert report.frame["status"].astype(str).tolist() == ["created", "invalid"]
    assert pulled[slug].tolist()[0] == 5
