"""How each referral stands, and what happened to it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OPEN = "waits_for IS NOT NULL"
_UNANSWERED = "waits_for IN ('acknowledgement', 'acceptance')"
_INDEXES = (
    ("clock", ("next_at", "task"), "next_at IS NOT NULL"),
    ("since", ("since", "task"), None),
    ("open", ("since", "task"), _OPEN),
    ("due", ("due_at", "task"), _OPEN),
    ("unanswered", ("priority", "since", "task"), _UNANSWERED),
    ("unanswered_due", ("due_at", "task"), _UNANSWERED),
    ("returned", ("since", "task"), "returned_at IS NOT NULL"),
    ("status", ("status", "since", "task"), None),
    ("discipline_open", ("discipline", "since", "task"), _OPEN),
    ("patient", ("patient", "since", "task"), None),
    ("owner", ("owner", "since", "task"), None),
    ("owner_open", ("owner", "since", "task"), _OPEN),
    ("requester", ("requester", "since", "task"), None),
    ("requester_open", ("requester", "since", "task"), _OPEN),
    ("order", ("service_request",), None),
    ("sent", ("sent_at",), None),
)


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
        *(sa.Column(name, moment) for name in ("waits_since", "due_at")),
        sa.Column("next_stage", sa.Text),
        sa.Column("next_at", moment),
        sa.Column("told", sa.Text),
        sa.Column("returned_at", moment),
        sa.Column("offered", sa.Text),
    )
    for name, columns, where in _INDEXES:
        condition = None if where is None else sa.text(where)
        op.create_index(f"referral_by_{name}", "referral", columns, postgresql_where=condition)
    op.create_index(
        "referral_by_offer",
        "referral",
        [sa.text("string_to_array(offered, ' ')")],
        postgresql_using="gin",
        postgresql_where=sa.text("offered IS NOT NULL"),
    )
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
