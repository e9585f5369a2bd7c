"""Who can be told: a FHIR reference, everyone of a discipline, or the coordinators."""

import re
from collections.abc import Mapping

COORDINATORS = "role:coordinator"
"""The receiver that stands for all care coordinators."""

DISCIPLINES: Mapping[str, str] = {
    "pain-medicine": "pain medicine",
    "mental-health": "mental health",
    "physical-therapy": "physical therapy",
}
"""Our discipline codes, and how a message names them."""

AUDIENCE_SYSTEM = "urn:consilium:audience"
"""``Identifier.system`` of receivers that are groups of ours and no FHIR resource."""

RECIPIENT_TYPES = (
    "Device",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "RelatedPerson",
    "Group",
    "CareTeam",
    "HealthcareService",
)
"""What ``Communication.recipient`` may refer to (http://hl7.org/fhir/R4/communication.html)."""

_REFERENCE = re.compile(rf"(?:https?://\S+/)?(?:{'|'.join(RECIPIENT_TYPES)})/[A-Za-z0-9.-]{{1,64}}")


def everyone_of(discipline: str) -> str:
    """The receiver that stands for everyone of ``discipline`` (a code of ours)."""
    return f"discipline:{discipline}"


AUDIENCES: Mapping[str, str] = {COORDINATORS: "Care coordinators"} | {
    everyone_of(code): f"Everyone in {label}" for code, label in DISCIPLINES.items()
}
"""The receivers that are groups, and what they are called."""


def is_reference(receiver: str) -> bool:
    """Whether ``receiver`` is a reference that a Communication may have as recipient."""
    return _REFERENCE.fullmatch(receiver) is not None


def is_receiver(receiver: str) -> bool:
    """Whether anyone can be told under this name."""
    return receiver in AUDIENCES or is_reference(receiver)


def recipient(receiver: str) -> dict[str, object]:
    """``Communication.recipient``: a literal reference, or a logical one for a group."""
    if receiver in AUDIENCES:
        return {"identifier": {"system": AUDIENCE_SYSTEM, "value": receiver}, "display": AUDIENCES[receiver]}
    return {"reference": receiver}
