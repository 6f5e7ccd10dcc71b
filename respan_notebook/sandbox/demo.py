"""Sample evaluators, and the loading of the sample data."""

from __future__ import annotations

from typing import Any

from respan_notebook.sandbox.demo_logs import DEMO_LOGS
from respan_notebook.sandbox.schemas import EvaluatorWrite, LogWrite, read_document
from respan_notebook.sandbox.store import Store

__all__ = ["DEMO_EVALUATORS", "DEMO_LOGS", "load_demo"]

CREATED_AT = "2026-01-05T08:00:00.000000Z"


def _choices(*names: str) -> list[dict[str, Any]]:
    return [{"name": name.replace("_", " ").capitalize(), "value": name} for name in names]


# One evaluator of each score value type, and one whose bounds are kept the old way.
DEMO_EVALUATORS: tuple[dict[str, Any], ...] = (
    {
        "id": "eval_helpfulness",
        "evaluator_slug": "helpfulness",
        "name": "Helpfulness",
        "score_value_type": "numerical",
        "description": "How much the answer helps with what was asked, from 1 to 5.",
        "score_config": {
            "min_score": 1,
            "max_score": 5,
            "choices": [
                {"name": "Useless", "value": 1},
                {"name": "Poor", "value": 2},
                {"name": "Fair", "value": 3},
                {"name": "Good", "value": 4},
                {"name": "Excellent", "value": 5},
            ],
        },
        "passing_conditions": {"primary_score": {"operator": "gte", "value": 3}},
    },
    {
        "id": "eval_coverage",
        "evaluator_slug": "coverage",
        "name": "Coverage",
        "score_value_type": "percentage",
        "description": "The share of the question that the answer covers, from 0 to 100.",
        "score_config": {"min_score": 0, "max_score": 100},
        "passing_conditions": {"primary_score": {"operator": "gte", "value": 80}},
    },
    {
        "id": "eval_grounded",
        "evaluator_slug": "grounded",
        "name": "Grounded",
        "score_value_type": "boolean",
        "description": "Does the answer keep to what the context and the tools say?",
        "passing_conditions": {"primary_score": {"operator": "", "value": True}},
    },
    {
        "id": "eval_tone",
        "evaluator_slug": "tone",
        "name": "Tone",
        "score_value_type": "single_select",
        "description": "The tone of the answer.",
        "score_config": {"choices": _choices("friendly", "neutral", "curt", "rude")},
        "passing_conditions": {
            "primary_score": {"operator": "in", "value": ["friendly", "neutral"]}
        },
    },
    {
        "id": "eval_issues",
        "evaluator_slug": "issues",
        "name": "Issues",
        "score_value_type": "multi_select",
        "description": "What is wrong with the answer; pick all that apply.",
        "score_config": {
            "choices": _choices(
                "none", "made_up", "incomplete", "off_topic", "bad_format", "wrong_language"
            )
        },
        "passing_conditions": {"primary_score": {"operator": "", "value": ["none"]}},
    },
    {
        "id": "eval_comments",
        "evaluator_slug": "comments",
        "name": "Comments",
        "score_value_type": "text",
        "description": "What a better answer would have said.",
    },
    {
        "id": "eval_corrected",
        "evaluator_slug": "corrected",
        "name": "Corrected output",
        "score_value_type": "json",
        "description": "The JSON that the answer should have been.",
    },
    {
        "id": "eval_topic",
        "evaluator_slug": "topic",
        "name": "Topic",
        "score_value_type": "categorical",
        "description": "What the request is about (an older evaluator).",
        "categorical_choices": _choices("billing", "technical", "writing", "other"),
    },
    {
        "id": "eval_remarks",
        "evaluator_slug": "remarks",
        "name": "Remarks",
        "score_value_type": "comment",
        "description": "Anything worth noting (an older evaluator).",
    },
    {
        "id": "eval_fluency",
        "evaluator_slug": "fluency",
        "name": "Fluency",
        "score_value_type": "numerical",
        "description": "How fluent the language is, from 0 to 10 (an older evaluator).",
        "configurations": {"min_score": 0, "max_score": 10, "passing_score": 6},
    },
)


def load_demo(store: Store) -> None:
    """Store the sample logs and evaluators that `store` does not have yet."""
    logs = []
    for log in DEMO_LOGS:
        read = read_document(LogWrite, log)
        logs.append({**log, "timestamp": read.timestamp})
    store.add_logs(logs)
    for evaluator in DEMO_EVALUATORS:
        fields = read_document(EvaluatorWrite, evaluator).model_dump()
        moments = {"created_at": CREATED_AT, "updated_at": CREATED_AT}
        version = {"version_id": f"{evaluator['id']}_v1"}
        store.add_evaluator({**fields, **moments, **version, "id": evaluator["id"]})
