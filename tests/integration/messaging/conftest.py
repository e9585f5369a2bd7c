"""Fixtures of the messaging tests; ``carrier`` runs a test over both transports."""

from collections.abc import AsyncIterator

import pytest

from shared.ids import uuid7
from shared.store.database import Pool, open_pool
from tests.conftest import create_database
from tests.integration.messaging.support import Carrier, create_outbox


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A service's database with outbox, inbox and ``effect``."""
    pool = await open_pool(database_url, size=8)
    await create_outbox(pool)
    yield pool
    await pool.close()


@pytest.fixture(params=["in_process", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
async def carrier(request: pytest.FixtureRequest, postgres: str) -> AsyncIterator[Carrier]:
    """A bus over each of the transports."""
    if request.param == "rabbitmq":
        carrier = Carrier("rabbitmq", request.getfixturevalue("amqp_url"))
    else:
        carrier = Carrier("in_process", await create_database(postgres, "bus_" + uuid7().replace("-", "")))
    yield carrier
    await carrier.close()
