"""The resource store, the outbox and the inbox."""

from shared.store import foundation

revision = "0001"
down_revision = None


def upgrade() -> None:
    foundation.create()
