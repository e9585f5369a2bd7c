"""A migration of every service: what transactions that span services need, as it was at that revision."""

from alembic import op

_TABLE = """CREATE TABLE transaction_decision (
    id TEXT NOT NULL,
    committed BOOLEAN NOT NULL,
    parts TEXT[] DEFAULT '{}' NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id)
)"""


def create() -> None:
    """Create the table."""
    op.execute(_TABLE)
