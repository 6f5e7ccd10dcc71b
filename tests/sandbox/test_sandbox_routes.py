"""Hold every route of the contract: the sandbox serves it, and which method of the client it is."""

from __future__ import annotations

import pytest

from respan_notebook import RespanClient
from respan_notebook.sandbox.app import create_routes
from respan_notebook.sandbox.store import Store

LOG, SCORES = "The other log-score routes", "The general score routes"

# Method and path: the client's method ("" where it offers none), and the section of the contract.
ROUTES = {
    "POST /api/logs/{log_id}/scores/": ("upsert_score", "Create or update a log score"),
    "GET /api/logs/{log_id}/scores/": ("list_scores", LOG),
    "GET /api/logs/{log_id}/scores/{score_id}/": ("get_score", LOG),
    "PUT /api/logs/{log_id}/scores/{score_id}/": ("replace_score", LOG),
    "PATCH /api/logs/{log_id}/scores/{score_id}/": ("patch_score", LOG),
    "DELETE /api/logs/{log_id}/scores/{score_id}/": ("delete_score", LOG),
    "POST /api/scores/list/": ("filter_scores", LOG),
    "POST /api/scores/": ("create_score", SCORES),
    "GET /api/scores/{score_id}/": ("", SCORES),
    "PUT /api/scores/{score_id}/": ("send_replaced", SCORES),
    "PATCH /api/scores/{score_id}/": ("", SCORES),
    "DELETE /api/scores/{score_id}/": ("", SCORES),
    "POST /api/evaluators/list/": ("list_evaluators", "Evaluators"),
    "GET /api/evaluators/": ("", "Evaluators"),
    "POST /api/evaluators/": ("create_evaluator", "Evaluators"),
    "GET /api/evaluators/{evaluator_id}/": ("get_evaluator", "Evaluators"),
    "PATCH /api/evaluators/{evaluator_id}/": ("update_evaluator", "Evaluators"),
    "PUT /api/evaluators/{evaluator_id}/": ("", "Evaluators"),
    "DELETE /api/evaluators/{evaluator_id}/": ("", "Evaluators"),
    "GET /api/evaluators/{evaluator_id}/versions/": ("", "Evaluators"),
    "POST /api/evaluators/{evaluator_id}/versions/": ("", "Evaluators"),
    "GET /api/evaluators/{evaluator_id}/versions/{version}/": ("", "Evaluators"),
    "POST /api/evaluators/{evaluator_id}/run/": ("run_evaluator", "Evaluators"),
    "POST /api/request-logs/list/": ("log_pages", "Logs"),
    "GET /api/request-logs/{unique_id}/": ("get_log", "Logs"),
    "PATCH /api/request-logs/{unique_id}/": ("update_log", "Logs"),
    "POST /api/request-logs/": ("create_log", "Logs"),
    "POST /api/request-logs/bulk/": ("", "Logs"),
}


def test_routes__are_those_of_the_table() -> None:
    store = Store()
    try:
        paths = create_routes(store).openapi()["paths"]
    finally:
        store.close()
    served = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert served == set(ROUTES)


@pytest.mark.parametrize("method", sorted({method for method, _ in ROUTES.values() if method}))
def test_routes__have_their_method_of_the_client(method: str) -> None:
    assert callable(getattr(RespanClient, method))
