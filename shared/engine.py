"""What one service's engine runs on, put together once per process."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import BaseModel

from shared.clock import Clock, system_clock
from shared.copies.peers import Peers
from shared.fhir.json import Resource
from shared.fhir.kinds import Fact, Registry
from shared.fhir.rules import WriteRules, rules_from_settings
from shared.fhir.search.access import Rules, everything
from shared.ids import IdSource, uuid7
from shared.security.caller import Caller
from shared.store.copying import Copier
from shared.store.database import Connection, Pool
from shared.store.reading import Reader
from shared.store.replica import Replica
from shared.store.resources import Stored
from shared.store.writing import Writer

if TYPE_CHECKING:  # operations run on an engine
    from shared.fhir.operations.operation import Operation

SPREAD = frozenset({"Provenance"})
"""Types that every service has: they live beside what they speak of."""

Outgoing = Callable[[Fact, Stored, Caller], Iterable[tuple[str, str, BaseModel]]]
"""``outgoing(fact, stored, caller)`` -> (event type, subject, payload) for each event that the fact becomes."""


def tells_nothing(fact: Fact, stored: Stored, caller: Caller) -> Iterable[tuple[str, str, BaseModel]]:
    """The outgoing mapping of a service without events."""
    return ()


def observes_nothing(facts: Sequence[Fact]) -> None:
    """For a service that counts nothing."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One resource that a unit of work changes, with the facts that its kind told."""

    before: Resource | None
    after: Resource | None
    """As it is stored; None where it is deleted."""
    stored: Stored
    facts: tuple[Fact, ...]


def every_change(changed: Changed) -> bool:
    """All changes of a type are of interest."""
    return True


@dataclass(frozen=True, slots=True)
class Projection:
    """What a service keeps in tables of its own about ``types``, in the transaction of each change."""

    types: frozenset[str]
    keep: Callable[[Connection, Sequence[Changed], Caller], Awaitable[Sequence[tuple[Fact, Stored]] | None]]
    """Changes in their order, and who makes them; the facts that follow from them together with what is in the tables,
    each with the version that it is about, are told in the same transaction."""
    concerns: Callable[[Changed], bool] = every_change
    """Which changes of these types are of interest: others need no transaction for them. Pure."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What one service's engine runs on."""

    service: str
    kinds: Registry
    pool: Pool
    outgoing: Outgoing = tells_nothing
    observe: Callable[[Sequence[Fact]], None] = observes_nothing
    """Hears the facts of each unit of work after its commit; it may count, not act."""
    projection: Projection | None = None
    operations: tuple["Operation", ...] = ()
    """FHIR operations of the service's own, beside those of every service."""
    clock: Clock = system_clock
    ids: IdSource = uuid7
    wake_relay: Callable[[], None] = field(default=lambda: None)
    """Called after a commit that left events in the outbox."""
    access: Rules = everything
    """What a caller may see: whatever reads goes through it (``shared.fhir.search.access``)."""
    records_provenance: bool = False
    """Whether each unit of work says in a Provenance who changed what."""
    tells: frozenset[str] = frozenset()
    """Types of ours of which others keep copies: each change of one is told."""
    copied: Mapping[str, str] = field(default_factory=dict)
    """Types of which copies are kept here, and the services that own them."""
    peers: Peers | None = None
    """The owners of the copies, in a process that keeps them."""
    replica: Replica | None = None
    """Where searches go while it is fresh enough; everything else asks ``pool``."""
    rules: WriteRules = field(default_factory=rules_from_settings)
    """What operators decide about writes."""
    reader: Reader = field(init=False)
    writer: Writer = field(init=False)
    copier: Copier = field(init=False)

    def new_id(self, type_: str) -> str:
        """An id for a new resource; of a type that several services have, one that says where: ``referrals.<uuid>``."""
        return f"{self.service}.{self.ids()}" if type_ in SPREAD else self.ids()

    def projects(self, changed: Changed) -> bool:
        """Whether tables of the service's own follow from this change."""
        projection = self.projection
        return projection is not None and changed.stored.type in projection.types and projection.concerns(changed)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reader", Reader(self.pool))
        object.__setattr__(self, "writer", Writer(self.pool))
        object.__setattr__(self, "copier", Copier(self.pool))

    def demands_if_match(self, type_: str) -> bool:
        """Whether a person's update of ``type_`` needs If-Match."""
        if self.rules.if_match_types is None:
            return self.kinds.kind(type_).if_match_required
        return type_ in self.rules.if_match_types
