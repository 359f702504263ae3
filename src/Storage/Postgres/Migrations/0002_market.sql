-- Market data and what followers remember.

-- Where each feed's log stands. An append moves it on by compare-and-set, so a feed that was taken over elsewhere cannot be written here.
CREATE TABLE market_feed (
    feed           text   COLLATE "C" PRIMARY KEY,
    first_position bigint NOT NULL DEFAULT 0,
    next_position  bigint NOT NULL CHECK (next_position >= first_position)
);

-- One row an append: events of one kind, with the table of their symbols, as docs/postgresql.md describes.
CREATE TABLE market_block (
    feed           text        COLLATE "C" NOT NULL,
    first_position bigint      NOT NULL,
    events         integer     NOT NULL CHECK (events > 0),
    written_at     timestamptz NOT NULL DEFAULT now(),
    body           bytea       NOT NULL,
    PRIMARY KEY (feed, first_position)
);

CREATE TABLE bar (
    symbol     text             COLLATE "C" NOT NULL,
    time_frame text             COLLATE "C" NOT NULL,
    open_time  bigint           NOT NULL,  -- UTC, ticks of 100 ns since 0001-01-01T00:00
    bid_open   bigint NOT NULL, bid_high bigint NOT NULL, bid_low bigint NOT NULL, bid_close bigint NOT NULL,
    ask_open   bigint NOT NULL, ask_high bigint NOT NULL, ask_low bigint NOT NULL, ask_close bigint NOT NULL,
    volume     double precision NOT NULL,
    PRIMARY KEY (symbol, time_frame, open_time)
);

-- The next position that a follower of the journal handles.
CREATE TABLE follower (
    name     text    COLLATE "C" PRIMARY KEY,
    version  integer NOT NULL DEFAULT 0,
    position bigint  NOT NULL CHECK (position >= 0)
);
