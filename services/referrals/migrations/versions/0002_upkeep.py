"""What rolling updates and retention need."""

from shared.store import upkeep

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create what every service has."""
    upkeep.create()
