"""A migration of every service: the tables of bulk data's jobs, as they were at that revision."""

from alembic import op

from shared.store import expanding

_STATEMENTS = (
    """CREATE TABLE bulk_job (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    status TEXT NOT NULL,
    asked BYTEA NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    snapshot TEXT NOT NULL,
    position BYTEA NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    holder TEXT,
    lease_until TIMESTAMP WITH TIME ZONE,
    touched_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id)
)""",
    "CREATE INDEX bulk_job_at ON bulk_job (at)",
    "CREATE INDEX bulk_job_running ON bulk_job (touched_at) WHERE status = 'running'",
    """CREATE TABLE bulk_file (
    job TEXT NOT NULL,
    number INTEGER NOT NULL,
    role TEXT NOT NULL,
    type TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (job, number)
)""",
    """CREATE TABLE bulk_chunk (
    job TEXT NOT NULL,
    number INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    data BYTEA NOT NULL,
    crc BIGINT NOT NULL,
    size BIGINT NOT NULL,
    PRIMARY KEY (job, number, seq)
)""",
    # it is compressed already
    "ALTER TABLE bulk_chunk ALTER COLUMN data SET STORAGE EXTERNAL",
)


def create() -> None:
    """Create the tables."""
    for statement in _STATEMENTS:
        op.execute(statement)


def index_deleted() -> None:
    """What was deleted since a moment is found without a walk through what is there."""
    expanding.add_index("resource_deleted", "ON resource (type, last_updated, rid) WHERE deleted")
