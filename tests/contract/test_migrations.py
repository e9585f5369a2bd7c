"""The migrations of every service make exactly the tables that the code declares."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from services.careplans.main import SERVICE as CAREPLANS
from services.careplans.store import tables as careplans
from services.notifications.main import SERVICE as NOTIFICATIONS
from services.notifications.store import tables as notifications
from services.referrals.main import SERVICE as REFERRALS
from services.referrals.store import tables as referrals
from shared.messaging import tables as messaging
from shared.service import Service
from shared.store import tables as store
from shared.store.migrations import upgrade
from shared.store.revisions import head

OWN: dict[str, tuple[MetaData, ...]] = {
    "referrals": (referrals.metadata,),
    "careplans": (careplans.metadata,),
    "notifications": (notifications.metadata,),
}


@pytest.mark.parametrize("service", [REFERRALS, CAREPLANS, NOTIFICATIONS], ids=lambda service: service.name)
async def test_the_migrated_tables_are_the_declared_ones(database_url: str, service: Service) -> None:
    await asyncio.to_thread(upgrade, database_url, service.migrations)
    database = create_async_engine(make_url(database_url).set(drivername="postgresql+asyncpg"))
    declared = (store.metadata, messaging.metadata, *OWN[service.name])
    async with database.connect() as connection:
        differences = await connection.run_sync(_differences, declared)
        revision = (await connection.exec_driver_sql("SELECT version_num FROM alembic_version")).scalar()
    await database.dispose()
    assert differences == []
    assert revision == head(service.migrations)


def _differences(connection: Connection, declared: tuple[MetaData, ...]) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), list(declared)))  # type: ignore[arg-type]
