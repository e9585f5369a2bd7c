"""What a referral needs of whoever takes it: from its order and Task, the patient, and what is asked beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from services.referrals.domain.dates import age_on
from services.referrals.domain.discipline import LOCAL
from services.referrals.domain.distance import Place, place_of_patient
from services.referrals.domain.extensions import listed
from services.referrals.domain.languages import preferred
from services.referrals.domain.offering import Modality
from services.referrals.domain.references import codings, target
from services.referrals.domain.specialty import Specialty, asked_for
from services.referrals.domain.standing import PRIORITIES
from shared.fhir.json import Resource

ReasonCode = tuple[str, str]
"""System and code of a reason; for a referenced Condition or the like an empty system and the reference."""


class Requirement(StrEnum):
    """Wishes that may be made conditions."""

    LANGUAGE = "language"
    MODALITY = "modality"
    CAPACITY = "capacity"


@dataclass(frozen=True, slots=True)
class Stated:
    """What a request states by itself; it goes before what the resources say. None or empty is nothing."""

    specialties: frozenset[Specialty] = frozenset()
    languages: tuple[str, ...] = ()
    modalities: frozenset[Modality] = frozenset()
    place: Place | None = None
    max_distance_km: float | None = None
    age: int | None = None
    payer: str | None = None
    reasons: frozenset[ReasonCode] = frozenset()
    priority: str | None = None
    required: frozenset[Requirement] = frozenset()


@dataclass(frozen=True, slots=True)
class Needs:
    """What a referral needs. None or empty is not known, or no matter."""

    specialties: frozenset[Specialty]
    today: date
    languages: tuple[str, ...] = ()
    modalities: frozenset[Modality] = frozenset()
    place: Place | None = None
    max_distance_km: float | None = None
    age: int | None = None
    payer: str | None = None
    reasons: frozenset[ReasonCode] = frozenset()
    urgent: bool = False
    """Its priority is above routine."""
    required: frozenset[Requirement] = frozenset()
    locations: frozenset[str] = field(default=frozenset())
    """Where the order wants it done (``locationReference``)."""
    performers: frozenset[str] = field(default=frozenset())
    """Whom the order names."""


def needs_of(task: Resource, order: Resource, patient: Resource, stated: Stated, today: date) -> Needs:
    """The needs of a referral; each of the resources may be empty."""
    priority = stated.priority or task.get("priority") or order.get("priority")
    return Needs(
        specialties=stated.specialties or specialties_of(task, order),
        today=today,
        languages=stated.languages or preferred(patient),
        modalities=stated.modalities,
        place=stated.place or place_of_patient(patient),
        max_distance_km=stated.max_distance_km,
        age=age_on(patient.get("birthDate"), today) if stated.age is None else stated.age,
        payer=stated.payer,
        reasons=stated.reasons | reasons_of(task, order),
        urgent=PRIORITIES.get(priority, PRIORITIES[None]) < PRIORITIES[None],
        required=stated.required,
        locations=_targets(order, "locationReference"),
        performers=_targets(order, "performer"),
    )


def specialties_of(task: Resource, order: Resource) -> frozenset[Specialty]:
    """What a referral is for: the places of ``discipline.discipline_of``, but for its owner, who may be changed."""
    tags = [tag for tag in listed(task.get("meta"), "tag") if tag.get("system") == LOCAL]
    return asked_for(
        (
            order.get("code"),
            order.get("category"),
            order.get("performerType"),
            task.get("performerType"),
            {"coding": tags},
        )
    )


def reasons_of(task: Resource, order: Resource) -> frozenset[ReasonCode]:
    """Why somebody is referred, by codes and references; text is not compared."""
    found: set[ReasonCode] = set()
    for resource in (task, order):
        found |= {(system or "", code) for system, code in codings(resource.get("reasonCode"))}
        found |= {("", reference) for reference in _targets(resource, "reasonReference")}
    return frozenset(found)


def _targets(resource: Mapping[str, Any], element: str) -> frozenset[str]:
    return frozenset(reference for each in listed(resource, element) if (reference := target(each)))
