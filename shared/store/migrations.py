"""Alembic for every service: one environment, each service brings its own folder of versions."""

import asyncio
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import pool
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

_LOCK = 7_261_905_114
"""Advisory lock: replicas that start together migrate one after the other."""


def upgrade(url: str, folder: Path, revision: str = "head") -> None:
    """Bring the database at ``url`` to ``revision``. Synchronous: call it outside the event loop or in a thread."""
    command.upgrade(_config(url, folder), revision)


def run_environment() -> None:
    """What each service's ``migrations/env.py`` calls."""
    asyncio.run(_run(str(context.config.attributes["url"])))


def _config(url: str, folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["url"] = url
    return config


async def _run(url: str) -> None:
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"), poolclass=pool.NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_migrate)
            await connection.commit()
    finally:
        await engine.dispose()


def _migrate(connection: SyncConnection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    context.configure(connection=connection, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
