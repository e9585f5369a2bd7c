"""What referrals may be asked for, as types: any other value is refused by its parameter's name, not answered empty."""

from enum import StrEnum
from typing import Annotated

from fastapi import Query

ID = r"[A-Za-z0-9\-.]{1,64}"
"""http://hl7.org/fhir/R4/datatypes.html#id"""
_PARTY = "Device|Organization|Patient|Practitioner|PractitionerRole|RelatedPerson"
PATIENT = f"^Patient/{ID}$"
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


Statuses = Annotated[list[Status], Query(max_length=len(Status))]
BusinessStatuses = Annotated[list[BusinessStatus], Query(max_length=len(BusinessStatus))]
PatientReference = Annotated[str | None, Query(pattern=PATIENT)]
RequesterReference = Annotated[str | None, Query(pattern=REQUESTER)]
OwnerReference = Annotated[str | None, Query(pattern=OWNER)]
