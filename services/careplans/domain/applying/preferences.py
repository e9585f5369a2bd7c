"""What the record holds of the patient's wishes, as circumstances.

Observations after http://hl7.org/fhir/us/core/StructureDefinition/us-core-treatment-intervention-preference and
http://hl7.org/fhir/us/core/StructureDefinition/us-core-care-experience-preference (US Core 7.0.0): a treatment that is
declined or preferred, with the reason as a note; and what matters, in the patient's words, with components for more.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.careplans.domain.applying.circumstances import Circumstances, Declined
from services.careplans.domain.applying.classes import codings
from services.careplans.domain.applying.extensions import TREATMENT
from services.careplans.domain.applying.moments import moment
from services.careplans.domain.applying.shapes import OBSERVATION, shaped
from services.careplans.domain.codes import extension_value, has_coding
from shared.fhir.json import Resource

LOINC = "http://loinc.org"
US_CORE_CATEGORY = "http://hl7.org/fhir/us/core/CodeSystem/us-core-category"
TREATMENT_PREFERENCE = "75773-2"
"""LOINC: Goals, preferences, and priorities for medical treatment."""
CARE_EXPERIENCE = "95541-9"
"""LOINC: Care experience preference."""
PREFERENCES = ((LOINC, TREATMENT_PREFERENCE), (LOINC, CARE_EXPERIENCE))
ATTITUDE = "https://consilium.care/fhir/StructureDefinition/treatment-preference"
"""``declined``, ``preferred``, or ``open`` (neither any more), on an Observation of a treatment preference, whose value
is a treatment or a group."""
DECLINED, PREFERRED, OPEN = "declined", "preferred", "open"
ASKED = "https://consilium.care/fhir/CodeSystem/preference"
"""Components of a care experience: ``telehealth``, ``groups`` (boolean), ``times``, ``language`` (string)."""

_CURRENT = frozenset({"final", "amended", "corrected", "preliminary"})


def circumstances_of(observations: Iterable[Resource], as_of: datetime) -> Circumstances:
    """The newest word on each treatment and on each question, up to ``as_of``; waits are not in a record."""
    told = sorted(_told(observations, as_of), key=lambda entry: entry[0])
    attitudes: dict[str, tuple[str, str]] = {}
    answers: dict[str, Any] = {}
    for _, observation in told:
        for treatment, attitude in _attitudes(observation):
            # the newest comes last, in the order of what is said now
            attitudes.pop(treatment, None)
            attitudes[treatment] = (attitude, _words(observation))
        answers |= _answers(observation)
    return Circumstances(
        declined=tuple(Declined(code, words) for code, (said, words) in attitudes.items() if said == DECLINED),
        preferred=frozenset(code for code, (said, _) in attitudes.items() if said == PREFERRED),
        **answers,
    )


def joined(asked: Circumstances, recorded: Circumstances) -> Circumstances:
    """What is said now before what is recorded, treatment by treatment and question by question."""
    said_now = {entry.treatment for entry in asked.declined} | asked.preferred
    declined = tuple(entry for entry in recorded.declined if entry.treatment not in said_now)
    return replace(
        asked,
        declined=(*asked.declined, *declined),
        preferred=asked.preferred | (recorded.preferred - said_now),
        telehealth=recorded.telehealth if asked.telehealth is None else asked.telehealth,
        groups=recorded.groups if asked.groups is None else asked.groups,
        language=asked.language or recorded.language,
        times=asked.times or recorded.times,
        matters=asked.matters or recorded.matters,
        waits=dict(recorded.waits) | dict(asked.waits),
    )


def declined(
    treatment: Sequence[Resource], text: str, subject: str, by: Resource, reason: str, at: datetime
) -> Resource:
    """The Observation of a treatment that the patient declined; ``treatment`` are its codings, ``by`` is a Reference to
    who heard and recorded that."""
    heard = (
        [by] if (by.get("reference") or "").startswith(("Practitioner/", "PractitionerRole/", "Organization/")) else []
    )
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": US_CORE_CATEGORY, "code": "treatment-intervention-preference"}]}],
        "extension": [{"url": ATTITUDE, "valueCode": DECLINED}],
        "code": {"coding": [{"system": LOINC, "code": TREATMENT_PREFERENCE}]},
        "subject": {"reference": subject},
        "effectiveDateTime": at.isoformat(timespec="seconds"),
        "performer": [{"reference": subject}, *heard],
        "valueCodeableConcept": {"coding": list(treatment), "text": text},
        "note": [{"text": reason}],
    }


def is_preference(observation: Resource) -> bool:
    """Whether it says what a patient would like."""
    return any(has_coding([observation.get("code") or {}], system, code) for system, code in PREFERENCES)


def _told(observations: Iterable[Resource], as_of: datetime) -> Iterator[tuple[tuple[datetime, str], Resource]]:
    for observation in (shaped(each, OBSERVATION) for each in observations):
        if observation.get("status") in _CURRENT and is_preference(observation):
            at = moment(observation.get("effectiveDateTime")) or moment(observation.get("issued"))
            if at is not None and at <= as_of:
                yield (at, str(observation.get("id", ""))), observation


def _attitudes(observation: Resource) -> Iterator[tuple[str, str]]:
    attitude = extension_value(observation, ATTITUDE)
    if attitude in (DECLINED, PREFERRED, OPEN):
        for system, code in codings(observation.get("valueCodeableConcept")):
            if system == TREATMENT and code:
                yield code, attitude


def _words(observation: Resource) -> str:
    return " ".join(str(note["text"]) for note in observation.get("note") or () if "text" in note)


def _answers(observation: Resource) -> Iterable[tuple[str, Any]]:
    if isinstance(observation.get("valueString"), str) and has_coding([observation["code"]], LOINC, CARE_EXPERIENCE):
        yield "matters", observation["valueString"]
    for component in observation.get("component") or ():
        for name, element in _QUESTIONS.items():
            if has_coding([component.get("code") or {}], ASKED, name) and element in component:
                yield name, component[element]


_QUESTIONS = {
    "telehealth": "valueBoolean",
    "groups": "valueBoolean",
    "times": "valueString",
    "language": "valueString",
}
