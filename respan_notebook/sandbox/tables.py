"""The tables of the sandbox, and which of their fields can be filtered and sorted."""

from __future__ import annotations

from respan_notebook.sandbox.filters import Column

SCHEMA = """
CREATE TABLE IF NOT EXISTS api_keys (
    seq INTEGER PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS logs (
    seq INTEGER PRIMARY KEY,
    unique_id TEXT NOT NULL UNIQUE,
    timestamp TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS logs_timestamp ON logs (timestamp);
CREATE TABLE IF NOT EXISTS evaluators (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    evaluator_slug TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS scores (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    log_id TEXT NOT NULL,
    evaluator_key TEXT NOT NULL,
    scorer TEXT NOT NULL,
    evaluator_id TEXT,
    evaluator_slug TEXT,
    evaluator_name TEXT,
    type TEXT,
    environment TEXT,
    numerical_value REAL,
    string_value TEXT,
    boolean_value INTEGER,
    categorical_value TEXT,
    json_value TEXT,
    is_passed INTEGER,
    cost REAL,
    prompt_id TEXT,
    prompt_version_number INTEGER,
    dataset_id TEXT,
    automation_id TEXT,
    status TEXT,
    error_message TEXT,
    explanation TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS scores_identity ON scores (log_id, evaluator_key, scorer);
CREATE VIEW IF NOT EXISTS score_values AS
    SELECT log_id, evaluator_id, evaluator_slug,
        COALESCE(numerical_value, boolean_value, string_value, json_value) AS value
    FROM scores
    UNION ALL
    SELECT log_id, evaluator_id, evaluator_slug, item.value
    FROM scores, json_each(categorical_value) AS item;
"""

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


def log_column(name: str) -> Column | None:
    """Return the column of a log's field, of `metadata__<key>` or of `scores__<evaluator>`."""
    prefix, separator, key = name.partition("__")
    if separator and prefix == "metadata":
        return Column(
            "(SELECT value FROM json_each(logs.document, '$.metadata') WHERE key = {key})", key=key
        )
    if separator and prefix == "scores":
        return Column(
            "own.value",
            rows="FROM score_values AS own WHERE own.log_id = logs.unique_id "
            "AND {key} IN (own.evaluator_id, own.evaluator_slug) AND own.value IS NOT NULL",
            key=key,
        )
    return LOG_COLUMNS.get(name)
