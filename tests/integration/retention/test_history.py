"""Versions that were replaced or deleted long ago go, oldest first; the current one and the fact of a deletion stay."""

import httpx

from shared.engine import Engine
from shared.store import forgetting
from shared.store.database import Connection, Pool
from shared.store.sweeping import Batch, Sweep, through
from tests.factories.resources import patient
from tests.integration.retention.sweeping import DAY, aged, swept


async def versions(client: httpx.AsyncClient, id_: str) -> tuple[list[str], int, int]:
    """The versions that the history shows, its total, and how many pages it took."""
    seen: list[str] = []
    pages, total = 0, -1
    address: str | None = f"Patient/{id_}/_history?_count=2"
    while address is not None:
        answer = await client.get(address)
        assert answer.status_code == 200
        page = answer.json()
        pages, total = pages + 1, page.get("total", total)
        seen += [one["response"]["etag"] for one in page.get("entry", [])]
        links = {link["relation"]: link["url"] for link in page["link"]}
        address = links["next"].partition("/fhir/")[2] if "next" in links else None
    return seen, total, pages


async def test_versions_are_forgotten_that_were_replaced_long_ago_and_the_current_one_never(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    what = Sweep("history", forgetting.replaced_versions(30 * DAY))
    for _ in range(5):
        await client.put("Patient/p", json=patient(id="p"))
    await client.put("Patient/old", json=patient(id="old"))
    # three versions of a year ago, the fourth of last month, the fifth of now
    await aged(engine.pool, "resource_history", "last_updated", 365, "version <= 3 OR id = 'old'")
    await aged(engine.pool, "resource_history", "last_updated", 29, "version = 4")
    assert await swept(engine.pool, what) == 2, "the third was current until last month"
    assert await versions(client, "p") == (['W/"5"', 'W/"4"', 'W/"3"'], 3, 2)
    assert (await client.get("Patient/p/_history/2")).status_code == 404
    assert await versions(client, "old") == (['W/"1"'], 1, 1)
    assert (await client.put("Patient/p", json=patient(id="p"))).headers["etag"] == 'W/"6"'


async def scattered(pool: Pool, ages: dict[int, float]) -> None:
    """Versions of Patient/x, so many days old; each lies blocks before the one that it replaced."""
    # one block each, the first of them last: what is freed at the front is filled again
    for version, age in sorted(ages.items(), reverse=True):
        await pool.execute(
            "INSERT INTO resource_history VALUES ('Patient', 'x', $1, now() - $2::interval, 'PUT', '')",
            version,
            age * DAY,
        )
        await pool.execute(
            "INSERT INTO resource_history SELECT 'Basic', $1::int || '-' || n, 1, now(), 'PUT', ''"
            " FROM generate_series(1, 200) n",
            version,
        )


async def left_of_x(pool: Pool) -> list[int]:
    rows = await pool.fetch("SELECT version FROM resource_history WHERE id = 'x' ORDER BY version")
    return [row[0] for row in rows]


async def test_a_version_that_lies_behind_its_successor_on_disk_goes_with_it(engine: Engine) -> None:
    await scattered(engine.pool, {1: 203, 2: 202, 3: 201, 4: 10, 5: 0})
    blocks = await engine.pool.fetch("SELECT ctid FROM resource_history WHERE id = 'x' ORDER BY version DESC")
    assert len({row[0][0] for row in blocks}) == 5
    seen: list[list[int]] = []
    step = through("resource_history", forgetting._REPLACED, 30 * DAY, blocks=1)

    async def noting(connection: Connection, position: int) -> Batch:
        batch = await step(connection, position)
        versions = await connection.fetch("SELECT version FROM resource_history WHERE id = 'x' ORDER BY version")
        seen.append([row[0] for row in versions])
        return batch

    assert await swept(engine.pool, Sweep("history", noting)) == 2
    assert await left_of_x(engine.pool) == [3, 4, 5], "the third was current until ten days ago"
    assert all(one == list(range(one[0], 6)) for one in seen), "a history has no gaps, not between two batches either"


async def test_a_version_whose_successor_went_before_it_goes_once_the_next_one_is_old(engine: Engine) -> None:
    what = Sweep("history", forgetting.replaced_versions(30 * DAY))
    await scattered(engine.pool, {1: 203, 4: 10, 5: 0})
    assert await swept(engine.pool, what) == 0, "all that is known is that it was replaced ten days ago"
    await aged(engine.pool, "resource_history", "last_updated", 21, "id = 'x' AND version = 4")
    assert await swept(engine.pool, what) == 1
    assert await left_of_x(engine.pool) == [4, 5]


async def test_what_was_in_a_deleted_resource_goes_and_that_it_was_deleted_stays(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    what = Sweep("history of deleted", forgetting.versions_of_deleted(30 * DAY))
    for id_ in ("gone", "fresh"):
        await client.put(f"Patient/{id_}", json=patient(id=id_))
        await client.put(f"Patient/{id_}", json=patient(id=id_))
        await client.delete(f"Patient/{id_}")
    for table in ("resource", "resource_history"):
        await aged(engine.pool, table, "last_updated", 31, "id = 'gone'")
    assert await swept(engine.pool, what) == 2
    assert (await client.get("Patient/gone")).status_code == 410
    assert (await client.get("Patient/gone/_history/1")).status_code == 404
    assert (await client.get("Patient/fresh/_history/1")).status_code == 200
    revived = await client.put("Patient/gone", json=patient(id="gone"))
    assert revived.headers["etag"] == 'W/"4"', "whoever heard of version 3 must not take a new one for an old one"
