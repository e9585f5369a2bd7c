"""What rolling updates and retention need."""

from alembic import op

from shared.store import upkeep

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create what every service has; these tables are deleted from, too."""
    upkeep.create()
    for table in ("delivery", "delivery_attempt", "stream_entry"):
        op.execute(f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.05)")
