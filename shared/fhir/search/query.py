"""A search as a value: what was asked, after parsing and before SQL."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from shared.fhir.search.filters import Filter
from shared.fhir.search.parameters import Parameter
from shared.fhir.search.snapshot import Snapshot
from shared.fhir.subset import Subset
from shared.store.size import MOST_BYTES

SortValue = int | str | datetime | Decimal
DEFAULT_COUNT = 50
LARGEST_COUNT = 1_000


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort key. ``param`` is the key of the entries that hold the values: dates, strings or quantities."""

    kind: Literal["updated", "id", "date", "string", "quantity", "reference"]
    descending: bool = False
    param: int = 0
    path: tuple[str, ...] = ()
    """Where the text of a reference stands in the body."""
    start: str = ""
    """How that text begins, if it counts: ``Patient/``."""

    @property
    def arguments(self) -> list[Any]:
        """The bound values of the key, in the order of ``order.PARAMETERS``."""
        if self.kind == "reference":
            return [list(self.path), self.start]
        return [self.param] if self.kind in ("date", "string", "quantity") else []


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the page before ended: the sort values and the row number (never reused or changed) of its last row."""

    values: tuple[SortValue, ...]
    rid: int
    snapshot: Snapshot | None = None
    """What the first page saw, where the order is that of ``_lastUpdated``."""


@dataclass(frozen=True, slots=True)
class Include:
    """Bring in what a match refers to by ``parameter`` (reverse: what refers to a match); any ``target`` if empty."""

    parameter: Parameter
    target: str = ""
    reverse: bool = False
    iterate: bool = False
    """Also for what was included, not for the matches alone."""


@dataclass(frozen=True, slots=True)
class Query:
    """One search. ``count`` 0 asks for the total alone; ``applied`` are what was understood, for links."""

    type: str
    filters: tuple[Filter, ...] = ()
    sort: tuple[Sort, ...] = ()
    count: int = DEFAULT_COUNT
    most_bytes: int = MOST_BYTES
    total: bool = False
    estimate: bool = False
    """Whether the total need not be counted to its end."""
    subset: Subset | None = None
    """The part of each resource that is asked for; None: all of it."""
    includes: tuple[Include, ...] = ()
    cursor: Cursor | None = None
    applied: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    """What the caller must know of how it was understood."""
    compartment: str = ""
    """The id of the patient in whose compartment it looks, for links."""
    now: datetime = datetime(9999, 12, 31, tzinfo=UTC)
    """When it was asked, by the clock that also sets ``lastUpdated``."""

    @property
    def moves(self) -> bool:
        """Whether a write can move a row in the order of the answer."""
        return [key.kind for key in self.sort] == ["updated"]
