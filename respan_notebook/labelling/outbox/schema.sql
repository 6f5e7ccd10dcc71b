-- The tables of the first release. A kernel of that release may have the file open and writes by
-- position, so that they never change.
CREATE TABLE IF NOT EXISTS people (
    server TEXT, person TEXT, scorer TEXT,
    refused INTEGER NOT NULL DEFAULT 0,  -- 1: the server does not know this key
    PRIMARY KEY (server, person));
CREATE TABLE IF NOT EXISTS labels (
    server TEXT, person TEXT, log_id TEXT, evaluator TEXT,
    body TEXT NOT NULL,      -- of the score, as it is sent
    removed INTEGER NOT NULL,  -- 1: no score any more, here and in Respan
    version INTEGER NOT NULL,  -- order number of the last change, never used again
    state TEXT NOT NULL,     -- waiting, sent or refused
    tried INTEGER NOT NULL,  -- 1: may be in Respan
    settled INTEGER NOT NULL DEFAULT 0,  -- order number of Respan's last answer
    score_id TEXT, reason TEXT,
    PRIMARY KEY (server, person, log_id, evaluator));
CREATE INDEX IF NOT EXISTS waiting ON labels (server, person, state);
CREATE TABLE IF NOT EXISTS saves (
    save INTEGER,  -- order number
    server TEXT, person TEXT, log_id TEXT, evaluator TEXT,
    known INTEGER NOT NULL,  -- 1: the previous score is known
    former TEXT,             -- body of the previous score, null for none
    PRIMARY KEY (server, person, save, evaluator));
CREATE TABLE IF NOT EXISTS drafts (
    server TEXT, person TEXT, log_id TEXT, evaluator TEXT, draft TEXT NOT NULL,
    PRIMARY KEY (server, person, log_id, evaluator));
CREATE TABLE IF NOT EXISTS evaluators (
    server TEXT, name TEXT, definition TEXT NOT NULL, PRIMARY KEY (server, name));

-- The tables beside them, which the first release does not know.
CREATE TABLE IF NOT EXISTS last_order (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    number INTEGER NOT NULL);  -- the highest order number of the file, of whatever release
CREATE TABLE IF NOT EXISTS batches (
    save INTEGER PRIMARY KEY,
    batch INTEGER NOT NULL);  -- the same for the saves of many logs at once
CREATE TABLE IF NOT EXISTS definitions (
    digest TEXT PRIMARY KEY,
    definition TEXT NOT NULL);  -- what the values of an evaluator depend on
CREATE TABLE IF NOT EXISTS checked (
    version INTEGER PRIMARY KEY,  -- of a label
    digest TEXT NOT NULL);  -- the definition that its value was validated against
CREATE TABLE IF NOT EXISTS current_definitions (
    server TEXT, evaluator TEXT, digest TEXT NOT NULL, PRIMARY KEY (server, evaluator));
CREATE TABLE IF NOT EXISTS slugs (
    server TEXT, id TEXT, slug TEXT NOT NULL, PRIMARY KEY (server, id));
CREATE TABLE IF NOT EXISTS skips (
    server TEXT, person TEXT, log_id TEXT, PRIMARY KEY (server, person, log_id));

INSERT OR IGNORE INTO last_order SELECT 1, max(
    coalesce((SELECT max(max(version, settled)) FROM labels), 0),
    coalesce((SELECT max(save) FROM saves), 0))
    WHERE NOT EXISTS (SELECT 1 FROM last_order);
INSERT OR IGNORE INTO slugs
    SELECT server, json_extract(definition, '$.id'), json_extract(definition, '$.evaluator_slug')
    FROM evaluators WHERE json_valid(definition)
    AND json_extract(definition, '$.id') IS NOT NULL
    AND json_extract(definition, '$.evaluator_slug') IS NOT NULL;

-- A kernel of the first release counts in nanoseconds since 1970; order goes on from there.
CREATE TRIGGER IF NOT EXISTS order_of_new_label AFTER INSERT ON labels
    WHEN max(NEW.version, NEW.settled) > (SELECT number FROM last_order)
    BEGIN UPDATE last_order SET number = max(NEW.version, NEW.settled); END;
CREATE TRIGGER IF NOT EXISTS order_of_label AFTER UPDATE ON labels
    WHEN max(NEW.version, NEW.settled) > (SELECT number FROM last_order)
    BEGIN UPDATE last_order SET number = max(NEW.version, NEW.settled); END;
CREATE TRIGGER IF NOT EXISTS order_of_save AFTER INSERT ON saves
    WHEN NEW.save > (SELECT number FROM last_order)
    BEGIN UPDATE last_order SET number = NEW.save; END;
