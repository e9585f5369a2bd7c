"""Bring the services' databases to the newest schema, the ones that are not there yet. Safe to repeat, also at once."""

import asyncio
from collections.abc import Iterable, Mapping

import asyncpg

from shared.process.databases import create_missing
from shared.process.opening import database_of, patiently
from shared.process.settings import ProcessSettings
from shared.service import Service
from shared.store.revisions import head, is_behind


async def migrate(services: Iterable[Service], databases: Mapping[str, str]) -> list[str]:
    """Upgrade each service's database; the names of those that were behind. Raises Alembic's and asyncpg's errors."""
    changed: list[str] = []
    for service in services:
        url = databases[service.name]
        # Alembic is synchronous and keeps its context in globals: one after the other, off the event loop
        behind = is_behind(await _revision(url), head(service.migrations))
        if behind and await asyncio.to_thread(_upgrade, url, service):
            changed.append(service.name)
    return changed


async def migrate_one(service: Service) -> None:
    """``python -m services.<name> migrate``: make the database of ``service`` where it is missing, and migrate it.

    Raises ``Mistake``, ``ValidationError`` where settings do not hold."""
    settings = ProcessSettings()
    databases = {service.name: database_of(service.name, settings)}

    async def work() -> list[str]:
        await create_missing(databases)
        return await migrate([service], databases)

    changed = await patiently(work, settings)
    print(f"{service.name}: {'migrated' if changed else 'up to date'}")


def _upgrade(url: str, service: Service) -> bool:
    # loaded only where there is something to migrate: it costs a start half a second
    from shared.store.migrations import upgrade

    return upgrade(url, service.migrations)


async def _revision(url: str) -> str | None:
    connection = await asyncpg.connect(url)
    try:
        found = await connection.fetchval("SELECT version_num FROM alembic_version")
        return str(found) if found else None
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
