"""One unit on its way: split by owner, freed of dangling references, sent, written into the journal."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from consilium.importing.doubt import recovered
from consilium.importing.journal import Done, Journal
from consilium.importing.order import ordered
from consilium.importing.references import rewritten
from consilium.importing.repair import literals, with_own_ids, without_dangling
from consilium.importing.report import Report
from consilium.importing.server import Fate, Server
from consilium.importing.split import parts
from consilium.importing.structure import with_structure
from consilium.importing.units import Unit, type_of
from services.gateway.routing import owner_of

CIRCLE = "its parts belong to several services and refer to each other in a circle"


@dataclass(slots=True)
class Loader:
    """Loads units and keeps the report."""

    server: Server
    journal: Journal
    report: Report
    advance: Callable[[int], None]
    """Called with the number of entries that are dealt with."""
    again: bool = False
    missing: set[str] = field(default_factory=set)
    """``Type/id`` that are neither in the files nor on the server."""

    async def load(self, units: list[Unit], *, concurrency: int) -> None:
        """Load all ``units``, what is referred to first, ``concurrency`` at a time."""
        sorter = ordered(units)
        running: dict[asyncio.Task[None], int] = {}
        ready: list[int] = []
        try:
            while sorter.is_active():
                ready.extend(sorted(sorter.get_ready()))
                while ready and len(running) < concurrency:
                    position = ready.pop(0)
                    running[asyncio.create_task(self.one(units[position]))] = position
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                    sorter.done(running.pop(task))
        finally:
            for task in running:
                task.cancel()

    async def one(self, unit: Unit) -> None:
        """Load one unit; whatever happens to it is in the report."""
        pieces = parts(unit, owner_of)
        if pieces is None:
            for entry in unit.entries:
                self.report.refuse(unit.source, type_of(entry), CIRCLE)
            self.advance(len(unit.entries))
            return
        made: dict[str, str] = {}
        for piece in pieces:
            made.update(await self._piece(piece, made))

    async def _piece(self, piece: Unit, made: Mapping[str, str]) -> Mapping[str, str]:
        """Load a part of a unit; which fullUrl became what."""
        digest = piece.digest
        if self.journal.in_doubt(digest) and not self.again:
            await self._settle_doubt(digest, piece)
        known = None if self.again else await self._known(digest)
        before = known or Done(frozenset())
        left = [position for position in range(len(piece.entries)) if position not in before.positions]
        for position in before.positions:
            self.report.skipped[type_of(piece.entries[position])] += 1
        self.advance(len(piece.entries) - len(left))
        if not left:
            return before.made
        rest = replace(piece, entries=tuple(piece.entries[position] for position in left))
        self.journal.sending(digest, piece.source)
        fates = await self.server.send(self._sendable(rest, made))
        stored: list[int] = []
        new: dict[str, str] = {}
        for position, fate in zip(left, fates, strict=True):
            self._count(piece, position, fate)
            if fate.reference is not None:
                stored.append(position)
                new[piece.entries[position].get("fullUrl") or f"{digest}/{position}"] = fate.reference
        if stored:
            self.journal.add(digest, piece.source, stored, new)
        self.advance(len(left))
        return {**before.made, **new}

    async def _known(self, digest: str) -> Done | None:
        """What the journal says of a unit, unless the server behind the URL never had it (a new database)."""
        done = self.journal.done(digest)
        if done is None or not done.made:
            return done
        (answer,) = await self.server.read([next(iter(done.made.values()))])
        # 410 is no other database: it was stored here and deleted since
        if str(answer.get("response", {}).get("status", "")).startswith("404"):
            self.journal.forget(digest)
            return None
        return done

    async def _settle_doubt(self, digest: str, piece: Unit) -> None:
        """Note in the journal that ``piece`` is stored, if the server has it."""
        made = await recovered(piece, self.server)
        if made is not None:
            self.journal.add(digest, piece.source, range(len(piece.entries)), made)

    def _sendable(self, unit: Unit, made: Mapping[str, str]) -> Unit:
        unit = without_dangling(unit, self.missing, self.report.repaired)
        return replace(unit, entries=tuple(rewritten(entry, made) for entry in unit.entries)) if made else unit

    def _count(self, piece: Unit, position: int, fate: Fate) -> None:
        type_ = type_of(piece.entries[position])
        if fate.reference is not None:
            self.report.loaded[type_] += 1
        else:
            self.report.refuse(piece.source, type_, fate.reason or "refused")


def prepared(units: list[Unit], report: Report, *, strict: bool = False) -> list[Unit]:
    """``units`` in R4's structure (not so if ``strict``), with PUT URLs that agree with their resources."""
    sound = units if strict else [with_structure(unit, report.repaired) for unit in units]
    return [with_own_ids(unit, report.repaired) for unit in sound]


async def find_missing(units: list[Unit], server: Server) -> set[str]:
    """The ``Type/id`` that ``units`` refer to inside one service and that exist nowhere."""
    given = {
        f"{entry['resource'].get('resourceType')}/{entry['resource'].get('id')}"
        for unit in units
        for entry in unit.entries
        if entry["request"]["method"] == "PUT" and isinstance(entry.get("resource"), dict)
    }
    absent = sorted({name for unit in units for name in literals(unit)} - given)
    absent = [name for name in absent if owner_of(name.partition("/")[0]) is not None]
    answers = await server.read(absent)
    return {
        name
        for name, answer in zip(absent, answers, strict=True)
        if str(answer.get("response", {}).get("status", ""))[:3] in ("404", "410")
    }
