-- The journal. Rows of these tables are only ever added; journal_tree and stream_head alone are moved on.

-- The version of each stream. An append moves it on by compare-and-set in its own transaction, so no two writers pass the same version.
CREATE TABLE stream_head (
    stream   text   COLLATE "C" PRIMARY KEY,
    version  bigint NOT NULL CHECK (version > 0),
    previous bigint NOT NULL CHECK (previous >= 0 AND previous < version)  -- the version before the last append
) WITH (fillfactor = 70);

-- One row an event: what the leaf of the tree is taken over, without a position. Events of one transaction lie at xid, ordinal 0 upwards without a
-- gap. Appended data have the id of the transaction that wrote them; copied data have ids below 0.
CREATE TABLE journal_event (
    xid         bigint      NOT NULL,
    ordinal     integer     NOT NULL,
    recorded_at timestamptz NOT NULL,
    stream      text        COLLATE "C" NOT NULL,
    version     bigint      NOT NULL,
    record      bytea       NOT NULL
) PARTITION BY RANGE (recorded_at);
CREATE UNIQUE INDEX journal_event_order ON journal_event (xid, ordinal, recorded_at);
CREATE UNIQUE INDEX journal_event_stream ON journal_event (stream, version, recorded_at);
-- Ciphertext does not compress.
ALTER TABLE journal_event ALTER COLUMN record SET STORAGE EXTERNAL;

-- Makes the partitions from the month of a time on.
CREATE FUNCTION journal_ensure_partitions(from_time timestamptz, months integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    first timestamp := date_trunc('month', from_time AT TIME ZONE 'UTC');
    begins timestamp;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7524502846186222450);
    FOR i IN 0 .. months - 1 LOOP
        begins := first + make_interval(months => i);
        IF to_regclass(format('journal_event_%s', to_char(begins, 'YYYY_MM'))) IS NULL THEN
            EXECUTE format('CREATE TABLE journal_event_%s PARTITION OF journal_event FOR VALUES FROM (%L) TO (%L)', to_char(begins, 'YYYY_MM'),
                to_char(begins, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(begins + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;

-- The positions: one row a transaction. Its events are first_position + ordinal. A transaction is in it once, whatever happens.
CREATE TABLE journal_batch (
    first_position bigint      PRIMARY KEY CHECK (first_position >= 0),
    xid            bigint      NOT NULL UNIQUE,
    events         integer     NOT NULL CHECK (events > 0),
    recorded_at    timestamptz NOT NULL
);

-- The one tree: how many events have a position, the right edge of the RFC 6962 tree over them, and the last transaction that is in it.
CREATE TABLE journal_tree (
    single  boolean PRIMARY KEY DEFAULT true CHECK (single),
    journal uuid    NOT NULL DEFAULT gen_random_uuid(),
    size    bigint  NOT NULL CHECK (size >= 0),
    peaks   bytea   NOT NULL,
    xid     bigint  NOT NULL
);
INSERT INTO journal_tree (size, peaks, xid) VALUES (0, '', -9223372036854775808);

SELECT journal_ensure_partitions(now(), 4);

-- Data keys of persons and tenants, each wrapped by the master key, which is never in here. NULL: destroyed.
CREATE TABLE subject_key (
    subject   text    COLLATE "C" NOT NULL,
    number    integer NOT NULL CHECK (number > 0),
    wrapped   bytea,
    destroyed timestamptz,
    PRIMARY KEY (subject, number),
    CHECK ((wrapped IS NULL) = (destroyed IS NOT NULL))
);
CREATE INDEX subject_key_destroyed ON subject_key (destroyed) WHERE destroyed IS NOT NULL;

-- Short cuts to streams; disposable.
CREATE TABLE snapshot (
    stream  text   COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    sealed  bytea  NOT NULL
);
ALTER TABLE snapshot ALTER COLUMN sealed SET STORAGE EXTERNAL;
