"""Exchanges, queues and routing keys as values (https://www.rabbitmq.com/tutorials/amqp-concepts#exchange-topic)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

EXCHANGE = "consilium.events"
CONTROL = "consilium.control"
"""Where transports and relays speak among themselves."""
RETRY_DELAYS = (1.0, 5.0, 30.0, 120.0, 600.0)
"""Seconds before the second, third, ... attempt. After the last one a message is dead."""


@dataclass(frozen=True, slots=True)
class Queue:
    """One consumer's queue, the routing keys it hears (``*``: one word, ``#``: any number), its patience in seconds."""

    name: str
    routing_keys: tuple[str, ...]
    retry_delays: tuple[float, ...] = RETRY_DELAYS
    exchange: str = EXCHANGE
    gathers: float = 0.0
    """Seconds in which more may gather behind what was taken, where a transport takes many at a time."""

    @property
    def dead(self) -> str:
        """The name of the queue that keeps its dead letters."""
        return f"{self.name}.dead"

    def retry(self, number: int) -> str:
        """The name of the queue in which a message waits after its failure ``number`` (from 1)."""
        return f"{self.name}.retry.{number}"


def pattern(routing_keys: Iterable[str]) -> str:
    """A regular expression (the same in Python and PostgreSQL) that matches ``<event type>.`` with its closing dot."""
    return "^(" + "|".join("".join(_word(word) for word in key.split(".")) for key in routing_keys) + ")$"


def matches(routing_keys: Iterable[str], event_type: str) -> bool:
    """Whether a queue with these routing keys hears ``event_type``."""
    return re.match(pattern(routing_keys), event_type + ".") is not None


def _word(word: str) -> str:
    if word == "#":
        return r"([^.]*\.)*"
    if word == "*":
        return r"[^.]*\."
    return re.escape(word) + r"\."
