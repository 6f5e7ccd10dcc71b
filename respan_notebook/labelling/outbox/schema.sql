CREATE TABLE IF NOT EXISTS people (
    server TEXT, person TEXT, scorer TEXT,
    refused INTEGER NOT NULL DEFAULT 0,  -- 1: the server does not know this key
    PRIMARY KEY (server, person));
CREATE TABLE IF NOT EXISTS labels (
    server TEXT, person TEXT, log_id TEXT, evaluator TEXT,
    body TEXT NOT NULL,      -- of the score, as it is sent
    removed INTEGER NOT NULL,  -- 1: no score any more, here and in Respan
    version INTEGER NOT NULL,  -- of the last change: nanoseconds since 1970, never used again
    state TEXT NOT NULL,
    tried INTEGER NOT NULL,  -- 1: may be in Respan
    settled INTEGER NOT NULL DEFAULT 0,  -- when Respan last answered, in nanoseconds since 1970
    score_id TEXT, reason TEXT,
    PRIMARY KEY (server, person, log_id, evaluator));
CREATE INDEX IF NOT EXISTS waiting ON labels (server, person, state);
CREATE TABLE IF NOT EXISTS saves (
    save INTEGER,  -- when, in nanoseconds since 1970
    server TEXT, person TEXT, log_id TEXT, evaluator TEXT,
    known INTEGER NOT NULL,  -- 1: the previous score is known
    former TEXT,             -- body of the previous score, null for none
    PRIMARY KEY (server, person, save, evaluator));
CREATE TABLE IF NOT EXISTS drafts (
    server TEXT, person TEXT, log_id TEXT, evaluator TEXT, draft TEXT NOT NULL,
    PRIMARY KEY (server, person, log_id, evaluator));
CREATE TABLE IF NOT EXISTS evaluators (
    server TEXT, name TEXT, definition TEXT NOT NULL, PRIMARY KEY (server, name));
