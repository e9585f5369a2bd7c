"""One current shared plan per patient, and the referrals that plans follow."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "shared_plan",
        sa.Column("care_plan", sa.Text, primary_key=True),
        sa.Column("patient", sa.Text, nullable=False),
        sa.Column("care_team", sa.Text, nullable=False, unique=True),
        sa.Column("current", sa.Boolean, nullable=False),
    )
    op.create_index("shared_plan_current", "shared_plan", ["patient"], unique=True, postgresql_where=sa.text("current"))
    op.create_table(
        "followed_referral",
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("care_plan", sa.Text, sa.ForeignKey("shared_plan.care_plan"), nullable=False, index=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("patient", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("business_status", sa.Text),
        sa.Column("service_request", sa.Text),
        sa.Column("discipline", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("outputs", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
    )
