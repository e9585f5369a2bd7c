"""Resources straight into the store, indexed as a write indexes them, and searches that return ids."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from shared.fhir.json import Resource, dumps, loads
from shared.fhir.search import search, search_bundle
from shared.fhir.search.access import EVERYTHING
from shared.fhir.search.extract import extract
from shared.store import resources
from shared.store.database import Pool, open_pool
from shared.store.write import Write
from tests.factories.engine import create_tables

START = datetime(2026, 1, 1, tzinfo=UTC)


@asynccontextmanager
async def searchable(url: str) -> AsyncIterator[Pool]:
    """A pool on a database with the store's tables."""
    await create_tables(url)
    pool = await open_pool(url, size=4)
    try:
        yield pool
    finally:
        await pool.close()


async def store(pool: Pool, found: Iterable[Resource], *, version: int = 1, at: datetime = START) -> None:
    """Store ``found`` in order, one second apart, as the given version."""
    writes = [
        Write(
            resource["resourceType"],
            resource["id"],
            version,
            at + timedelta(seconds=number),
            "POST" if version == 1 else "PUT",
            dumps(resource),
            index=extract(resource),
        )
        for number, resource in enumerate(found)
    ]
    for write in writes:
        outcome = await resources.write(pool, [write], (), ())
        assert outcome.written == 1


async def ids(pool: Pool, query: str, *, strict: bool = True, base: str = "") -> list[str]:
    """The ids that ``query`` (``CarePlan?status=active``) finds on its first page, in order."""
    type_, _, rest = query.partition("?")
    page = await search(pool, type_, parse_qsl(rest, keep_blank_values=True), strict=strict, base=base)
    return [match.id for match in page.matches]


async def pages(pool: Pool, query: str, *, most: int = 1_000) -> AsyncIterator[list[str]]:
    """The ids of every page, following next links."""
    type_, _, rest = query.partition("?")
    for _ in range(most):
        bundle = loads(
            await search_bundle(
                pool, type_, parse_qsl(rest, keep_blank_values=True), base="http://test/fhir", access=EVERYTHING
            )
        )
        yield [entry["resource"]["id"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "match"]
        following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
        if not following:
            return
        rest = urlsplit(following[0]).query
    raise AssertionError("the pages do not end")
