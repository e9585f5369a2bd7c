"""What this release ships (treatment catalogue, Questionnaires) in the shared record, found there like all else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.careplans.catalogue.definitions import definitions
from services.careplans.catalogue.reading import catalogue
from services.careplans.content.questionnaires import questionnaires
from services.careplans.domain.rules import KEEPER
from shared.engine import Engine
from shared.fhir.json import Resource, loads
from shared.store.resources import Stored
from shared.unit_of_work import unit_of_work

_LOCK = 0x6361_7461_6C6F_6775
"""The advisory lock of who loads: of two workers that start together, the second finds everything there."""
_VERSION = re.compile(r"\d{1,9}(\.\d{1,9}){0,3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading did: how many definitions are new, have a new version, were as they should be, or were left alone
    because people deleted them, took the id for something else, or gave them a version of their own."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    left: int = 0


def packaged() -> list[Resource]:
    """The definitions and Questionnaires of this release. Reading them takes half a second the first time: not on the
    event loop."""
    return [*definitions(catalogue()), *questionnaires()]


async def load_catalogue(engine: Engine, wanted: Sequence[Resource]) -> Loaded:
    """Store what is absent or older than ``wanted``, all or nothing; nothing is written where nothing is.

    A release that is older than what is stored changes nothing, so old and new workers may run side by side."""
    counts = {"created": 0, "updated": 0, "unchanged": 0, "left": 0}
    async with unit_of_work(engine, KEEPER) as work:
        connection = await work.connection()
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await work.lock_all([(definition["resourceType"], definition["id"]) for definition in wanted])
        for definition in wanted:
            became = _becomes(await work.load(definition["resourceType"], definition["id"]), definition)
            counts[became] += 1
            if became in ("created", "updated"):
                await work.update(definition)
        if counts["created"] or counts["updated"]:
            await work.commit()
    return Loaded(**counts)


def _becomes(stored: Stored | None, definition: Resource) -> str:
    if stored is None:
        return "created"
    if stored.deleted:
        return "left"
    present: Resource = loads(stored.body)
    version = present.get("version")
    if present.get("url") != definition["url"] or not isinstance(version, str) or not _VERSION.fullmatch(version):
        return "left"
    return "updated" if _ordered(version) < _ordered(definition["version"]) else "unchanged"


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
