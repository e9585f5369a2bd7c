"""What an API process does beside answering: it feeds event streams, wakes relays, compiles the busiest checks."""

import asyncio
from collections.abc import Collection, Iterable

from shared.engine import Engine
from shared.fhir.validate import prepare
from shared.messaging.doorbell import Doorbell
from shared.service import Job, Service


async def read(
    services: Collection[tuple[Service, Engine]], stop: asyncio.Event, *, bells: Iterable[Doorbell] = ()
) -> None:
    """Do so for ``services`` until ``stop``; ``bells`` wake relays that are in other processes."""
    busiest = [type_ for service, _ in services for type_ in service.busiest]
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.to_thread(prepare, busiest))
        for bell in bells:
            group.create_task(_ringing(bell, stop))
        for service, engine in services:
            for reader in service.readers:
                group.create_task(_until(reader, engine, stop))


async def _ringing(bell: Doorbell, stop: asyncio.Event) -> None:
    ringing = asyncio.create_task(bell.run())
    await stop.wait()
    ringing.cancel()


async def _until(job: Job, engine: Engine, stop: asyncio.Event) -> None:
    await job(engine, stop)
