"""Which referrals are carried on with other systems, and how far."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; a referral comes into it when it is sent, or its owner changes."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "referral_exchange",
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("endpoint", sa.Text, primary_key=True),
        sa.Column("address", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("organization", "practitioner")),
        sa.Column("agreed", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False, server_default="0") for name in ("looked", "order_looked")),
        sa.Column("leaving", sa.Boolean, nullable=False, server_default=sa.false()),
        *(sa.Column(name, sa.Text) for name in ("remote_order", "remote_task", "remote_version")),
        *(
            sa.Column(name, sa.Integer, nullable=False, server_default="0")
            for name in ("looks", "attempts", "failures")
        ),
        sa.Column("failing_since", moment),
        sa.Column("trouble", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("next_at", moment),
        sa.Column("holder", sa.Text),
        sa.Column("held_until", moment),
        sa.Column("created_at", moment, nullable=False),
    )
    due = sa.text("next_at IS NOT NULL")
    op.create_index("referral_exchange_due", "referral_exchange", ["next_at"], postgresql_where=due)
