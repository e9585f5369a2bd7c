"""How each referral stands, and what happened to it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OPEN = sa.text("waits_for IS NOT NULL")


def upgrade() -> None:
    """Create both tables; a referral comes into them with its next change."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "referral",
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("business_status", sa.Text),
        sa.Column("waits_for", sa.Text),
        sa.Column("since", moment, nullable=False),
        sa.Column("discipline", sa.Text),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("patient", "service_request", "requester", "owner")),
        *(
            sa.Column(f"{milestone}_at", moment)
            for milestone in ("sent", "acknowledged", "accepted", "scheduled", "seen", "reported", "closed", "ended")
        ),
    )
    op.create_index("referral_by_patient", "referral", ["patient", "sent_at", "task"])
    op.create_index("referral_open", "referral", ["since", "task"], postgresql_where=_OPEN)
    for column in ("owner", "requester", "discipline"):
        op.create_index(f"referral_by_{column}", "referral", [column, "since", "task"], postgresql_where=_OPEN)
    op.create_table(
        "referral_moment",
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("status", "business_status", "reason", "owner")),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
    )
    op.create_index("referral_moment_of", "referral_moment", ["task", "number"])
