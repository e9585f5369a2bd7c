"""Several nodes in the broker's URL: one that does not answer is passed over, by publishers, consumers and visitors."""

import asyncio

import pytest

from shared.messaging.envelope import Event
from shared.messaging.transports.rabbitmq import RabbitTransport
from shared.messaging.transports.rabbitmq_connecting import connect, nodes_of
from shared.messaging.transports.rabbitmq_topology import LOSSES
from shared.settings import ServerSettings
from tests.broker import Broker
from tests.eventually import eventually
from tests.integration.messaging.support import Carrier, an_event, consuming, outgoing
from tests.ports import refusing_port


def nobody() -> str:
    """The URLs of two nodes that are down."""
    return ",".join([f"amqp://guest:guest@127.0.0.1:{refusing_port()}/"] * 2)


def test_a_url_may_name_several_nodes() -> None:
    urls = "amqp://a:p,w@one:5672/,amqps://b@two/x, amqp://three"
    assert nodes_of(urls) == ["amqp://a:p,w@one:5672/", "amqps://b@two/x", "amqp://three"]
    assert ServerSettings(amqp_url=urls).amqp_url == urls
    with pytest.raises(ValueError, match="looks like"):
        ServerSettings(amqp_url="amqp://one,amqp://")


async def test_without_any_that_answers_it_fails_as_with_one() -> None:
    with pytest.raises(LOSSES):
        await connect(nobody())


@pytest.mark.rabbitmq
async def test_messages_flow_through_the_one_that_answers(amqp_url: str) -> None:
    carrier = Carrier("rabbitmq", amqp_url)
    queue = carrier.queue()
    transport = RabbitTransport(f"{nobody()},{amqp_url}")
    carrier.transports.append(transport)
    heard: list[str] = []

    async def handle(event: Event) -> None:
        heard.append(event.id)

    try:
        await transport.declare([queue])
        events = [an_event(carrier.type(), f"Task/{number}") for number in range(20)]
        async with consuming(transport, queue, handle):
            await transport.publish([outgoing(event) for event in events])

            async def all_heard() -> bool:
                return len(heard) == len(events)

            await eventually(all_heard)
        assert await transport.depth(queue.name) == 0
    finally:
        await carrier.close()


@pytest.mark.rabbitmq
async def test_whoever_loses_its_node_goes_on_through_another(amqp_url: str, broker: Broker) -> None:
    both = f"{broker.url},{amqp_url}"
    # whichever of the two it was: one of them is gone now
    connections = [await connect(both) for _ in range(8)]
    await asyncio.to_thread(broker.kill)
    again = [await connect(both) for _ in range(4)]
    for connection in (*connections, *again):
        await connection.close()
    await asyncio.to_thread(broker.start)
