"""Catching up: what no event told, because a type is new here, or events were lost for good.

The owner's history says everything since a mark; where there is none, all that it has is read once. Events and this may
meet: a version never replaces a later one.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from pydantic import Field

from shared.clock import instant
from shared.contracts.records import RecordV1
from shared.copies.keeping import copy_of, gone
from shared.engine import Engine
from shared.errors import ConsiliumError
from shared.fhir.json import dumps, loads
from shared.messaging.waiting import either
from shared.settings import ConsiliumSettings
from shared.store import copy_marks, resources
from shared.store.losses import DATABASE_LOSSES
from shared.store.write import Write
from shared.telemetry.failures import class_of

log = logging.getLogger(__name__)

PAGE = 100
LONGEST_REST = 1.0
"""Seconds."""
OVERLAP = timedelta(minutes=2)
"""A change may be committed that long after its ``lastUpdated``, differences between clocks included."""


class CopySettings(ConsiliumSettings):
    """How copies of what other services own are looked after."""

    copies_check_s: float = Field(default=900.0, ge=1, le=86_400)
    """Seconds after which a worker asks the owners for what no event told."""


async def catch_up(engine: Engine, stop: asyncio.Event) -> None:
    """Look at every copied type, again and again until ``stop``. What fails is tried again at the next look."""
    every = timedelta(seconds=CopySettings().copies_check_s)
    while not stop.is_set():
        for type_ in engine.copied:
            if stop.is_set():
                return
            try:
                await look(engine, type_, every, stop)
            except (ConsiliumError, asyncpg.PostgresError, *DATABASE_LOSSES) as error:
                log.warning("Copies could not be compared with their owner: %s", class_of(error))
                break
        await either(stop, seconds=min(every.total_seconds(), 30.0))


async def look(engine: Engine, type_: str, every: timedelta, stop: asyncio.Event) -> int:
    """Copy what was missed of ``type_`` where it is due, until ``stop``; how many. After each page it rests for as long
    as that took: who shares the process or the database goes first.

    Raises ``Unavailable``, and what a database does."""
    mark = await copy_marks.take(engine.pool, type_, every)
    if mark is None:
        return 0
    until, copied = engine.clock() - OVERLAP, 0
    pages = _all(engine, type_) if mark is copy_marks.NEVER else _changed(engine, type_, mark)
    began = time.monotonic()
    async for copies in pages:
        newest = {copy.id: copy for copy in reversed(copies)}
        if newest:
            copied += await resources.write_copies(engine.pool, list(newest.values()))
        await copy_marks.renew(engine.pool, type_)
        if await either(stop, seconds=min(time.monotonic() - began, LONGEST_REST)):
            return copied
        began = time.monotonic()
    await copy_marks.done(engine.pool, type_, until)
    return copied


async def _all(engine: Engine, type_: str) -> AsyncIterator[list[Write]]:
    async for bundle in _pages(engine, type_, type_, f"_count={PAGE}"):
        yield [copy_of(dumps(entry["resource"])) async for entry in _in_turns(bundle)]


async def _changed(engine: Engine, type_: str, since: datetime) -> AsyncIterator[list[Write]]:
    query = f"_count={PAGE}&_since={instant(since)}"
    async for bundle in _pages(engine, type_, f"{type_}/_history", query):
        yield [_version(type_, entry) async for entry in _in_turns(bundle)]


async def _in_turns(bundle: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """The entries, others having their turn after each: it takes longer to index one than to answer a request."""
    for entry in bundle.get("entry", ()):
        yield entry
        await asyncio.sleep(0)


def _version(type_: str, entry: dict[str, Any]) -> Write:
    if "resource" in entry:
        return copy_of(dumps(entry["resource"]))
    told = entry["response"]
    version = int(told["etag"].removeprefix('W/"').removesuffix('"'))
    record = RecordV1(type=type_, id=entry["fullUrl"].rpartition("/")[2], version=version, deleted=True)
    return gone(record, datetime.fromisoformat(told["lastModified"]))


async def _pages(engine: Engine, type_: str, path: str, query: str) -> AsyncIterator[dict[str, Any]]:
    """The Bundles that next links lead through."""
    asked: str | None = query
    while asked is not None:
        body = await _get(engine, type_, path, asked)
        bundle = loads(body)
        yield bundle
        links = (link["url"] for link in bundle.get("link", ()) if link["relation"] == "next")
        asked = next((urlsplit(url).query for url in links), None)


async def _get(engine: Engine, type_: str, path: str, query: str) -> bytes:
    assert engine.peers is not None, "a worker with copies has peers"
    return await engine.peers.get(engine.copied[type_], path, query) or b"{}"
