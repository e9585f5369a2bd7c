"""A care plan with all that belongs to it, over all services, and some of the same patient's that does not."""

from shared.fhir.json import Resource
from tests.factories.referrals import order, task
from tests.factories.resources import care_plan, observation, patient

PEG = {"coding": [{"system": "http://loinc.org", "code": "91147-9"}]}
_ROBIN = {"reference": "Patient/robin"}


def held() -> list[Resource]:
    """Everything, in an order in which it can be stored."""
    pain = {"resourceType": "Condition", "subject": _ROBIN, "code": {"text": "Pain <b>& more</b>"}}
    goal = {
        "resourceType": "Goal",
        "id": "goal",
        "lifecycleStatus": "active",
        "description": {"text": "Walk to the shop"},
        "subject": _ROBIN,
        "addresses": [{"reference": "Condition/pain"}],
        "target": [{"measure": PEG, "detailString": "below 4"}],
    }
    team = {
        "resourceType": "CareTeam",
        "id": "team",
        "status": "active",
        "subject": _ROBIN,
        "participant": [{"member": {"reference": "Practitioner/bay"}}, {"member": {"reference": "RelatedPerson/kim"}}],
    }
    plan = care_plan(
        "Patient/robin",
        id="plan",
        goal=[{"reference": "Goal/goal"}],
        addresses=[{"reference": "Condition/pain"}],
        careTeam=[{"reference": "CareTeam/team"}],
        # the second one is not there: another service's, so nobody refused the plan for it
        activity=[{"reference": {"reference": f"ServiceRequest/{id_}"}} for id_ in ("order", "lost")],
        author={"reference": "Practitioner/bay"},
    )
    wanted = order(id="order", subject=_ROBIN, requester={"reference": "PractitionerRole/role"})
    done = task(
        id="task",
        focus={"reference": "ServiceRequest/order"},
        requester={"reference": "PractitionerRole/role"},
        owner={"reference": "Organization/clinic"},
    )
    done["for"] = _ROBIN
    active = {"resourceType": "MedicationRequest", "intent": "order", "subject": _ROBIN}
    return [
        {"resourceType": "Organization", "id": "clinic", "name": "Clinic"},
        {"resourceType": "Practitioner", "id": "bay", "name": [{"family": "Bay"}]},
        {
            "resourceType": "PractitionerRole",
            "id": "role",
            "practitioner": {"reference": "Practitioner/bay"},
            "organization": {"reference": "Organization/clinic"},
        },
        patient(id="robin"),
        {"resourceType": "RelatedPerson", "id": "kim", "patient": _ROBIN},
        pain | {"id": "pain"},
        pain | {"id": "of-old"},
        goal,
        team,
        observation("Patient/robin", id="peg"),
        observation("Patient/robin", id="weight", code={"text": "Weight"}),
        active | {"id": "pill", "status": "active", "medicationCodeableConcept": {"text": "Duloxetine"}},
        active | {"id": "stopped", "status": "stopped", "medicationCodeableConcept": {"text": "Codeine"}},
        wanted,
        plan,
        care_plan("Patient/robin", id="other"),
        done,
    ]


RECORD = [
    *("CarePlan/plan", "CareTeam/team", "Condition/pain", "Goal/goal", "Observation/peg", "Organization/clinic"),
    *("Patient/robin", "Practitioner/bay", "PractitionerRole/role", "RelatedPerson/kim", "ServiceRequest/order"),
    "Task/task",
]
"""What belongs to the plan, sorted, without Provenance."""
