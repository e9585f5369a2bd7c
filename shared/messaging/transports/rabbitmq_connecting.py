"""A connection to RabbitMQ: to one broker, or to any node of a cluster that answers.

Queues of a cluster are reached through each of its nodes (https://www.rabbitmq.com/docs/clustering#clients), so whoever
loses one goes on through another.
"""

import random

import aio_pika
from aio_pika.abc import AbstractConnection
from aiormq.exceptions import AuthenticationError, ProbableAuthenticationError

from shared.errors import Unavailable
from shared.messaging.transports.rabbitmq_topology import LOSSES
from shared.settings import AMQP_BETWEEN

REFUSED = (AuthenticationError, ProbableAuthenticationError)
"""What a broker that does not accept the login looks like; they are among ``LOSSES``."""


def unavailable(error: BaseException) -> Unavailable:
    """What to tell of one of ``LOSSES``: a broker that is up and refuses us is looked for in vain."""
    if isinstance(error, REFUSED):
        return Unavailable("the broker does not accept user or password of CONSILIUM_AMQP_URL")
    return Unavailable("the broker cannot be reached")


def nodes_of(url: str) -> list[str]:
    """The URLs that ``url`` holds, one or several with commas between."""
    return AMQP_BETWEEN.split(url)


async def connect(url: str, *, within: float = 10) -> AbstractConnection:
    """A connection to one of the nodes of ``url``, each tried once, in any order: processes spread over them.

    ``within``: seconds for one attempt. Raises what the last attempt raised, one of ``LOSSES``."""
    *others, last = random.sample(nodes := nodes_of(url), len(nodes))
    for node in others:
        try:
            return await aio_pika.connect(node, timeout=within)
        except LOSSES:
            continue
    return await aio_pika.connect(last, timeout=within)
