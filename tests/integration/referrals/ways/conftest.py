"""One database for all pairs of a session: each test has Tasks of its own in it."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from services.referrals.main import SERVICE
from shared.ids import uuid7
from shared.security.caller import Caller
from shared.store.migrations import upgrade
from tests.conftest import create_database
from tests.factories.engine import FixedVerifier, client_of, running_engine
from tests.integration.referrals.asking import furnish
from tests.integration.referrals.ways.trying import Place


@pytest.fixture(scope="session")
async def place(postgres: str) -> AsyncIterator[Place]:
    """referrals with its directory, on a database that is dropped at the end."""
    name = "ways_" + uuid7().replace("-", "")
    url = await create_database(postgres, name)
    await asyncio.to_thread(upgrade, url, SERVICE.migrations)
    verifier = FixedVerifier()
    async with running_engine(url, SERVICE) as engine, client_of(engine, SERVICE, verifier) as client:
        await furnish(client, verifier)

        def by(caller: Caller) -> httpx.AsyncClient:
            verifier.caller = caller
            return client

        yield Place(by, engine.pool.fetch)
    connection = await asyncpg.connect(postgres)
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.close()
