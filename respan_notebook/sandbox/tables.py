"""Define the columns behind the fields that can be filtered and sorted."""

from __future__ import annotations

from respan_notebook.sandbox.filters import Column
from respan_notebook.sandbox.schemas import LogWrite

# The fields of a score as the API answers them, in that order.
SCORE_FIELDS = (
    "id",
    "created_at",
    "type",
    "environment",
    "numerical_value",
    "string_value",
    "boolean_value",
    "categorical_value",
    "json_value",
    "is_passed",
    "cost",
    "evaluator_id",
    "evaluator_slug",
    "evaluator_name",
    "scorer",
    "log_id",
    "prompt_id",
    "prompt_version_number",
    "dataset_id",
    "automation_id",
    "status",
    "error_message",
    "explanation",
)
# Fields of a log that can be filtered and sorted by, and are stored as they come.
LOG_FILTERS = (
    "status",
    "custom_identifier",
    "span_workflow_name",
    "provider_id",
    "time_to_first_token",
)
# The documented fields of a log, without those that LOG_COLUMNS and find_log_column name.
LOG_FIELDS = (
    "input",
    "output",
    *LOG_FILTERS,
    *(name for name in LogWrite.model_fields if name not in {"unique_id", "timestamp", "metadata"}),
)
EVALUATOR_FIELDS = (
    "name",
    "type",
    "score_value_type",
    "description",
    "version",
    "version_id",
    "is_read_only",
    "starred",
)

_TOKENS = (
    "(COALESCE(json_extract(logs.document, '$.prompt_tokens'), 0)"
    " + COALESCE(json_extract(logs.document, '$.completion_tokens'), 0))"
)

# Only the constants above and below become SQL; what a user sends is bound.
SCORE_COLUMNS = {name: Column(f"scores.{name}") for name in SCORE_FIELDS} | {
    "created_at": Column("scores.created_at", is_time=True),
    "categorical_value": Column(
        "own.value", rows="FROM json_each(scores.categorical_value) AS own WHERE TRUE"
    ),
}
LOG_COLUMNS = {name: Column(f"json_extract(logs.document, '$.{name}')") for name in LOG_FIELDS} | {
    "id": Column("logs.unique_id"),
    "unique_id": Column("logs.unique_id"),
    "timestamp": Column("logs.timestamp", is_time=True),
    "failed": Column("(COALESCE(json_extract(logs.document, '$.status_code'), 200) >= 400)"),
    "is_test": Column("(json_extract(logs.document, '$.environment') IS 'test')"),
    "total_request_tokens": Column(_TOKENS),
    "all_tokens": Column(_TOKENS),
}
EVALUATOR_COLUMNS = {
    name: Column(f"json_extract(evaluators.document, '$.{name}')") for name in EVALUATOR_FIELDS
} | {
    "id": Column("evaluators.id"),
    "evaluator_id": Column("evaluators.evaluator_id"),
    "evaluator_slug": Column("evaluators.evaluator_slug"),
    "created_at": Column("evaluators.created_at", is_time=True),
    "updated_at": Column("json_extract(evaluators.document, '$.updated_at')", is_time=True),
    "tags": Column(
        "own.value", rows="FROM json_each(evaluators.document, '$.tags') AS own WHERE TRUE"
    ),
}


def find_log_column(name: str) -> Column | None:
    """Return the column of a log's field, of `metadata__<key>` or of `scores__<evaluator>`."""
    prefix, separator, suffix = name.partition("__")
    if separator and prefix == "metadata":
        return Column(
            "(SELECT value FROM json_each(logs.document, '$.metadata') WHERE key = {suffix})",
            suffix=suffix,
        )
    if separator and prefix == "scores":
        return Column(
            "own.value",
            rows="FROM score_values AS own WHERE own.log_id = logs.unique_id "
            "AND {suffix} IN (own.evaluator_id, own.evaluator_slug) AND own.value IS NOT NULL",
            suffix=suffix,
        )
    return LOG_COLUMNS.get(name)
