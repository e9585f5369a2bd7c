"""What referrals may be asked for, as types: any other value is refused by its parameter's name, not answered empty."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import Query
from pydantic import BeforeValidator

ID = r"[A-Za-z0-9\-.]{1,64}"
"""http://hl7.org/fhir/R4/datatypes.html#id"""
_PARTY = "Device|Organization|Patient|Practitioner|PractitionerRole|RelatedPerson"
PATIENT = f"^(Patient/)?{ID}$"
REQUESTER = f"^({_PARTY})/{ID}$"
"""http://hl7.org/fhir/R4/task-definitions.html#Task.requester"""
OWNER = f"^({_PARTY}|CareTeam|HealthcareService)/{ID}$"
"""http://hl7.org/fhir/R4/task-definitions.html#Task.owner"""


class Status(StrEnum):
    """Task.status (http://hl7.org/fhir/R4/valueset-task-status.html)."""

    DRAFT = "draft"
    REQUESTED = "requested"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    READY = "ready"
    CANCELLED = "cancelled"
    IN_PROGRESS = "in-progress"
    ON_HOLD = "on-hold"
    FAILED = "failed"
    COMPLETED = "completed"
    ENTERED_IN_ERROR = "entered-in-error"


class Priority(StrEnum):
    """Task.priority (http://hl7.org/fhir/R4/valueset-request-priority.html)."""

    STAT = "stat"
    ASAP = "asap"
    URGENT = "urgent"
    ROUTINE = "routine"


class BusinessStatus(StrEnum):
    """Task.businessStatus (http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS)."""

    REQUEST_RECEIVED = "2.0"
    ACCEPTED = "3.0"
    DECLINED = "4.0"
    UNDER_WAY = "5.1"
    SCHEDULED = "5.1.1"
    NO_SHOW = "5.1.2"
    APPOINTMENT_CANCELLED = "5.1.3"
    INTERIM_NOTE = "5.1.4"
    CANCELLATION_REQUESTED = "5.2"
    CANCELLED = "6.0"
    COMPLETED = "7.0"


def _apart(values: Any) -> Any:
    """``["requested,accepted", "draft"]`` as its three values."""
    return [one for value in values for one in str(value).split(",")] if isinstance(values, list) else values


_SEVERAL = "Several, by commas or repeated."
Statuses = Annotated[
    list[Status], BeforeValidator(_apart), Query(max_length=len(Status), description=f"Task.status. {_SEVERAL}")
]
BusinessStatuses = Annotated[
    list[BusinessStatus],
    BeforeValidator(_apart),
    Query(max_length=len(BusinessStatus), description=f"Task.businessStatus. {_SEVERAL}"),
]
PatientReference = Annotated[
    str | None, Query(pattern=PATIENT, description="Task.for: `Patient/[id]`, or the id alone.")
]
RequesterReference = Annotated[str | None, Query(pattern=REQUESTER, description="Task.requester: `[type]/[id]`.")]
OwnerReference = Annotated[str | None, Query(pattern=OWNER, description="Task.owner: `[type]/[id]`.")]


def patient_reference(patient: str | None) -> str | None:
    """``Patient/robin`` of ``robin``, and of itself."""
    return None if patient is None else f"Patient/{patient.removeprefix('Patient/')}"
