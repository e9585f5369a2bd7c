"""A commit that fails is never a 2xx, whatever it was for, and leaves nothing behind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from tests.e2e.evidence import Evidence
from tests.e2e.referring import furnish, referral, send
from tests.eventually import eventually
from tests.factories.resources import bundle, care_plan, entry
from tests.factories.system import EHR, PSYCHOLOGIST, SPECIALIST, Site, System
from tests.scale import within_the_test

BREAKAGES = {
    "constraint": ("RAISE EXCEPTION 'at the commit'", 500),
    "backend ended": ("PERFORM pg_terminate_backend(pg_backend_pid())", 503),
}
TABLES = ("resource", "resource_history", "outbox", "index_term", "inbox")


@pytest.fixture(params=BREAKAGES)
def breakage(request: pytest.FixtureRequest) -> tuple[str, int]:
    """What happens at the commit, and the status that it is answered with."""
    return BREAKAGES[request.param]


@asynccontextmanager
async def failing_commits(url: str, what: str) -> AsyncIterator[None]:
    """Inside the block, a commit that wrote a resource does ``what``."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {what}; RETURN NULL; END $$"
        )
        await connection.execute(
            "CREATE CONSTRAINT TRIGGER fails AFTER INSERT OR UPDATE ON resource"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()"
        )
        yield
    finally:
        await connection.execute("DROP TRIGGER IF EXISTS fails ON resource")
        await connection.execute("DROP FUNCTION IF EXISTS fail()")
        await connection.close()


async def sizes(evidence: Evidence, database: str) -> dict[str, int]:
    """Rows per table."""
    return {table: (await evidence.rows(database, f"SELECT count(*) FROM {table}"))[0][0] for table in TABLES}


@pytest.mark.parametrize("interaction", ["create", "conditional create", "update", "delete", "transaction", "batch"])
async def test_a_fhir_write_whose_commit_fails_is_refused_and_not_stored(
    plain_system: System, evidence: Evidence, breakage: tuple[str, int], interaction: str
) -> None:
    what, status = breakage
    async with plain_system.site() as site:
        (patient,) = await furnish(site)
        plan = (await site.by(EHR).post("/fhir/CarePlan", json=care_plan(patient))).json()
        before = await sizes(evidence, "careplans")
        async with failing_commits(plain_system.databases["careplans"], what):
            answer = await _write(site, interaction, patient, plan)
            if interaction == "batch":
                assert answer.status_code == 200
                assert [one["response"]["status"][:3] for one in answer.json()["entry"]] == [str(status)]
                body = answer.json()["entry"][0]["response"]["outcome"]
            else:
                assert answer.status_code == status, answer.text
                body = answer.json()
            assert body["resourceType"] == "OperationOutcome"
            assert "commit" not in answer.text
        assert await sizes(evidence, "careplans") == before
        assert (await _write(site, interaction, patient, plan)).status_code < 300


async def test_a_referral_whose_commit_fails_is_not_acknowledged_and_tells_nobody(
    plain_system: System, evidence: Evidence, breakage: tuple[str, int]
) -> None:
    what, status = breakage
    async with plain_system.site() as site, site.working():
        (patient,) = await furnish(site)
        await eventually(evidence.copied)
        await eventually(evidence.drained)
        before = await sizes(evidence, "referrals")
        async with failing_commits(plain_system.databases["referrals"], what):
            answer = await site.by(SPECIALIST).post("/fhir", json=referral(patient))
            assert answer.status_code == status, answer.text
            assert answer.json()["resourceType"] == "OperationOutcome"
        assert await sizes(evidence, "referrals") == before
        sent = await send(site, patient)
        assert sent is not None
        await eventually(lambda: evidence.settled([sent]))


async def test_an_action_over_rest_whose_commit_fails_is_a_problem_and_not_taken(
    plain_system: System, evidence: Evidence, breakage: tuple[str, int]
) -> None:
    what, status = breakage
    async with plain_system.site() as site:
        (patient,) = await furnish(site)
        sent = await send(site, patient)
        assert sent is not None
        before = await sizes(evidence, "referrals")
        async with failing_commits(plain_system.databases["referrals"], what):
            answer = await site.by(PSYCHOLOGIST).post(
                f"/api/referrals/{sent.task.partition('/')[2]}/actions/accept",
                headers={"If-Match": 'W/"1"'},
            )
            assert answer.status_code == status, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
        assert await sizes(evidence, "referrals") == before


@within_the_test("looks into the in-process carrier")
async def test_an_event_whose_commit_fails_comes_again(plain_system: System, evidence: Evidence) -> None:
    async with plain_system.site() as site:
        (patient,) = await furnish(site)
        async with site.working():
            async with failing_commits(plain_system.databases["careplans"], "RAISE EXCEPTION 'no'"):
                sent = await send(site, patient)
                assert sent is not None
                await eventually(lambda: _failed_once(evidence))
            await eventually(lambda: evidence.settled([sent]), within=30)


async def test_a_database_that_is_away_is_answered_503_and_then_everything_goes_on(
    plain_system: System, evidence: Evidence
) -> None:
    name = _database(plain_system.databases["careplans"])
    async with plain_system.site() as site, site.working():
        (patient,) = await furnish(site)
        try:
            await evidence.rows("bus", f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            await evidence.rows(
                "bus", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )
            for _ in range(3):
                answer = await site.by(EHR).get(f"/fhir/{patient}")
                assert answer.status_code == 503, answer.text
                assert answer.json()["resourceType"] == "OperationOutcome"
            sent = await send(site, patient)
            assert sent is not None, "a referral was refused because careplans' database is away"
        finally:
            await evidence.rows("bus", f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        assert (await site.by(EHR).get(f"/fhir/{patient}")).status_code == 200
        await eventually(lambda: evidence.settled([sent]), within=40)


async def _write(site: Site, interaction: str, patient: str, plan: dict[str, Any]) -> httpx.Response:
    client = site.by(EHR)
    match interaction:
        case "create":
            return await client.post("/fhir/CarePlan", json=care_plan(patient))
        case "conditional create":
            headers = {"If-None-Exist": "identifier=urn:x|nobody"}
            return await client.post("/fhir/CarePlan", json=care_plan(patient), headers=headers)
        case "update":
            return await client.put(f"/fhir/CarePlan/{plan['id']}", json=plan | {"title": "new"})
        case "delete":
            return await client.delete(f"/fhir/CarePlan/{plan['id']}")
        case "transaction":
            two = (entry("POST", "CarePlan", care_plan(patient)) for _ in range(2))
            return await client.post("/fhir", json=bundle("transaction", *two))
        case _:
            return await client.post("/fhir", json=bundle("batch", entry("POST", "CarePlan", care_plan(patient))))


async def _failed_once(evidence: Evidence) -> bool:
    return bool(await evidence.rows("bus", "SELECT 1 FROM bus_message WHERE attempts > 0 AND queue LIKE 'careplans%'"))


def _database(url: str) -> str:
    return url.rpartition("?")[0].rpartition("/")[2]
