"""A service that searches on a replica, and what one can see of that from outside."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx

from shared.service import engine_of
from shared.store.database import open_pool
from shared.store.replica import Replica
from tests.factories.engine import FixedVerifier, client_of, every_type

SERVICE = every_type()


async def is_on(url: str) -> bool:
    """Whether the database at ``url`` has come over with its tables."""
    try:
        connection = await asyncpg.connect(url)
    except (asyncpg.PostgresError, OSError):
        return False
    try:
        return await connection.fetchval("SELECT to_regclass('outbox')") is not None
    finally:
        await connection.close()


@asynccontextmanager
async def serving(
    url: str, replica_url: str, *, max_lag_s: float = 60, patience_s: float = 5
) -> AsyncIterator[tuple[httpx.AsyncClient, Replica]]:
    """The service with a replica, and what it knows of that."""
    pool = await open_pool(url, size=8)
    replica = Replica(replica_url, pool, max_lag_s=max_lag_s, size=8, patience_s=patience_s)
    measuring = asyncio.create_task(replica.run())
    try:
        async with client_of(engine_of(SERVICE, pool, replica=replica), SERVICE, FixedVerifier()) as client:
            yield client, replica
    finally:
        await replica.close()
        measuring.cancel()
        await asyncio.wait([measuring], timeout=5)
        await pool.close()


async def found(client: httpx.AsyncClient, query: str = "", **headers: str) -> int:
    """How many patients a search shows."""
    answer = await client.get(f"Patient?gender=female{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return len(answer.json().get("entry", []))


async def up(replica: Replica) -> bool:
    return replica.usable


async def down(replica: Replica) -> bool:
    return not replica.usable


async def shows(client: httpx.AsyncClient, number: int) -> bool:
    return await found(client) == number


async def usable_after(replica: Replica, seconds: float) -> bool:
    """Whether the replica is usable at the end of such a spell."""
    await asyncio.sleep(seconds)  # a spell of nothing, not a wait for something
    return replica.usable
