"""Probes: alive is one thing, able to work another."""

import asyncio
import logging
from collections.abc import Mapping

import asyncpg
import httpx
import pytest
from starlette.applications import Starlette

from shared.store.database import open_pool
from shared.telemetry.health import Check, database_check, health_routes, migrations_check


async def asked(path: str, checks: Mapping[str, Check]) -> httpx.Response:
    app = Starlette(routes=health_routes(checks, timeout_s=0.05))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.get(path)


async def well() -> bool:
    return True


async def ill() -> bool:
    return False


async def raising() -> bool:
    raise OSError("connection refused by 10.1.2.3")


async def hanging() -> bool:
    await asyncio.Event().wait()
    return True


async def test_ready_when_everything_is_there() -> None:
    answer = await asked("/health/ready", {"database": well, "transport": well})
    assert (answer.status_code, answer.json()["checks"]) == (200, {"database": "pass", "transport": "pass"})


@pytest.mark.parametrize("check", [ill, raising, hanging])
async def test_not_ready_names_what_is_missing_and_says_no_more(check: Check, caplog: pytest.LogCaptureFixture) -> None:
    answer = await asked("/health/ready", {"database": well, "transport": check})
    assert (answer.status_code, answer.json()) == (
        503,
        {"status": "fail", "checks": {"database": "pass", "transport": "fail"}},
    )
    assert not [record for record in caplog.records if record.levelno > logging.INFO], "each probe would repeat it"


async def test_alive_though_not_ready() -> None:
    assert (await asked("/health/live", {"database": raising})).status_code == 200


async def test_the_database_and_its_migrations_are_checked(database_url: str) -> None:
    pool = await open_pool(database_url, size=2)
    try:
        assert await database_check(pool)()
        with pytest.raises(asyncpg.UndefinedTableError):
            await migrations_check(pool, "0002")()
        await pool.execute(
            "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('0001')"
        )
        assert not await migrations_check(pool, "0002")()
        assert await migrations_check(pool, "0001")()
    finally:
        await pool.close()
