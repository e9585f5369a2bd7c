"""What the REST of coordinators keeps beside referrals: idempotency keys, and saved filters."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "idempotency_key",
        sa.Column("caller", sa.Text, primary_key=True),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("item", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("request", sa.LargeBinary, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("task", sa.Text),
        sa.Column("version", sa.Integer),
        sa.Column("status", sa.SmallInteger),
    )
    op.create_table(
        "saved_filter",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("wanted", JSONB, nullable=False),
        sa.Column("changed_at", moment, nullable=False),
    )
    shared = sa.text("shared")
    op.create_index("saved_filter_shared", "saved_filter", ["name"], unique=True, postgresql_where=shared)
