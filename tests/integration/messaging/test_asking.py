"""Questions about queues go over one connection, which is opened anew when it was lost."""

import pytest

from shared.errors import NotFound, Unavailable
from shared.messaging.topology import Queue
from shared.messaging.transports import rabbitmq_asking
from shared.messaging.transports.rabbitmq import RabbitTransport
from tests.broker import Broker
from tests.eventually import eventually

pytestmark = pytest.mark.rabbitmq


async def test_many_questions_one_connection_also_after_a_queue_that_is_not_there(
    amqp_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    connect = rabbitmq_asking.connect

    async def counting(url: str) -> object:
        opened.append(url)
        return await connect(url)

    monkeypatch.setattr(rabbitmq_asking, "connect", counting)
    transport, queue = RabbitTransport(amqp_url), Queue("asked", ("asked",))
    await transport.declare([queue])
    for _ in range(3):
        assert await transport.depth(queue.name) == 0
        with pytest.raises(NotFound):
            await transport.depth("nowhere")
    await transport.close()
    assert len(opened) == 1


async def test_a_connection_whose_transport_ended_unseen_is_told_and_replaced(amqp_url: str) -> None:
    asking = rabbitmq_asking.Asking(amqp_url)
    async with asking.channel():
        pass
    connection = asking._connection
    assert connection is not None
    assert connection.transport is not None
    await connection.transport.connection.close()
    with pytest.raises(Unavailable):
        async with asking.channel():
            pass
    async with asking.channel() as channel:
        assert not channel.is_closed
    await asking.close()


async def test_a_broker_that_went_away_is_told_and_found_again(broker: Broker) -> None:
    transport, queue = RabbitTransport(broker.url), Queue("asked", ("asked",))
    await transport.declare([queue])
    assert await transport.depth(queue.name) == 0
    broker.kill()
    with pytest.raises(Unavailable):
        await transport.depth(queue.name)
    broker.start()

    async def answers() -> bool:
        try:
            return await transport.depth(queue.name) == 0
        except (Unavailable, NotFound):
            return False

    await eventually(answers, within=60)
    await transport.close()


async def test_a_broker_that_refuses_the_login_is_not_said_to_be_away(amqp_url: str) -> None:
    transport = RabbitTransport(amqp_url.replace("guest:guest", "guest:s3cret"))
    for asking in (transport.depth("any"), transport.dead_list("any"), transport.declare([Queue("any", ("any",))])):
        with pytest.raises(Unavailable, match="does not accept user or password") as caught:
            await asking
        assert "s3cret" not in str(caught.value)
    await transport.close()
