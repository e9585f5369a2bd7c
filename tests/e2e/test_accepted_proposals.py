"""What is accepted of a proposal and is for another discipline becomes one referral, whoever is down or killed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from consilium.assembly import Background
from services.careplans.app.ordering import send_due
from shared.copies.peers import Peers
from shared.errors import Unavailable
from shared.fhir.json import Resource
from shared.security.caller import Caller
from tests.e2e.referring import Place, furnish
from tests.eventually import eventually
from tests.factories.system import COORDINATOR, EHR, PSYCHOLOGIST, SPECIALIST, Site, System

CHOSEN = ("cbt-individual", "graded-exercise")
"""Two treatments of two disciplines."""


@dataclass
class Between:
    """The referrals' service, as a worker of careplans reaches it."""

    real: Peers
    before: Callable[[], Awaitable[None]] | None = None
    after: Callable[[], Awaitable[None]] | None = None
    answers: list[int] = field(default_factory=list)

    async def get(self, owner: str, path: str, query: str = "") -> bytes | None:
        return await self.real.get(owner, path, query)

    async def submit(self, owner: str, bundle: Resource) -> int:
        if self.before:
            await self.before()
        self.answers.append(await self.real.submit(owner, bundle))
        if self.after:
            await self.after()
        return self.answers[-1]


@dataclass
class Accepted:
    """A plan for which both treatments were accepted."""

    client: httpx.AsyncClient
    patient: str
    plan: str

    async def referrals(self) -> list[Resource]:
        """The Tasks of the patient, as the referrals' service has them."""
        found = (await self.client.get("/fhir/Task", params={"patient": self.patient})).json()
        return [each["resource"] for each in found.get("entry", [])]

    async def activities(self) -> list[Resource]:
        plan = (await self.client.get(f"/fhir/{self.plan}")).json()
        return list(plan.get("activity", []))

    async def followed(self) -> bool:
        """Whether the plan has heard of both referrals: the coordinator who triages has accepted one of them."""
        return len(await self.referrals()) == len(CHOSEN)


async def accepted(site: Place, *, by: Caller = COORDINATOR, patient: str | None = None) -> Accepted:
    """Propose and accept ``CHOSEN`` for a patient, a new one if not said; no worker need be there for that."""
    if patient is None:
        (patient,) = await furnish(site)
    client = site.by(by)
    opened = await site.by(COORDINATOR).post("/api/plans", json={"patient": patient})
    plan = opened.json()["care_plan"]
    for treatment in CHOSEN:
        definition = {"name": "definition", "valueReference": {"reference": f"ActivityDefinition/{treatment}"}}
        body = {"resourceType": "Parameters", "parameter": [definition]}
        answer = await client.post(f"/fhir/{plan}/$propose", json=body)
        assert answer.status_code == 201, answer.text
        parts = [{"name": "action", "valueString": treatment}, {"name": "answer", "valueCode": "accept"}]
        said = {"resourceType": "Parameters", "parameter": [{"name": "decision", "part": parts}]}
        answer = await client.post(f"/fhir/RequestGroup/{answer.json()['id']}/$decide", json=said)
        assert answer.status_code == 200, answer.text
    return Accepted(site.by(COORDINATOR), patient, plan)


async def catalogue(site: Site) -> None:
    """Wait for the catalogue, which workers load."""
    async with site.working():

        async def loaded() -> bool:
            answer = await site.by(EHR).get(f"/fhir/ActivityDefinition/{CHOSEN[0]}")
            return answer.status_code == 200

        await eventually(loaded)


def reaching(site: Site, **places: Callable[[], Awaitable[None]]) -> tuple[Between, Background]:
    """The workers of ``site``, which reach the referrals' service through what is returned first."""
    background = site.assembly.background
    assert background is not None
    careplans = background.engines["careplans"]
    assert careplans.peers is not None
    between = Between(careplans.peers, **places)
    engines = {**background.engines, "careplans": replace(careplans, peers=between)}
    return between, replace(background, engines=engines)


async def test_both_are_referred_and_the_plan_follows(system: System) -> None:
    async with system.site() as site:
        await catalogue(site)
        plan = await accepted(site, by=SPECIALIST)
        assert await plan.referrals() == []
        before = await plan.activities()
        assert len(before) == 2, "the plan has them at once"
        async with site.working():
            await eventually(plan.followed)
            tasks = await plan.referrals()
            assert {each["status"] for each in tasks} == {"requested"}
            assert {each["requester"]["reference"] for each in tasks} == {SPECIALIST.fhir_user}
            task = next(each for each in tasks if each["meta"]["tag"][0]["code"] == "mental-health")
            taken = task | {"status": "accepted", "owner": {"reference": PSYCHOLOGIST.organization}}
            headers = {"if-match": f'W/"{task["meta"]["versionId"]}"'}
            answer = await site.by(PSYCHOLOGIST).put(f"/fhir/Task/{task['id']}", json=taken, headers=headers)
            assert answer.status_code == 200, answer.text

            async def in_team() -> bool:
                seen = (await plan.client.get(f"/api/{plan.plan.replace('CarePlan', 'plans')}")).json()
                return [each["member"] for each in seen["team"]] == [PSYCHOLOGIST.organization]

            await eventually(in_team)
        team = (await plan.client.get(f"/api/{plan.plan.replace('CarePlan', 'plans')}")).json()["care_team"]
        for reference in (plan.plan, team):
            assert await _against_us_core(plan.client, reference) == []
        after = await plan.activities()
        assert [each["id"] for each in after] == [each["id"] for each in before], "the same activities"


async def _against_us_core(client: httpx.AsyncClient, reference: str) -> list[Any]:
    """What ``$validate`` has against the resource as US Core's CarePlan or CareTeam."""
    type_ = reference.partition("/")[0]
    profile = f"http://hl7.org/fhir/us/core/StructureDefinition/us-core-{type_.lower()}"
    resource = (await client.get(f"/fhir/{reference}")).json()
    answer = await client.post(f"/fhir/{type_}/$validate", params={"profile": profile}, json=resource)
    return [each for each in answer.json()["issue"] if each["severity"] in ("error", "fatal")]


async def test_the_referrals_service_is_down_for_a_while(system: System) -> None:
    async with system.site() as site:
        await catalogue(site)
        plan = await accepted(site)
        attempts = 0

        async def down() -> None:
            nonlocal attempts
            attempts += 1
            if attempts <= 3:
                raise Unavailable("It does not answer.")

        between, background = reaching(site, before=down)
        while not await plan.followed():
            await send_due(background.engines["careplans"], delays=(timedelta(0),))
        assert attempts == 5
        assert between.answers == [200, 200]
        assert len(await plan.referrals()) == 2


@pytest.mark.parametrize("place", ["before", "after"])
async def test_a_worker_killed_while_it_orders_makes_two_referrals_in_the_end(system: System, place: str) -> None:
    async with system.site() as site:
        await catalogue(site)
        plan = await accepted(site)
        reached = asyncio.Event()

        async def hang() -> None:
            reached.set()
            await asyncio.Event().wait()

        _, doomed = reaching(site, **{place: hang})
        killed = asyncio.create_task(send_due(doomed.engines["careplans"]))
        await asyncio.wait_for(reached.wait(), 30)
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)
        assert len(await plan.referrals()) == (0 if place == "before" else 1)
        await site.assembly.engines["careplans"].pool.execute("UPDATE referral_order SET next_at = now()")
        async with site.working():
            await eventually(plan.followed)
        careplans = site.assembly.engines["careplans"].pool

        async def settled() -> bool:
            return {row["state"] for row in await careplans.fetch("SELECT state FROM referral_order")} == {"made"}

        async with site.working():
            await eventually(settled)
        assert len(await plan.referrals()) == 2
        assert len(await plan.activities()) == 2


async def test_an_order_that_is_refused_is_told_in_plan_and_proposal(system: System) -> None:
    async with system.site() as site:
        await catalogue(site)
        plan = await accepted(site)

        async def nothing() -> None:
            """Nothing."""

        between, background = reaching(site, before=nothing)
        engine = background.engines["careplans"]

        async def refused(owner: str, bundle: Resource) -> int:
            return 422

        between.submit = refused  # type: ignore[method-assign]
        while await send_due(engine):
            pass
        statuses = [
            extension["valueCode"]
            for activity in await plan.activities()
            for extension in activity["extension"]
            if extension["url"].endswith("activity-status")
        ]
        assert statuses == ["stopped", "stopped"]
        assert await plan.referrals() == []
