"""``HealthcareService/$waits``: the shortest wait of each discipline."""

import httpx

from shared.engine import Engine
from tests.factories.directory import extension, service
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import COORDINATOR
from tests.integration.referrals.asking import furnish
from tests.integration.referrals.matching import store, waits


async def test_the_shortest_wait_of_each_discipline(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    await furnish(client, verifier)
    await store(
        client,
        verifier,
        service("quick"),
        service("slow"),
        service("full", extension=[extension("weekly-capacity", valueUnsignedInt=0)]),
        service("closed", active=False),
        service("few"),
        service("motion", "physical-therapy"),
    )
    await waits(engine, "HealthcareService/quick", *(12 for _ in range(6)))
    await waits(engine, "HealthcareService/slow", *(30 for _ in range(6)))
    for better in ("full", "closed"):
        await waits(engine, f"HealthcareService/{better}", *(1 for _ in range(6)))
    await waits(engine, "HealthcareService/few", 1, 1)
    verifier.caller = COORDINATOR
    answer = await client.get("HealthcareService/$waits")
    assert answer.status_code == 200, answer.text
    told = {}
    for wait in answer.json()["parameter"]:
        parts = {part["name"]: next(v for k, v in part.items() if k != "name") for part in wait["part"]}
        told[parts.pop("discipline")] = parts
    assert told["mental-health"] == {"services": 3, "cases": 6, "days": 12.0}
    assert told["physical-therapy"] == {"services": 1, "cases": 0}
    assert told["pain-medicine"]["cases"] == 0
