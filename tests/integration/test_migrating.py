"""Migrations started several times at once, as by Jobs of one release: one does the work, all of them end well."""

import asyncio
import os
import sys

import asyncpg
import pytest

from shared.ids import uuid7

AT_ONCE = 3


@pytest.mark.parametrize("service", ["careplans"])
async def test_three_migrations_at_once_make_one_schema(postgres: str, service: str) -> None:
    base = "m_" + uuid7().replace("-", "")
    url = postgres.replace("/postgres?", f"/{base}?")
    environment = os.environ | {"CONSILIUM_DATABASE_URL": url}
    try:
        running = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", f"services.{service}", "migrate"),
                env=environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            for _ in range(AT_ONCE)
        ]
        told = await asyncio.gather(*(one.communicate() for one in running))
        assert [one.returncode for one in running] == [0] * AT_ONCE, told
        connection = await asyncpg.connect(postgres.replace("/postgres?", f"/{base}_{service}?"))
        try:
            assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
            assert await connection.fetchval("SELECT count(*) FROM resource") == 0
        finally:
            await connection.close()
    finally:
        connection = await asyncpg.connect(postgres)
        await connection.execute(f'DROP DATABASE IF EXISTS "{base}_{service}" WITH (FORCE)')
        await connection.close()
