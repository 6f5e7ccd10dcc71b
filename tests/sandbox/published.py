"""Drive a sandbox by Respan's published client: ``python published.py URL KEY``; prints JSON.

It runs in an environment of its own, since it installs a package of another's name.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def _first(page: Any) -> list[Any]:
    """Return the results of a first page; a pager goes on until the server answers none."""
    return list(page.items if hasattr(page, "get_next") else page.results)


def drive(url: str, key: str) -> dict[str, Any]:
    """Call every route that the client and the sandbox have in common; return what came back."""
    from respan import RespanClient

    client = RespanClient(base_url=url, authorization=f"Bearer {key}")
    scores, evaluators, spans = client.scores, client.evaluators, client.spans
    seen: dict[str, Any] = {}

    made = spans.create_span(model="m", prompt_messages=[{"role": "user", "content": "Hi"}])
    log_id = made.unique_id if hasattr(made, "unique_id") else made["unique_id"]
    bulk = spans.bulk_create_spans(logs=[{"model": "n"}, {"model": "o"}])
    seen["bulk"] = bulk.success_count
    seen["listed logs"] = len(_first(spans.list_spans(page_size=50)))
    seen["log"] = spans.retrieve_span(log_id).model

    stars = evaluators.create_evaluator(
        name="Stars",
        evaluator_slug="stars",
        type="human",
        score_value_type="numerical",
        score_config={"min_score": 1, "max_score": 5},
    )
    seen["evaluator"] = evaluators.retrieve_evaluator(stars.id).evaluator_slug
    seen["updated evaluator"] = evaluators.update_evaluator(stars.id, description="d").description
    replaced = evaluators.replace_evaluator(
        stars.id, name="Stars again", type="human", score_value_type="numerical"
    )
    seen["replaced evaluator"] = replaced.name
    seen["listed evaluators"] = [one.evaluator_slug for one in _first(evaluators.list_evaluators())]
    verdict = evaluators.run_evaluator(stars.id, inputs={"input": "q", "output": "a"})
    seen["ran"] = verdict is not None

    own = scores.create_span_score(log_id, evaluator_slug="stars", numerical_value=4)
    seen["own"] = [own.numerical_value, own.scorer, own.environment]
    seen["read"] = scores.retrieve_span_score(log_id, own.id).numerical_value
    seen["updated"] = scores.update_span_score(log_id, own.id, numerical_value=3).numerical_value
    again = scores.replace_span_score(log_id, own.id, evaluator_slug="stars", numerical_value=2)
    seen["replaced"] = again.numerical_value

    other = scores.create_score(
        log_id=log_id, scorer="judge", evaluator_slug="stars", numerical_value=5
    )
    seen["other"] = [other.numerical_value, other.scorer]
    seen["read other"] = scores.retrieve_score(other.id).numerical_value
    seen["updated other"] = scores.update_score(other.id, numerical_value=1).numerical_value
    changed = scores.replace_score(other.id, evaluator_slug="stars", numerical_value=2)
    seen["replaced other"] = changed.numerical_value
    listed = _first(scores.list_span_scores(log_id))
    seen["scorers"] = sorted(one.scorer for one in listed)
    filters = {"log_id": {"operator": "", "value": [log_id]}}
    seen["filtered"] = len(_first(scores.filter_scores(filters=filters)))

    scores.delete_score(other.id)
    scores.delete_span_score(log_id, own.id)
    seen["left"] = len(_first(scores.list_span_scores(log_id)))
    evaluators.delete_evaluator(stars.id)
    seen["evaluators left"] = len(_first(evaluators.list_evaluators()))
    return seen


if __name__ == "__main__":
    print(json.dumps(drive(sys.argv[1], sys.argv[2])))
