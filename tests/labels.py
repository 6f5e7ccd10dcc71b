"""What the tests of labelling look at: the sandbox's evaluators, and what it has stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from respan_notebook import RespanClient, Sandbox
from respan_notebook.labelling.widgets.annotator import Annotator
from respan_notebook.sandbox.demo import DEMO_EVALUATORS

SLUGS = [str(one["evaluator_slug"]) for one in DEMO_EVALUATORS]
Open = Callable[..., Annotator]


def stored(sandbox: Sandbox) -> list[tuple[Any, ...]]:
    """Return what the sandbox's own database has: log, evaluator, scorer, the value that is set."""
    with RespanClient(sandbox.api_key, sandbox.base_url) as client:
        return sorted(
            (
                score.log_id,
                score.evaluator_slug,
                score.scorer,
                next(
                    value
                    for value in (
                        score.numerical_value,
                        score.string_value,
                        score.boolean_value,
                        score.categorical_value,
                        score.json_value,
                    )
                    if value is not None
                ),
            )
            for score in client.filter_scores()
        )


def message(annotator: Annotator) -> str:
    return str(annotator._status.value)


def line(annotator: Annotator, slug: str = "helpfulness") -> str:
    return str(annotator.editors[slug]._line.value)


def label(annotator: Annotator, **values: Any) -> None:
    for slug, value in values.items():
        annotator.editors[slug].value = value
    annotator.save_button.click()
