"""Preferences, deliveries with their log, the in-app stream, who takes part in a patient's care."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the service's own tables."""
    op.create_table(
        "receiver_preference",
        sa.Column("receiver", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("address", sa.Text),
        sa.Column("secret", sa.Text),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("communication", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("told_as", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("receiver", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("focus", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.Column("traceparent", sa.Text),
    )
    op.create_index("delivery_told_once", "delivery", ["told_as", "receiver", "channel"], unique=True)
    due = sa.text("status IN ('pending', 'sending')")
    op.create_index("delivery_due", "delivery", ["due_at"], postgresql_where=due)
    op.create_index("delivery_communication", "delivery", ["communication"])
    op.create_index("delivery_status", "delivery", ["status", "id"])
    op.create_table(
        "delivery_attempt",
        sa.Column("delivery", sa.Text, primary_key=True),
        sa.Column("started_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("verdict", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("code", sa.Integer),
    )
    op.create_table(
        "stream_entry",
        sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("receiver", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_index("stream_receiver", "stream_entry", ["receiver", "seq"])
    op.create_index("stream_event", "stream_entry", ["event_id"])
    op.create_table(
        "referral_party",
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("patient", sa.Text),
        sa.Column("service_request", sa.Text),
        sa.Column("parties", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("members", sa.ARRAY(sa.Text), nullable=False),
    )
    op.create_index("referral_party_patient", "referral_party", ["patient"])
