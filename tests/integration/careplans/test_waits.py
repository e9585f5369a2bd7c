"""Waits of the directory: asked for now and then, and used where nobody says otherwise."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import httpx

from services.careplans.app.waits import EVERY, bring_in_waits
from services.careplans.store.waits import OLDEST, known
from shared.engine import Engine
from shared.fhir.json import Resource, dumps
from tests.integration.careplans.proposing import in_pain, patient_with
from tests.integration.careplans.test_apply_over_fhir import outcomes


@dataclass
class Directory:
    """The referrals' service, which tells of waits."""

    days: dict[str, float | None]
    asked: list[str] = field(default_factory=list)

    async def get(self, owner: str, path: str, query: str = "") -> bytes | None:
        self.asked.append(f"{owner} {path}")
        waits = [
            {
                "name": "wait",
                "part": [
                    {"name": "discipline", "valueCode": discipline},
                    *([] if days is None else [{"name": "days", "valueDecimal": days}]),
                ],
            }
            for discipline, days in self.days.items()
        ]
        return dumps({"resourceType": "Parameters", "parameter": waits})

    async def submit(self, owner: str, bundle: Resource) -> int:
        raise AssertionError("nothing is ordered here")


async def test_waits_come_in_now_and_then_and_lead_to_what_bridges_them(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    patient, _ = await patient_with(engine, *in_pain())
    directory = Directory({"mental-health": 40.2, "physical-therapy": 3, "pain-medicine": None, "dentistry": 1})
    asking = replace(engine, peers=directory)
    assert await bring_in_waits(asking) == EVERY
    assert await bring_in_waits(asking) <= EVERY
    assert directory.asked == ["referrals HealthcareService/$waits"], "once in a while"
    assert await known(engine.pool, engine.clock()) == {"mental-health": 41, "physical-therapy": 3}
    draft = (await client.get("PlanDefinition/bridging/$apply", params={"subject": patient})).json()
    assert outcomes(draft)["bridge-course"][0] == "proposed"
    assert outcomes(draft)["wait-physical-therapy"][0] == "not-indicated"
    assert outcomes(draft)["wait-pain-medicine"][0] == "unknown"


async def test_what_was_told_long_ago_is_not_known_any_more(engine: Engine) -> None:
    await bring_in_waits(replace(engine, peers=Directory({"mental-health": 40})))
    now = engine.clock()
    assert await known(engine.pool, now + OLDEST - timedelta(minutes=1)) == {"mental-health": 40}
    assert await known(engine.pool, now + OLDEST + timedelta(minutes=1)) == {}
    later = replace(engine, peers=Directory({"mental-health": None}), clock=lambda: now + EVERY)
    await bring_in_waits(later)
    assert await known(engine.pool, now + EVERY) == {}
