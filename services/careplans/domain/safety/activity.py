"""Whether a prescription or a statement counts on a day: status, intent, doNotPerform and periods.

http://hl7.org/fhir/R4/medicationrequest.html, http://hl7.org/fhir/R4/medicationstatement.html. A status that is unknown
counts as active, and is told as a gap.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from services.careplans.domain.safety.dates import after, bounds_of, days_of, end_of, length_of, start_of
from services.careplans.domain.safety.dosing import instructions_of
from services.careplans.domain.safety.gaps import Gap
from services.careplans.domain.safety.reading import child, own_reference, string
from shared.fhir.json import Resource

UNKNOWN_STATUS = frozenset({None, "unknown"})
ENDED: dict[str, frozenset[str]] = {
    "MedicationRequest": frozenset({"on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft"}),
    "MedicationStatement": frozenset({"completed", "entered-in-error", "intended", "stopped", "on-hold", "not-taken"}),
}
"""Statuses in which nothing is taken."""

NEVER_TAKEN = frozenset({"cancelled", "entered-in-error", "draft", "not-taken", "intended"})
"""Of these, those that do not even tell of the past."""

NOT_ORDERED = frozenset({"proposal", "plan", "option"})
"""Intents that authorize nothing (http://hl7.org/fhir/R4/valueset-medicationrequest-intent.html)."""


@dataclass(frozen=True, slots=True)
class Activity:
    """Whether it counts on the day, since when, why not, and what is not known about it."""

    active: bool
    since: date | None
    why_not: str | None = None
    gaps: tuple[Gap, ...] = ()


def begun(resource: Resource) -> date | None:
    """The first day of the prescription or of the taking."""
    dated = days_of(resource.get("authoredOn")) or days_of(resource.get("effectiveDateTime"))
    return start_of(child(resource, "effectivePeriod")) or (dated.first if dated else None)


def was_ordered(resource: Resource) -> bool:
    """Whether it tells of something that is or was taken."""
    if resource.get("doNotPerform") is True or string(resource, "intent") in NOT_ORDERED:
        return False
    return string(resource, "status") not in NEVER_TAKEN


def activity_of(resource: Resource, as_of: date) -> Activity:
    """Whether ``resource`` counts on ``as_of``."""
    since = begun(resource)
    reasons: tuple[Callable[[Resource, date | None, date], str | None], ...] = (_by_status, _by_start, _by_end)
    why_not = next((reason for rule in reasons if (reason := rule(resource, since, as_of))), None)
    return Activity(why_not is None, since, why_not, tuple(_gaps(resource, as_of)) if why_not is None else ())


def _by_status(resource: Resource, since: date | None, as_of: date) -> str | None:
    status = string(resource, "status")
    if status in ENDED.get(string(resource, "resourceType") or "", frozenset()):
        return f"its status is {status}"
    if resource.get("doNotPerform") is True:
        return "it says not to take it"
    if string(resource, "intent") in NOT_ORDERED:
        return f"its intent is {string(resource, 'intent')}"
    return None


def _by_start(resource: Resource, since: date | None, as_of: date) -> str | None:
    return "it has not begun" if since is not None and since > as_of else None


def _by_end(resource: Resource, since: date | None, as_of: date) -> str | None:
    end = end_of(child(resource, "effectivePeriod"))
    if end is not None and end < as_of:
        return "its period is over"
    bounds = [bounds_of(child(child(each, "timing"), "repeat"), since) for each in instructions_of(resource)[1]]
    if bounds and all(last is not None and last < as_of for _, last in bounds):
        return "all its dosages are over"
    if bounds and all(first is not None and first > as_of for first, _ in bounds):
        return "its dosage has not begun"
    supplied = _supplied_until(resource)
    return "what it dispensed is used up" if supplied is not None and supplied < as_of else None


def _supplied_until(resource: Resource) -> date | None:
    """The last day that the last dispense may cover; None where the end or the length of a supply is not given."""
    dispense = child(resource, "dispenseRequest")
    end, supply = end_of(child(dispense, "validityPeriod")), length_of(child(dispense, "expectedSupplyDuration"))
    return after(end, supply) if end is not None and supply is not None else None


def _gaps(resource: Resource, as_of: date) -> list[Gap]:
    reference, type_ = own_reference(resource), string(resource, "resourceType")
    gaps = []
    if string(resource, "status") in UNKNOWN_STATUS:
        gaps.append(Gap(reference, f"{type_}.status", "the status is not known; counted as active"))
    end = end_of(child(child(resource, "dispenseRequest"), "validityPeriod"))
    if end is not None and end < as_of:
        path = "MedicationRequest.dispenseRequest.validityPeriod"
        gaps.append(Gap(reference, path, "no longer dispensed, yet active; counted as taken"))
    return gaps
