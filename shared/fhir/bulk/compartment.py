"""The patient compartment (http://hl7.org/fhir/R4/compartmentdefinition-patient.html): whose a resource is.

The column ``patient`` holds the one patient that a resource is about. The compartment is wider: who is an actor,
performer or recipient has a share in the resource, too, and some types have no such column at all.
"""

from functools import cache

from shared.fhir.json import Resource
from shared.fhir.search.extract import values_at
from shared.fhir.search.parameters import Parameter, parameters_of
from shared.fhir.search.params.reference import local
from shared.store.indexing import term

_MEMBERS = """
    patient: AuditEvent BodyStructure ClaimResponse Consent CoverageEligibilityRequest
        CoverageEligibilityResponse DetectedIssue EpisodeOfCare FamilyMemberHistory Flag Goal ImagingStudy
        Immunization ImmunizationEvaluation ImmunizationRecommendation MeasureReport MolecularSequence
        NutritionOrder Person Provenance RelatedPerson SupplyDelivery VisionPrescription
    subject: Account AdverseEvent ChargeItem ClinicalImpression DeviceUseStatement DiagnosticReport Encounter
        EnrollmentRequest Media MedicationRequest MedicationStatement RiskAssessment Specimen SupplyRequest
    actor: Appointment AppointmentResponse Schedule
    subject performer: DeviceRequest Observation ServiceRequest
    patient payee: Claim ExplanationOfBenefit
    patient performer: CarePlan Procedure
    subject author: DocumentReference QuestionnaireResponse
    individual: ResearchSubject
    link: Patient
    member: Group
    patient asserter: Condition
    patient author: Basic
    patient focus: Task
    patient participant: CareTeam
    patient performer subject: MedicationAdministration
    patient recorder asserter: AllergyIntolerance
    policy-holder subscriber beneficiary payor: Coverage
    subject author attester: Composition
    subject author recipient: DocumentManifest
    subject participant: RequestGroup
    subject patient receiver: MedicationDispense
    subject patient recipient: Invoice
    subject sender recipient: Communication
    subject sender recipient requester: CommunicationRequest
    subject source: List
"""
"""Search parameters, and the types that they make members. A Patient is in its own, besides."""


def _members() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    names: tuple[str, ...] = ()
    for line in _MEMBERS.strip().split("\n"):
        before, _, after = line.rpartition(":")
        names = tuple(before.split()) or names
        found.update(dict.fromkeys(after.split(), names))
    return found


MEMBERS = _members()
"""Type -> the parameters by which it is in a patient's compartment. Other types are in nobody's."""


def patients_of(resource: Resource) -> frozenset[str]:
    """The ids of the patients in whose compartments ``resource`` is."""
    type_ = resource["resourceType"]
    found = {resource["id"]} if type_ == "Patient" else set()
    for parameter in _parameters(type_):
        for path in parameter.paths:
            for value in values_at(resource, path):
                target = local(value.get("reference", ""))
                if target and target[0] == "Patient":
                    found.add(target[1])
    return frozenset(found)


def terms_of(type_: str, patients: frozenset[str]) -> list[int]:
    """The index terms that resources of ``type_`` in compartments of ``patients`` carry (``index_term``)."""
    return [
        term(type_, parameter.slot, f"Patient/{patient}") for parameter in _parameters(type_) for patient in patients
    ]


@cache
def _parameters(type_: str) -> tuple[Parameter, ...]:
    return tuple(parameters_of(type_)[name] for name in MEMBERS.get(type_, ()))
