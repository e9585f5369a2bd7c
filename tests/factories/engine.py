"""A whole service on a fresh database, reached over ASGI: what conformance tests talk to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from shared.engine import Engine
from shared.fhir.definitions import RESOURCE_TYPES
from shared.fhir.kinds import Registry, ResourceKind, kinds_of
from shared.security.caller import Caller, Role
from shared.service import Service, engine_of, service_app
from shared.store import bulk, foundation
from shared.store.database import open_pool
from shared.store.tables import metadata

MIGRATIONS = Path(__file__).parents[2] / "services" / "referrals" / "migrations"
"""The foundation alone."""
CALLER = Caller(subject="test", role=Role.SYSTEM)


class FixedVerifier:
    """Everybody is ``caller``; tests change it to be somebody else."""

    def __init__(self, caller: Caller = CALLER) -> None:
        self.caller = caller

    async def verify(self, authorization: str | None) -> Caller:
        return self.caller


async def create_tables(url: str) -> None:
    """The store and messaging tables, as migrations make them."""
    database = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    async with database.begin() as connection:
        await connection.run_sync(_create)
    await database.dispose()


def _create(connection: SyncConnection) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        foundation.create()
        bulk.create()
    for index in metadata.tables["resource"].indexes:
        index.create(connection, checkfirst=True)  # a migration adds one without a transaction


def every_type(*special: ResourceKind) -> Service:
    """A service that owns all R4 types; ``special`` kinds replace plain ones."""
    particular = {kind.type: kind for kind in special}
    kinds = [particular.get(kind.type, kind) for kind in kinds_of(sorted(RESOURCE_TYPES))]
    return Service("everything", Registry(kinds), MIGRATIONS)


@asynccontextmanager
async def running_engine(url: str, service: Service) -> AsyncIterator[Engine]:
    """The engine of ``service`` on the database at ``url``, which holds the tables already."""
    pool = await open_pool(url, size=20)
    try:
        yield engine_of(service, pool)
    finally:
        await pool.close()


@asynccontextmanager
async def client_of(engine: Engine, service: Service, verifier: FixedVerifier) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the service's ASGI app; paths are relative to the FHIR base."""
    transport = httpx.ASGITransport(app=service_app(service, engine, verifier))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://test/fhir/") as client:
        yield client


async def count(url: str, table: str) -> int:
    """Rows in ``table``."""
    connection = await asyncpg.connect(url)
    try:
        answer: int = await connection.fetchval(f"SELECT count(*) FROM {table}")
        return answer
    finally:
        await connection.close()
