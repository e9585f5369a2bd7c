"""Jobs of bulk data and their files."""

from shared.store import bulk

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create what every service has."""
    bulk.create()
