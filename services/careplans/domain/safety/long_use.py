"""A class of medicines for more than 12 weeks without a review."""

from collections.abc import Iterator
from datetime import date, timedelta

from services.careplans.domain.safety.dates import length_of
from services.careplans.domain.safety.facts import Facts
from services.careplans.domain.safety.finding import Input, Outcome, Verdict
from services.careplans.domain.safety.ingredients import DrugClass
from services.careplans.domain.safety.medications import Medication
from services.careplans.domain.safety.reading import child
from services.careplans.domain.safety.saying import names, taken

WEEKS = 12
LONG = timedelta(weeks=WEEKS)
MONTH = timedelta(days=30)
"""How long a prescription lasts that does not say it."""
GAP = timedelta(days=15)
"""Days between two prescriptions that are still one course."""


def lasting(drug_class: DrugClass, facts: Facts) -> Iterator[Verdict]:
    """From the first known day of what is active on, or from the last review. Every further 12 weeks are news."""
    entries = facts.medicines.of(drug_class)
    if not entries:
        return
    begun = _before(drug_class, [each.since for each in entries if each.since is not None], facts)
    undated = [each for each in entries if each.since is None]
    missing = tuple(f"{each.lead.reference}: since when it is taken" for each in undated)
    inputs = taken(drug_class, entries)
    if facts.reviewed is not None:
        inputs += (Input("last review of medicines", facts.reviewed[0].isoformat(), (facts.reviewed[1],)),)
    reviewed = facts.reviewed[0] if facts.reviewed is not None else None
    since = _later(begun, reviewed)
    if since is not None and facts.as_of - since > LONG:
        periods = (facts.as_of - since - timedelta(days=1)) // LONG
        detail = f"Since {begun}; {_said(reviewed)}."
        yield Verdict(Outcome.FOUND, detail, inputs, missing, (*names(entries), f"{periods} times {WEEKS} weeks"))
    elif undated and (reviewed is None or facts.as_of - reviewed > LONG):
        yield Verdict(Outcome.UNKNOWN, f"Since when is not known; {_said(reviewed)}.", inputs, missing, names(entries))


def _before(drug_class: DrugClass, known: list[date], facts: Facts) -> date | None:
    """The first day, also over earlier prescriptions of the class that ended when the next began."""
    begun = min(known, default=None)
    earlier = [
        (since, since + _supply(each) + GAP)
        for each in facts.medicines.past
        if (since := each.activity.since) is not None
        and any(drug_class in one.classes for one in each.product.ingredients)
    ]
    for since, until in sorted(earlier, reverse=True):
        if begun is not None and since < begun <= until:
            begun = since
    return begun


def _supply(medication: Medication) -> timedelta:
    return length_of(child(child(medication.resource, "dispenseRequest"), "expectedSupplyDuration")) or MONTH


def _later(begun: date | None, reviewed: date | None) -> date | None:
    if begun is None or reviewed is None:
        return begun
    return max(begun, reviewed)


def _said(reviewed: date | None) -> str:
    return "no review of medicines is on record" if reviewed is None else f"the last review was on {reviewed}"
