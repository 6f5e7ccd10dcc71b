"""Load sample logs and evaluators."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from respan_notebook.sandbox.schemas import EvaluatorWrite, validate_document, validate_log
from respan_notebook.sandbox.store import Store

CREATED_AT = "2026-01-05T08:00:00.000000Z"


def _read_samples(name: str) -> tuple[dict[str, Any], ...]:
    path = files("respan_notebook.sandbox") / "data" / name
    return tuple(json.loads(path.read_text(encoding="utf-8")))


# One evaluator of each score value type, and one with its bounds in the legacy `configurations`.
DEMO_EVALUATORS = _read_samples("evaluators.json")
# Requests to support, writing, coding and data assistants.
DEMO_LOGS = _read_samples("logs.json")


def load_demo(store: Store) -> None:
    """Store the sample logs and evaluators that `store` does not have yet."""
    store.add_logs(validate_log(log) for log in DEMO_LOGS)
    load_evaluators(store)


def load_evaluators(store: Store) -> None:
    """Store the sample evaluators that `store` does not have yet."""
    for sample in DEMO_EVALUATORS:
        evaluator = validate_document(EvaluatorWrite, sample).model_dump()
        evaluator |= {"created_at": CREATED_AT, "updated_at": CREATED_AT}
        evaluator |= {"version_id": f"{sample['id']}_v1", "id": sample["id"]}
        store.add_evaluator(evaluator)
