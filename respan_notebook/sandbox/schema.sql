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
-- Committed versions; the evaluator itself is their draft, version 0, once there is one.
CREATE TABLE IF NOT EXISTS evaluator_versions (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    evaluator_id TEXT NOT NULL,
    evaluator_slug TEXT NOT NULL,
    created_at TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE VIEW IF NOT EXISTS evaluator_entries AS
    SELECT seq, id, id AS evaluator_id, evaluator_slug, created_at, document FROM evaluators
    UNION ALL
    SELECT seq, id, evaluator_id, evaluator_slug, created_at, document FROM evaluator_versions;
