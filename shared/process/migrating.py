"""Bring the services' databases to the newest schema, the ones that are not there yet. Safe to repeat, also at once."""

import asyncio
from collections.abc import Iterable, Mapping

import asyncpg

from shared.process.databases import create_missing
from shared.process.mistakes import Mistake, Unreachable
from shared.process.opening import database_of, patiently
from shared.process.settings import ProcessSettings
from shared.service import Service
from shared.store.revisions import head, is_behind
from shared.telemetry.failures import class_of
from shared.telemetry.logs import configure_logs

PASSING = ("08", "57P")
"""SQLSTATEs of a connection or a server that ended."""


async def migrate(services: Iterable[Service], databases: Mapping[str, str]) -> list[str]:
    """Upgrade each service's database; the names of those that were behind.

    Raises ``Mistake`` where a migration fails, and asyncpg's errors where a database cannot be reached."""
    changed: list[str] = []
    for service in services:
        url = databases[service.name]
        # Alembic is synchronous and keeps its context in globals: one after the other, off the event loop
        try:
            behind = is_behind(await _revision(url), head(service.migrations))
        except asyncpg.InsufficientPrivilegeError as error:
            raise _forbidden(service) from error
        if behind and await asyncio.to_thread(_upgrade, url, service):
            changed.append(service.name)
    return changed


async def migrate_one(service: Service) -> None:
    """``python -m services.<name> migrate``: make the database of ``service`` where it is missing, and migrate it.

    Raises ``Mistake``, ``ValidationError`` where settings do not hold."""
    settings = ProcessSettings()
    # what nobody foresaw, in a data migration say, is told without the values that its text may have
    configure_logs(f"{service.name}-migrate")
    databases = {service.name: database_of(service.name, settings)}

    async def work() -> list[str]:
        await create_missing(databases)
        return await migrate([service], databases)

    changed = await patiently(work, settings)
    print(f"{service.name}: {'migrated' if changed else 'up to date'}")


def _upgrade(url: str, service: Service) -> bool:
    # loaded only where there is something to migrate: it costs a start half a second
    from sqlalchemy.exc import DBAPIError

    from shared.store.migrations import upgrade

    try:
        return upgrade(url, service.migrations)
    except DBAPIError as error:
        # its text has the statement and its parameters
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if error.connection_invalidated or state.startswith(PASSING):
            raise Unreachable("The database cannot be reached.") from error
        if state == asyncpg.InsufficientPrivilegeError.sqlstate:
            raise _forbidden(service) from error
        cause = error.orig and (error.orig.__cause__ or error.orig)
        raise _failed(service, cause or error) from error
    except ValueError as error:
        # not that of a URL: it was connected to already
        raise _failed(service, error) from error


def _failed(service: Service, error: BaseException) -> Mistake:
    return Mistake(f"A migration of {service.name} failed ({class_of(error)}). What was migrated before it stays.")


def _forbidden(service: Service) -> Mistake:
    return Mistake(
        f"The database of {service.name} cannot be migrated: this user may not. "
        "It needs CREATE on the schema public, and must own the tables that are there."
    )


async def _revision(url: str) -> str | None:
    connection = await asyncpg.connect(url)
    try:
        found = await connection.fetchval("SELECT version_num FROM alembic_version")
        return str(found) if found else None
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
