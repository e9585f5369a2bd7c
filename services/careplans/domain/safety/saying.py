"""Inputs and missing data in words, the same for all rules."""

from collections.abc import Iterable, Sequence

from services.careplans.domain.safety.facts import Facts
from services.careplans.domain.safety.finding import Input
from services.careplans.domain.safety.merging import Entry
from services.careplans.domain.safety.quantities import plain
from services.careplans.domain.safety.totals import Share, Total


def taken(what: str, entries: Iterable[Entry]) -> tuple[Input, ...]:
    """The medicines, each with its sources."""
    return tuple(Input(what, _named(each), each.sources) for each in entries)


def _named(entry: Entry) -> str:
    needed = ", as needed" if entry.as_needed else ""
    return f"{entry.lead.product.text or ' and '.join(entry.names)}{needed}"


def summed(total: Total) -> tuple[Input, ...]:
    """Each share of a sum, and the sum."""
    shares = (
        Input(f"share of {_named(each.entry)}", _share(each, total.unit), each.entry.sources) for each in total.shares
    )
    return (*shares, Input("sum of all sources", str(total)))


def _share(share: Share, unit: str) -> str:
    if share.high is None:
        return "not known" if share.low is None else f"at least {plain(share.low)} {unit}"
    low = share.high if share.low is None else share.low
    figures = plain(share.high) if low == share.high else f"{plain(low)} to {plain(share.high)}"
    return f"{figures} {unit}"


def lacking(total: Total) -> tuple[str, ...]:
    """What a sum lacks, and what cannot be decided."""
    doubts = (f"{one} and {other} may be one prescription, or taken beside each other" for one, other in total.doubts)
    return (*map(str, total.gaps), *doubts)


def names(entries: Iterable[Entry]) -> tuple[str, ...]:
    """The ingredients, each once, in order."""
    return tuple(sorted({name for each in entries for name in each.names}))


def conditions(what: str, references: Sequence[str]) -> tuple[Input, ...]:
    """Conditions on record."""
    return (Input(what, "on record", tuple(references)),) if references else ()


def aged(facts: Facts) -> tuple[Input, ...]:
    """The age, where it is known."""
    if facts.age is None:
        return ()
    low, high = facts.age
    years = f"{low}" if low == high else f"{low} or {high}"
    return (Input("age", f"{years} years", (facts.patient,) if facts.patient else ()),)
