"""The types that careplans owns: every R4 type that is nobody else's, and what is particular about a few."""

from collections.abc import Mapping
from typing import Any

from services.careplans.domain.comparing import compare
from services.careplans.domain.entries import supporters
from services.careplans.domain.rules import (
    decide_care_plan,
    decide_care_team,
    decide_condition,
    decide_detected_issue,
    decide_goal,
    decide_observation,
    decide_questionnaire_response,
    decide_record,
    decide_request_group,
    looked_up_for_plan,
    plans_linked_to,
    plans_of_finding,
    plans_of_goal,
    teams_of_plans,
)
from shared import provenance
from shared.fhir.definitions import RESOURCE_TYPES
from shared.fhir.kinds import Decide, Registry, ResourceKind

OF_OTHERS = frozenset(
    {
        # referrals
        *("Appointment", "Schedule", "ServiceRequest", "Slot", "Task"),
        *("Endpoint", "HealthcareService", "Location", "Organization", "Practitioner", "PractitionerRole"),
        # notifications
        *("Communication", "CommunicationRequest", "Subscription"),
    }
)
"""Services do not import each other, so what is theirs stands here by name; a contract test compares the three."""

WITHOUT_ENDPOINT = frozenset({"Parameters"})
"""http://hl7.org/fhir/R4/parameters.html: it has no RESTful endpoint."""

_DECISIONS: Mapping[str, Decide] = {
    "CarePlan": decide_care_plan,
    "CareTeam": decide_care_team,
    "DetectedIssue": decide_detected_issue,
    "Condition": decide_condition,
    "Goal": decide_goal,
    "Observation": decide_observation,
    "QuestionnaireResponse": decide_questionnaire_response,
    "RequestGroup": decide_request_group,
}

_PARTICULAR: Mapping[str, Mapping[str, Any]] = {
    "CarePlan": {"related": looked_up_for_plan, "referring": plans_linked_to, "compare": compare},
    "Observation": {"related": supporters},
    "DetectedIssue": {"referring": plans_of_finding, "further": teams_of_plans},
    "Goal": {"referring": plans_of_goal, "further": teams_of_plans},
}
"""What a decision wants to see beside the resource itself, and how two changes are told apart, as ``ResourceKind`` has
it."""

KINDS = Registry(
    [
        *(
            ResourceKind(
                type_,
                decide=_DECISIONS.get(type_, decide_record),
                if_match_required=type_ == "CarePlan",
                **_PARTICULAR.get(type_, {}),
            )
            for type_ in sorted(RESOURCE_TYPES - OF_OTHERS - WITHOUT_ENDPOINT - {provenance.TYPE})
        ),
        provenance.KIND,
    ]
)
