"""What the extractors of one resource fill: the index entries in the making."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self, TypeVar

from shared.errors import Unprocessable
from shared.store.indexing import DateEntry, IndexEntries, QuantityEntry, StringEntry

MOST_ENTRIES = 10_000
"""Index entries of one resource, of each kind. A Provenance of a patient's whole record has two thousand, everything
else in the published examples and Synthea's records under one; each costs a row, and a few are made of each value."""

_T = TypeVar("_T")


class Bounded(list[_T]):
    """Entries of one kind. Raises ``Unprocessable`` when they become too many, not when all have been made."""

    __slots__ = ()

    def append(self, entry: _T) -> None:
        """Add one."""
        super().append(entry)
        if len(self) > MOST_ENTRIES:
            raise _too_many()

    def __iadd__(self, entries: Iterable[_T]) -> Self:  # type: ignore[misc, override]  # as typeshed has it
        self.extend(entries)
        if len(self) > MOST_ENTRIES:
            raise _too_many()
        return self


def _too_many() -> Unprocessable:
    return Unprocessable("The resource has more searchable values than this server indexes.", code="too-costly")


@dataclass(slots=True)
class Entries:
    """Index entries in the making."""

    terms: Bounded[int] = field(default_factory=Bounded)
    links: Bounded[tuple[int, int]] = field(default_factory=Bounded)
    marks: list[int] = field(default_factory=list)
    dates: Bounded[DateEntry] = field(default_factory=Bounded)
    strings: Bounded[StringEntry] = field(default_factory=Bounded)
    quantities: Bounded[QuantityEntry] = field(default_factory=Bounded)
    patient: str | None = None

    def frozen(self) -> IndexEntries:
        """Each entry once; terms in ascending order, so that writers that meet take locks in the same order."""
        return IndexEntries(
            self.patient,
            tuple(sorted(set(self.terms))),
            tuple(dict.fromkeys(self.links)),
            tuple(dict.fromkeys(self.marks)),
            tuple(dict.fromkeys(self.dates)),
            tuple(dict.fromkeys(self.strings)),
            tuple(dict.fromkeys(self.quantities)),
        )
