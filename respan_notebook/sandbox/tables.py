"""The tables of the sandbox, and which of their fields can be filtered and sorted."""

from __future__ import annotations

from respan_notebook.sandbox.filters import Column

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
LOG_FIELDS = (
    "input",
    "output",
    "prompt_messages",
    "completion_message",
    "model",
    "status_code",
    "error_message",
    "latency",
    "cost",
    "prompt_tokens",
    "completion_tokens",
    "environment",
    "log_type",
    "customer_identifier",
    "thread_identifier",
    "trace_unique_id",
    "span_name",
    "prompt_id",
    "prompt_version_number",
    "blurred",
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

# The constant parts below name the columns; nothing that a user sends becomes SQL.
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
}
EVALUATOR_COLUMNS = {
    name: Column(f"json_extract(evaluators.document, '$.{name}')") for name in EVALUATOR_FIELDS
} | {
    "id": Column("evaluators.id"),
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
