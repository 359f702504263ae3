-- Contents of persons (uploaded files, results of jobs), sealed with their owners' keys in chunks. Chunks are written in short transactions before the
-- row that makes them a content: a long one would hold up the giving of journal positions. Chunks without a row are swept after a day.
CREATE TABLE blob (
    subject text        COLLATE "C" NOT NULL,
    id      text        COLLATE "C" NOT NULL,
    content uuid        NOT NULL UNIQUE,
    header  bytea       NOT NULL,
    chunks  integer     NOT NULL,
    length  bigint      NOT NULL,
    stored  timestamptz NOT NULL,
    PRIMARY KEY (subject, id)
);
CREATE TABLE blob_chunk (
    content uuid        NOT NULL,
    number  integer     NOT NULL,
    sealed  bytea       NOT NULL,
    stored  timestamptz NOT NULL,
    PRIMARY KEY (content, number)
);
-- What is encrypted cannot be compressed.
ALTER TABLE blob_chunk ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX blob_chunk_stored ON blob_chunk (stored);
