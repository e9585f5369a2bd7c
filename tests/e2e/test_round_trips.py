"""How often each interaction goes to the database, exactly: a query per entry, or per include, shows here."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import httpx

from tests.e2e.referring import furnish, located, referral
from tests.factories.resources import bundle, care_plan, entry, observation
from tests.factories.system import EHR, SPECIALIST, Site, System

Ask = Callable[[httpx.AsyncClient, str, str], Awaitable[httpx.Response]]
"""(client, patient, plan) -> answer."""


async def read(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    return await client.get(f"/fhir/{plan}")


async def vread(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    return await client.get(f"/fhir/{plan}/_history/1")


async def search(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    return await client.get("/fhir/CarePlan", params={"patient": patient, "status": "active"})


async def search_with_include(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    return await client.get("/fhir/CarePlan", params={"patient": patient, "_include": "CarePlan:subject"})


async def search_with_both_includes(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    wanted = {"_id": patient.split("/")[1], "_revinclude": ["CarePlan:subject", "Observation:subject"]}
    return await client.get("/fhir/Patient", params=wanted)


async def search_with_includes_of_includes(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    wanted = {"_id": patient.split("/")[1], "_revinclude": "CarePlan:subject"}
    return await client.get("/fhir/Patient", params=wanted | {"_revinclude:iterate": "Provenance:target"})


async def chain(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    return await client.get("/fhir/CarePlan", params={"subject:Patient.family": "a", "status": "active"})


async def chain_of_two(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    return await client.get("/fhir/CarePlan", params={"subject:Patient.organization.name": "mind"})


async def has(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    return await client.get("/fhir/Patient", params={"_has:CarePlan:subject:status": "active"})


async def has_of_has(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    wanted = {"_has:Patient:organization:_has:CarePlan:subject:status": "active"}
    return await client.get("/fhir/Organization", params=wanted)


async def chain_over_services(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    return await client.get("/fhir/Task", params={"patient:Patient.family": "a"})


async def several_sorts(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    return await client.get("/fhir/CarePlan", params={"patient": patient, "_sort": "status,-date"})


async def total(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    return await client.get("/fhir/CarePlan", params={"status": "active", "_count": "1", "_total": "accurate"})


async def history(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    return await client.get(f"/fhir/{plan}/_history")


async def create(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    return await client.post("/fhir/CarePlan", json=care_plan(patient))


async def conditional_create(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    headers = {"If-None-Exist": "identifier=urn:x|y"}
    return await client.post("/fhir/CarePlan", json=care_plan(patient), headers=headers)


async def update(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    return await client.put(f"/fhir/{plan}", json=care_plan(patient, id=plan.split("/")[1]))


async def delete(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    return await client.delete(f"/fhir/{plan}")


VITAL_SIGN = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}


async def transaction_of_five(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    entries = (entry("POST", "Observation", observation(patient)) for _ in range(5))
    return await client.post("/fhir", json=bundle("transaction", *entries))


async def transaction_of_ten(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    entries = (entry("POST", "Observation", observation(patient, code=VITAL_SIGN)) for _ in range(10))
    return await client.post("/fhir", json=bundle("transaction", *entries))


async def referral_(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    return await client.post("/fhir", json=referral(patient))


async def referral_read(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    task = located((await referral_(client, patient, plan)).json()["entry"][1])
    return await client.get(f"/api/referrals/{task.removeprefix('Task/')}")


async def available_actions(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    task = located((await referral_(client, patient, plan)).json()["entry"][1])
    return await client.get(f"/fhir/{task}/$available-actions")


async def recall(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    task = located((await referral_(client, patient, plan)).json()["entry"][1])
    url, headers = f"/api/referrals/{task.removeprefix('Task/')}/actions/recall", {"If-Match": 'W/"1"'}
    return await client.post(url, json={"reason": "Moved away."}, headers=headers)


async def recall_under_a_key(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    task = located((await referral_(client, patient, plan)).json()["entry"][1])
    url = f"/api/referrals/{task.removeprefix('Task/')}/actions/recall"
    headers = {"If-Match": 'W/"1"', "Idempotency-Key": task.removeprefix("Task/")}
    return await client.post(url, json={"reason": "Moved away."}, headers=headers)


async def note(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    task = located((await referral_(client, patient, plan)).json()["entry"][1])
    return await client.post(f"/api/referrals/{task.removeprefix('Task/')}/notes", json={"text": "We will call."})


async def bulk_recall(client: httpx.AsyncClient, patient: str, plan: str) -> httpx.Response:
    tasks = [located((await referral_(client, patient, plan)).json()["entry"][1]) for _ in range(3)]
    items = [{"task": task, "version": 1} for task in tasks]
    body = {"action": "recall", "inputs": {"reason": "Moved away."}, "items": items}
    return await client.post("/api/referrals/bulk", json=body)


EXACTLY: tuple[tuple[Ask, int], ...] = (
    (read, 1),
    (vread, 1),
    (search, 1),
    (search_with_include, 2),
    (search_with_both_includes, 2),
    (search_with_includes_of_includes, 4),  # the page, the plans, their Provenances, those of Provenances
    (chain, 1),
    (chain_of_two, 1),
    (has, 1),
    (has_of_has, 1),
    (chain_over_services, 1),
    (several_sorts, 1),
    (total, 2),
    (history, 1),
    (create, 1),
    (conditional_create, 5),  # begin, lock, search, write, commit
    (update, 4),  # begin, lock, write, commit
    (delete, 6),  # begin, lock, look for plans that link to it, write, look for referrers, commit
    (transaction_of_five, 6),  # of scores: begin, write, the patient's lock, the plans, the scores, commit
    (transaction_of_ten, 1),  # of what is no score
    (referral_, 4),  # begin, write, how it stands and what happened, commit
    (referral_read, 4 + 2),  # the Task, the order
    (available_actions, 4 + 2),
    # begin, read it, lock it with its order, what rules need, write, how it stood, how it stands with what happened,
    # commit; and whom the answer names
    (recall, 4 + 8 + 1),
    (recall_under_a_key, 4 + 8 + 1 + 2),  # the key is claimed, and settled
    (note, 4 + 8 + 1),  # as an action; and the notes, as they are read
    (bulk_recall, 3 * (4 + 8)),
)
OF_REFERRALS = (referral_, referral_read, available_actions, recall, recall_under_a_key, note, bulk_recall)


@asynccontextmanager
async def logged(site: Site) -> AsyncIterator[list[str]]:
    """Every statement that a service sends while the block runs, BEGIN and COMMIT included."""
    statements: list[str] = []

    def note(record: asyncpg.connection.LoggedQuery) -> None:
        statements.append(record.query)

    pools = [engine.pool for engine in site.assembly.engines.values()]
    connections = [holder._con for pool in pools for holder in pool._holders if holder._con is not None]
    for connection in connections:
        connection.add_query_logger(note)
    yield statements
    for connection in connections:
        connection.remove_query_logger(note)


async def test_every_interaction_takes_exactly_so_many_statements(plain_system: System) -> None:
    took: dict[str, list[str]] = {}
    async with plain_system.site() as site:
        (patient,) = await furnish(site)
        for ask, _ in EXACTLY:
            client = site.by(SPECIALIST if ask in OF_REFERRALS else EHR)
            plans = [await create(site.by(EHR), patient, "") for _ in range(4)]
            await site.by(EHR).post("/fhir/Observation", json=observation(patient))
            # the first request of its kind may open a connection or fill a cache
            assert (await ask(client, patient, f"CarePlan/{plans[0].json()['id']}")).status_code < 300
            async with logged(site) as statements:
                answer = await ask(client, patient, f"CarePlan/{plans[1].json()['id']}")
            assert answer.status_code < 300, answer.text
            took[ask.__name__] = [statement[:80] for statement in statements]
    assert {name: len(statements) for name, statements in took.items()} == {
        ask.__name__: expected for ask, expected in EXACTLY
    }, took


async def test_a_contribution_and_a_comparison_take_exactly_so_many_statements(plain_system: System) -> None:
    took: dict[str, list[str]] = {}
    async with plain_system.site() as site:
        (patient,) = await furnish(site)
        client = site.by(SPECIALIST)
        opened = (await site.by(EHR).post("/api/plans", json={"patient": patient})).json()["care_plan"]
        plan = (await client.get(f"/fhir/{opened}")).json()
        moments = f"/api/plans/{plan['id']}/timeline"
        for asked in (f"/fhir/{opened}/$diff?from=1", moments):
            assert (await client.get(asked)).status_code == 200

        async def contribute(name: str, status: int, **more: object) -> None:
            async with logged(site) as statements:
                answer = await client.post(f"/fhir/{opened}/$contribute", json=plan | more)
            assert answer.status_code == status, answer.text
            took[name] = [statement[:80] for statement in statements]

        await contribute("from the current version", 200, title="Ours")
        await contribute("from an older version", 200, note=[{"text": "Sleeps badly"}])
        await contribute("again", 200, title="Ours")
        await contribute("a conflict", 409, title="Mine")
        for name, asked in (("diff", f"/fhir/{opened}/$diff?from=1"), ("timeline", moments)):
            async with logged(site) as statements:
                assert (await client.get(asked)).status_code == 200
            took[name] = [statement[:80] for statement in statements]
    assert {name: len(statements) for name, statements in took.items()} == {
        # begin, lock, write, commit; and how the plan stands: lock, what it stands by, the scores, keep
        "from the current version": 4 + 4,
        # and whether it came before, and its version
        "from an older version": 4 + 4 + 2,
        "again": 4,  # begin, lock, whether it came before, rollback
        "a conflict": 5,  # begin, lock, whether it came before, its version, rollback
        "diff": 3,  # the plan, the versions, who made them
        "timeline": 7,  # the plan, which team and that, both histories, who made them
    }, took
