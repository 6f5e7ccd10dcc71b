"""Load sample logs and evaluators."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from respan_notebook.sandbox.schemas import EvaluatorWrite, LogWrite, validate_document
from respan_notebook.sandbox.store import Store

CREATED_AT = "2026-01-05T08:00:00.000000Z"


def _read_samples(name: str) -> tuple[dict[str, Any], ...]:
    folder = files("respan_notebook.sandbox") / "data"
    return tuple(json.loads((folder / name).read_text(encoding="utf-8")))


# One evaluator of each score value type, and one whose bounds stand in `configurations`.
DEMO_EVALUATORS = _read_samples("evaluators.json")
# Requests to support, writing, coding and data assistants.
DEMO_LOGS = _read_samples("logs.json")


def load_demo(store: Store) -> None:
    """Store the sample logs and evaluators that `store` does not have yet."""
    logs = []
    for log in DEMO_LOGS:
        read = validate_document(LogWrite, log)
        logs.append({**log, "timestamp": read.timestamp})
    store.add_logs(logs)
    for evaluator in DEMO_EVALUATORS:
        fields = validate_document(EvaluatorWrite, evaluator).model_dump()
        moments = {"created_at": CREATED_AT, "updated_at": CREATED_AT}
        version = {"version_id": f"{evaluator['id']}_v1"}
        store.add_evaluator({**fields, **moments, **version, "id": evaluator["id"]})
