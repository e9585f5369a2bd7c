"""The story: two referrals of one patient, step by step. A step that was taken before is not taken again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from consilium.demo.api import Api
from consilium.demo.people import PAIN, PSYCHOLOGIST, THERAPIST, Actor
from shared.security.caller import Discipline

SYSTEM = "https://consilium.care/fhir/NamingSystem/demo"
BUSINESS_STATUS = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"
TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"

DISCIPLINES = {
    Discipline.PAIN_MEDICINE.value: "pain medicine",
    Discipline.MENTAL_HEALTH.value: "mental health",
    Discipline.PHYSICAL_THERAPY.value: "physical therapy",
}
TERMINAL = frozenset({"completed", "rejected", "cancelled", "failed", "entered-in-error"})


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a Task by its owner."""

    told: str
    status: str
    business: str
    reason: str | None = None
    visit_in_days: int | None = None
    reports: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """One referral, to whom, for what, and how it goes."""

    owner: Actor
    order: tuple[str, str]
    """SNOMED CT code and text of the ServiceRequest."""
    reason: str
    steps: tuple[Step, ...] = field(default=())


STORIES = (
    Story(
        PSYCHOLOGIST,
        ("308459004", "Referral to psychologist"),
        "Cognitive behavioural therapy for chronic pain with psychological factors.",
        (
            Step("accepts", "accepted", "3.0"),
            Step("schedules the first visit", "in-progress", "5.1.1", visit_in_days=6),
            Step("completes, with an outcome", "completed", "7.0", reports=True),
        ),
    ),
    Story(
        THERAPIST,
        ("308447003", "Referral to physiotherapist"),
        "Graded exercise: start slow, build up.",
        (Step("declines", "rejected", "4.0", reason="The next free course starts in eleven weeks."),),
    ),
)


async def tell(api: Api, patient: str) -> AsyncIterator[tuple[str, str]]:
    """Tell the stories for ``patient``; (who, what they did) for each step taken. Raises ``Refused``."""
    for story in STORIES:
        task = await _task(api, story, patient)
        if task is None:
            task = await _refer(api, story, patient)
            yield PAIN.name, f"refers to {story.owner.name} ({story.owner.title.lower()})"
        for step in _left(story, task):
            task = await _take(api, story, step, task)
            yield story.owner.name, step.told


def ended(task: dict[str, Any]) -> bool:
    """Whether nothing more happens to ``task``."""
    return task["status"] in TERMINAL


async def _task(api: Api, story: Story, patient: str) -> dict[str, Any] | None:
    found = await api.search(PAIN.caller, f"Task?identifier={SYSTEM}|{_name(story, patient)}")
    return found[0] if found else None


async def _refer(api: Api, story: Story, patient: str) -> dict[str, Any]:
    """The order and its Task, stored together."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    subject, requester = {"reference": patient}, {"reference": PAIN.reference, "display": PAIN.name}
    owner = {"reference": story.owner.reference, "display": story.owner.name}
    code, text = story.order
    order = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": {"coding": [{"system": SNOMED, "code": code, "display": text}], "text": text},
        "subject": subject,
        "authoredOn": now,
        "requester": requester,
        "performer": [owner],
        "reasonCode": [{"text": story.reason}],
    }
    task = {
        "resourceType": "Task",
        "identifier": [{"system": SYSTEM, "value": _name(story, patient)}],
        "status": "received",
        "businessStatus": _business("2.0"),
        "intent": "order",
        "code": {"coding": [{"system": TASK_CODE, "code": "fulfill"}]},
        "focus": {"reference": "urn:uuid:6f1c2a52-3a7e-4c5e-9a55-0d8f4e1f7b01"},
        "for": subject,
        "authoredOn": now,
        "requester": requester,
        "owner": owner,
    }
    made = await api.transaction(
        PAIN.caller,
        [
            {
                "fullUrl": "urn:uuid:6f1c2a52-3a7e-4c5e-9a55-0d8f4e1f7b01",
                "resource": order,
                "request": {"method": "POST", "url": "ServiceRequest"},
            },
            {"resource": task, "request": {"method": "POST", "url": "Task"}},
        ],
    )
    stored: dict[str, Any] = await api.get(PAIN.caller, f"/fhir/{made[1]}")
    return stored


def _left(story: Story, task: dict[str, Any]) -> tuple[Step, ...]:
    """The steps that lie ahead of where ``task`` is."""
    if ended(task):
        return ()
    codes = [coding["code"] for coding in task.get("businessStatus", {}).get("coding", [])]
    taken = [place for place, step in enumerate(story.steps, start=1) if step.business in codes]
    return story.steps[taken[0] if taken else 0 :]


async def _take(api: Api, story: Story, step: Step, task: dict[str, Any]) -> dict[str, Any]:
    after = {**task, "status": step.status, "businessStatus": _business(step.business)}
    if step.reason:
        after["statusReason"] = {"text": step.reason}
    if step.visit_in_days is not None:
        visit = datetime.now(UTC) + timedelta(days=step.visit_in_days)
        after["executionPeriod"] = {"start": visit.isoformat(timespec="seconds")}
    if step.reports:
        outcome = await _report(api, story, task)
        after["output"] = [{"type": {"text": "Outcome"}, "valueReference": {"reference": outcome}}]
    stored: dict[str, Any] = await api.put(story.owner.caller, after)
    return stored


async def _report(api: Api, story: Story, task: dict[str, Any]) -> str:
    """The measure after treatment, in the shared record."""
    observation = {
        "resourceType": "Observation",
        "id": f"demo-outcome-{task['id']}"[:64],
        "status": "final",
        "category": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey"}]}
        ],
        "code": {"coding": [{"system": LOINC, "code": "91147-9"}], "text": "PEG 3 item pain scale, mean"},
        "subject": task["for"],
        "effectiveDateTime": datetime.now(UTC).isoformat(timespec="seconds"),
        "performer": [{"reference": story.owner.reference}],
        "valueQuantity": {
            "value": 4.3,
            "unit": "{score}",
            "system": "http://unitsofmeasure.org",
            "code": "{score}",
        },
    }
    await api.put(story.owner.caller, observation)
    return f"Observation/{observation['id']}"


def _business(code: str) -> dict[str, Any]:
    return {"coding": [{"system": BUSINESS_STATUS, "code": code}]}


def _name(story: Story, patient: str) -> str:
    return f"{patient.partition('/')[2]}.{story.owner.discipline}"
