"""Migrations started several times at once, as by Jobs of one release: one does the work, all of them end well."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import asyncpg
import pytest

from shared.ids import uuid7
from tests.ports import refusing_port

AT_ONCE = 3


@pytest.fixture
async def base(postgres: str) -> AsyncIterator[str]:
    """What the names of a test's databases begin with; they are dropped afterwards."""
    name = "m_" + uuid7().replace("-", "")
    yield name
    connection = await asyncpg.connect(postgres)
    try:
        for service in ("referrals", "careplans"):
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}_{service}" WITH (FORCE)')
    finally:
        await connection.close()


async def migrate(service: str, url: str) -> tuple[int | None, str, str]:
    """``python -m services.<service> migrate``: its exit code, and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"services.{service}", "migrate"),
        env=os.environ | {"CONSILIUM_DATABASE_URL": url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, told = await process.communicate()
    return process.returncode, out.decode(), told.decode()


@pytest.mark.parametrize("service", ["careplans"])
async def test_three_migrations_at_once_make_one_schema(postgres: str, base: str, service: str) -> None:
    url = postgres.replace("/postgres?", f"/{base}?")
    ended = await asyncio.gather(*(migrate(service, url) for _ in range(AT_ONCE)))
    assert [code for code, _, _ in ended] == [0] * AT_ONCE, ended
    connection = await asyncpg.connect(postgres.replace("/postgres?", f"/{base}_{service}?"))
    try:
        assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
        assert await connection.fetchval("SELECT count(*) FROM resource") == 0
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "form",
    [
        "postgresql://postgres@/{base}?host={socket}&sslmode=disable",
        "postgresql:///{base}?user=postgres&host={socket}&sslmode=disable&application_name=x",
        "postgresql://postgres@127.0.0.1:{dead},{socket}:5432/{base}?target_session_attrs=read-write",
        "postgresql://postgres@/{base}?host=127.0.0.1,{socket}&port={dead},5432",
    ],
)
async def test_every_url_that_the_api_takes_can_be_migrated(postgres: str, base: str, form: str) -> None:
    socket = quote(parse_qs(urlsplit(postgres).query)["host"][0], safe="")
    url = form.format(base=base, socket=socket, dead=refusing_port())
    assert await migrate("referrals", url) == (0, "referrals: migrated\n", "")
    assert await migrate("referrals", url) == (0, "referrals: up to date\n", "")


async def test_a_user_who_may_not_migrate_is_told_in_a_line(postgres: str, base: str) -> None:
    url = postgres.replace("/postgres?", f"/{base}?")
    admin = await asyncpg.connect(postgres)
    try:
        await admin.execute(f'CREATE DATABASE "{base}_referrals"')
        await admin.execute(f"CREATE ROLE {base} LOGIN")
        code, out, told = await migrate("referrals", url.replace("//postgres:@", f"//{base}@"))
    finally:
        await admin.execute(f"DROP ROLE {base}")
        await admin.close()
    assert (code, out) == (1, "")
    assert told.startswith("The database of referrals cannot be migrated: this user may not.")
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("op.execute(\"SELECT 's3cret'::int\")", "failed (asyncpg.exceptions.InvalidTextRepresentationError)"),
        ("int('s3cret')", "failed (ValueError)"),
        ("{}['s3cret']", "KeyError"),
    ],
)
async def test_a_migration_that_fails_tells_no_values(
    postgres: str, base: str, tmp_path: Path, step: str, told: str
) -> None:
    planted = f"""
import sys
from dataclasses import replace
from pathlib import Path
from services.referrals.main import SERVICE
from shared.process.command import commands_of, run
sys.exit(run(commands_of(replace(SERVICE, migrations=Path({str(tmp_path)!r}))), ["migrate"]))
"""
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text("from shared.store.migrations import run_environment\n\nrun_environment()\n")
    (tmp_path / "versions" / "0001_data.py").write_text(
        "from alembic import op\nrevision, down_revision = '0001', None\ndef upgrade():\n    " + step
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", planted),
        env=os.environ | {"CONSILIUM_DATABASE_URL": postgres.replace("/postgres?", f"/{base}?")},
        stderr=asyncio.subprocess.PIPE,
    )
    _, error = await process.communicate()
    (line,) = error.decode().splitlines()
    assert process.returncode == 1
    assert told in line
    assert "s3cret" not in line
