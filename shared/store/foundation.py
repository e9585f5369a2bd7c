"""The first migration of every service: the resource store, the outbox and the inbox, as they were at that revision.

A migration says what it does by itself: it does not look at today's tables (a test compares the two).
"""

from alembic import op

_TABLES = """
CREATE TABLE index_date (
    param BIGINT NOT NULL,
    rid BIGINT NOT NULL,
    low BIGINT NOT NULL,
    high BIGINT NOT NULL,
    level SMALLINT GENERATED ALWAYS AS (
        CASE WHEN high - low <= 86400000000 THEN 0 WHEN high - low <= 691200000000 THEN 1
             WHEN high - low <= 5529600000000 THEN 2 WHEN high - low <= 44236800000000 THEN 3 ELSE 4 END
    ) STORED NOT NULL
);
CREATE INDEX index_date_level ON index_date (param, level, low, high, rid);
CREATE INDEX index_date_low ON index_date (param, low, rid);
CREATE INDEX index_date_rid ON index_date (rid, param);
CREATE TABLE index_quantity (
    param BIGINT NOT NULL,
    rid BIGINT NOT NULL,
    units BIGINT[] NOT NULL,
    low NUMERIC NOT NULL,
    high NUMERIC NOT NULL,
    level SMALLINT GENERATED ALWAYS AS (CASE WHEN low = high THEN 0 ELSE 1 END) STORED NOT NULL
);
CREATE INDEX index_quantity_level ON index_quantity (param, level, low, high, rid);
CREATE INDEX index_quantity_low ON index_quantity (param, low, rid);
CREATE INDEX index_quantity_rid ON index_quantity (rid, param);
CREATE TABLE index_string (
    param BIGINT NOT NULL,
    rid BIGINT NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    exact BIGINT NOT NULL
);
CREATE INDEX index_string_rid ON index_string (rid, param);
CREATE INDEX index_string_value ON index_string (param, value, rid) INCLUDE (exact);
CREATE TABLE index_term (
    term BIGINT NOT NULL,
    rid BIGINT NOT NULL,
    PRIMARY KEY (term, rid)
);
CREATE TABLE resource (
    rid BIGINT GENERATED ALWAYS AS IDENTITY,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    self BIGINT NOT NULL,
    version INTEGER NOT NULL,
    last_updated TIMESTAMP WITH TIME ZONE NOT NULL,
    deleted BOOLEAN NOT NULL,
    patient TEXT,
    terms BIGINT[] NOT NULL,
    marks BIGINT[] DEFAULT '{}' NOT NULL,
    link_params BIGINT[] NOT NULL,
    link_targets BIGINT[] NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (type, rid)
);
CREATE UNIQUE INDEX resource_identity ON resource (type, id);
CREATE INDEX resource_patient ON resource (type, patient, rid) WHERE NOT deleted;
CREATE UNIQUE INDEX resource_self ON resource (self);
CREATE INDEX resource_updated ON resource (type, last_updated, rid) WHERE NOT deleted;
CREATE TABLE resource_history (
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    last_updated TIMESTAMP WITH TIME ZONE NOT NULL,
    method TEXT NOT NULL,
    body BYTEA NOT NULL,
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (type, id, version)
);
CREATE INDEX resource_history_type ON resource_history (type, last_updated, seq);
CREATE INDEX resource_history_updated ON resource_history (last_updated, seq);
CREATE TABLE copy_mark (
    type TEXT NOT NULL,
    until TIMESTAMP WITH TIME ZONE,
    lease_until TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (type)
);
CREATE TABLE inbox (
    consumer TEXT NOT NULL,
    event_id TEXT NOT NULL,
    handled_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_handled ON inbox USING brin (handled_at);
CREATE TABLE outbox (
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    subject TEXT NOT NULL,
    envelope BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE,
    attempts INTEGER DEFAULT '0' NOT NULL,
    retry_at TIMESTAMP WITH TIME ZONE,
    parked_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (seq)
);
CREATE INDEX outbox_pending ON outbox (seq) WHERE published_at IS NULL AND parked_at IS NULL;
"""


def create() -> None:
    """Create the tables in the database that Alembic is on."""
    for statement in _TABLES.split(";\n"):
        op.execute(statement)
    # bodies are served as they are: compressing them would cost a decompression per read
    op.execute("ALTER TABLE resource ALTER COLUMN body SET STORAGE EXTERNAL")
