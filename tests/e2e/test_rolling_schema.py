"""The release that runs on a schema that the next one has migrated: what every rolling update is for a while."""

import asyncio
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from consilium.assembly import SERVICES
from shared.process.migrating import migrate
from shared.service import Service
from shared.store.migrations import upgrade
from shared.store.revisions import head
from tests.e2e.evidence import Evidence
from tests.e2e.referring import act, burst, furnish
from tests.eventually import eventually
from tests.factories.resources import care_plan
from tests.factories.system import COORDINATOR, EHR, Site, System
from tests.scale import within_the_test

pytestmark = within_the_test("changes the schema that all share")

HEAD = """
import sqlalchemy as sa
from alembic import op
from shared.store import expanding
revision, down_revision = "{revision}", "{before}"
def upgrade():
"""
EXPANSION = tuple(
    f"{HEAD}    {line}\n"
    for line in (
        'op.add_column("resource", sa.Column("planted", sa.Text))',
        'op.add_column("resource_history", sa.Column("planted", sa.Integer, nullable=False, server_default="0"))',
        'op.add_column("outbox", sa.Column("planted", sa.Integer, nullable=False, server_default="0"))',
        'op.add_column("inbox", sa.Column("planted", sa.Text))',
        'op.create_table("planted", sa.Column("id", sa.Text, primary_key=True))',
        'op.execute("ALTER TABLE resource ADD CONSTRAINT planted CHECK (version > 0) NOT VALID")',
        'expanding.validate("resource", "planted")',
        'expanding.in_batches("resource", "planted = id", "planted IS NULL", blocks=1)',
        'expanding.add_index("planted_index", "ON resource_history (last_updated)")',
    )
)
CONTRACTION = HEAD.replace("def ", 'contracts = "{contracts}"\ndef ') + '    op.drop_column("resource", "marks")\n'


@contextmanager
def next_release(service: Service, folder: Path, *planted: str) -> Iterator[Path]:
    """A copy of the service's migrations with more behind them."""
    target = folder / service.name
    shutil.copytree(service.migrations, target, ignore=shutil.ignore_patterns("__pycache__"))
    newest = int(head(service.migrations) or 0)
    for number, text in enumerate(planted, start=newest + 1):
        revisions = {"revision": f"{number:04}", "before": f"{number - 1:04}", "contracts": f"{newest + 1:04}"}
        (target / "versions" / f"{number:04}_planted.py").write_text(text.format(**revisions))
    yield target
    shutil.rmtree(target)


async def migrated(system: System, folder: Path, *planted: str) -> None:
    """Every database brought to the next release's schema."""
    for service in SERVICES:
        with next_release(service, folder, *planted) as migrations:
            assert await asyncio.to_thread(upgrade, system.databases[service.name], migrations)


async def ready(site: Site) -> bool:
    """Whether an ingress would send requests here."""
    return (await site.by(EHR).get("/health/ready")).status_code == 200


async def test_the_schema_is_migrated_under_load_and_the_old_release_goes_on(
    plain_system: System, evidence: Evidence, tmp_path: Path
) -> None:
    async with plain_system.site() as site, site.working():
        patients = await furnish(site, 5)
        sent, _ = await asyncio.gather(burst(site, patients, 200), migrated(plain_system, tmp_path, *EXPANSION))
        assert len(sent) == 200, "a request failed while the schema was migrated"
        sent += await burst(site, patients, 20)
        await act(site, sent[-1], "accept")
        await act(site, sent[-1], "schedule")
        plan = (await site.by(EHR).post("/fhir/CarePlan", json=care_plan(patients[0]))).json()["id"]
        changed = await site.by(EHR).put(f"/fhir/CarePlan/{plan}", json=care_plan(patients[0], id=plan))
        assert (changed.status_code, changed.json()["meta"]["versionId"]) == (200, "2")
        found = await site.by(EHR).get(
            "/fhir/CarePlan", params={"patient": patients[0], "_include": "CarePlan:subject"}
        )
        assert found.status_code == 200
        assert len((await site.by(EHR).get(f"/fhir/CarePlan/{plan}/_history")).json()["entry"]) == 2
        assert (await site.by(EHR).delete(f"/fhir/CarePlan/{plan}")).status_code == 204
        worklist = await site.by(COORDINATOR).get("/api/referrals")
        assert worklist.status_code == 200, worklist.text
        await eventually(lambda: evidence.settled(sent[:-1]), within=60)
        assert await ready(site)


async def test_an_older_release_neither_fails_to_migrate_nor_migrates_back(
    plain_system: System, tmp_path: Path
) -> None:
    await migrated(plain_system, tmp_path, EXPANSION[0])
    assert await migrate(SERVICES, plain_system.databases) == []
    for service in SERVICES:
        url = plain_system.databases[service.name]
        assert not await asyncio.to_thread(upgrade, url, service.migrations)
        assert await _one(url, "SELECT version_num FROM alembic_version") > str(head(service.migrations))


async def test_a_contract_migration_takes_a_release_that_is_too_old_out_of_service(
    plain_system: System, tmp_path: Path
) -> None:
    async with plain_system.site() as site, site.working():
        await eventually(lambda: ready(site))
        await migrated(plain_system, tmp_path, EXPANSION[0], CONTRACTION)
        (referrals,) = (service for service in SERVICES if service.name == "referrals")
        following = f"{int(head(referrals.migrations) or 0) + 1:04}"
        assert await _one(plain_system.databases["referrals"], "SELECT oldest FROM schema_floor") == following
        assert not await ready(site)


async def test_a_release_is_not_ready_on_a_schema_that_is_behind(plain_system: System) -> None:
    async with plain_system.site() as site, site.working():
        await eventually(lambda: ready(site))
        connection = await asyncpg.connect(plain_system.databases["careplans"])
        await connection.execute("UPDATE alembic_version SET version_num = '0001'")
        await connection.close()
        assert not await ready(site)


async def test_a_table_in_somebodys_hands_makes_a_migration_wait_but_nobody_behind_it(
    plain_system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.store.migrations.LOCK_TIMEOUT_S", 0.2)
    async with plain_system.site() as site:
        (patient,) = await furnish(site)
        holder = await asyncpg.connect(plain_system.databases["careplans"])
        reading = holder.transaction()
        await reading.start()
        await holder.execute("LOCK TABLE resource IN ACCESS SHARE MODE")
        with next_release(SERVICES[1], tmp_path, EXPANSION[0]) as migrations:
            migrating = asyncio.create_task(asyncio.to_thread(upgrade, plain_system.databases["careplans"], migrations))
            for _ in range(20):
                answer = await asyncio.wait_for(site.by(EHR).post("/fhir/CarePlan", json=care_plan(patient)), 2)
                assert answer.status_code == 201
                await asyncio.sleep(0.05)  # a bounded spell of traffic, not a wait for something
            assert not migrating.done()
            await reading.rollback()
            assert await asyncio.wait_for(migrating, 20)
        await holder.close()


async def test_processes_that_migrate_at_once_take_turns(plain_system: System, tmp_path: Path) -> None:
    url = plain_system.databases["referrals"]
    with next_release(SERVICES[0], tmp_path, *EXPANSION) as migrations:
        command = "import sys, pathlib; from shared.store.migrations import upgrade;"
        command += "print(upgrade(sys.argv[1], pathlib.Path(sys.argv[2])))"
        answers = await asyncio.gather(*(_python(command, url, str(migrations)) for _ in range(3)))
    assert sorted(answers) == ["False", "False", "True"]


async def _python(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", *arguments, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode().strip()


async def _one(url: str, query: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval(query))
    finally:
        await connection.close()
