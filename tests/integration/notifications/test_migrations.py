"""The migrated database has the tables that the code declares."""

import asyncio
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from services.notifications.store.tables import metadata
from shared.store.migrations import upgrade
from tests.integration.notifications.support import MIGRATIONS


async def test_the_migrations_make_the_declared_tables(database_url: str) -> None:
    await asyncio.to_thread(upgrade, database_url, MIGRATIONS)

    def differences(connection: Connection) -> list[Any]:
        own = set(metadata.tables)
        options = {"include_name": lambda name, kind, parents: kind != "table" or name in own}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    database = create_async_engine(make_url(database_url).set(drivername="postgresql+asyncpg"))
    async with database.connect() as connection:
        found = await connection.run_sync(differences)
    await database.dispose()
    assert found == []
