"""What transactions that span services need."""

from shared.store import deciding

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create what every service has."""
    deciding.create()
