-- State of grains as JSON, by the grain's id and the name of the state. An etag is given once in the life of the database.
CREATE SEQUENCE grain_state_etag;
CREATE TABLE grain_state (
    grain   text   COLLATE "C" NOT NULL,
    name    text   COLLATE "C" NOT NULL,
    etag    bigint NOT NULL DEFAULT nextval('grain_state_etag'),
    payload bytea  NOT NULL,
    PRIMARY KEY (grain, name)
);
