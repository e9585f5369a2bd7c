"""Which database belongs to which service, on one PostgreSQL server; missing ones are made."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from shared.process.mistakes import Mistake, Unreachable
from shared.store.losses import DATABASE_LOSSES

BUS = "bus"
"""The in-process transport's own database."""
UNREACHABLE = (asyncpg.PostgresError, *DATABASE_LOSSES, ValueError)
"""What connecting raises; ``ValueError`` where the URL is none of PostgreSQL."""


def database_urls(url: str, names: Iterable[str], *, base: str | None = None) -> dict[str, str]:
    """A URL per name: ``{service}`` in ``url`` is replaced; else the database ``<base>_<name>`` on that server.

    ``base`` defaults to the database that ``url`` names, and to ``consilium`` where it names none."""
    if "{service}" in url:
        return {name: url.replace("{service}", name) for name in names}
    parts = urlsplit(url)
    prefix = base or parts.path.strip("/") or "consilium"
    return {name: urlunsplit(parts._replace(path=f"/{prefix}_{name}")) for name in names}


def template(url: str, *, base: str | None = None) -> str:
    """``url`` in the form with ``{service}``: what other processes of the same installation are given."""
    return database_urls(url, ["{service}"], base=base)["{service}"]


async def create_missing(urls: Mapping[str, str]) -> list[str]:
    """Make the databases that are not there; their names. Raises ``Mistake`` where that cannot be."""
    try:
        return await _made(urls)
    except asyncpg.InsufficientPrivilegeError as error:
        raise Mistake("A database is missing and this user may not make it.") from error
    except UNREACHABLE as error:
        raise Unreachable("The database cannot be reached.") from error


async def _made(urls: Mapping[str, str]) -> list[str]:
    made: list[str] = []
    for name, url in urls.items():
        try:
            connection = await asyncpg.connect(url)
        except asyncpg.InvalidCatalogNameError:
            await _create(url)
            made.append(name)
        else:
            await connection.close()
    return made


async def _create(url: str) -> None:
    parts = urlsplit(url)
    name = parts.path.strip("/").replace('"', '""')
    connection = await asyncpg.connect(urlunsplit(parts._replace(path="/postgres")))
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    except asyncpg.DuplicateDatabaseError:
        # another process of ours was faster
        return
    finally:
        await connection.close()
