"""What transactions that span services need."""

from shared.store import deciding

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create what every service has."""
    deciding.create()
