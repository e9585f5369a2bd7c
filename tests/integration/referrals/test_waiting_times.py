"""Waits and capacity, from what really happened."""

import statistics
from datetime import UTC, datetime, timedelta
from random import Random

import httpx
import pytest

from services.referrals.store import waiting
from services.referrals.store.waiting import Asked
from shared.engine import Engine
from tests.factories.directory import extension, role, service
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import (
    COORDINATOR,
    reference,
)
from tests.integration.referrals.asking import furnish
from tests.integration.referrals.matching import (
    CENTRE,
    DAY,
    Resource,
    asked,
    named,
    store,
    waits,
)


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)


async def test_a_wait_is_what_really_happened_or_unknown(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    await store(
        client,
        verifier,
        service("quick"),
        service("slow"),
        service("new", providedBy=CENTRE),
        service("few"),
        role("in-quick", healthcareService=[reference("HealthcareService/quick")]),
    )
    await waits(engine, "HealthcareService/quick", 1, 2, 3, waiting=2, imported=9)
    await waits(engine, "PractitionerRole/in-quick", 4, 5)
    await waits(engine, "HealthcareService/quick", *range(100, 110), ago=400)
    await waits(engine, "HealthcareService/slow", *(30 for _ in range(6)))
    await waits(engine, "Organization/mind-centre", *(10 for _ in range(5)))
    await waits(engine, "HealthcareService/few", 1, 1, 1, 1)
    verifier.caller = COORDINATOR
    found = await asked(client, specialties=["psychology"])
    told = {each["service"]["reference"].partition("/")[2]: each["service"]["waiting"] for each in found["matches"]}
    assert told["quick"] == {
        "known": True,
        "basis": "service",
        "cases": 5,
        "median_days": 3.0,
        "p90_days": 4.6,
        "waiting_now": 2,
        "longest_now_days": 11.0,
    }
    assert (told["new"]["basis"], told["new"]["cases"], told["new"]["median_days"]) == ("organization", 5, 10.0)
    assert (told["few"]["known"], told["few"]["cases"], told["few"]["median_days"]) == (False, 4, None)
    order_ = named(found["matches"])
    assert order_.index("quick") < order_.index("few") < order_.index("slow")


async def test_percentiles_are_those_of_the_cases(engine: Engine) -> None:
    random = Random(7)
    days = [random.uniform(0.1, 90) for _ in range(37)]
    await waits(engine, "HealthcareService/x", *days)
    now = datetime.now(UTC)
    asked_ = [Asked("k", "HealthcareService/x"), Asked("k", "HealthcareService/x", "mental-health")]
    found = await waiting.observed(
        engine.pool,
        [*asked_, Asked("other", "HealthcareService/x", None)],
        since=now - 365 * DAY,
        week=now,
        now=now,
    )
    assert found.keys() == {"k"}
    cuts = statistics.quantiles(days, n=10, method="inclusive")
    assert found["k"].cases == len(days), "asked in two ways, counted once"
    assert found["k"].median == pytest.approx(statistics.median(days) * 86_400, abs=1)
    assert found["k"].p90 == pytest.approx(cuts[8] * 86_400, abs=1)
    assert min(days) * 86_400 <= (found["k"].median or 0) <= (found["k"].p90 or 0) <= max(days) * 86_400


async def test_capacity_is_what_is_left_this_week_and_slots_are_free(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    def slot(id: str, schedule: str, start: datetime, status: str = "free") -> Resource:
        end = (start + timedelta(hours=1)).isoformat()
        times = {"start": start.isoformat(), "end": end, "status": status}
        return {"resourceType": "Slot", "id": id, "schedule": reference(f"Schedule/{schedule}")} | times

    def schedule(id: str, actor: str) -> Resource:
        return {"resourceType": "Schedule", "id": id, "actor": [reference(actor)]}

    now = datetime.now(UTC).replace(microsecond=0)
    full = [extension("weekly-capacity", valueUnsignedInt=2)]
    await store(
        client,
        verifier,
        service("full", extension=full),
        service("slots", extension=[extension("weekly-capacity", valueUnsignedInt=0)]),
        service("booked"),
        service("unknown"),
        schedule("a", "HealthcareService/slots"),
        schedule("b", "HealthcareService/booked"),
        *(slot(f"s{number}", "a", now + number * DAY) for number in (1, 3, 60)),
        slot("s9", "a", now + 0.5 * DAY, "busy"),
        slot("s8", "b", now + 0.5 * DAY, "busy"),
    )
    await waits(engine, "HealthcareService/full", ago=0, waiting=2)
    # accepted a moment ago, whichever weekday it is
    await engine.pool.execute("UPDATE referral SET accepted_at = $1 WHERE owner = 'HealthcareService/full'", now)
    verifier.caller = COORDINATOR
    found = await asked(client, specialties=["psychology"], must=["capacity"])
    told = {
        each["service"]["reference"].partition("/")[2]: each["service"]["capacity"]
        for each in (*found["matches"], *found["excluded"])
    }
    assert told["full"] == {"weekly": 2, "used": 2, "left": 0, "free_slots": None, "next_slot": None}
    assert (told["slots"]["free_slots"], told["slots"]["left"]) == (2, 0)
    assert datetime.fromisoformat(told["slots"]["next_slot"]) == now + DAY
    assert sorted(named(found["excluded"])) == ["booked", "full"]
    assert {"slots", "unknown"} == set(named(found["matches"]))
