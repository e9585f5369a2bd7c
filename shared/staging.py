"""What a unit of work is about to store: writes and events, what they leave behind, and what they refer to."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel

from shared.clock import instant
from shared.contracts.records import RecordV1, record_event
from shared.engine import Engine
from shared.fhir.json import Resource
from shared.fhir.validate import LocalReference
from shared.messaging import envelope
from shared.store.resources import Stored
from shared.store.write import OutboxRow, Write
from shared.telemetry.propagation import current_traceparent

Key = tuple[str, str]
"""(type, id)."""


def key_of(reference: str) -> Key:
    """The key of a relative reference."""
    type_, _, id_ = reference.partition("/")
    return type_, id_


class Staged:
    """``writes``, one for each resource at most, and ``events`` are still to be sent; ``newest`` is what all changes
    leave, sent or not, and ``references`` what they refer to here, with the path of one reference each.

    ``places``: which entry of a Bundle changes each, where one does."""

    def __init__(self, engine: Engine, now: datetime) -> None:
        self._engine = engine
        self._now = now
        self.writes: dict[Key, Write] = {}
        self.events: list[OutboxRow] = []
        self.newest: dict[Key, Stored] = {}
        self.references: dict[Key, str] = {}
        self.places: dict[Key, str] = {}

    @property
    def gone(self) -> set[Key]:
        """What is deleted."""
        return {key for key, stored in self.newest.items() if stored.deleted}

    @property
    def wanted(self) -> list[Key]:
        """What is referred to and has still to be looked for."""
        gone = self.gone
        return [key for key in self.references if key not in self.newest or key in gone]

    def add(self, write: Write, stored: Stored, references: Iterable[LocalReference], place: str) -> None:
        """Take a write, asked for at ``place``. Services that keep a copy will hear of it."""
        key = (write.type, write.id)
        self.writes[key] = write
        self.newest[key] = stored
        if place:
            self.places[key] = place
        if write.type in self._engine.tells:
            told = RecordV1(type=write.type, id=write.id, version=write.version, deleted=write.deleted)
            # a subject of its own: these need no order, and hold up none of what does
            self.tell(record_event(self._engine.service), f"{write.type}/{write.id}/_history/{write.version}", told)
        for reference in references:
            if reference.type in self._engine.kinds:
                path = f"{place}.resource.{reference.path}" if place else reference.path
                self.references.setdefault((reference.type, reference.id), path)

    def tell(self, type: str, subject: str, payload: BaseModel) -> None:
        """Take an event."""
        event_id = self._engine.ids()
        event = envelope.new_event(
            id=event_id,
            service=self._engine.service,
            type=type,
            subject=subject,
            at=self._now,
            payload=payload,
            traceparent=current_traceparent(),
        )
        self.events.append(OutboxRow(event_id, type, subject, envelope.encode(event), self._now))

    def sent(self) -> None:
        """Writes and events are with the database."""
        self.writes, self.events = {}, []


def stamp(resource: Resource, id_: str, version: int, at: datetime) -> Resource:
    """The resource with the server's ``id`` and ``meta`` in front (http://hl7.org/fhir/R4/resource.html#Meta)."""
    meta = {**resource.get("meta", {}), "versionId": str(version), "lastUpdated": instant(at)}
    return {"resourceType": resource["resourceType"], "id": id_, "meta": meta} | {
        key: value for key, value in resource.items() if key not in ("resourceType", "id", "meta")
    }
