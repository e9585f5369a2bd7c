"""Alembic for every service: one environment, each service brings its own folder of versions.

The system serves while its schema changes (docs/operations/migrations.md): each migration is a transaction of its own
that waits for no lock longer than ``LOCK_TIMEOUT_S``, and is tried again; who else migrates waits for the first.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import Script
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import pool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.store.revisions import known

log = logging.getLogger(__name__)

_LOCK = 7_261_905_114
"""Advisory lock: replicas that start together migrate one after the other."""
LOCK_TIMEOUT_S = 3.0
"""A statement that waits longer for a table is given up: whoever asks for the table after it waits behind it."""
STATEMENT_TIMEOUT_S = 60.0
"""A statement that holds a table's lock longer than this does not belong into a migration."""
ATTEMPTS = 20
"""How often a migration is tried that did not get its lock; 0.2 s to 5 s lie between them, 75 s in all."""
_TRANSIENT = ("55P03", "40P01")
"""lock_not_available and deadlock_detected: somebody else was there first."""


def upgrade(url: str, folder: Path, revision: str = "head") -> bool:
    """Bring the database at ``url`` to ``revision``; whether anything changed.

    A database that a newer release has migrated further is left as it is. Synchronous: call it outside the event loop
    or in a thread. Raises what Alembic and the database raise; what was migrated until then stays."""
    for attempt in range(1, ATTEMPTS + 1):
        config = _config(url, folder)
        try:
            command.upgrade(config, revision)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _TRANSIENT or attempt == ATTEMPTS:
                raise
            log.warning("a migration did not get its lock and is tried again (attempt %d)", attempt)
            time.sleep(min(0.1 * 2**attempt, 5.0))
        else:
            return bool(config.attributes["changed"])
    raise AssertionError("the last attempt returns or raises")


def run_environment() -> None:
    """What each service's ``migrations/env.py`` calls."""
    asyncio.run(_run(context.config))


def _config(url: str, folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes |= {"url": url, "folder": folder, "changed": False}
    return config


async def _run(config: Config) -> None:
    engine = _engine(str(config.attributes["url"]))
    try:
        async with engine.connect() as guard:
            await _take_turn(guard)
            async with engine.connect() as connection:
                config.attributes["changed"] = await connection.run_sync(_migrate, config.attributes["folder"])
                await connection.commit()
    finally:
        await engine.dispose()


def _engine(url: str) -> AsyncEngine:
    """An engine whose connections asyncpg makes of ``url``, as those of the API and the worker: SQLAlchemy itself knows
    neither several hosts nor what may stand in the query (sslmode, target_session_attrs)."""

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(url)

    return create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=pool.NullPool)


async def _take_turn(guard: AsyncConnection) -> None:
    """Hold the advisory lock until ``guard`` is closed. It is asked for anew again and again, because a statement that
    waits holds a snapshot, and an index that is built beside the traffic would wait for that."""
    await guard.execution_options(isolation_level="AUTOCOMMIT")
    asking = text("SELECT pg_try_advisory_lock(:lock)")
    while not (await guard.execute(asking, {"lock": _LOCK})).scalar():  # noqa: ASYNC110  another process holds it
        await asyncio.sleep(0.1)


def _migrate(connection: SyncConnection, folder: Path) -> bool:
    """Run what is missing; whether anything was."""
    for name, seconds in (("lock_timeout", LOCK_TIMEOUT_S), ("statement_timeout", STATEMENT_TIMEOUT_S)):
        connection.exec_driver_sql(f"SET {name} = '{round(seconds * 1000)}ms'")
    revisions = known(folder)
    before = set(MigrationContext.configure(connection).get_current_heads())
    connection.commit()
    if before and revisions and not before & set(revisions) and min(before) > revisions[-1]:
        log.info("the schema is newer than this release and is left as it is")
        return False
    context.configure(
        connection=connection,
        transactional_ddl=True,
        transaction_per_migration=True,
        on_version_apply=_raise_the_floor,
    )
    with context.begin_transaction():
        context.run_migrations()
    return set(MigrationContext.configure(connection).get_current_heads()) != before


def _raise_the_floor(
    ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]
) -> None:
    """A contract migration says what code must know from now on: older processes learn that they are not ready."""
    script = step.up_revision
    oldest = getattr(script.module, "contracts", None) if isinstance(script, Script) else None
    if oldest is not None and step.is_upgrade:
        assert ctx.connection is not None
        ctx.connection.execute(text("DELETE FROM schema_floor WHERE oldest < :oldest"), {"oldest": oldest})
        ctx.connection.execute(
            text("INSERT INTO schema_floor (oldest) SELECT :oldest WHERE NOT EXISTS (SELECT FROM schema_floor)"),
            {"oldest": oldest},
        )
