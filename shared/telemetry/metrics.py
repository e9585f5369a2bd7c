"""Gauges that are asked, not told: depth and age of the outbox, depth of queues.

The meter asks from its own thread, the figures come from async code: a ``Reading`` holds the last one.
"""

from collections.abc import Iterable, Mapping

from opentelemetry.metrics import CallbackOptions, Observation

from shared.telemetry.setup import Telemetry


class Reading:
    """The last known value of a gauge per label, set by whoever measures (the relay, a consumer)."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._values: Mapping[str, float] = {}

    def set(self, key: str, value: float) -> None:
        """The value of ``key`` (a service or queue name of ours) from now on."""
        self._values = {**self._values, key: value}

    def observe(self, options: CallbackOptions) -> Iterable[Observation]:
        """What the meter asks for."""
        return [Observation(value, {self._label: key}) for key, value in self._values.items()]


class MessagingGauges:
    """What operations wants to know of messages on their way."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.outbox_depth = Reading("service")
        """Events written and not yet confirmed by the broker."""
        self.outbox_age_s = Reading("service")
        """Seconds since the oldest of them was written."""
        self.outbox_parked = Reading("service")
        """Rows that are no events and were set aside."""
        self.queue_depth = Reading("queue")
        """Messages that wait in a queue, dead-letter queues included."""
        meter = telemetry.meter
        meter.create_observable_gauge("consilium.outbox.depth", [self.outbox_depth.observe], unit="{event}")
        meter.create_observable_gauge("consilium.outbox.age", [self.outbox_age_s.observe], unit="s")
        meter.create_observable_gauge("consilium.outbox.parked", [self.outbox_parked.observe], unit="{event}")
        meter.create_observable_gauge("consilium.queue.depth", [self.queue_depth.observe], unit="{message}")
