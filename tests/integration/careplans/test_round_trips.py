"""How often the operations on a plan go to the database, exactly, however much there is in the record."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest

from services.careplans.app.ordering import send_due
from shared.engine import Engine
from shared.fhir.json import Resource
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.proposing import COORDINATOR, decide, decision, in_pain, patient_with, propose

PLANS = "http://test/api/plans"


@pytest.fixture(autouse=True)
def coordinator(verifier: FixedVerifier) -> None:
    """Who calls."""
    verifier.caller = COORDINATOR


@asynccontextmanager
async def logged(engine: Engine) -> AsyncIterator[list[str]]:
    """Every statement that is sent while the block runs, BEGIN and COMMIT included."""
    statements: list[str] = []

    def note(record: asyncpg.connection.LoggedQuery) -> None:
        statements.append(record.query[:100])

    connections = [holder._con for holder in engine.pool._holders if holder._con is not None]
    for connection in connections:
        connection.add_query_logger(note)
    yield statements
    for connection in connections:
        connection.remove_query_logger(note)


async def new_proposal(client: httpx.AsyncClient, plan: str, definition: str) -> Resource:
    answer = await propose(client, plan, definition)
    assert answer.status_code == 201, answer.text
    group: Resource = answer.json()
    return group


async def test_applying_takes_four_statements(engine: Engine, client: httpx.AsyncClient) -> None:
    """The definition, the definitions that it names, the record, the waits."""
    patient, _ = await patient_with(engine, *in_pain())
    url = "PlanDefinition/stepped-care/$apply"
    await client.get(url, params={"subject": patient})
    async with logged(engine) as statements:
        assert (await client.get(url, params={"subject": patient})).status_code == 200
    assert len(statements) == 4, statements


async def test_deciding_does_not_depend_on_how_much_is_decided(engine: Engine, client: httpx.AsyncClient) -> None:
    _, plan = await patient_with(engine, *in_pain())
    for treatment in ("act", "diet"):
        await decide(client, await new_proposal(client, plan, f"ActivityDefinition/{treatment}"), decision(treatment))
    one = await new_proposal(client, plan, "ActivityDefinition/relaxation")
    async with logged(engine) as statements:
        assert (await decide(client, one, decision("relaxation"))).status_code == 200
    few = len(statements)
    several = await new_proposal(client, plan, "PlanDefinition/education-and-self-management")
    wanted = ("daily-heat", "daily-stretching", "daily-distraction", "together-contacts", "learn-pain")
    async with logged(engine) as statements:
        assert (await decide(client, several, *map(decision, wanted))).status_code == 200
    # and the goal that these serve: whether it is there, and the plan's rules look at it
    assert len(statements) <= few + 3, statements
    # four of them keep how the plan stands: the lock, what it is made of, the scores, the row
    assert few <= 11, statements


async def test_what_people_look_at_takes_few_statements(engine: Engine, client: httpx.AsyncClient) -> None:
    _, plan = await patient_with(engine, *in_pain())
    for treatment in ("act", "relaxation", "diet", "cbt-individual"):
        await decide(client, await new_proposal(client, plan, f"ActivityDefinition/{treatment}"), decision(treatment))
    for room, most in (("proposals", 3), ("plain", 6), ("sources", 2)):
        url = f"{PLANS}/{plan.removeprefix('CarePlan/')}/{room}"
        await client.get(url)
        async with logged(engine) as statements:
            assert (await client.get(url)).status_code == 200
        assert len(statements) <= most, (room, statements)


async def test_looking_for_orders_takes_one_statement(engine: Engine) -> None:
    async with logged(engine) as statements:
        assert not await send_due(engine)
    assert len(statements) == 1, statements
