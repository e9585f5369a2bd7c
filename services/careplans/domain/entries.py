"""What patients, and those who support them, write into the record: how the pain is, flares and self-care; the patient
alone, what they would like (http://hl7.org/fhir/R4/observation.html).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from services.careplans.domain.applying.preferences import ASKED, PREFERENCES
from services.careplans.domain.codes import reference_of
from shared.errors import Forbidden
from shared.fhir.json import Resource
from shared.security.caller import Caller

ENTRY = "https://consilium.care/fhir/CodeSystem/entry"
FLARE, SELF_CARE = "pain-flare", "self-care"
"""A time in which the pain was much worse, and something that was done against it; more is in value and notes."""
PAIN_NOW = ("http://loinc.org", "72514-3")
"""Pain severity, 0 to 10, verbal numeric rating."""
ENTRIES = ((ENTRY, FLARE), (ENTRY, SELF_CARE), PAIN_NOW)


def supporters(before: Resource | None, after: Resource | None) -> Iterator[str]:
    """Who speaks for somebody else here: what the decision wants to see of them."""
    for each in (before, after):
        yield from (name for name in _performers(each) if name is not None and name.startswith("RelatedPerson/"))


def check_entry(
    before: Resource | None, after: Resource | None, caller: Caller, related: Mapping[str, Resource], now: datetime
) -> None:
    """Raises ``Forbidden`` unless it is an entry of the caller's own, for themselves or whom they support.

    ``related`` has the RelatedPersons of ``supporters``."""
    if after is None:
        raise Forbidden("What you wrote stays, and can be marked as entered in error.")
    for version in filter(None, (before, after)):
        if _performers(version) != [caller.fhir_user]:
            path = "Observation.performer"
            raise Forbidden("An entry has whoever writes it as its only performer.", expression=(path,))
        if reference_of(version.get("subject")) not in _for_whom(caller.fhir_user, related, now):
            path = "Observation.subject"
            raise Forbidden("An entry is about yourself, or whom you support.", expression=(path,))
        if not _allowed(version, caller.fhir_user):
            text = "Patients write entries on pain, flares and self-care, and what they would like."
            raise Forbidden(text, expression=("Observation.code",))


def _allowed(entry: Resource, writer: str | None) -> bool:
    # every coding counts: whoever reads by one of them, a score say, does not look at the others
    said = _codings(entry)
    parts = [coding for component in entry.get("component") or () for coding in _codings(component)]
    if said and all(each in ENTRIES for each in said):
        return all(each in ENTRIES for each in parts)
    if not (writer or "").startswith("Patient/"):
        return False
    return bool(said) and all(each in PREFERENCES for each in said) and all(system == ASKED for system, _ in parts)


def _codings(part: Resource) -> list[tuple[str | None, str | None]]:
    """What an Observation, or a component, is about."""
    return [(each.get("system"), each.get("code")) for each in (part.get("code") or {}).get("coding") or ()]


def _for_whom(writer: str | None, related: Mapping[str, Resource], now: datetime) -> Iterable[str | None]:
    if writer is None or not writer.startswith("RelatedPerson/"):
        return (writer,) if writer else ()
    person = related.get(writer, {})
    end = (person.get("period") or {}).get("end")
    over = isinstance(end, str) and end[:10] < now.date().isoformat()
    return () if over or person.get("active") is False else (reference_of(person.get("patient")),)


def _performers(entry: Resource | None) -> list[str | None]:
    return [reference_of(each) for each in (entry or {}).get("performer") or ()]
