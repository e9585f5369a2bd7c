"""A migration of every service: what rolling updates and retention need, as it was at that revision."""

from alembic import op

_STATEMENTS = (
    """CREATE TABLE schema_floor (
    oldest TEXT NOT NULL,
    PRIMARY KEY (oldest)
)""",
    """CREATE TABLE retention_sweep (
    name TEXT NOT NULL,
    position BIGINT DEFAULT 0 NOT NULL,
    holder TEXT,
    lease_until TIMESTAMP WITH TIME ZONE,
    due_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    deleted BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (name)
)""",
    # a fifth of a table dead, the default, is days of events: vacuum little and often (docs/adr/0012-retention.md)
    "ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05)",
    "ALTER TABLE inbox SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.1)",
    "ALTER TABLE resource_history SET (autovacuum_vacuum_scale_factor = 0.05)",
)


def create() -> None:
    """Create the tables, and tell autovacuum which tables are deleted from steadily."""
    for statement in _STATEMENTS:
        op.execute(statement)
