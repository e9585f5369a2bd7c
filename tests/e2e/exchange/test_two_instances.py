"""Two instances exchange 200 referrals over HTTP with 20 % injected failures, and end in the same state."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.referrals.app.exchange import Pace
from services.referrals.app.exchange_start import exchanges_referrals
from services.referrals.domain.exchange_pace import Delays
from services.referrals.domain.exchange_references import translated
from services.referrals.partners.client import Reach, open_client
from services.referrals.store import exchanges
from services.referrals.worker import exchange_loop
from tests.e2e.exchange.courses import answer, withdraw
from tests.e2e.exchange.instances import BASE, PARTNER, Instance, instance, reach
from tests.eventually import eventually
from tests.factories.edge import fresh_databases
from tests.factories.faulty import Fault, faulty
from tests.factories.referrals import order, reference, task

REFERRALS = 200
SILENCE = 2.0
"""Seconds for which the source waits for an answer."""
PATIENCE = 100.0
"""Seconds: it takes 20 on two cores of one's own, and several times that where others work on them as well."""
SEED = 20261128
STATE = ("status", "businessStatus", "statusReason", "output", "executionPeriod", "note")


def seconds(*values: float) -> tuple[timedelta, ...]:
    return tuple(timedelta(seconds=value) for value in values)


QUICK = Pace(
    concurrency=12,
    look=0.2,
    delays=Delays(retries=seconds(0.2, 0.5, 1, 2, 4), looks=seconds(0.5, 1, 2), afterwards=seconds(1, 2, 4, 8)),
)


@pytest.fixture(autouse=True)
def with_partners(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An installation that has partners."""
    (tmp_path / "partners.json").write_text("{}")
    monkeypatch.setenv("CONSILIUM_PARTNERS_FILE", str(tmp_path / "partners.json"))
    monkeypatch.setenv("CONSILIUM_PUBLIC_URL", BASE.removesuffix("/fhir"))
    exchanges_referrals.cache_clear()
    yield
    exchanges_referrals.cache_clear()


async def refer(here: Instance, number: int) -> None:
    """Half of them as BSeR has it, half as SDOH-CC."""
    made = order(id=f"o{number}")
    assert (await here.put("requester", made)).status_code == 201
    begun = ("received", "2.0") if number % 2 else ("requested", None)
    asked = task(*begun, id=f"t{number}", focus=reference(f"ServiceRequest/o{number}"), statusReason=None)
    answered = await here.put("requester", asked)
    assert answered.status_code == 201, answered.text


async def in_turn(here: Instance, there: Instance, number: int, chance: random.Random) -> bool:
    """One referral from its sending to its end, on both sides; whether it was withdrawn."""
    await refer(here, number)
    steps, after = chance.randint(1, 7), chance.randint(0, 3)
    withdraws = chance.random() < 0.3
    withdrawn = withdraws and after == 0 and await withdraw(here, f"t{number}")

    async def arrived() -> str | None:
        found = await exchanges.of(here.engine.pool, [f"t{number}"])
        return found[0].remote_task if found and found[0].remote_task else None

    if withdrawn:
        return True
    remote = await eventually(arrived, within=PATIENCE, every=1)
    assert remote is not None
    id = remote.removeprefix("Task/")
    await answer(there, id, chance, steps=min(after, steps))
    if withdraws:
        withdrawn = await withdraw(here, f"t{number}")
    await answer(there, id, chance, steps=steps)
    return withdrawn


async def all_of(there: Instance, type_: str) -> list[dict[str, Any]]:
    answered = await there.ask("back-end", "GET", f"{type_}?_count=1000")
    assert answered.status_code == 200
    return [each["resource"] for each in answered.json().get("entry", ())]


def told(resource: dict[str, Any]) -> dict[str, Any]:
    return {element: resource[element] for element in STATE if element in resource}


@pytest.mark.timeout(300)
async def test_two_instances_end_in_the_same_state_over_a_network_that_fails(
    postgres: str, templates: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(SEED)
    stop = asyncio.Event()
    began = time.monotonic()
    async with (
        fresh_databases(postgres, templates) as ours,
        fresh_databases(postgres, templates) as theirs,
        instance(ours["referrals"]) as here,
        instance(theirs["referrals"]) as there,
        faulty(there.base.removesuffix("/fhir"), SEED, silence=SILENCE) as (url, proxy),
    ):
        address = f"{url}/fhir"
        await reach(here, address)
        (tmp_path / "token").write_text("source")
        partner = PARTNER.model_copy(update={"token_file": tmp_path / "token"})
        async with open_client({address: partner}, Reach(True, True, SILENCE)) as client:
            workers = [asyncio.create_task(exchange_loop(here.engine, stop, client, BASE, QUICK)) for _ in range(2)]

            async def alike() -> bool:
                assert await apart(here, there, address) == {}
                return True

            try:
                turns = [in_turn(here, there, number, random.Random(chance.random())) for number in range(REFERRALS)]
                withdrawn = sum(await asyncio.gather(*turns))
                await eventually(alike, within=PATIENCE, every=1)
            finally:
                stop.set()
                await asyncio.gather(*workers)
            assert await apart(here, there, address) == {}
        took = time.monotonic() - began
        orders = Counter(each["identifier"][0]["value"] for each in await all_of(there, "ServiceRequest"))
        assert set(orders.values()) == {1}
        assert len(orders) > REFERRALS / 2
        rows = await exchanges.of(here.engine.pool, [f"t{number}" for number in range(REFERRALS)])
        states = Counter(str(each["status"]) for each in await all_of(here, "Task"))
        found = await here.engine.pool.fetch("SELECT what, count(*) AS n FROM referral_moment GROUP BY what ORDER BY 1")
        happened = {row["what"]: row["n"] for row in found}
    with capsys.disabled():
        faults = {str(fault): number for fault, number in sorted(proxy.seen.items())}
        print(
            f"\n{REFERRALS} referrals, {withdrawn} withdrawn, alike after {took:.1f} s; {proxy.seen.total()} requests,"
        )
        print(f"faults {faults}; ended {dict(states)}; happened {happened}; {sum(row.attempts for row in rows)} visits")
    assert {row.state for row in rows} <= {"going-on", "ended"}
    assert {fault for fault in Fault if proxy.seen[fault]} == set(Fault)
    assert 0.15 < 1 - proxy.seen["passed"] / proxy.seen.total() < 0.25


async def apart(here: Instance, there: Instance, address: str) -> dict[str, Any]:
    """By id, the referrals that differ; and what of them is there twice, or was never seen here."""
    rows = {row.task: row for row in await exchanges.of(here.engine.pool, [f"t{n}" for n in range(REFERRALS)])}
    theirs = {f"Task/{each['id']}": each for each in await all_of(there, "Task")}
    found: dict[str, Any] = {}
    for one in await all_of(here, "Task"):
        row = rows[one["id"]]
        other = None if row.remote_task is None else theirs.pop(row.remote_task)
        if other is None:
            # it was taken back before anybody there could see it
            if one["status"] != "cancelled" or row.state != "ended":
                found[one["id"]] = (row.state, row.trouble)
        elif told(one) != translated(told(other), address, BASE):
            found[one["id"]] = (told(one), told(other), row)
    return found | theirs
