"""The doctor before things that are really broken: each is found, with what to do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from services.careplans.main import SERVICE as CAREPLANS
from services.notifications.main import SERVICE as NOTIFICATIONS
from shared.doctor import database, disk, endpoints
from shared.doctor.diagnose import diagnose
from shared.doctor.finding import Finding, Level, as_text, ok
from shared.ids import uuid7
from shared.process.migrating import migrate
from shared.store.embedded import SETTINGS, embedded_postgres
from tests.conftest import create_database
from tests.integration.doctor.judging import Issuer, holds
from tests.ports import refusing_port


@pytest.fixture
async def careplans(database_url: str) -> str:
    """A migrated database."""
    await migrate([CAREPLANS], {CAREPLANS.name: database_url})
    return database_url


async def examined(url: str) -> list[Finding]:
    """The findings on the database at ``url``."""
    return await database.examine(CAREPLANS.name, url, CAREPLANS.migrations)


async def test_a_database_in_order_has_nothing_to_complain_of_but_that_tests_do_without_fsync(careplans: str) -> None:
    found = await examined(careplans)
    assert {finding.what for finding in found if finding.level is not Level.OK} == {
        "it does not keep what it acknowledges"
    }
    assert len(found) == 4


@pytest.mark.parametrize(
    ("statement", "level", "word"),
    [
        ("UPDATE alembic_version SET version_num = '0001'", Level.FAILURE, "behind"),
        ("UPDATE alembic_version SET version_num = '9999'", Level.WARNING, "ahead of"),
        ("UPDATE alembic_version SET version_num = 'fedcba'", Level.FAILURE, "no Consilium knows"),
        ("DROP TABLE alembic_version", Level.FAILURE, "never migrated"),
        (
            "INSERT INTO outbox (event_id, type, subject, envelope, attempts) VALUES ('e', 't', 's', '', 3)",
            Level.WARNING,
            "no queue hears them",
        ),
        (
            "INSERT INTO outbox (event_id, type, subject, envelope, created_at) "
            "VALUES ('e', 't', 's', '', now() - interval '1 hour')",
            Level.WARNING,
            "the oldest for 3600 s",
        ),
        (
            "INSERT INTO outbox (event_id, type, subject, envelope, parked_at) VALUES ('e', 't', 's', '', now())",
            Level.WARNING,
            "unreadable",
        ),
    ],
)
async def test_what_is_wrong_in_a_database_is_found(careplans: str, statement: str, level: Level, word: str) -> None:
    connection = await asyncpg.connect(careplans)
    await connection.execute(statement)
    await connection.close()
    holds(await examined(careplans), level, word)


async def test_a_server_that_prepares_no_transactions_is_found(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("unprepared")
    folder.chmod(0o755)
    settings = SETTINGS | {"fsync": "off", "max_prepared_transactions": "0"}
    with embedded_postgres(folder / "data", settings=settings) as url:
        database_url = await create_database(url, "careplans")
        await migrate([CAREPLANS], {CAREPLANS.name: database_url})
        holds(await examined(database_url), Level.WARNING, "max_prepared_transactions is 0")


async def test_a_prepared_transaction_is_forgotten_after_ten_minutes(
    careplans: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = await asyncpg.connect(careplans)
    name = f"forgotten-{uuid7()}"
    try:
        await connection.execute(f"BEGIN; SELECT pg_advisory_xact_lock(1); PREPARE TRANSACTION '{name}'")
        assert not [finding for finding in await examined(careplans) if "prepared transactions wait" in finding.what]
        monkeypatch.setattr(database, "FORGOTTEN", 0.0)
        holds(await examined(careplans), Level.WARNING, "1 prepared transactions wait")
    finally:
        await connection.execute(f"ROLLBACK PREPARED '{name}'")
        await connection.close()


async def test_code_that_a_migration_left_behind_is_told_that_it_cannot_serve(careplans: str) -> None:
    connection = await asyncpg.connect(careplans)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.execute("INSERT INTO schema_floor VALUES ('9998')")
    await connection.close()
    holds(await examined(careplans), Level.FAILURE, "needs 9998 or later")


async def test_a_read_replica_that_is_none_or_of_something_else_is_told(
    careplans: str, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def told(url: str, level: Level, word: str) -> None:
        holds(await database.examine_replica("careplans", url, careplans), level, word)

    await told(f"postgresql://127.0.0.1:{refusing_port()}/x", Level.WARNING, "cannot be reached")
    await told(postgres, Level.FAILURE, "not a copy")
    await told(careplans, Level.WARNING, "it takes writes")
    monkeypatch.setenv("CONSILIUM_DATABASE_URL", careplans)
    monkeypatch.setenv("CONSILIUM_DATABASE_READ_URL", f"postgresql://127.0.0.1:{refusing_port()}/x")
    found = await diagnose([CAREPLANS], apart=True)
    assert [one.level for one in found if one.check == "replica careplans"] == [Level.WARNING]


async def test_a_database_that_is_not_there_is_told(postgres: str) -> None:
    holds(await examined(postgres.replace("/postgres?", "/nowhere?")), Level.FAILURE, "does not exist")
    holds(await examined(f"postgresql://127.0.0.1:{refusing_port()}/x"), Level.FAILURE, "cannot be reached")
    holds(await examined("nonsense"), Level.FAILURE, "cannot be reached")


@pytest.mark.parametrize(
    ("off", "level"),
    [(0.0, Level.OK), (1.9, Level.OK), (-5.0, Level.WARNING), (5.0, Level.WARNING), (60, Level.FAILURE)],
)
def test_clocks_that_differ_are_told(off: float, level: Level) -> None:
    assert database.clock_finding("clock", 1000 + off, 999.9, 1000.1, "the database").level is level


@pytest.mark.parametrize(
    ("short", "out", "level"), [(0, 0, Level.OK), (1 << 60, 0, Level.WARNING), (0, 1 << 60, Level.FAILURE)]
)
def test_a_disk_that_is_full_is_told(tmp_path: Path, short: int, out: int, level: Level) -> None:
    assert disk.room("disk", tmp_path / "not" / "there", short=short, out=out).level is level


@asynccontextmanager
async def saying(line: bytes) -> AsyncIterator[int]:
    """The port of a server that says ``line`` to whoever comes."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(line)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_the_mail_server_is_asked_for_its_greeting(monkeypatch: pytest.MonkeyPatch) -> None:
    holds(await endpoints.mail(), Level.OK, "none is sent")
    for line, level, word in (
        (b"220 mail ESMTP\r\n", Level.OK, "greets"),
        (b"554 no\r\n", Level.FAILURE, "no mail server"),
        (b"", Level.FAILURE, "no mail server"),
    ):
        async with saying(line) as port:
            monkeypatch.setenv("CONSILIUM_SMTP_URL", f"smtp://user:s3cret@127.0.0.1:{port}")
            holds(found := await endpoints.mail(), level, word)
            assert "s3cret" not in as_text(found)
    for url in (f"smtp://127.0.0.1:{refusing_port()}", "nonsense"):
        monkeypatch.setenv("CONSILIUM_SMTP_URL", url)
        holds(await endpoints.mail(), Level.FAILURE, "cannot be reached")


async def test_settings_of_a_service_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSILIUM_SMTP_URL", "http://user:s3cret@mail")
    found = await diagnose([NOTIFICATIONS], apart=False)
    holds(found, Level.FAILURE, "CONSILIUM_SMTP_URL: ")
    assert "s3cret" not in as_text(found)


async def test_a_collector_that_is_not_there_is_only_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{refusing_port()}")
    holds(await endpoints.collector(), Level.WARNING, "cannot be reached")
    async with saying(b"") as port:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
        holds(await endpoints.collector(), Level.OK, "listens")


async def test_a_process_of_another_version_is_told(issuer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    base = issuer.removesuffix("/jwks")
    monkeypatch.setattr(Issuer, "content", b'{"software": {"version": "0.0.1"}}')
    holds(await endpoints.processes({"careplans": base}), Level.WARNING, "another version")
    monkeypatch.setattr(Issuer, "content", b"<html>")
    holds(await endpoints.processes({"careplans": base}), Level.WARNING, "does not say its version")
    monkeypatch.setattr(Issuer, "status", 503)
    holds(await endpoints.processes({"careplans": base}), Level.FAILURE, "not ready (503)")
    nobody = {"careplans": f"http://127.0.0.1:{refusing_port()}"}
    holds(await endpoints.processes(nobody), Level.FAILURE, "does not answer")


async def test_a_check_that_breaks_is_a_finding_and_hides_no_other() -> None:
    async def breaks() -> list[Finding]:
        raise KeyError("s3cret")

    async def well() -> list[Finding]:
        return [ok("mine", "well")]

    more: dict[str, Awaitable[list[Finding]]] = {"broken": breaks(), "mine": well()}
    found = await diagnose([], apart=False, more=more)
    holds(found, Level.FAILURE, "the check itself failed (KeyError)")
    holds(found, Level.OK, "well")
    assert "s3cret" not in as_text(found)


async def test_with_everything_down_all_is_told_and_nothing_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    port = refusing_port()
    for name, value in {
        "DATABASE_URL": f"postgresql://u:s3cret@127.0.0.1:{port}/x",
        "AMQP_URL": f"amqp://u:s3cret@127.0.0.1:{port}/",
        "JWKS_URL": f"http://u:s3cret@127.0.0.1:{port}/",
        "PEER_KEY": "s3cret" * 6,
        "SMTP_URL": f"smtps://u:s3cret@127.0.0.1:{port}",
    }.items():
        monkeypatch.setenv(f"CONSILIUM_{name}", value)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    urls = {"careplans": f"http://127.0.0.1:{port}"}
    found = await diagnose([CAREPLANS], apart=True, urls=urls)
    bad = {finding.check for finding in found if finding.level is Level.FAILURE}
    assert bad == {"database careplans", "broker", "keys", "mail", "process careplans"}
    assert "s3cret" not in as_text(found)
