-- Answers to mutations by caller, method, path and Idempotency-Key, so that any process repeats what another has answered.
CREATE TABLE answer (
    scope     text        COLLATE "C" PRIMARY KEY,
    body_hash bytea       NOT NULL,
    status    integer     NOT NULL,
    headers   jsonb       NOT NULL,
    body      bytea       NOT NULL,
    stored    timestamptz NOT NULL
);
CREATE INDEX answer_stored ON answer (stored);
