"""The consumer that keeps copies in step: hears that a resource changed, reads it from its owner, stores it.

Out of order is no matter: what is read is the newest there is, and a version never replaces a later one."""

from datetime import datetime

from shared.contracts.records import RecordV1, record_event
from shared.engine import Engine
from shared.errors import Conflict, Unavailable
from shared.fhir.json import loads
from shared.fhir.search.extract import extract
from shared.messaging.envelope import Event
from shared.service import Binding, Handle
from shared.store.gathering import MOST
from shared.store.write import Write

GATHERS = 0.1
"""Seconds by which a copy may be older, so that many are made at once."""


def copies(service: str, *owners: str) -> Binding:
    """The queue in which ``service`` hears what ``owners`` tell of their records; they are made together."""
    return Binding(f"{service}.copies", tuple(map(record_event, owners)), keeping, prefetch=MOST, gathers=GATHERS)


def keeping(engine: Engine) -> Handle:
    """The handler of ``record.*`` events."""

    async def handle(event: Event) -> None:
        await follow(engine, event)

    return handle


async def follow(engine: Engine, event: Event) -> None:
    """Bring the copy of what ``event`` speaks of up to date; again and again it is the same, by the version.

    Raises ``Unavailable`` where its owner does not answer."""
    told = event.payload(RecordV1)
    owner = engine.copied.get(told.type)
    if owner is None or await _has(engine, told):
        return
    if engine.peers is None:
        raise Unavailable("This process cannot ask other services.")
    body = None if told.deleted else await engine.peers.get(owner, f"{told.type}/{told.id}")
    copy = gone(told, datetime.fromisoformat(event.time)) if body is None else copy_of(body)
    if not await engine.copier.write(copy) and not await _has(engine, told):
        raise Conflict("Another copied the resource at the same moment.")


def copy_of(body: bytes) -> Write:
    """The copy of a resource as its owner serves it."""
    resource = loads(body)
    meta = resource["meta"]
    return Write(
        resource["resourceType"],
        resource["id"],
        int(meta["versionId"]),
        datetime.fromisoformat(meta["lastUpdated"]),
        "PUT",
        body,
        index=extract(resource),
    )


def gone(told: RecordV1, at: datetime) -> Write:
    """The mark that a deletion leaves: an older version that comes late does not bring the resource back."""
    return Write(told.type, told.id, told.version, at, "DELETE", b"", deleted=True)


async def _has(engine: Engine, told: RecordV1) -> bool:
    """Whether the copy is of that version, or a later one."""
    stored = await engine.reader.read(told.type, told.id)
    return stored is not None and stored.version >= told.version
