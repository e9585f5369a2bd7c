"""A sum per day over the merged list, as a range: where a dose is not known, it has no upper end.

The lower end: of what may be one prescription, the largest counts. The upper end: all of it counts.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.careplans.domain.safety.dosing import Dose
from services.careplans.domain.safety.gaps import Gap
from services.careplans.domain.safety.links import Pair, groups
from services.careplans.domain.safety.medications import Medication
from services.careplans.domain.safety.merging import Entry, MedicationList
from services.careplans.domain.safety.quantities import plain

ZERO = Decimal(0)
CENT = Decimal("0.01")

Figure = Callable[[Dose, Medication], Decimal | Gap | None]
"""What one dose adds; a Gap where that is not known, None where the sum is not about it."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one entry adds, at least and at most. ``low`` is None where no source gives a dose; ``high`` where one dose
    of it is not known."""

    entry: Entry
    low: Decimal | None
    high: Decimal | None
    at_most: bool
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Total:
    """A daily sum in ``unit``. ``at_most``: as needed, ranges and limits are counted in full."""

    unit: str
    low: Decimal
    high: Decimal | None
    at_most: bool
    shares: tuple[Share, ...]
    gaps: tuple[Gap, ...]
    doubts: tuple[Pair, ...] = ()
    """Pairs of entries that may be one prescription."""

    @property
    def known(self) -> bool:
        """Whether it is one figure."""
        return self.high is not None and self.low == self.high

    def __str__(self) -> str:
        most = ", as needed counted in full" if self.at_most else ""
        if self.high is None:
            return f"at least {plain(self.low)} {self.unit}{most}" if self.low else "not known"
        figures = plain(self.low) if self.known else f"{plain(self.low)} to {plain(self.high)}"
        return f"{figures} {self.unit}{most}"


def total(of: MedicationList, unit: str, figure: Figure) -> Total:
    """The sum of what ``figure`` says of each dose. A medicine that cannot be told may be one of those that count."""
    shares = [share for entry in of.entries if (share := _share(entry, figure)) is not None]
    counted = {each.entry.lead.reference: each for each in shares}
    doubts = tuple(pair for pair in of.doubts if counted.keys() >= set(pair))
    low = sum((_least([counted[each] for each in group], doubts) for group in groups(counted, doubts)), ZERO)
    highs = [each.high for each in shares]
    nameless = [gap for entry in of.entries if entry.nameless for gap in entry.lead.gaps]
    high = sum((each for each in highs if each is not None), ZERO)
    return Total(
        unit,
        _rounded(low),
        None if None in highs or nameless else _rounded(high),
        any(each.at_most for each in shares),
        tuple(shares),
        tuple(sorted({*nameless, *(gap for each in shares for gap in each.gaps)})),
        doubts,
    )


def _share(entry: Entry, figure: Figure) -> Share | None:
    """One prescription that several sources tell of: what is known counts, unless a text contradicts its elements."""
    sums = [found for each in entry.counted if (found := _sum(each, figure)) is not None]
    if not sums:
        return None
    known = [value for value, gaps, _ in sums if value is not None and not gaps]
    gaps = tuple(gap for _, found, _ in sums for gap in found)
    contradicted = any(gap.element.endswith(".text") for gap in gaps)
    if known and not contradicted:
        counted = [at_most for value, found, at_most in sums if value is not None and not found]
        return Share(entry, min(known), max(known), any(counted), ())
    parts = [value for value, _, _ in sums if value is not None]
    return Share(entry, min(parts) if parts and not contradicted else None, None, any(s[2] for s in sums), gaps)


def _sum(medication: Medication, figure: Figure) -> tuple[Decimal | None, tuple[Gap, ...], bool] | None:
    """The sum of the doses of one resource, what is not known of it, and whether it is an upper bound."""
    found = [(figure(dose, medication), dose) for dose in medication.doses]
    relevant = [(each, dose) for each, dose in found if each is not None]
    if not relevant:
        return None
    values = [each for each, _ in relevant if isinstance(each, Decimal)]
    gaps = tuple(gap for each, dose in relevant if isinstance(each, Gap) for gap in dose.gaps or (each,))
    at_most = any(dose.at_most for each, dose in relevant if isinstance(each, Decimal))
    return sum(values, ZERO) if values else None, gaps, at_most


def _least(shares: Sequence[Share], doubts: Sequence[Pair]) -> Decimal:
    """Prescriptions without a doubt between them are taken beside each other; a statement may tell of any of them."""
    requests = {each.entry.lead.reference: each for each in shares if each.entry.lead.is_request}
    together = groups(requests, doubts)
    by_request = sum((_largest(requests[each] for each in group) for group in together), ZERO)
    return max(by_request, _largest(each for each in shares if not each.entry.lead.is_request))


def _largest(shares: Iterable[Share]) -> Decimal:
    return max((each.low for each in shares if each.low is not None), default=ZERO)


def _rounded(value: Decimal) -> Decimal:
    """As it is shown, so that what is compared is what is read: 24 / 7 times a day is a repeating decimal."""
    return value.quantize(CENT)
