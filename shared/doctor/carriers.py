"""What carries the messages: RabbitMQ with its queues, or the bus database of an installation without a broker."""

import asyncio
from collections.abc import Sequence

import asyncpg
from aio_pika.abc import AbstractConnection
from aiormq.exceptions import ChannelNotFoundEntity, ChannelPreconditionFailed
from pamqp.common import FieldTable

from shared.doctor.finding import Finding, failure, ok, warning
from shared.messaging.topology import EXCHANGE, Queue
from shared.messaging.transports.rabbitmq_connecting import REFUSED, connect
from shared.messaging.transports.rabbitmq_topology import LOSSES, queues_of
from shared.store.losses import DATABASE_LOSSES
from shared.telemetry.failures import class_of

CONNECTING = 5.0


async def broker(url: str, queues: Sequence[Queue]) -> list[Finding]:
    """Whether the broker at ``url`` answers and has ``queues`` as they must be; dead letters that wait there."""
    try:
        async with asyncio.timeout(4 * CONNECTING), await connect(url, within=CONNECTING) as connection:
            if not await _exchange(connection):
                return [failure("broker", f"the exchange {EXCHANGE} is missing", "Start a worker: it makes it.")]
            found = [finding for queue in queues for finding in await _queue(connection, queue)]
            return found or [ok("broker", f"{len(queues)} queues, all as they must be")]
    except REFUSED:
        return [failure("broker", "user or password is not accepted", "Correct CONSILIUM_AMQP_URL.")]
    except LOSSES as error:
        do = "Is RabbitMQ up, and CONSILIUM_AMQP_URL right? Until then events wait in the outboxes; nothing is lost."
        return [failure("broker", f"it cannot be reached ({class_of(error)})", do)]


async def _exchange(connection: AbstractConnection) -> bool:
    try:
        async with connection.channel() as channel:
            await channel.get_exchange(EXCHANGE, ensure=True)
    except ChannelNotFoundEntity:
        return False
    return True


async def _queue(connection: AbstractConnection, queue: Queue) -> list[Finding]:
    found: list[Finding] = []
    for name, arguments in queues_of(queue).items():
        try:
            counted = await _counted(connection, name, arguments)
        except ChannelNotFoundEntity:
            do = "Start the worker of its service: it makes the queue and has it filled from the outboxes."
            return [failure("broker", f"the queue {name} is missing", do)]
        except ChannelPreconditionFailed:
            do = "Stop the workers, let it run empty or move its messages, delete it; a worker makes it anew."
            found.append(failure("broker", f"the queue {name} is of another kind (no quorum queue, or as of old)", do))
            continue
        messages, consumers = counted
        if name == queue.dead and messages:
            do = "`consilium dead list` says why; `consilium dead replay` delivers them again."
            found.append(warning("broker", f"{messages} dead letters of {queue.name} wait", do))
        if name == queue.name and not consumers:
            found.append(warning("broker", f"nobody consumes {name}", "Start the worker of its service."))
    return found


async def _counted(connection: AbstractConnection, name: str, arguments: FieldTable) -> tuple[int, int]:
    """Messages and consumers of a queue; it is there and has these arguments, else the broker's error is raised."""
    async with connection.channel() as channel:
        await channel.declare_queue(name, passive=True)
        # a declaration of what is there changes nothing, but is refused where it is of another kind
        declared = (await channel.declare_queue(name, durable=True, arguments=arguments)).declaration_result
        return declared.message_count or 0, declared.consumer_count or 0


async def bus(url: str) -> list[Finding]:
    """The bus database of an installation without a broker."""
    try:
        connection = await asyncpg.connect(url, timeout=CONNECTING)
    except asyncpg.InvalidCatalogNameError:
        return [warning("bus", "its database does not exist yet", "`consilium run` makes it.")]
    except (*DATABASE_LOSSES, asyncpg.PostgresError, ValueError) as error:
        return [failure("bus", f"its database cannot be reached ({class_of(error)})", "See the database's findings.")]
    try:
        row = await connection.fetchrow(
            """
            SELECT count(dead_at) AS dead, count(*) FILTER (WHERE dead_at IS NULL) AS waiting FROM bus_message
            """
        )
    except asyncpg.UndefinedTableError:
        return [warning("bus", "it was never used", "`consilium run` makes its tables.")]
    finally:
        await connection.close()
    assert row is not None
    if row["dead"]:
        do = "`consilium dead list` says why; `consilium dead replay` delivers them again."
        return [warning("bus", f"{row['dead']} dead letters wait", do)]
    return [ok("bus", f"{row['waiting']} messages on their way, none dead")]
