"""OperationDefinitions of what the referrals' service does on Task and ServiceRequest
(http://hl7.org/fhir/R4/operationdefinition.html). The service itself knows the codes of its actions.
"""

from functools import partial
from typing import Any

from services.gateway.defining import definition
from shared.fhir.json import Resource

_definition = partial(definition, types=("Task", "ServiceRequest"), date="2026-11-28")


def _in(name: str, type_: str, documentation: str, least: int = 0) -> Resource:
    return {"name": name, "use": "in", "min": least, "max": "1", "documentation": documentation, "type": type_}


def _out(name: str, most: str, documentation: str, *, least: int = 0, **more: Any) -> Resource:
    return {"name": name, "use": "out", "min": least, "max": most, "documentation": documentation} | more


def _action() -> Resource:
    asked = [
        _out("name", "1", "The name of the parameter of $perform-action.", least=1, type="string"),
        _out("type", "1", "What it is: string, code or Reference.", least=1, type="code"),
        _out("required", "1", "Whether the action needs it.", least=1, type="boolean"),
        _out("definition", "1", "What it means.", least=1, type="string"),
        _out("target", "*", "A type that the reference may name.", type="code"),
        _out("choice", "*", "A code to choose from; the first counts, if nothing is sent.", type="code"),
    ]
    parts = [
        _out("code", "1", "The code to send to $perform-action.", least=1, type="code"),
        _out("display", "1", "Its name for people.", least=1, type="string"),
        _out("definition", "1", "What it means.", least=1, type="string"),
        _out("status", "1", "The status after it; none where that stays.", type="code"),
        _out("business-status", "1", "The BSeR business status after it.", type="code"),
        _out("input", "*", "What to send along.", part=asked),
    ]
    return _out("action", "*", "Something that the caller may do now.", part=parts)


def _named(name: str) -> list[Resource]:
    code = _out(name, "1", "Its name.", least=1, type="code")
    return [code, _out("text", "1", "In words.", least=1, type="string")]


_MATCHED = [
    _out("service", "1", "A HealthcareService or PractitionerRole.", least=1, type="Reference"),
    _out("score", "1", "The weighed mean of its reasons, from 0 to 1.", least=1, type="decimal"),
    _out(
        *("reason", "*"),
        "What counts.",
        part=[
            *_named("code"),
            _out("preference", "1", "What it counts for.", least=1, type="code"),
            _out("value", "1", "From 0 to 1.", least=1, type="decimal"),
            _out("weight", "1", "How much it counts.", least=1, type="decimal"),
        ],
    ),
]
DEFINITIONS: tuple[Resource, ...] = (
    _definition(
        "referral-available-actions",
        "ReferralAvailableActions",
        "available-actions",
        changes=False,
        description="What the caller may do now with a referral (a Task with code fulfill on a ServiceRequest), and"
        " which inputs each action takes; of an order, its own actions and those of each referral of it.",
        parameters=[
            _action(),
            _out(
                "task",
                "*",
                "Of an order: a referral of it.",
                part=[_out("reference", "1", "The referral.", least=1, type="Reference"), _action()],
            ),
        ],
    ),
    _definition(
        "referral-match",
        "ReferralMatch",
        "match",
        changes=False,
        description="Which services can take a referral, the best first, and why; which cannot; and what to look at"
        " before it is sent.",
        parameters=[
            _out("match", "*", "A service that can take it.", part=_MATCHED),
            _out(
                *("excluded", "*"),
                "A service that is for what is needed and cannot take it.",
                part=[
                    _out("service", "1", "Which.", least=1, type="Reference"),
                    _out("because", "*", "A constraint that it fails at.", part=_named("constraint")),
                ],
            ),
            _out(
                *("warning", "*"),
                "What to look at; it keeps nobody from sending.",
                part=[
                    _out("code", "1", "duplicate, loop or return.", least=1, type="code"),
                    _out("reference", "1", "The other referral, or what it came by.", least=1, type="Reference"),
                ],
            ),
        ],
    ),
    definition(
        *("healthcare-service-waits", "HealthcareServiceWaits", "waits"),
        types=("HealthcareService",),
        date="2026-11-28",
        changes=False,
        of_type=True,
        description="How long one waits for each discipline, from acceptance to the first visit, at the service where"
        " that is shortest, of those that take people.",
        parameters=[
            _out(
                *("wait", "*"),
                "A discipline.",
                part=[
                    _out("discipline", "1", "pain-medicine, mental-health or physical-therapy.", least=1, type="code"),
                    _out("services", "1", "How many services take people.", least=1, type="unsignedInt"),
                    _out("cases", "1", "The visits that it is counted from.", least=1, type="unsignedInt"),
                    _out("days", "1", "The median; none where too few visits are known.", type="decimal"),
                ],
            )
        ],
    ),
    _definition(
        "referral-perform-action",
        "ReferralPerformAction",
        "perform-action",
        changes=True,
        description="Does one of the available actions. 403: it is for somebody else; 409: the state does not allow it;"
        " 422: an input is missing or wrong; 412 and 428: as for an update. An action on an order takes no inputs.",
        parameters=[
            _in("action", "code", "A code of $available-actions.", 1),
            _in("reason", "string", "Why, in words."),
            _in("owner", "Reference", "Whose the referral becomes."),
            _in("recipients", "string", "To whom it is offered: references, with spaces between."),
            _in("appointment", "Reference", "The appointment."),
            _in("note", "Reference", "The interim note: DocumentReference, DiagnosticReport or QuestionnaireResponse."),
            _in("report", "Reference", "The consultation report: the same types."),
            _in("questions", "string", "What is asked back."),
            _in("answer", "string", "What is answered."),
            _in("state", "code", "Where an action leads to several states, which."),
            _in("comment", "string", "Anything else to be said."),
            _out(
                *("return", "1"),
                "The resource after the action; where a referral is offered to somebody else, the new Task.",
                least=1,
                type="Any",
            ),
        ],
    ),
)
