"""The first migration of every service: the resource store, the outbox and the inbox."""

from alembic import op

from shared.messaging import tables as messaging
from shared.store import tables as store


def create() -> None:
    """Create the tables in the database that Alembic is on."""
    bind = op.get_bind()
    store.metadata.create_all(bind)
    messaging.metadata.create_all(bind)
    # bodies are served as they are: compressing them would cost a decompression per read
    op.execute("ALTER TABLE resource ALTER COLUMN body SET STORAGE EXTERNAL")
