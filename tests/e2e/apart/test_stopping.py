"""SIGTERM under load, for each kind of process: over within ten seconds, what is in hand finished, nothing lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest

from tests.e2e.apart.load import Load
from tests.e2e.apart.size import DRAIN_S
from tests.e2e.evidence import Evidence
from tests.e2e.referring import burst, send
from tests.eventually import eventually
from tests.factories.apart import GATEWAY, OWNERS, Apart, Child, in_time
from tests.factories.system import EHR, PSYCHOLOGIST, bearer

pytestmark = [pytest.mark.rabbitmq, pytest.mark.timeout(240)]

STREAM = "/api/notifications/stream"
HELD_S = DRAIN_S + 2.0
"""How long a request is in hand after SIGTERM: longer than anybody is still let in."""


@asynccontextmanager
async def held(url: str, reference: str) -> AsyncIterator[asyncpg.Connection]:
    """Whoever writes the resource waits until the block ends."""
    type_, _, id_ = reference.partition("/")
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            assert await connection.fetchval(
                "SELECT true FROM resource WHERE type = $1 AND id = $2 FOR UPDATE", type_, id_
            )
            yield connection
    finally:
        await connection.close()


async def waits(url: str) -> bool:
    """Somebody waits for a lock in the database at ``url``."""
    connection = await asyncpg.connect(url)
    try:
        waiting = "SELECT true FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return bool(await connection.fetchval(waiting))
    finally:
        await connection.close()


def direct(installation: Apart, child: Child) -> httpx.AsyncClient:
    """A client of one process, past every balancer."""
    headers = bearer(EHR, installation.data_dir)
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{child.port}", headers=headers, timeout=30, trust_env=False)


@asynccontextmanager
async def replaced(installation: Apart, service: str, command: str) -> AsyncIterator[Child]:
    """One of a kind that may be ended inside the block; another one stands ready before."""
    child = installation.children[service, command][0]
    await installation.come_up([installation.spawn(service, command)])
    yield child


@pytest.mark.parametrize(
    ("service", "resource"),
    [
        ("referrals", {"resourceType": "Organization", "id": "slow", "name": "slow"}),
        ("careplans", {"resourceType": "Patient", "id": "slow"}),
        ("notifications", {"resourceType": "CommunicationRequest", "id": "slow", "status": "draft"}),
        (GATEWAY, {"resourceType": "Patient", "id": "slow-too"}),
    ],
    ids=["referrals", "careplans", "notifications", "gateway"],
)
async def test_an_api_answers_what_it_took_and_ends_in_time(
    installation: Apart, patients: list[str], service: str, resource: dict[str, str]
) -> None:
    owner = "careplans" if service == GATEWAY else service
    address = f"/fhir/{resource['resourceType']}/{resource['id']}"
    assert (await installation.by(EHR).put(address, json=resource)).is_success
    async with replaced(installation, service, "api") as child, direct(installation, child) as client:
        url = installation.databases[owner]
        async with Load(installation, patients, per_second=20).running() as load:
            await eventually(load.flows, within=60)
            async with held(url, address.removeprefix("/fhir/")):
                slow = asyncio.create_task(client.put(address, json=resource | {"language": "en"}))
                await eventually(lambda: waits(url))
                ending = asyncio.create_task(installation.retire(child))
                await asyncio.sleep(HELD_S)  # what is tested is that this much later it is still answered
                assert not slow.done()
            answer = await slow
            assert answer.status_code == 200, answer.text
            assert in_time(await ending)
        assert not load.failures, load.told()


@pytest.mark.parametrize("service", ["notifications", GATEWAY])
async def test_an_event_stream_ends_with_its_process_and_goes_on_elsewhere(
    installation: Apart, patients: list[str], service: str
) -> None:
    reader = bearer(PSYCHOLOGIST, installation.data_dir)
    async with replaced(installation, service, "api") as child, direct(installation, child) as client:
        async with client.stream("GET", STREAM, headers=reader) as stream:
            assert stream.status_code == 200
            lines = stream.aiter_lines()
            await anext(lines)
            first = await send(installation, patients[0])
            assert first is not None
            seen = await _until(first.task, lines)
            ending = asyncio.create_task(installation.retire(child))
            seen += [line async for line in lines]
        assert in_time(await ending)
    second = await send(installation, patients[0])
    assert second is not None
    last = [line.partition(":")[2].strip() for line in seen if line.startswith("id:")][-1]
    again = installation.by(PSYCHOLOGIST).stream("GET", STREAM, headers={"Last-Event-ID": last})
    async with again as stream:
        told = await _until(second.task, stream.aiter_lines())
    assert not [line for line in told if first.task in line], "told again what was read before"


async def _until(task: str, lines: AsyncIterator[str]) -> list[str]:
    """The lines of a stream up to and with the first that tells of ``task``."""
    seen = []
    async with asyncio.timeout(60):
        async for line in lines:
            seen.append(line)
            if line.startswith("data:") and task in line:
                return seen
    raise AssertionError("the stream ended before that")


@pytest.mark.parametrize("service", OWNERS)
async def test_a_worker_finishes_what_it_has_in_hand_and_ends_in_time(
    installation: Apart, patients: list[str], evidence: Evidence, service: str
) -> None:
    async with replaced(installation, service, "worker") as child:
        sending = asyncio.create_task(burst(installation, patients, 60))
        (before,) = await evidence.rows("careplans", "SELECT count(*) FROM inbox")
        await eventually(lambda: _grown(evidence, before[0] + 10), within=60, every=0.02)
        assert in_time(await installation.retire(child))
        sent = await sending
    assert len(sent) == 60
    await eventually(lambda: evidence.settled(sent), within=90, every=0.3)


@pytest.mark.parametrize(
    ("seconds", "finished"), [(2.0, True), (8.0, False)], ids=["a slow message", "a message that takes too long"]
)
async def test_a_worker_finishes_a_slow_message_or_leaves_it_to_another(
    installation: Apart, patients: list[str], evidence: Evidence, seconds: float, finished: bool
) -> None:
    first = await send(installation, patients[1])
    assert first is not None
    await eventually(lambda: evidence.settled([first]), within=60, every=0.3)
    plan = (await evidence.shared_plans())[patients[1]]
    url = installation.databases["careplans"]
    (child,) = installation.children["careplans", "worker"][:1]
    others = installation.children["careplans", "worker"][1:]
    for other in others:
        await installation.retire(other)
    async with held(url, f"CarePlan/{plan['id']}"):
        second = await send(installation, patients[1])
        assert second is not None
        await eventually(lambda: waits(url))
        ending = asyncio.create_task(installation.retire(child))
        await asyncio.sleep(seconds)  # the message is in hand for so long
        assert ending.done() is not finished
    assert in_time(await ending)
    if finished:
        await eventually(lambda: evidence.in_plans([first, second]), within=2)
    await installation.come_up([installation.spawn("careplans", "worker") for _ in (child, *others)])
    await eventually(lambda: evidence.settled([first, second]), within=90, every=0.3)


async def _grown(evidence: Evidence, least: int) -> bool:
    (row,) = await evidence.rows("careplans", "SELECT count(*) FROM inbox")
    return int(row[0]) >= least
