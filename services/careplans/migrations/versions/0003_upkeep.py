"""What rolling updates and retention need."""

from shared.store import upkeep

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create what every service has."""
    upkeep.create()
