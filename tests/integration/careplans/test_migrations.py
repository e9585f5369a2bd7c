"""The migrations make the tables that the code declares."""

import asyncio

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from services.careplans.main import SERVICE
from services.careplans.store.tables import metadata
from shared.store.migrations import upgrade


async def test_the_migrated_tables_are_the_declared_ones(database_url: str) -> None:
    await asyncio.to_thread(upgrade, database_url, SERVICE.migrations)
    database = create_async_engine(make_url(database_url).set(drivername="postgresql+asyncpg"))
    async with database.connect() as connection:
        differences = await connection.run_sync(_differences)
    await database.dispose()
    assert differences == []


def _differences(connection: Connection) -> list[object]:
    def ours(entry: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
        return kind != "table" or name in metadata.tables

    context = MigrationContext.configure(connection, opts={"include_object": ours})
    found: list[object] = compare_metadata(context, metadata)
    return found
