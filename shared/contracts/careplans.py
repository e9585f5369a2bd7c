"""What ``careplans`` says: ``careplan.<what happened>.v1``, subject ``CarePlan/<id>``, payload ``CarePlanV1``, and
``safety.<what>.v1``, subject what it was found in, payload ``SafetyV1``, ``outcome.<what>.v1``, subject the score that
it follows from, payload ``OutcomeV1``, and ``diagnosis.<what>.v1``, subject the Condition, payload ``DiagnosisV1``."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class CarePlanEvent(StrEnum):
    """The event types. Each is also the routing key on the exchange."""

    CREATED = "careplan.created.v1"
    UPDATED = "careplan.updated.v1"
    ACTIVITY_ADDED = "careplan.activity-added.v1"
    ACTIVITY_CHANGED = "careplan.activity-changed.v1"
    TEAM_CHANGED = "careplan.team-changed.v1"
    DELETED = "careplan.deleted.v1"


class CarePlanV1(BaseModel):
    """What changed in one plan. References are relative."""

    model_config = ConfigDict(frozen=True)

    care_plan: str
    version: int
    """The plan's versionId; of ``team-changed``, the CareTeam's, whose id is in ``care_team``."""
    patient: str | None = None
    care_team: str | None = None
    status: str | None = None
    changed: tuple[str, ...] = ()
    """Codes of what changed: ``activity``, ``careTeam``, ``goal``, ``status`` ..."""
    activity: str | None = None
    """The ``ServiceRequest/x`` whose activity was added or changed."""
    activity_status: str | None = None
    discipline: str | None = None
    caused_by: str | None = None
    """The id of the event that led to this one."""
    occurred_at: str


class SafetyEvent(StrEnum):
    """What is found for the patient's safety. Each is also the routing key on the exchange."""

    SELF_HARM_ITEM_POSITIVE = "safety.self-harm-item-positive.v1"
    SELF_HARM_ITEM_ON_RECORD = "safety.self-harm-item-on-record.v1"
    """The answer was given long ago and came in only now: nothing of today, and to be seen all the same."""
    FINDING_OPENED = "safety.finding-opened.v1"
    """A safety rule holds: for the first time, again, or after a snooze."""
    FINDING_ANSWERED = "safety.finding-answered.v1"
    """Acknowledged or snoozed."""
    FINDING_RESOLVED = "safety.finding-resolved.v1"
    """Resolved by a person, or its inputs do not hold any more."""


class SafetyV1(BaseModel):
    """Where it was found. References are relative; what was answered is read over FHIR."""

    model_config = ConfigDict(frozen=True)

    resource: str
    """``QuestionnaireResponse/x``, ``Observation/x``; of a finding, ``DetectedIssue/x``."""
    version: int
    patient: str | None = None
    code: str
    """The LOINC code of the item; of a finding, the id of the rule."""
    certain: bool = True
    """False where the answer could not be read, so that nobody knows that it is harmless; of a finding, where it
    depends on what is not decided."""
    measured: str | None = None
    """The date or time of the answer, as it was sent (FHIR ``dateTime``): what is imported may be old."""
    occurred_at: str


class OutcomeEvent(StrEnum):
    """What scores lead to. Each is also the routing key on the exchange."""

    REVIEW_DUE = "outcome.review-due.v1"


class OutcomeV1(BaseModel):
    """Which score calls for a review of which plan, and why. References are relative; the score is read over FHIR."""

    model_config = ConfigDict(frozen=True)

    observation: str
    version: int
    care_plan: str
    patient: str | None = None
    measure: str
    """The measure's id (docs/measures.md)."""
    causes: tuple[str, ...]
    """Codes: ``band-crossed``, ``response-changed``, ``target-missed``."""
    measured: str
    """When the score was taken."""
    occurred_at: str


class DiagnosisEvent(StrEnum):
    """What becomes of diagnoses that are not certain. Each is also the routing key on the exchange."""

    REVISIT_DUE = "diagnosis.revisit-due.v1"


class DiagnosisV1(BaseModel):
    """Which diagnosis is to be looked at again. References are relative; what it is, is read over FHIR."""

    model_config = ConfigDict(frozen=True)

    condition: str
    version: int
    patient: str
    care_plan: str | None = None
    revisit_by: str
    """The date that has passed."""
    occurred_at: str
