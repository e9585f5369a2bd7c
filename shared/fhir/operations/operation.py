"""What an operation is: its name, where it may be asked for, and what it does (http://hl7.org/fhir/R4/operations.html)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from shared.engine import Engine
from shared.fhir.http import Request, Response

Run = Callable[[Engine, Request], Awaitable[Response]]


class Level(StrEnum):
    """Where an operation stands: ``/$name``, ``/Type/$name`` or ``/Type/id/$name``."""

    SYSTEM = "system"
    TYPE = "type"
    INSTANCE = "instance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What is told of an operation."""

    name: str
    """Without the dollar."""
    definition: str
    """The canonical URL of its OperationDefinition."""
    levels: frozenset[Level]
    types: frozenset[str] = frozenset()
    """The types it is for; none: all."""
    methods: tuple[str, ...] = ("GET", "HEAD", "POST")
    """What changes something, or takes parameters that no query can hold, takes POST alone."""

    def serves(self, level: Level, type_: str) -> bool:
        """Whether it may be asked for at ``level`` of ``type_``, which is empty at the system's."""
        return level in self.levels and (not type_ or not self.types or type_ in self.types)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Offer):
    """One operation of a service."""

    run: Run
    in_parts: bool = False
    """Whether a service that does not own the type answers, too, with its part; the edge joins the parts."""
