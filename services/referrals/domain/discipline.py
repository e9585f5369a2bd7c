"""The discipline that a referral is for, from codes only: text is never used to guess.

SNOMED CT codes from the clinical design (verified in public value sets) and from
http://hl7.org/fhir/R4/valueset-c80-practice-codes.html; NUCC: http://nucc.org/provider-taxonomy. Occupational therapy
and dietetics are none of the three disciplines: they stay without one.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from services.referrals.domain.references import codings, target
from shared.fhir.json import Resource
from shared.security.caller import Discipline

SNOMED = "http://snomed.info/sct"
NUCC = "http://nucc.org/provider-taxonomy"
LOCAL = "https://consilium.care/fhir/CodeSystem/discipline"

PAIN_MEDICINE, MENTAL_HEALTH, PHYSICAL_THERAPY = (
    Discipline.PAIN_MEDICINE,
    Discipline.MENTAL_HEALTH,
    Discipline.PHYSICAL_THERAPY,
)

DISCIPLINES: dict[tuple[str, str], Discipline] = {
    # referral to ...
    (SNOMED, "306265007"): PAIN_MEDICINE,  # pain management specialist
    (SNOMED, "308459004"): MENTAL_HEALTH,  # psychologist
    (SNOMED, "308477009"): MENTAL_HEALTH,  # psychiatrist
    (SNOMED, "306343005"): MENTAL_HEALTH,  # psychotherapist
    (SNOMED, "390866009"): MENTAL_HEALTH,  # mental health team
    (SNOMED, "308447003"): PHYSICAL_THERAPY,  # physiotherapist
    # the treatment that is asked for
    (SNOMED, "228557008"): MENTAL_HEALTH,  # cognitive and behavioural therapy
    (SNOMED, "405780009"): MENTAL_HEALTH,  # dialectical behaviour therapy
    (SNOMED, "18512000"): MENTAL_HEALTH,  # individual psychotherapy
    (SNOMED, "1555005"): MENTAL_HEALTH,  # group psychotherapy
    (SNOMED, "302242004"): MENTAL_HEALTH,  # long-term psychodynamic psychotherapy
    (SNOMED, "229065009"): PHYSICAL_THERAPY,  # exercise therapy
    (SNOMED, "91251008"): PHYSICAL_THERAPY,  # physical therapy procedure
    # specialties
    (SNOMED, "394882004"): PAIN_MEDICINE,  # pain management
    (SNOMED, "394587001"): MENTAL_HEALTH,  # psychiatry
    (SNOMED, "394913002"): MENTAL_HEALTH,  # psychotherapy
    (SNOMED, "408467006"): MENTAL_HEALTH,  # adult mental illness
    (NUCC, "208VP0000X"): PAIN_MEDICINE,  # pain medicine
    (NUCC, "208VP0014X"): PAIN_MEDICINE,  # interventional pain medicine
    (NUCC, "207LP2900X"): PAIN_MEDICINE,  # anaesthesiology, pain medicine
    (NUCC, "2081P2900X"): PAIN_MEDICINE,  # physical medicine and rehabilitation, pain medicine
    (NUCC, "2084P2900X"): PAIN_MEDICINE,  # psychiatry and neurology, pain medicine
    (NUCC, "103T00000X"): MENTAL_HEALTH,  # psychologist
    (NUCC, "2084P0800X"): MENTAL_HEALTH,  # psychiatry
    (NUCC, "101YM0800X"): MENTAL_HEALTH,  # mental health counselor
    (NUCC, "225100000X"): PHYSICAL_THERAPY,  # physical therapist
} | {
    # our own codes, as tokens and plans use them
    (LOCAL, discipline.value): discipline
    for discipline in Discipline
}


def discipline_of(task: Resource, related: Mapping[str, Resource]) -> Discipline | None:
    """The discipline of the referral, from the first place that names exactly one.

    Asked in this order: the order's code, its category, its performerType, the Task's performerType, the specialty of
    the owner (a PractitionerRole or HealthcareService), a tag in our own code system."""
    order = related.get(target(task.get("focus")) or "") or {}
    owner = related.get(target(task.get("owner")) or "") or {}
    places: Iterable[Any] = (
        order.get("code"),
        order.get("category"),
        order.get("performerType"),
        task.get("performerType"),
        owner.get("specialty"),
        {"coding": _tags(task)},
    )
    for concept in places:
        named = {DISCIPLINES[key] for key in _known(concept)}
        if len(named) == 1:
            return named.pop()
    return None


def tagged(task: Resource, discipline: Discipline | None) -> Resource:
    """The Task with its discipline in ``meta.tag``, where a worklist finds it by ``_tag``; the same if it has that."""
    tags = _tags(task)
    wanted = [tag for tag in tags if tag.get("system") != LOCAL]
    if discipline is not None:
        wanted.append({"system": LOCAL, "code": discipline.value})
    if wanted == tags:
        return task
    meta = {key: value for key, value in task.get("meta", {}).items() if key != "tag"}
    if wanted:
        meta["tag"] = wanted
    return {**task, "meta": meta}


def _tags(task: Resource) -> list[dict[str, Any]]:
    return list((task.get("meta") or {}).get("tag") or ())


def tagged_as(task: Resource) -> str | None:
    """The discipline that the Task was tagged with when it was judged."""
    return next((tag["code"] for tag in _tags(task) if tag.get("system") == LOCAL and tag.get("code")), None)


def _known(concept: Any) -> list[tuple[str, str]]:
    return [(system, code) for system, code in codings(concept) if system and (system, code) in DISCIPLINES]
