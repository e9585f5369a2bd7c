"""What was deleted, in the order of time: bulk data tells it."""

from shared.store import bulk

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Build the index beside the traffic."""
    bulk.index_deleted()
