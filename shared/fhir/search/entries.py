"""What the extractors of one resource fill: the index entries in the making."""

from dataclasses import dataclass, field

from shared.store.indexing import DateEntry, IndexEntries, QuantityEntry, StringEntry


@dataclass(slots=True)
class Entries:
    """Index entries in the making."""

    terms: list[int] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    dates: list[DateEntry] = field(default_factory=list)
    strings: list[StringEntry] = field(default_factory=list)
    quantities: list[QuantityEntry] = field(default_factory=list)
    patient: str | None = None

    def frozen(self) -> IndexEntries:
        """Each entry once; terms in ascending order, so that writers that meet take locks in the same order."""
        return IndexEntries(
            self.patient,
            tuple(sorted(set(self.terms))),
            tuple(dict.fromkeys(self.marks)),
            tuple(dict.fromkeys(self.dates)),
            tuple(dict.fromkeys(self.strings)),
            tuple(dict.fromkeys(self.quantities)),
        )
