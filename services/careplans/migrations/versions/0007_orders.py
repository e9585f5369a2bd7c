"""Orders to the referrals' service, and the waits that it tells."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "referral_order",
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("care_plan", sa.Text, nullable=False),
        sa.Column("request_group", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True)),
    )
    due = sa.text("next_at IS NOT NULL")
    op.create_index("referral_order_due", "referral_order", ["next_at"], postgresql_where=due)
    op.create_index("referral_order_proposal", "referral_order", ["request_group"])
    op.create_table(
        "discipline_wait",
        sa.Column("discipline", sa.Text, primary_key=True),
        sa.Column("days", sa.Integer),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
    )
