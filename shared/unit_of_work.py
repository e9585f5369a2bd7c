"""One write, one transaction: validate, decide, stage, commit. The default exit is rollback.

Resources, history, index rows and outbox rows go to PostgreSQL together. A lone create needs no row lock and goes as a
single statement; whatever loads, or writes twice, opens a transaction first.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg
from pydantic import BaseModel

from shared.engine import Changed, Engine
from shared.errors import Conflict, NotFound, PreconditionFailed, Unavailable, Unprocessable
from shared.fhir.json import Resource, dumps, loads
from shared.fhir.kinds import Consequence, DecisionContext, Fact, ResourceKind, nothing_held
from shared.fhir.search.extract import extract, reference_term
from shared.fhir.search.snapshot import LONGEST_WRITE
from shared.fhir.subset import refuse_subset
from shared.fhir.validate import LocalReference, check
from shared.locking import Locks
from shared.messaging import inbox
from shared.provenance import TYPE as PROVENANCE
from shared.provenance import UNSAID, Cause, Change, accounts, change
from shared.security.caller import Caller, internal
from shared.staging import Key, Staged, key_of, stamp
from shared.store import prepared, resources
from shared.store.database import Connection
from shared.store.indexing import IndexEntries
from shared.store.resources import Stored
from shared.store.write import Write
from shared.store.writing import Unit
from shared.surroundings import Surroundings

LONGEST_WORK = LONGEST_WRITE / 2
"""The age at which a unit of work is not committed any more; what it prepared may take as long again."""


class UnitOfWork:
    """A set of changes that is stored whole or not at all. Get one from ``unit_of_work``."""

    def __init__(
        self, engine: Engine, caller: Caller, provenance: Resource | None = None, cause: Cause = UNSAID
    ) -> None:
        self.engine = engine
        self.caller = caller
        self.access = engine.access(caller)
        """What this work may see; what it may not is absent for it, and cannot be changed."""
        self.now: datetime = engine.clock()
        self.place = ""
        """Which entry of a Bundle (``Bundle.entry[0]``) asks for what is staged now; the commit may have to name it."""
        self._connection: Connection | None = None
        self._transaction: asyncpg.transaction.Transaction | None = None
        self._staged = Staged(engine, self.now)
        self._locks = Locks(self.access, self.connection)
        self._surroundings = Surroundings(engine, self._staged, self._locks, self.flush)
        self._told = False
        self._facts: list[Fact] = []
        self._changes: list[Change] = []
        self._projected: list[Changed] = []
        self._sent = provenance
        self._cause = cause

    async def connection(self) -> Connection:
        """The connection, with the transaction open: for the service's own tables."""
        if self._connection is None:
            self._connection = await self.engine.pool.acquire()
            self._transaction = self._connection.transaction()
            await self._transaction.start()
        return self._connection

    async def first_time(self, consumer: str, event_id: str) -> bool:
        """Claim the event for ``consumer`` in this transaction. False: it was handled before; do nothing and return."""
        return await inbox.claim(await self.connection(), consumer, event_id)

    async def load(self, type_: str, id_: str, *, to_delete: bool = False) -> Stored | None:
        """The current version, locked until the end; may be ``deleted``. None where there is none to be seen.

        Others can still refer to what is only to be changed; what is locked ``to_delete`` they cannot."""
        key = (type_, id_)
        if not to_delete:
            await self.lock_all(await self._held_beside(key))
        await self.lock_all((key,), to_delete=to_delete)
        return self._staged.newest.get(key) or self._locks.get(key)

    async def _held_beside(self, key: Key) -> list[Key]:
        """``key`` and what has to be locked together with it, where that is something and not done yet."""
        type_, id_ = key
        known = key in self._locks or key in self._staged.newest
        if known or type_ not in self.engine.kinds or self.engine.kinds.kind(type_).held is nothing_held:
            return []
        stored = await resources.read(await self.connection(), type_, id_)
        return [] if stored is None or stored.deleted else [*self.held_with(type_, loads(stored.body)), key]

    async def lock_all(self, keys: Iterable[Key], *, to_delete: bool = False) -> None:
        """``load`` all of ``keys`` in one round trip, in an order that is the same for all who come."""
        wanted = [key for key in keys if to_delete or key not in self._staged.newest]
        await self._locks.take(wanted, to_delete=to_delete)

    def held_with(self, type_: str, resource: Resource) -> list[Key]:
        """What has to be locked together with ``resource``, which nobody has checked yet."""
        held = map(key_of, self.engine.kinds.kind(type_).held(resource))
        return [key for key in held if key[0] in self.engine.kinds]

    async def create(self, resource: Resource, *, id: str | None = None, decider: Caller | None = None) -> Stored:
        """Stage a new resource under a server id (or ``id``). Raises what validation and ``decide`` raise.

        ``decider``: for whom the rules decide, where that is not the caller (what the service keeps itself)."""
        id_ = id or self.engine.new_id(resource["resourceType"])
        if beside := self.held_with(resource["resourceType"], resource):
            await self.lock_all(beside)
        return await self._save(None, resource, id_, version=1, method="POST", decider=decider)

    async def update(
        self, resource: Resource, *, if_match: int | None = None, method: str = "PUT", decider: Caller | None = None
    ) -> Stored:
        """Stage a new version of ``resource`` (its ``id`` names it); creates it when absent or deleted.

        Raises ``PreconditionFailed`` when ``if_match`` is not the current version, ``NotFound`` for what is hidden."""
        type_, id_ = resource["resourceType"], resource["id"]
        if beside := self.held_with(type_, resource):
            await self.lock_all((*beside, (type_, id_)))
        stored = await self.load(type_, id_)
        if if_match is not None and (stored is None or stored.deleted or stored.version != if_match):
            raise PreconditionFailed("The resource has changed since the version named in If-Match.")
        if (type_, id_) in self._locks.hidden:
            raise NotFound("No such resource.")
        before = None if stored is None or stored.deleted else loads(stored.body)
        version = 1 if stored is None else stored.version + 1
        return await self._save(before, resource, id_, version=version, method=method, decider=decider)

    async def delete(self, type_: str, id_: str) -> Stored | None:
        """Stage a deletion; None when there is nothing to delete. History is kept.

        Raises, on commit, ``Conflict`` when something still refers to it."""
        stored = await self.load(type_, id_, to_delete=True)
        if stored is None or stored.deleted:
            return None
        kind = self.engine.kinds.kind(type_)
        before = loads(stored.body)
        decision = kind.decide(before, None, await self._context(kind, id_, before, None, self.caller))
        gone = Stored(type_, id_, stored.version + 1, self.now, True, b"")
        # who saw the patient's record may see that something of it was deleted
        index = IndexEntries(patient=extract(before).patient)
        await self._stage(Write(type_, id_, gone.version, self.now, "DELETE", b"", deleted=True, index=index), gone, ())
        self._changes.append(change(before, None, type_, id_, gone.version))
        self._tell(Changed(before, None, gone, decision.facts))
        for consequence in decision.consequences:
            await self._follow(consequence)
        return gone

    def record(self, type: str, subject: str, payload: BaseModel) -> None:
        """Put an event into the outbox, in this transaction."""
        self._staged.tell(type, subject, payload)

    async def commit(self) -> None:
        """Make it durable. Raises ``Unprocessable`` (a dangling reference), ``Conflict``, or ``Unavailable`` for what
        took too long; then nothing is stored."""
        if self._connection is None and self._staged.writes and not self._projected:
            # nothing was loaded, so all of it is new under ids of ours: one statement is atomic and cannot collide,
            # and may take other such units along
            await self._write(None, final=True)
        elif self._connection is None and not self._staged.writes and not self._staged.events:
            return
        else:
            await self.rehearse()
            assert self._transaction is not None
            await self._transaction.commit()
            self._transaction = None
        if self._told:
            self.engine.wake_relay()
        if self._facts:
            self.engine.observe(self._facts)

    async def rehearse(self) -> None:
        """All of ``commit`` but the commit: raises what that would raise. Close the unit of work then."""
        connection = await self.connection()
        await self._write(connection, final=True)
        await self._refuse_dangling(connection)
        await self._project(connection)
        if self.engine.clock() - self.now > LONGEST_WORK:
            # pages and exports that were read meanwhile count on it that nothing as old as this comes any more
            raise Unavailable("This took too long; send less at a time, or try again.")

    async def prepare(self, name: prepared.Name) -> None:
        """Make it durable under ``name``, to be committed or rolled back by whoever finishes it; until then nobody sees
        it, and its locks stay. Raises as ``commit`` does, and what ``prepared.prepare`` raises; then nothing is stored.
        """
        await self.rehearse()
        await prepared.prepare(await self.connection(), name)
        assert self._transaction is not None
        # it has ended already: this tells the connection's own books, and the server that nothing is open
        await self._transaction.commit()
        self._transaction = None
        if self._facts:
            # who finishes it is another request, of another process perhaps
            self.engine.observe(self._facts)

    async def flush(self) -> Connection:
        """Send what is staged, inside the open transaction. References are checked at the commit, when all is there."""
        connection = await self.connection()
        await self._write(connection, final=False)
        return connection

    async def close(self) -> None:
        """Roll back what was not committed."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            # after a failed commit, or on a lost connection, the server has rolled back: asking again would hide why
            if self._transaction is not None and not connection.is_closed() and connection.is_in_transaction():
                await self._transaction.rollback()
        finally:
            await self.engine.pool.release(connection)  # type: ignore[arg-type]  # it came from this pool's acquire

    async def _save(
        self,
        before: Resource | None,
        after: Resource,
        id_: str,
        *,
        version: int,
        method: str,
        decider: Caller | None = None,
    ) -> Stored:
        """Stage a version. ``decider``: for whom the rules decide, where that is not the caller."""
        kind = self.engine.kinds.kind(after["resourceType"])
        references = check(after)
        refuse_subset(after)
        revives = before is None and version > 1
        context = await self._context(kind, id_, before, after, decider or self.caller, revives=revives)
        decision = kind.decide(before, after, context)
        resource = decision.resource
        assert resource is not None, "a decision about a save must return a resource"
        if resource is not after:
            references = check(resource)
        resource = stamp(resource, id_, version, self.now)
        stored = Stored(kind.type, id_, version, self.now, False, dumps(resource))
        write = Write(kind.type, id_, version, self.now, method, stored.body, index=extract(resource))
        await self._stage(write, stored, references)
        self._changes.append(change(before, resource, kind.type, id_, version))
        self._tell(Changed(before, resource, stored, decision.facts))
        for consequence in decision.consequences:
            await self._follow(consequence, new=method == "POST")
        return stored

    async def _context(
        self,
        kind: ResourceKind,
        id_: str,
        before: Resource | None,
        after: Resource | None,
        by: Caller,
        revives: bool = False,
    ) -> DecisionContext:
        related = await self._surroundings.of(kind, before, after, self._connection)
        return DecisionContext(by, self.now, related, revives, id_)

    async def _account(self) -> None:
        """Stage who did what of all that was changed, once."""
        self.place = ""
        changes = [each for each in self._changes if each.type != PROVENANCE]
        sent, self._sent, self._changes = self._sent, None, []
        if changes and sent is not None:
            await self.create(sent | {"target": [{"reference": each.reference} for each in changes]})
        if not self.engine.records_provenance:
            return
        for account in accounts(changes, self.caller, self.now, self._cause):
            resource = stamp(account, self.engine.new_id(PROVENANCE), 1, self.now)
            body = dumps(resource)
            write = Write(PROVENANCE, resource["id"], 1, self.now, "POST", body, index=extract(resource))
            await self._stage(write, Stored(PROVENANCE, resource["id"], 1, self.now, False, body), ())

    async def _stage(self, write: Write, stored: Stored, references: Iterable[LocalReference]) -> None:
        if (write.type, write.id) in self._staged.writes:
            await self.flush()
        self._staged.add(write, stored, references, self.place)

    async def _follow(self, consequence: Consequence, *, new: bool = False) -> None:
        """Change what cannot stay as it is, whether or not the caller may see it, in the name of the service.

        ``new``: what it follows from has an id that was made just now."""
        key = key_of(consequence.reference)
        stored = self._staged.newest.get(key)
        if stored is None and not (new and consequence.absent is not None):
            stored = await self._locks.whether_seen_or_not(key)
        before = None if stored is None or stored.deleted else loads(stored.body)
        after = consequence.absent if before is None else consequence.amend(before)
        if after is not None:
            version = 1 if stored is None else stored.version + 1
            own = internal(self.engine.service)
            await self._save(before, after, key[1], version=version, method="PUT", decider=own)

    def _tell(self, changed: Changed) -> None:
        if self.engine.projects(changed):
            self._projected.append(changed)
        for fact in changed.facts:
            self._tell_fact(fact, changed.stored)

    def _tell_fact(self, fact: Fact, stored: Stored) -> None:
        self._facts.append(fact)
        for type_, subject, payload in self.engine.outgoing(fact, stored, self.caller):
            self.record(type_, subject, payload)

    async def _project(self, connection: Connection) -> None:
        """Bring the service's own tables in step, and send what that makes known."""
        if not self._projected:
            return
        assert self.engine.projection is not None
        projected, self._projected = self._projected, []
        for fact, stored in await self.engine.projection.keep(connection, projected, self.caller) or ():
            self._tell_fact(fact, stored)
        if self._staged.events:
            self._told = True
            await resources.add_events(connection, self._staged.events)
            self._staged.sent()

    async def _write(self, connection: Connection | None, *, final: bool) -> None:
        """Send what is staged: on ``connection``, or without one as a statement of its own."""
        if final:
            await self._account()
        writes, events = list(self._staged.writes.values()), self._staged.events
        self._told = self._told or bool(events)
        wanted = self._staged.wanted if final else []
        if writes:
            if connection is None:
                outcome = await self.engine.writer.write(Unit(writes, events, wanted))
            else:
                outcome = await resources.write(connection, writes, events, wanted)
            present = outcome.present
            complete = outcome.written == len(writes)
        else:
            connection = await self.connection()
            complete = True
            present = await resources.present(connection, wanted) if wanted else frozenset()
            if events:
                await resources.add_events(connection, events)
        missing = [key for key in wanted if key not in present]
        if missing:
            paths = tuple(self._staged.references[key] for key in missing)
            raise Unprocessable("A referenced resource does not exist here.", code="not-found", expression=paths)
        if not complete:
            raise Conflict("The resource was changed by somebody else at the same moment; try again.")
        self._staged.sent()

    async def _refuse_dangling(self, connection: Connection) -> None:
        terms = {reference_term(type_, id_): (type_, id_) for type_, id_ in self._staged.gone}
        # copies may be out of date, and their owners decide by their own rules
        # nor does the record of a change keep what was changed from being deleted
        beside = (*self.engine.copied, PROVENANCE)
        held = await resources.referred_to(connection, list(terms), beside=beside) if terms else None
        if held is not None:
            place = self._staged.places.get(terms[held])
            where = () if place is None else (place,)
            raise Conflict("Other resources still refer to what was to be deleted.", expression=where)


@asynccontextmanager
async def unit_of_work(
    engine: Engine, caller: Caller, *, provenance: Resource | None = None, cause: Cause = UNSAID
) -> AsyncIterator[UnitOfWork]:
    """A unit of work; what is not committed when the block ends is rolled back.

    ``provenance`` is what the client says of where its data come from: it is kept, with all that is changed as its
    targets. ``cause`` stands in what the server itself records, where ``Engine.records_provenance``."""
    work = UnitOfWork(engine, caller, provenance, cause)
    try:
        yield work
    finally:
        await work.close()
