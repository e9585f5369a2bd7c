"""One turn at an import: chunk by chunk, each committed with its place and the report of its lines.

A line is written as PUT writes it: under its own id, by the rules of its type. A chunk is one transaction; where that
fails as a whole, because a line refers to what is not there, each goes alone, and those that wait for others are tried
again when all have had their turn, as long as that helps.
"""

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import msgspec

from shared.engine import Engine
from shared.errors import Category, ConsiliumError, Invalid, Issue
from shared.fhir.http import legal_id
from shared.fhir.json import Resource, dumps, received
from shared.fhir.outcome import outcome
from shared.fhir.references import make_relative
from shared.security.caller import Caller
from shared.security.claims import caller_of
from shared.store import job_files, jobs
from shared.store.database import Connection
from shared.store.job_files import File, Tail
from shared.store.jobs import Job
from shared.unit_of_work import UnitOfWork, unit_of_work

STORED, REFUSED, INPUT = 1, 2, 10
"""Numbers of files: reports of lines, and the lines themselves; those that wait are in the files after ``INPUT``."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an import came from."""

    request: str
    base: str
    claims: dict[str, str]


@dataclass(slots=True)
class Place:
    """How far an import is."""

    round: int = 0
    """How often all lines had their turn."""
    chunk: int = 0
    within: int = 0
    """Lines of this chunk that are done, where each goes alone."""
    settled: int = 0
    """Lines that are stored or refused."""
    helped: bool = False
    """Whether a line was settled in this round."""
    last: bool = False
    """What still waits is refused."""
    waiting: Tail = field(default_factory=Tail)
    stored: Tail = field(default_factory=Tail)
    refused: Tail = field(default_factory=Tail)

    def encode(self) -> bytes:
        """For the job's row."""
        return msgspec.json.encode(self)


@dataclass(frozen=True, slots=True)
class Line:
    """A line: its number in the body, from 1 on, and its bytes."""

    number: int
    text: bytes

    def kept(self) -> bytes:
        """As it is in a file."""
        return b"%d %b" % (self.number, self.text)


def kept_lines(text: bytes) -> list[Line]:
    """The lines in a chunk of a file."""
    rows = (row.partition(b" ") for row in text.removesuffix(b"\n").split(b"\n"))
    return [Line(int(number), row) for number, _, row in rows]


class Lost(Exception):
    """The job is no longer this holder's; what was not committed is undone."""


def encode(source: Source) -> bytes:
    """For the job's row."""
    return msgspec.json.encode(source)


def decode(stored: bytes) -> Source:
    """From the job's row."""
    return msgspec.json.decode(stored, type=Source)


@dataclass(slots=True)
class Import:
    """An import in the hands of a worker."""

    engine: Engine
    job: Job
    holder: str
    lease: timedelta
    place: Place
    caller: Caller
    base: str

    async def chunk(self, text: bytes) -> None:
        """Deal with the lines in ``text``. Raises ``Lost``, and what a lost database does."""
        listed = kept_lines(text)
        if self.place.within == 0 and await self._together(listed):
            return
        for line in listed[self.place.within :]:
            await self._alone(line, ends=line is listed[-1])

    async def _together(self, listed: list[Line]) -> bool:
        """All lines in one transaction; False where that was not to be."""
        told: list[tuple[Line, ConsiliumError | None]] = []
        read: list[tuple[Line, Resource]] = []
        for line in listed:
            try:
                read.append((line, self._resource(line)))
            except ConsiliumError as error:
                told.append((line, error))
        keys = [(resource["resourceType"], resource["id"]) for _, resource in read]
        if len(set(keys)) < len(keys):
            # one after the other: what the second is judged by, the first has made
            return False
        async with unit_of_work(self.engine, self.caller) as work:
            await work.lock_all(keys)
            for line, resource in read:
                try:
                    await work.update(resource)
                except ConsiliumError as error:
                    told.append((line, error))
                else:
                    told.append((line, None))
            place = replace(self.place, chunk=self.place.chunk + 1)
            try:
                await self._commit(work, place, sorted(told, key=lambda one: one[0].number))
            except ConsiliumError:
                return False
        return True

    async def _alone(self, line: Line, *, ends: bool) -> None:
        """One line in a transaction of its own."""
        place = replace(self.place, within=self.place.within + 1)
        if ends:
            place = replace(place, chunk=place.chunk + 1, within=0)
        told: list[tuple[Line, ConsiliumError | None]]
        try:
            async with unit_of_work(self.engine, self.caller) as work:
                await work.update(self._resource(line))
                await self._commit(work, replace(place), [(line, None)])
                return
        except ConsiliumError as error:
            told = [(line, error)]
        async with unit_of_work(self.engine, self.caller) as work:
            await self._commit(work, place, told)

    def _resource(self, line: Line) -> Resource:
        """What ``line`` holds. Raises ``Invalid`` or ``NotFound``."""
        resource = received(line.text)
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            raise Invalid("A line is a FHIR resource.", code="structure")
        self.engine.kinds.kind(resource["resourceType"])
        if not isinstance(resource.get("id"), str) or not legal_id(resource["id"]):
            raise Invalid("A resource that is imported has an id.", code="required", expression=("id",))
        make_relative(resource, self.base)
        return resource

    async def _commit(self, work: UnitOfWork, place: Place, told: list[tuple[Line, ConsiliumError | None]]) -> None:
        """Commit ``work``, the report and the place together. Raises ``Lost``."""
        connection = await work.connection()
        waits = [line for line, error in told if error is not None and not place.last and _may_wait(error)]
        settled = [(line, error) for line, error in told if line not in waits]
        place.settled, place.helped = place.settled + len(settled), place.helped or bool(settled)
        stored = [_told(line, None) for line, error in settled if error is None]
        refused = [_told(line, error) for line, error in settled if error is not None]
        reported = File(STORED, "output", "OperationOutcome", 0)
        place.stored = await self._append(connection, reported, stored, place.stored)
        place.refused = await self._append(
            connection, File(REFUSED, "error", "OperationOutcome", 0), refused, place.refused
        )
        rows = [line.kept() for line in waits]
        waiting = File(INPUT + place.round + 1, "input", "", 0)
        place.waiting = await self._append(connection, waiting, rows, place.waiting)
        if not await jobs.advance(connection, self.job.id, self.holder, place.encode(), place.settled, self.lease):
            raise Lost
        await work.commit()
        self.place = place

    async def _append(self, connection: Connection, file: File, rows: list[bytes], tail: Tail) -> Tail:
        if not rows:
            return tail
        chunk = await asyncio.to_thread(job_files.packed, b"\n".join(rows) + b"\n", tail)
        await job_files.append(connection, self.job.id, replace(file, count=len(rows)), chunk)
        return chunk.tail

    def next_round(self) -> bool:
        """Go on with those that wait; False where none does."""
        place = self.place
        if not place.waiting.chunks:
            return False
        self.place = Place(
            round=place.round + 1,
            settled=place.settled,
            last=not place.helped,
            stored=place.stored,
            refused=place.refused,
        )
        return True


async def import_(
    engine: Engine, job: Job, holder: str, stop: asyncio.Event, *, lease: timedelta = jobs.LEASE, turn_s: float = 20.0
) -> None:
    """Work at ``job`` until it is done, lost or cancelled, for ``turn_s`` seconds or until ``stop``; then leave it.

    Raises what asyncpg raises; the next turn goes on from the last chunk."""
    source = decode(job.asked)
    place = msgspec.json.decode(job.position, type=Place)
    one = Import(engine, job, holder, lease, place, caller_of(source.claims), source.base)
    until = time.monotonic() + turn_s
    while True:
        if stop.is_set() or time.monotonic() > until:
            await jobs.leave(engine.pool, job.id, holder)
            return
        text = await job_files.text(engine.pool, job.id, INPUT + one.place.round, one.place.chunk)
        if text is None:
            if one.next_round():
                continue
            break
        try:
            await one.chunk(text)
        except Lost:
            return
    async with engine.pool.acquire() as connection, connection.transaction():
        if await jobs.finish(connection, job.id, holder):
            await job_files.drop(connection, job.id, INPUT)


def _may_wait(error: ConsiliumError) -> bool:
    """Whether another line may help: what it refers to may come, and who was faster is done."""
    missing = error.category is Category.UNPROCESSABLE and error.issues[0].code == "not-found"
    return missing or error.category is Category.CONFLICT


def _told(line: Line, error: ConsiliumError | None) -> bytes:
    """What became of a line. Texts never repeat what it says."""
    if error is None:
        return dumps(outcome([Issue("informational", f"Line {line.number}: stored.", severity="information")]))
    issues: list[Any] = [replace(issue, text=f"Line {line.number}: {issue.text}") for issue in error.issues]
    return dumps(outcome(issues))
