"""The registry: one small descriptor per resource type; what is not said there is the same for all types."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from shared.errors import NotFound
from shared.fhir.comparison import Compare
from shared.fhir.json import Resource
from shared.security.caller import Caller


class Fact(Protocol):
    """A thing that happened in a service's domain; its ``events/outgoing`` turns it into contract events."""


@dataclass(frozen=True, slots=True)
class DecisionContext:
    """What a decision may look at beside the resource before and after."""

    caller: Caller
    now: datetime
    related: Mapping[str, Resource] = field(default_factory=dict)
    """What ``ResourceKind.related`` and ``further`` named, and what refers to what ``referring`` named, by reference;
    resources that do not exist are absent."""
    revives: bool = False
    """On create: a resource with this id was there before, and was deleted."""
    id: str = ""
    """The id under which it is stored; a resource that is created need not name it."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """Another resource of this service that cannot stay as it is, or must be there; its own kind decides, too."""

    reference: str
    amend: Callable[[Resource], Resource | None]
    """From what is stored, when it is locked, to what it becomes; None where it may stay. Pure."""
    absent: Resource | None = None
    """What it is made as where there is none, or it was deleted; None: then nothing happens.

    Its id must come from the id of what is written: where that is new and ours, nobody has it, and nobody looks."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of a legal write: what to store (may be amended), the facts to tell, and what changes with it in the
    same transaction."""

    resource: Resource | None
    facts: tuple[Fact, ...] = ()
    consequences: tuple[Consequence, ...] = ()


Decide = Callable[[Resource | None, Resource | None, DecisionContext], Decision]
"""``decide(before, after, context)``: pure. ``before`` is None on create, ``after`` on delete.

Raises ``Conflict`` (illegal transition), ``Forbidden`` (not by this caller) or ``Unprocessable`` (a rule is broken)."""


def accept(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """The rule of a type that has no rules of its own."""
    return Decision(after)


def nothing_related(before: Resource | None, after: Resource | None) -> Iterable[str]:
    """No related resources are needed."""
    return ()


def nothing_further(before: Resource | None, after: Resource | None, related: Mapping[str, Resource]) -> Iterable[str]:
    """What was found leads to no other."""
    return ()


@dataclass(frozen=True, slots=True)
class Referring:
    """Resources of one type that refer to another."""

    type: str
    target: str
    """A relative reference."""


def nothing_referring(before: Resource | None, after: Resource | None) -> Iterable[Referring]:
    """Nobody who refers to it is looked for."""
    return ()


def nothing_held(after: Resource) -> Iterable[str]:
    """Nothing is held beside the resource itself."""
    return ()


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """What is particular about one resource type in the service that owns it."""

    type: str
    decide: Decide = accept
    related: Callable[[Resource | None, Resource | None], Iterable[str]] = nothing_related
    """References (``ServiceRequest/x``) that ``decide`` wants to see; pure."""
    further: Callable[[Resource | None, Resource | None, Mapping[str, Resource]], Iterable[str]] = nothing_further
    """References that ``decide`` wants to see because of what was found; asked until they are all known; pure."""
    referring: Callable[[Resource | None, Resource | None], Iterable[Referring]] = nothing_referring
    """What ``decide`` wants to see because it refers to something; pure."""
    held: Callable[[Resource], Iterable[str]] = nothing_held
    """References that are locked before the resource is judged, so that what is judged together changes in turn; pure,
    and asked of what nobody has checked yet."""
    compare: Compare | None = None
    """How a change that was made from an older version differs: told to whom its If-Match is stale; pure."""
    if_match_required: bool = False
    """An interactive caller must send If-Match on update (428 otherwise), unless ``CONSILIUM_IF_MATCH_TYPES`` says
    which types that holds for."""


class Registry:
    """The types that one service owns. ``kind`` raises ``NotFound`` for others."""

    def __init__(self, kinds: Iterable[ResourceKind]) -> None:
        self._kinds = {kind.type: kind for kind in kinds}

    def kind(self, type_: str) -> ResourceKind:
        """The descriptor of ``type_``. Raises ``NotFound`` where this service does not own it."""
        try:
            return self._kinds[type_]
        except KeyError:
            raise NotFound("This resource type is not served here.", code="not-supported") from None

    def __contains__(self, type_: object) -> bool:
        return type_ in self._kinds

    def __iter__(self) -> Iterator[ResourceKind]:
        return iter(self._kinds.values())

    def __len__(self) -> int:
        return len(self._kinds)


def kinds_of(types: Iterable[str], **particulars: Any) -> Iterator[ResourceKind]:
    """Plain descriptors for ``types``."""
    return (ResourceKind(type_, **particulars) for type_ in types)
