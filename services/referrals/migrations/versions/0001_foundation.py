"""The resource store, the outbox and the inbox."""

from shared.store import foundation

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    foundation.create()
