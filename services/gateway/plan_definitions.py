"""OperationDefinitions of what the careplans' service does with definitions and proposals
(http://hl7.org/fhir/R4/operationdefinition.html).
"""

from typing import Any

from services.gateway.defining import definition
from shared.fhir.json import Resource

_DATE = "2026-11-28"


def _in(name: str, type_: str | None, documentation: str, *, least: int = 0, most: str = "1", **more: Any) -> Resource:
    typed = {"type": type_} if type_ else {}
    return {"name": name, "use": "in", "min": least, "max": most, "documentation": documentation} | typed | more


def _out(type_: str, documentation: str) -> Resource:
    return {"name": "return", "use": "out", "min": 1, "max": "1", "documentation": documentation, "type": type_}


WISHES: tuple[Resource, ...] = (
    _in(
        *("declined", None, "A treatment that the patient does not want, or a group of treatments."),
        most="*",
        part=[
            _in("treatment", "code", "Its code in the catalogue.", least=1),
            _in("reason", "string", "Why, in the patient's words."),
        ],
    ),
    _in("preferred", "code", "A treatment, or a group, that the patient would like.", most="*"),
    _in("telehealth", "boolean", "Whether the patient takes visits by video or telephone."),
    _in("groups", "boolean", "Whether the patient takes part in groups."),
    _in("language", "code", "What the patient speaks."),
    _in("times", "string", "When the patient can come."),
    _in("matters", "string", "What matters to the patient."),
    _in(
        *("wait", None, "How long one waits for a discipline nearby."),
        most="3",
        part=[
            _in("discipline", "code", "pain-medicine, mental-health or physical-therapy.", least=1),
            _in("days", "integer", "Days until the next free visit.", least=1),
        ],
    ),
)
_SUBJECT = _in("subject", "string", "The patient: Patient/[id], as a string or a Reference.", least=1)
_CONTEXT = tuple(
    _in(name, type_, "Of R4's $apply; taken, and not used.")
    for name, type_ in (
        *(("encounter", "string"), ("practitioner", "string"), ("organization", "string")),
        *(("userType", "CodeableConcept"), ("userLanguage", "CodeableConcept")),
        *(("userTaskContext", "CodeableConcept"), ("setting", "CodeableConcept")),
        ("settingContext", "CodeableConcept"),
    )
)
_APPLY = (
    "What is not told is read from the record: the patient's preferences are Observations after US Core. Nothing is"
    " stored."
)
DEFINITIONS: tuple[Resource, ...] = (
    definition(
        *("plan-definition-apply", "PlanDefinitionApply", "apply"),
        types=("PlanDefinition",),
        date=_DATE,
        changes=False,
        description="A plan for one patient, as a draft for people: which of its actions are proposed and which are"
        f" not, each with its reason, what it was read from, and what is missing. {_APPLY}",
        parameters=(_SUBJECT, *WISHES, *_CONTEXT, _out("CarePlan", "A draft with the intent proposal.")),
    ),
    definition(
        *("activity-definition-apply", "ActivityDefinitionApply", "apply"),
        types=("ActivityDefinition",),
        date=_DATE,
        changes=False,
        description="One treatment for one patient, as a draft request. Where it is contraindicated or declined, a"
        f" RequestGroup without actions that says why. {_APPLY}",
        parameters=(
            _SUBJECT,
            *WISHES,
            *_CONTEXT,
            _out("Any", "A ServiceRequest, MedicationRequest, Task or RequestGroup: a draft with the intent proposal."),
        ),
    ),
    definition(
        *("care-plan-propose", "CarePlanPropose", "propose"),
        types=("CarePlan",),
        date=_DATE,
        changes=True,
        description="Applies a definition to the patient of a shared plan and stores what is proposed, for people to"
        " decide on with $decide. An earlier proposal of the same definition that nobody has decided on is revoked; one"
        " that says the same stays, and is the answer.",
        parameters=(
            _in("definition", "Reference", "A PlanDefinition or an ActivityDefinition.", least=1),
            *WISHES,
            _out("RequestGroup", "The stored proposal."),
        ),
    ),
    definition(
        *("request-group-decide", "RequestGroupDecide", "decide"),
        types=("RequestGroup",),
        date=_DATE,
        changes=True,
        description="Accepts or declines actions of a stored proposal, all or nothing. What is accepted is an activity"
        " of the plan at once; where another discipline must act, a referral as well. The same decisions again change"
        " nothing. 403: the activity would be another discipline's; 409: decided otherwise already, or ended; 412: as"
        " for an update; 422: an unknown action, a missing reason, two parts of a choice of one.",
        parameters=(
            _in(
                *("decision", None, "A decision on one action."),
                least=1,
                most="*",
                part=[
                    _in("action", "string", "RequestGroup.action.id.", least=1),
                    _in("answer", "code", "accept or decline.", least=1),
                    _in("reason", "string", "Why; needed to decline, and to change the text."),
                    _in("patient", "boolean", "Of what is declined: the patient does, and is not offered it again."),
                    _in("description", "string", "The text in place of the proposed one."),
                    _in("discipline", "code", "Whose the activity becomes, where it is nobody's in particular."),
                    _in("priority", "code", "Of the referral: routine, urgent, asap or stat."),
                    _in("owner", "Reference", "Who is asked; without one, triage decides."),
                    _in("refer", "boolean", "Whether it becomes a referral, where the rule is not to be followed."),
                ],
            ),
            _out("RequestGroup", "The proposal as it is then."),
        ),
    ),
)
