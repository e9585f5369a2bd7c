"""Rules of plans and of the patient's record (http://hl7.org/fhir/R4/careplan.html#invs, likewise for each type)."""

import re

from shared.fhir.validate.invariants.rule import Invariant, Value, has, has_choice, has_code, in_order, only_with

_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_TYPED = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?").fullmatch


def _acts_for_another(participant: Value) -> bool:
    """Refused only where the reference says that the member is something else."""
    member = participant.get("member", {})
    match = _TYPED(member.get("reference", ""))
    type_ = member.get("type") or (match[1] if match else "Practitioner")
    return "onBehalfOf" not in participant or type_ == "Practitioner"


def _over(condition: Value) -> bool:
    if not has_choice(condition, "abatement"):
        return True
    return has_code(condition.get("clinicalStatus", {}), _CLINICAL, "resolved", "remission", "inactive")


def _no_status_in_error(condition: Value) -> bool:
    in_error = has_code(condition.get("verificationStatus", {}), _VERIFICATION, "entered-in-error")
    return not in_error or "clinicalStatus" not in condition


def _no_value_beside_component(observation: Value) -> bool:
    """The codings are compared as a whole, as the rule has it."""
    if not has_choice(observation, "value"):
        return True
    mine = observation["code"].get("coding", ())
    return not any(
        coding in mine for each in observation.get("component", ()) for coding in each["code"].get("coding", ())
    )


CARE = (
    Invariant(
        "cpl-3",
        "CarePlan.activity",
        "An activity has a reference or a detail, not both.",
        lambda v: not ("reference" in v and "detail" in v),
    ),
    Invariant("ctm-1", "CareTeam.participant", "Only a Practitioner acts on behalf of another.", _acts_for_another),
    Invariant(
        "gol-1",
        "Goal.target",
        "A target's detail needs its measure.",
        lambda v: not has_choice(v, "detail") or "measure" in v,
    ),
    Invariant(
        "con-1", "Condition.stage", "Give a summary or an assessment.", lambda v: has(v, "summary", "assessment")
    ),
    Invariant("con-2", "Condition.evidence", "Give a code or details.", lambda v: has(v, "code", "detail")),
    Invariant("con-4", "Condition", "An abated condition is inactive, resolved or in remission.", _over),
    Invariant("con-5", "Condition", "A condition entered in error has no clinical status.", _no_status_in_error),
    Invariant(
        "obs-3",
        "Observation.referenceRange",
        "A reference range has a low, a high or a text.",
        lambda v: has(v, "low", "high", "text"),
    ),
    Invariant(
        "obs-6",
        "Observation",
        "A reason for absent data excludes a value.",
        lambda v: not ("dataAbsentReason" in v and has_choice(v, "value")),
    ),
    Invariant("obs-7", "Observation", "A value excludes a component of the same code.", _no_value_beside_component),
    Invariant(
        "pat-1",
        "Patient.contact",
        "A contact has a name, telecom, address or organization.",
        lambda v: has(v, "name", "telecom", "address", "organization"),
    ),
    Invariant("ppc-1", "Consent", "Give a policy or a policy rule.", lambda v: has(v, "policy", "policyRule")),
    Invariant(
        "mad-1",
        "MedicationAdministration.dosage",
        "Give a dose or a rate.",
        lambda v: "dose" in v or has_choice(v, "rate"),
    ),
    Invariant(
        "mdd-1",
        "MedicationDispense",
        "It is handed over after it is prepared.",
        lambda v: in_order(v, "whenPrepared", "whenHandedOver"),
    ),
    Invariant(
        "qrs-1",
        "QuestionnaireResponse.item",
        "Nested items are below the item or below its answers.",
        lambda v: not ("answer" in v and "item" in v),
    ),
    Invariant(
        "prr-1", "ServiceRequest", "Details of the order need its code.", lambda v: only_with(v, "orderDetail", "code")
    ),
)
