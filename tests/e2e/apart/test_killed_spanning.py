"""SIGKILL in the middle of transactions over services, with real processes and two gateways: all or nothing, no lock
stays, nothing is told twice (docs/adr/0017-transactions-over-services.md)."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from shared.fhir.json import Resource
from shared.ids import uuid7
from tests.e2e.evidence import Evidence
from tests.eventually import eventually
from tests.factories.apart import GATEWAY, OWNERS, Apart, Counts, apart
from tests.factories.edge import fresh_databases
from tests.factories.spanning import TOLD, whole_story
from tests.factories.system import EHR

pytestmark = pytest.mark.timeout(240)

LIMIT = 5
"""``CONSILIUM_PREPARED_S``: seconds."""
AT_ONCE = 6
"""Transactions that are under way."""
SETTLED_WITHIN = 30.0
"""Seconds after the load: the limit and a quarter, and what a busy machine needs."""
NAMED = "urn:oid:1.2.3"


@pytest.fixture
async def several(postgres: str, templates: dict[str, str]) -> AsyncIterator[Apart]:
    """Two APIs of each service and two gateways. No workers: outboxes keep what is to be told."""
    with tempfile.TemporaryDirectory(prefix="consilium-killed-") as folder:
        settings = {"CONSILIUM_PREPARED_S": str(LIMIT)}
        async with (
            fresh_databases(postgres, templates) as databases,
            apart(databases, None, Path(folder), Counts(api=2, gateway=2), settings) as running,
        ):
            yield running


@dataclass
class Stories:
    """Transactions over all services, ``AT_ONCE`` at a time, each with a name; what was answered to each."""

    installation: Apart
    stored: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Whose client was told that nothing was stored."""
    unclear: list[str] = field(default_factory=list)
    """Whose client heard nothing, or that it could not be told."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """They are sent inside the block; everything is answered, or lost, when it ends."""
        stop = asyncio.Event()
        senders = [asyncio.create_task(self._send(stop)) for _ in range(AT_ONCE)]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*senders)

    async def flow(self) -> None:
        """Wait until as many as are under way were stored."""
        enough = len(self.stored) + AT_ONCE
        await eventually(lambda: _is(len(self.stored) >= enough), within=60)

    async def _send(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            name = uuid7()
            try:
                answer = await self.installation.by(EHR).post("/fhir", json=_named(name))
            except httpx.TransportError:
                self.unclear.append(name)
                continue
            if answer.status_code == 200:
                self.stored.append(name)
            else:
                assert answer.status_code in (502, 503, 504), answer.text
                (self.refused if "nothing was stored" in answer.text else self.unclear).append(name)
                await asyncio.sleep(0.05)  # as a client would, before it tries again


async def test_what_is_killed_in_the_middle_leaves_all_or_nothing(several: Apart) -> None:
    evidence, stories = Evidence(several.databases), Stories(several)
    try:
        async with stories.running():
            for service in ("referrals", GATEWAY, "careplans", GATEWAY):
                await stories.flow()
                # something is prepared at this very moment, and not decided or not finished
                await eventually(lambda: _is_prepared(evidence), within=60, every=0.001)
                await several.lose(several.children[service, "api"][0])
                replacing = asyncio.create_task(several.come_up([several.spawn(service, "api")]))
                # the others go on without it, and bring to its end what it left
                await stories.flow()
                await replacing
        ended = time.monotonic()
        await eventually(lambda: _nothing_waits(evidence), within=SETTLED_WITHIN, every=0.2)
        print(
            f"{len(stories.stored)} stored, {len(stories.refused)} refused, {len(stories.unclear)} unclear;"
            f" nothing waited any more {time.monotonic() - ended:.1f} s after the last"
        )
        assert stories.refused or stories.unclear, "nobody was in the middle of anything"
        await _all_or_nothing(evidence, stories)
        await _told_once(evidence)
    finally:
        await evidence.close()


def _named(name: str) -> Resource:
    story = whole_story()
    for one in story["entry"]:
        one["resource"]["identifier"] = [{"system": NAMED, "value": name}]
    return story


def _name(resource: Resource) -> str:
    (identifier,) = resource["identifier"]
    return str(identifier["value"])


async def _all_or_nothing(evidence: Evidence, stories: Stories) -> None:
    """Of each transaction every resource is there, once, or none; and the clients were told the truth."""
    types = [(one["resource"]["resourceType"]) for one in whole_story()["entry"]]
    owners = dict.fromkeys(("ServiceRequest", "Task", "Practitioner"), "referrals")
    owners |= {"Patient": "careplans", "CarePlan": "careplans", "Communication": "notifications"}
    there = {type_: Counter(map(_name, await evidence.resources(owners[type_], type_))) for type_ in types}
    names = there["Patient"]
    assert set(names.values()) == {1}
    for type_, found in there.items():
        assert found == names, f"{type_}: {len(found - names)} without a Patient, {len(names - found)} missing"
    assert set(stories.stored) <= names.keys(), "what was acknowledged is lost"
    assert not names.keys() & set(stories.refused), "what was refused is stored"
    assert names.keys() <= {*stories.stored, *stories.unclear}


async def _told_once(evidence: Evidence) -> None:
    """Each stored transaction put down its events, once."""
    (many,) = await evidence.rows("careplans", "SELECT count(*) FROM resource WHERE type = 'CarePlan'")
    for service, wanted in TOLD.items():
        rows = await evidence.rows(service, "SELECT type FROM outbox")
        assert Counter(row["type"] for row in rows) == Counter(wanted * many[0])


async def _is(fact: bool) -> bool:
    return fact


async def _is_prepared(evidence: Evidence) -> bool:
    return await _prepared(evidence, "referrals") > 0


async def _prepared(evidence: Evidence, service: str) -> int:
    statement = "SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()"
    (row,) = await evidence.rows(service, statement)
    return int(row[0])


async def _nothing_waits(evidence: Evidence) -> bool:
    for service in OWNERS:
        (decided,) = await evidence.rows(service, "SELECT count(*) FROM transaction_decision WHERE committed")
        if await _prepared(evidence, service) or decided[0]:
            return False
    return True
