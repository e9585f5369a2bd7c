"""The US Core 7.0.0 profiles that the shared record is made for, by type (http://hl7.org/fhir/us/core/STU7/).

A claim for the CapabilityStatement, not a check: resources are validated against R4.
"""

from collections.abc import Mapping

_BASE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"

_NAMES: Mapping[str, tuple[str, ...]] = {
    "AllergyIntolerance": ("allergyintolerance",),
    "CarePlan": ("careplan",),
    "CareTeam": ("careteam",),
    "Condition": ("condition-encounter-diagnosis", "condition-problems-health-concerns"),
    "Coverage": ("coverage",),
    "Device": ("implantable-device",),
    "DiagnosticReport": ("diagnosticreport-lab", "diagnosticreport-note"),
    "DocumentReference": ("documentreference",),
    "Encounter": ("encounter",),
    "Goal": ("goal",),
    "Immunization": ("immunization",),
    "Medication": ("medication",),
    "MedicationDispense": ("medicationdispense",),
    "MedicationRequest": ("medicationrequest",),
    "Observation": (
        "care-experience-preference",
        "observation-clinical-result",
        "observation-lab",
        "observation-occupation",
        "observation-screening-assessment",
        "simple-observation",
        "smokingstatus",
        "treatment-intervention-preference",
        "vital-signs",
    ),
    "Patient": ("patient",),
    "Procedure": ("procedure",),
    "Provenance": ("provenance",),
    "QuestionnaireResponse": ("questionnaireresponse",),
    "RelatedPerson": ("relatedperson",),
    "Specimen": ("specimen",),
}


def profiles_of(type_: str) -> tuple[str, ...]:
    """The canonical URLs of the profiles of ``type_``; empty for a type without one."""
    return tuple(_BASE + name for name in _NAMES.get(type_, ()))
