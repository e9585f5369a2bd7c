"""The worker of a service: relays the outbox, consumes the queues and runs the service's jobs, until told to stop.

Beside the service's own queues it hears requests to fill a queue that was lost: it is its outbox that can.
"""

import asyncio

from shared import bulk
from shared.copies.catching_up import catch_up
from shared.engine import Engine
from shared.messaging.consumer import Consumer, declare, run_consumers
from shared.messaging.delivery import remembered
from shared.messaging.refill import refill_consumer
from shared.messaging.relay import Relay
from shared.messaging.topology import Queue
from shared.messaging.transport import Transport
from shared.retention import RetentionSettings, retain
from shared.service import Binding, Service, require_settings


def queue_of(binding: Binding) -> Queue:
    """The queue that ``binding`` needs."""
    return Queue(binding.queue, binding.routing_keys, gathers=binding.gathers)


def require_retention(service: Service) -> RetentionSettings:
    """How long ``service`` keeps things. Raises ``ValidationError`` where its settings do not hold, or contradict."""
    require_settings(service)
    tuple(service.sweeps())
    return RetentionSettings()


async def run_worker(service: Service, engine: Engine, transport: Transport, relay: Relay, stop: asyncio.Event) -> None:
    """Work until ``stop``; the message in hand is finished first. Raises when a part fails beyond recovery."""
    memory = require_retention(service).remembered
    consumers = (
        refill_consumer(service.name, engine.pool, transport, relay.wake),
        *(
            Consumer(queue_of(binding), remembered(binding.handler(engine), memory), binding.prefetch)
            for binding in service.bindings
        ),
    )
    async with asyncio.TaskGroup() as group:
        # what needs no carrier of messages does not wait for one
        group.create_task(retain(engine, (*bulk.sweeps(), *service.sweeps()), stop))
        group.create_task(bulk.work(engine, stop))
        if service.copied:
            group.create_task(catch_up(engine, stop))
        for job in service.jobs:
            group.create_task(job(engine, stop))
        await declare(transport, [consumer.queue for consumer in consumers], stop)
        group.create_task(relay.run(stop))
        group.create_task(run_consumers(transport, consumers, stop))
