-- An outbox as the first release wrote it, by its code at commit bc0f08c.
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE drafts (
    server TEXT, person TEXT, log_id TEXT, evaluator TEXT, draft TEXT NOT NULL,
    PRIMARY KEY (server, person, log_id, evaluator));
INSERT INTO "drafts" VALUES('https://respan.example','ann','drafted','e_stars','{"state": "set", "value": 2.0, "typed": null, "explanation": "half"}');
CREATE TABLE evaluators (
    server TEXT, name TEXT, definition TEXT NOT NULL, PRIMARY KEY (server, name));
INSERT INTO "evaluators" VALUES('https://respan.example','stars','{"id": "e_stars", "name": "Stars", "evaluator_slug": "stars", "score_value_type": "numerical", "score_config": {"min_score": 1, "max_score": 5}}');
CREATE TABLE labels (
    server TEXT, person TEXT, log_id TEXT, evaluator TEXT,
    body TEXT NOT NULL,      -- of the score, as it is sent
    removed INTEGER NOT NULL,  -- 1: no score any more, here and in Respan
    version INTEGER NOT NULL,  -- of the last change: nanoseconds since 1970, never used again
    state TEXT NOT NULL,
    tried INTEGER NOT NULL,  -- 1: may be in Respan
    settled INTEGER NOT NULL DEFAULT 0,  -- when Respan last answered, in nanoseconds since 1970
    score_id TEXT, reason TEXT,
    PRIMARY KEY (server, person, log_id, evaluator));
INSERT INTO "labels" VALUES('https://respan.example','ann','sent','e_stars','{"evaluator_id": "e_stars", "numerical_value": 4.0}',0,1795719797729064473,'sent',1,1795719797729151565,'s1',NULL);
INSERT INTO "labels" VALUES('https://respan.example','ann','refused','e_stars','{"evaluator_id": "e_stars", "numerical_value": 2.0}',0,1795719797729194147,'refused',1,1795719797729273738,NULL,'POST answered 404: no such log');
INSERT INTO "labels" VALUES('https://respan.example','ann','waiting','e_stars','{"evaluator_id": "e_stars", "numerical_value": 5.0, "explanation": "very good"}',0,1795719797729317628,'waiting',0,0,NULL,NULL);
INSERT INTO "labels" VALUES('https://respan.example','ann','removed','e_stars','{"evaluator_id": "e_stars", "numerical_value": 1.0}',1,1795719797729531533,'waiting',1,1795719797729479337,'s4',NULL);
INSERT INTO "labels" VALUES('https://respan.example','bob','sent','e_stars','{"evaluator_id": "e_stars", "numerical_value": 1.0}',0,1795719797729773128,'waiting',0,0,NULL,NULL);
INSERT INTO "labels" VALUES('https://respan.example','cal','sent','e_stars','{"evaluator_id": "e_stars", "numerical_value": 2.0}',0,1795719797729961513,'waiting',0,0,NULL,NULL);
CREATE TABLE people (
    server TEXT, person TEXT, scorer TEXT,
    refused INTEGER NOT NULL DEFAULT 0,  -- 1: the server does not know this key
    PRIMARY KEY (server, person));
INSERT INTO "people" VALUES('https://respan.example','ann','ann@example.com',0);
INSERT INTO "people" VALUES('https://respan.example','bob','bob@example.com',0);
INSERT INTO "people" VALUES('https://respan.example','cal',NULL,1);
CREATE TABLE saves (
    save INTEGER,  -- when, in nanoseconds since 1970
    server TEXT, person TEXT, log_id TEXT, evaluator TEXT,
    known INTEGER NOT NULL,  -- whether it is known what was there before
    former TEXT,             -- body of the score that was there before, null for none
    PRIMARY KEY (server, person, save, evaluator));
INSERT INTO "saves" VALUES(1795719797728648251,'https://respan.example','ann','sent','e_stars',1,NULL);
INSERT INTO "saves" VALUES(1795719797729044456,'https://respan.example','ann','sent','e_stars',1,'{"evaluator_id": "e_stars", "numerical_value": 3.0}');
INSERT INTO "saves" VALUES(1795719797729183366,'https://respan.example','ann','refused','e_stars',1,NULL);
INSERT INTO "saves" VALUES(1795719797729308043,'https://respan.example','ann','waiting','e_stars',0,NULL);
INSERT INTO "saves" VALUES(1795719797729367391,'https://respan.example','ann','removed','e_stars',1,NULL);
INSERT INTO "saves" VALUES(1795719797729512690,'https://respan.example','ann','removed','e_stars',1,'{"evaluator_id": "e_stars", "numerical_value": 1.0}');
INSERT INTO "saves" VALUES(1795719797729748001,'https://respan.example','bob','sent','e_stars',1,NULL);
INSERT INTO "saves" VALUES(1795719797729930627,'https://respan.example','cal','sent','e_stars',1,NULL);
CREATE INDEX waiting ON labels (server, person, state);
COMMIT;
