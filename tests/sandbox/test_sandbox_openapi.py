"""Send all that the OpenAPI description allows: no input breaks the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.checks import not_a_server_error

from respan_notebook.sandbox import Sandbox
from respan_notebook.sandbox.app import create_routes
from respan_notebook.sandbox.store import Store


def _schema():
    store = Store()
    try:
        return schemathesis.openapi.from_dict(create_routes(store).openapi())
    finally:
        store.close()


schema = _schema()


@pytest.fixture(scope="module")
def demo() -> Iterator[Sandbox]:
    with Sandbox(demo=True) as running:
        yield running


@schema.parametrize()
@settings(max_examples=40)
def test_app__no_input_breaks_it(case, demo):
    if "log_id" in case.path_parameters and "score_id" not in case.path_parameters:
        # Scores of a log that exists; made-up ids end at the 404.
        case.path_parameters["log_id"] = "demo_01"
    if case.method in ("PATCH", "PUT", "POST"):
        known = {"evaluator_id": "eval_issues", "unique_id": "demo_02"}
        case.path_parameters |= {n: v for n, v in known.items() if n in case.path_parameters}
    case.call_and_validate(
        base_url=demo.base_url,
        headers={"Authorization": f"Bearer {demo.api_key}"},
        checks=[not_a_server_error],
    )
