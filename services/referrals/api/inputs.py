"""The inputs of an action, as JSON, with an example for each action."""

from typing import Annotated, Any

from fastapi import Body
from pydantic import BaseModel, ConfigDict, Field

from services.referrals.domain.actions import ACTIONS, Code
from services.referrals.domain.inputs import KINDS, LONGEST_TEXT, Name


def _field(name: Name) -> Any:
    kind = KINDS[name]
    types = f" One of: {', '.join(kind.targets)}." if kind.targets else ""
    return Field(default=None, max_length=LONGEST_TEXT, description=kind.definition + types)


class Inputs(BaseModel):
    """What ``available_actions`` names; references are ``[type]/[id]``."""

    model_config = ConfigDict(extra="forbid")

    reason: str | None = _field(Name.REASON)
    owner: str | None = _field(Name.OWNER)
    recipients: str | None = _field(Name.RECIPIENTS)
    appointment: str | None = _field(Name.APPOINTMENT)
    note: str | None = _field(Name.NOTE)
    report: str | None = _field(Name.REPORT)
    questions: str | None = _field(Name.QUESTIONS)
    answer: str | None = _field(Name.ANSWER)
    state: str | None = _field(Name.STATE)
    comment: str | None = _field(Name.COMMENT)

    def given(self) -> dict[Name, str]:
        """What was sent."""
        return {Name(name): value for name, value in self if value is not None}

    @staticmethod
    def where(name: Name) -> str:
        """The path of an input in the body."""
        return f"body.{name}"


EXAMPLES: dict[Code, dict[str, str]] = {code: {} for code in Code} | {
    Code.RECALL: {"reason": "The patient has moved away."},
    Code.CANCEL: {"reason": "The patient has recovered."},
    Code.REQUEST_CANCELLATION: {"reason": "The patient has chosen another clinic."},
    Code.REROUTE: {"owner": "HealthcareService/pain-group", "reason": "No place before summer."},
    Code.ANSWER: {"answer": "The last MRI is from March; it is attached to the order."},
    Code.MARK_AS_ERROR: {"reason": "This was meant for another patient."},
    Code.OFFER: {"recipients": "PractitionerRole/psychologist Organization/mind-centre"},
    Code.GIVE_BACK: {"comment": "We have no place before summer."},
    Code.ASSIGN: {"owner": "PractitionerRole/psychologist"},
    Code.CLAIM: {"comment": "We look at it tomorrow."},
    Code.ACCEPT: {"state": "accepted 3.0"},
    Code.DECLINE: {"reason": "We treat adults only."},
    Code.RETURN_WITH_QUESTIONS: {"questions": "Is there a recent MRI?"},
    Code.SCHEDULE: {"appointment": "Appointment/first-visit"},
    Code.RESCHEDULE: {"appointment": "Appointment/second-try"},
    Code.RECORD_NO_SHOW: {"comment": "We have called twice."},
    Code.CANCEL_APPOINTMENT: {"reason": "The therapist is ill."},
    Code.SEND_NOTE: {"note": "DocumentReference/first-impression"},
    Code.HOLD: {"reason": "The patient is in hospital."},
    Code.COMPLETE: {"report": "DiagnosticReport/final"},
    Code.FAIL: {"reason": "The patient could not be reached."},
    Code.CONFIRM_CANCELLATION: {"comment": "The appointment is cancelled as well."},
}

AskedInputs = Annotated[
    Inputs | None,
    Body(
        openapi_examples={
            code.value: {
                "summary": ACTIONS[code].display,
                "description": ACTIONS[code].definition,
                "value": EXAMPLES[code],
            }
            for code in Code
        }
    ),
]
