"""Deliveries as figures. What goes into the in-app stream is delivered by being written, and not counted here."""

from services.notifications.domain.delivery import Status, Verdict
from services.notifications.domain.preferences import Channel
from shared.telemetry.instruments import counts, levels, timings

ATTEMPTS = timings("consilium.delivery.attempt.duration", "One attempt at a delivery.", "channel", "verdict")
SETTLED = counts("consilium.delivery.settled", "Deliveries that ended.", "channel", "status", unit="{delivery}")
"""``status``: delivered, failed."""
DELAY = timings(
    "consilium.delivery.delay",
    "From the message put down to its delivery.",
    "channel",
    bounds=(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 43200.0),
)
OVERDUE = levels("consilium.delivery.overdue", "Deliveries due and not taken up.", "channel", unit="{delivery}")
OVERDUE_AGE = levels("consilium.delivery.overdue.age", "How long the first of them is due.", "channel", unit="s")

SENT: tuple[Channel, ...] = tuple(channel for channel in Channel if channel is not Channel.STREAM)
for _channel in SENT:
    DELAY.expect(_channel.value)
    for _verdict in Verdict:
        ATTEMPTS.expect(_channel.value, _verdict.value)
    for _status in (Status.DELIVERED, Status.FAILED):
        SETTLED.expect(_channel.value, _status.value)
