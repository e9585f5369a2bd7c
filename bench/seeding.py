"""The stock that searches go over: patients and plans, some through the API, the many straight into the tables."""

import asyncio
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from itertools import islice

import asyncpg
import httpx

from bench.material import Resource, patient, plan, text
from bench.server import Running
from shared.fhir.json import dumps, loads
from shared.fhir.search.extract import extract
from shared.ids import uuid7
from shared.staging import stamp
from shared.store.write import Write, write_statement

CHUNK = 500


async def through_the_api(running: Running, resources: Sequence[Resource], *, at_once: int = 4) -> None:
    """Create ``resources`` by transactions of 100 (those with an id by PUT)."""
    waiting = asyncio.Semaphore(at_once)
    async with httpx.AsyncClient(headers=dict(running.headers), timeout=120) as client:

        async def send(part: Sequence[Resource]) -> None:
            entries = [{"resource": resource, "request": _request(resource)} for resource in part]
            async with waiting:
                body = text({"resourceType": "Bundle", "type": "transaction", "entry": entries})
                (await client.post(f"{running.url}/fhir", content=body)).raise_for_status()

        await asyncio.gather(*(send(resources[start : start + 100]) for start in range(0, len(resources), 100)))


def _request(resource: Resource) -> dict[str, str]:
    type_ = resource["resourceType"]
    return (
        {"method": "PUT", "url": f"{type_}/{resource['id']}"} if "id" in resource else {"method": "POST", "url": type_}
    )


async def into_the_tables(url: str, plans: range, patients: int) -> None:
    """Add plans number ``plans``, and the patients from 0 to ``patients``, by the store's own write statement, from a
    process for each core."""
    parts = os.cpu_count() or 1
    with ProcessPoolExecutor(parts) as pool:
        loop = asyncio.get_running_loop()
        work = (loop.run_in_executor(pool, _fill, url, plans, patients, number, parts) for number in range(parts))
        await asyncio.gather(*work)
    connection = await asyncpg.connect(url)
    try:
        # as it is some time after such a load: neither autovacuum nor a checkpoint disturbs what is measured
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def _fill(url: str, plans: range, patients: int, number: int, parts: int) -> None:
    asyncio.run(_fill_part(url, islice(_chunks(plans, patients), number, None, parts)))


async def _fill_part(url: str, chunks: Iterable[list[Resource]]) -> None:
    connection = await asyncpg.connect(url)
    try:
        for resources in chunks:
            statement, arguments = write_statement([_write(resource) for resource in resources], (), ())
            await connection.fetchrow(statement, *arguments)
    finally:
        await connection.close()


def _chunks(plans: range, patients: int) -> Iterator[list[Resource]]:
    for start in range(0, patients, CHUNK):
        yield [patient(number) for number in range(start, min(start + CHUNK, patients))]
    for start in range(plans.start, plans.stop, CHUNK):
        yield [plan(number, patients) for number in range(start, min(start + CHUNK, plans.stop))]


def _write(resource: Resource) -> Write:
    now = datetime.now(UTC)
    resource = stamp(loads(text(resource).encode()), resource.get("id", uuid7()), 1, now)
    return Write(resource["resourceType"], resource["id"], 1, now, "POST", dumps(resource), index=extract(resource))
