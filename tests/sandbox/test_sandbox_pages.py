"""Test the pages of scores, and of lists in general: next, order and size."""

from __future__ import annotations

import pytest


def test_list_scores__pages_by_next(api):
    evaluator = api.evaluator("numerical")
    made = [
        api("POST", f"logs/{api.log()}/scores/", {"evaluator_id": evaluator["id"]}).json()
        for _ in range(5)
    ]
    filters = {"filters": {"evaluator_id": {"operator": "", "value": [evaluator["id"]]}}}
    pages, url = [], "scores/list/?page_size=2"
    while url:
        pages.append(api("POST", url, filters).json())
        url = pages[-1]["next"]

    base, size = f"{api.sandbox.base_url}/api/scores/list/?page=", "&page_size=2"
    newest_first = made[::-1]

    def part(first: int, last: int) -> dict:
        return {"results": newest_first[first:last], "current_filters": filters["filters"]}

    assert pages == [
        {"count": 2, "next": f"{base}2{size}", "previous": None, **part(0, 2)},
        {"count": 2, "next": f"{base}3{size}", "previous": f"{base}1{size}", **part(2, 4)},
        {"count": 1, "next": None, "previous": f"{base}2{size}", **part(4, 5)},
    ]
    beyond = api("POST", "scores/list/?page_size=2&page=4", filters)
    assert (beyond.status_code, beyond.json()) == (404, {"detail": "Invalid page."})


def test_list_scores__sorts(api):
    evaluator = api.evaluator("numerical")
    for value in (2, 3, 1, 2):
        body = {
            "evaluator_id": evaluator["id"],
            "numerical_value": value,
            "explanation": str(value),
        }
        api("POST", f"logs/{api.log()}/scores/", body)
    filters = {"filters": {"evaluator_id": {"operator": "", "value": [evaluator["id"]]}}}

    def values(sort_by):
        answer = api("POST", f"scores/list/?sort_by={sort_by}", filters)
        return [score["numerical_value"] for score in answer.json()["results"]]

    assert values("numerical_value") == [1, 2, 2, 3]
    assert values("-numerical_value") == [3, 2, 2, 1]
    assert values("") == [2, 1, 3, 2]


@pytest.mark.parametrize(
    "sort_by", ["nonsense", "-", "seq", "evaluator_key", "id; DROP TABLE logs"]
)
@pytest.mark.parametrize("path", ["scores/list/", "evaluators/list/", "request-logs/list/"])
def test_sort_by__unknown_field_is_refused(api, path, sort_by):
    answer = api("POST", path, {"filters": {}}, params={"sort_by": sort_by})

    assert answer.status_code == 400
    assert answer.json() == {"sort_by": [f"{sort_by!r} is not a field to sort by"]}


@pytest.mark.parametrize("page", ["0", "-1", "2", "x", "", "1.0", "¹", "9" * 9, "9" * 30, "0x1"])
def test_page__beyond_the_end_or_no_number(api, page):
    answer = api("GET", f"logs/{api.log()}/scores/", params={"page": page})

    assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid page."})


def test_page__first_of_nothing_is_empty(api):
    answer = api("GET", f"logs/{api.log()}/scores/?page=1")

    assert answer.json() == {"count": 0, "next": None, "previous": None, "results": []}


@pytest.mark.parametrize(("page_size", "count"), [("1000", 100), ("7", 7), ("0", 100), ("x", 100)])
def test_page_size__is_clamped(api, page_size, count):
    log_id = api.log()
    for number in range(101):
        api("POST", f"logs/{log_id}/scores/", {"evaluator_slug": f"s{number}"})

    answer = api("GET", f"logs/{log_id}/scores/?page_size={page_size}").json()

    assert (answer["count"], len(answer["results"])) == (count, count)
