"""What all tests share: one real PostgreSQL server for the session, a fresh database for whoever asks."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from shared.ids import uuid7
from shared.store.embedded import embedded_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The administration URL of a real embedded PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="consilium-pg-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with embedded_postgres(Path(folder) / "data") as url:
            yield url


async def create_database(admin_url: str, name: str) -> str:
    """A new empty database; its URL."""
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    return admin_url.replace("/postgres?", f"/{name}?")


@pytest.fixture
async def database_url(postgres: str) -> AsyncIterator[str]:
    """A fresh, empty database, dropped afterwards."""
    name = "t_" + uuid7().replace("-", "")
    yield await create_database(postgres, name)
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()
