"""The clock of each referral: how long it waits, and what is told next."""

import sqlalchemy as sa
from alembic import op

from shared.store import expanding

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the clock; that of a referral starts with its next change."""
    moment = sa.DateTime(timezone=True)
    for name in ("waits_since", "due_at", "next_at"):
        op.add_column("referral", sa.Column(name, moment))
    for name in ("next_stage", "told"):
        op.add_column("referral", sa.Column(name, sa.Text))
    expanding.add_index("referral_by_clock", "ON referral (next_at, task) WHERE next_at IS NOT NULL")
