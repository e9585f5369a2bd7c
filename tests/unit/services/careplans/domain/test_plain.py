"""The plan in plain words."""

import pytest

from services.careplans.domain.applying.circumstances import Circumstances, Declined
from services.careplans.domain.codes import ACTIVITY_DISCIPLINE, ACTIVITY_STATUS, DISCIPLINE_SYSTEM
from services.careplans.domain.plain import HELP, Known, in_plain_words
from shared.fhir.json import Resource


def activity(status: str, discipline: str | None = None, **more: object) -> Resource:
    extension = [{"url": ACTIVITY_STATUS, "valueCode": status}]
    if discipline:
        extension.append({"url": ACTIVITY_DISCIPLINE, "valueCode": discipline})
    return {"extension": extension} | more


def sections(known: Known) -> dict[str, tuple[str, ...]]:
    return {each.heading: each.lines for each in in_plain_words(known)}


def test_an_empty_plan_says_what_to_do_when_it_gets_worse() -> None:
    assert sections(Known({"resourceType": "CarePlan"})) == {"If it gets worse": HELP}


def test_what_the_patient_said_comes_first() -> None:
    wishes = Circumstances(matters="Play with my son", declined=(Declined("yoga", "It hurt"), Declined("nsaid")))
    told = sections(Known({}, wishes=wishes, treatments={"yoga": "Yoga"}))
    assert list(told) == ["What matters to you", "What you do not want", "If it gets worse"]
    assert told["What matters to you"] == ("“Play with my son”",)
    assert told["What you do not want"] == ("Yoga. You said: “It hurt”", "nsaid.")


def test_goals_say_how_they_stand() -> None:
    due = [{"dueDate": "2027-01-01"}]
    goals: list[Resource] = [
        {
            "description": {"text": "Walk to the shop"},
            "lifecycleStatus": "proposed",
            "target": due,
        },
        {
            "description": {"text": "Sleep better."},
            "lifecycleStatus": "completed",
            "target": due,
        },
        {"id": "3", "description": {"text": "Given up"}, "lifecycleStatus": "rejected"},
        {"lifecycleStatus": "active"},
    ]
    goals = [goal | {"id": str(number)} for number, goal in enumerate(goals)]
    assert sections(Known({}, goals=goals))["Your goals"] == (
        "Walk to the shop. (we still talk about this one) We look at it on 2027-01-01.",
        "Sleep better. (reached)",
        "A goal. (we work on it)",
    )


def test_milestones_stand_with_the_goal_that_they_lead_to() -> None:
    type_ = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/goal-relationship-type", "code": "milestone"}]
    }
    leads: Resource = {
        "url": "http://hl7.org/fhir/StructureDefinition/goal-relationship",
        "extension": [
            {"url": "type", "valueCodeableConcept": type_},
            {"url": "target", "valueReference": {"reference": "Goal/stairs"}},
        ],
    }
    goals: list[Resource] = [
        {"id": "stairs", "description": {"text": "Take the stairs"}, "lifecycleStatus": "completed"},
        {"id": "sleep", "description": {"text": "Sleep"}, "lifecycleStatus": "active"},
        {"id": "hike", "description": {"text": "Hike"}, "lifecycleStatus": "active", "extension": [leads]},
    ]
    assert sections(Known({}, goals=goals))["Your goals"] == (
        "Sleep. (we work on it)",
        "Hike. (we work on it)",
        "A step on the way: Take the stairs. (reached)",
    )


@pytest.mark.parametrize("type_", [{"valueString": "milestone"}, {"valueCodeableConcept": {"text": "milestone"}}])
def test_a_goal_that_says_otherwise_how_it_belongs_to_another_stands_by_itself(type_: Resource) -> None:
    leads: Resource = {
        "url": "http://hl7.org/fhir/StructureDefinition/goal-relationship",
        "extension": [{"url": "type", **type_}, {"url": "target", "valueReference": {"reference": "Goal/stairs"}}],
    }
    goals: list[Resource] = [{"id": "hike", "description": {"text": "Hike"}, "lifecycleStatus": "active"}]
    goals[0]["extension"] = [leads]
    assert sections(Known({}, goals=goals))["Your goals"] == ("Hike. (we work on it)",)


def test_what_is_done_and_by_whom() -> None:
    plan = {
        "activity": [
            activity("scheduled", "mental-health", reference={"reference": "ServiceRequest/1"}),
            activity("not-started", "physical-therapy", reference={"reference": "ServiceRequest/2", "display": "Yoga"}),
            activity("in-progress", None, detail={"code": {"text": "Heat or cold"}}),
            activity("completed", "pain-medicine", detail={"code": {"coding": [{"display": "Review"}]}}),
            activity("entered-in-error", None, detail={"description": "Nothing"}),
            activity("unknown", "self-care", detail={"description": "Breathing"}),
        ]
    }
    told = sections(Known(plan, names={"ServiceRequest/1": "Talking therapy"}))
    assert told["What we do"] == (
        "Talking therapy: a date is set, with your mental health team.",
        "Yoga: not started yet, with your physical therapist.",
        "Heat or cold: under way.",
        "Breathing: we find out how it stands.",
    )
    assert told["What is behind you"] == ("Review: done, with your pain doctor.",)


def test_who_helps() -> None:
    role = [{"coding": [{"system": DISCIPLINE_SYSTEM, "code": "mental-health"}]}]
    participants = [
        {"role": role, "member": {"reference": "Practitioner/1"}},
        {"role": role, "member": {"reference": "Organization/2"}},
        {"member": {"reference": "RelatedPerson/3", "display": "Your mother"}},
        {"role": role, "member": {"reference": "Practitioner/4"}, "period": {"end": "2026-01-01"}},
        {"member": {"reference": "Practitioner/5"}},
    ]
    told = sections(Known({}, participants=participants, names={"Practitioner/1": "Dr Moss"}))
    assert told["Who helps you"] == ("Dr Moss: your mental health team.", "your mental health team.", "Your mother.")


def test_a_wish_against_what_the_plan_has_is_told() -> None:
    treatment = {
        "coding": [{"system": "https://consilium.care/fhir/CodeSystem/treatment", "code": "yoga"}],
        "text": "Yoga",
    }
    plan = {"activity": [activity("scheduled", None, detail={"code": treatment})]}
    told = sections(Known(plan, wishes=Circumstances(declined=(Declined("yoga", "It hurt"),))))
    assert told["What we do"] == ("Yoga: a date is set. You said that you do not want this: talk about it with us.",)
