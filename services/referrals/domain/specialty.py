"""What a service is for, finer than the three disciplines; from codes only: text is never used to guess.

Sources, beside those of ``discipline``: http://hl7.org/fhir/R4/valueset-c80-practice-codes.html,
http://hl7.org/fhir/R4/codesystem-service-type.html and codesystem-service-category.html (all of R4); NUCC as in
http://hl7.org/fhir/us/core/ValueSet/us-core-provider-role. Where no public value set has a code, there is our own only:
yoga, tai chi and acupuncture have no SNOMED CT code here, peer support none.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from services.referrals.domain.discipline import DISCIPLINES, NUCC, SNOMED
from services.referrals.domain.references import codings
from shared.security.caller import Discipline

SPECIALTY = "https://consilium.care/fhir/CodeSystem/specialty"
SERVICE_TYPE = "http://terminology.hl7.org/CodeSystem/service-type"
SERVICE_CATEGORY = "http://terminology.hl7.org/CodeSystem/service-category"


class Specialty(StrEnum):
    """What is offered to people with chronic pain. The codes are those of ``SPECIALTY``."""

    PAIN_MEDICINE = "pain-medicine"
    PSYCHOLOGY = "psychology"
    PSYCHIATRY = "psychiatry"
    PHYSICAL_THERAPY = "physical-therapy"
    OCCUPATIONAL_THERAPY = "occupational-therapy"
    COMPLEMENTARY = "complementary"
    PEER_SUPPORT = "peer-support"


DISCIPLINE_OF: Mapping[Specialty, Discipline | None] = {
    Specialty.PAIN_MEDICINE: Discipline.PAIN_MEDICINE,
    Specialty.PSYCHOLOGY: Discipline.MENTAL_HEALTH,
    Specialty.PSYCHIATRY: Discipline.MENTAL_HEALTH,
    Specialty.PHYSICAL_THERAPY: Discipline.PHYSICAL_THERAPY,
    Specialty.OCCUPATIONAL_THERAPY: None,
    Specialty.COMPLEMENTARY: None,
    Specialty.PEER_SUPPORT: None,
}

OF_DISCIPLINE: Mapping[Discipline, frozenset[Specialty]] = {
    discipline: frozenset(each for each, of in DISCIPLINE_OF.items() if of is discipline) for discipline in Discipline
}

_PSYCHOLOGY, _PSYCHIATRY = frozenset({Specialty.PSYCHOLOGY}), frozenset({Specialty.PSYCHIATRY})
_OCCUPATIONAL = frozenset({Specialty.OCCUPATIONAL_THERAPY})
_COMPLEMENTARY = frozenset({Specialty.COMPLEMENTARY})
_PEERS = frozenset({Specialty.PEER_SUPPORT})

SPECIALTIES: Mapping[tuple[str, str], frozenset[Specialty]] = (
    # what names a discipline and nothing finer is for each of its specialties
    {code: OF_DISCIPLINE[discipline] for code, discipline in DISCIPLINES.items()}
    | {
        (SNOMED, "308459004"): _PSYCHOLOGY,  # referral to psychologist
        (SNOMED, "308477009"): _PSYCHIATRY,  # referral to psychiatrist
        (SNOMED, "306343005"): _PSYCHOLOGY,  # referral to psychotherapist
        (SNOMED, "228557008"): _PSYCHOLOGY,  # cognitive and behavioural therapy
        (SNOMED, "405780009"): _PSYCHOLOGY,  # dialectical behaviour therapy
        (SNOMED, "18512000"): _PSYCHOLOGY,  # individual psychotherapy
        (SNOMED, "1555005"): _PSYCHOLOGY,  # group psychotherapy
        (SNOMED, "302242004"): _PSYCHOLOGY,  # long-term psychodynamic psychotherapy
        (SNOMED, "394587001"): _PSYCHIATRY,  # psychiatry
        (SNOMED, "394913002"): _PSYCHOLOGY,  # psychotherapy
        (SNOMED, "408467006"): _PSYCHIATRY,  # adult mental illness
        (SNOMED, "308453003"): _OCCUPATIONAL,  # referral to occupational therapist
        (NUCC, "103T00000X"): _PSYCHOLOGY,  # psychologist
        (NUCC, "2084P0800X"): _PSYCHIATRY,  # psychiatry
        (NUCC, "101YM0800X"): _PSYCHOLOGY,  # mental health counselor
        (NUCC, "225X00000X"): _OCCUPATIONAL,  # occupational therapist
        (NUCC, "171100000X"): _COMPLEMENTARY,  # acupuncturist
        (NUCC, "225700000X"): _COMPLEMENTARY,  # massage therapist
        (NUCC, "225A00000X"): _COMPLEMENTARY,  # music therapist
        (NUCC, "175T00000X"): _PEERS,  # peer specialist
        (SERVICE_TYPE, "164"): frozenset({Specialty.PAIN_MEDICINE}),  # anaesthesiology - pain medicine
        (SERVICE_TYPE, "142"): _PSYCHOLOGY,  # psychology
        (SERVICE_TYPE, "141"): _PSYCHIATRY,  # psychiatry
        (SERVICE_TYPE, "65"): frozenset({Specialty.PHYSICAL_THERAPY}),  # physiotherapy
        (SERVICE_TYPE, "61"): _OCCUPATIONAL,  # occupational therapy
        (SERVICE_TYPE, "13"): _COMPLEMENTARY,  # acupuncture
        (SERVICE_TYPE, "25"): _COMPLEMENTARY,  # massage therapy
        (SERVICE_TYPE, "31"): _COMPLEMENTARY,  # relaxation therapy
        (SERVICE_TYPE, "151"): _COMPLEMENTARY,  # yoga
        (SERVICE_TYPE, "591"): _COMPLEMENTARY,  # music therapy
        (SERVICE_TYPE, "224"): _PEERS,  # support groups
        (SERVICE_CATEGORY, "3"): _COMPLEMENTARY,  # alternative/complementary therapies
        (SERVICE_CATEGORY, "32"): _PEERS,  # support group/s
    }
    | {(SPECIALTY, each.value): frozenset({each}) for each in Specialty}
)
"""By code, whom it may mean. Of a service: what it offers; of a referral: any of them will do."""


def offered(*concepts: Any) -> frozenset[Specialty]:
    """All that the codes of ``concepts`` name."""
    return frozenset().union(*_known(concepts))


def asked_for(places: Iterable[Any]) -> frozenset[Specialty]:
    """What the first of ``places`` asks for whose codes are known and agree; each is a CodeableConcept or a list.

    Codes of one place say the same in other words, so the finer one counts; if they contradict, the place says nothing.
    """
    for place in places:
        known = _known((place,))
        agreed = frozenset(Specialty).intersection(*known) if known else frozenset[Specialty]()
        if agreed:
            return agreed
    return frozenset()


def disciplines(specialties: Iterable[Specialty]) -> frozenset[Discipline]:
    """The disciplines that ``specialties`` belong to; some belong to none."""
    return frozenset(found for each in specialties if (found := DISCIPLINE_OF[each]) is not None)


def codes_of(wanted: Iterable[Specialty]) -> list[tuple[str, str]]:
    """The codes, in order, by which something for one of ``wanted`` can be found."""
    asked = frozenset(wanted)
    return sorted(code for code, named in SPECIALTIES.items() if named & asked)


def _known(concepts: Iterable[Any]) -> list[frozenset[Specialty]]:
    found = (SPECIALTIES.get((system or "", code)) for concept in concepts for system, code in codings(concept))
    return [named for named in found if named]
