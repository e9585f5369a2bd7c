"""Preferences, deliveries with their log, the in-app stream, who takes part in a patient's care."""

from alembic import op

from services.notifications.store.tables import metadata

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the service's own tables."""
    metadata.create_all(op.get_bind())
