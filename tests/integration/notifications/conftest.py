"""A notifications database, a mail server and a webhook receiver, all real and on loopback."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.notifications.events.outgoing import outgoing
from services.notifications.kinds import KINDS
from shared.store.database import open_pool
from shared.store.migrations import upgrade
from shared.unit_of_work import Engine
from tests.integration.notifications.receivers import HookServer, MailServer
from tests.integration.notifications.support import MIGRATIONS


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    """The engine on a fresh, migrated database."""
    await asyncio.to_thread(upgrade, database_url, MIGRATIONS)
    pool = await open_pool(database_url, size=20)
    try:
        yield Engine("notifications", KINDS, pool, outgoing=outgoing)
    finally:
        await pool.close()


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    """A mail server that keeps what it gets."""
    async with MailServer() as server:
        yield server


@pytest.fixture
async def hook() -> AsyncIterator[HookServer]:
    """A webhook receiver that keeps what it gets."""
    async with HookServer() as server:
        yield server
