"""Who owns what: resource types and ``/api`` prefixes by service. The only place that knows."""

import re

REFERRALS, CAREPLANS, NOTIFICATIONS = "referrals", "careplans", "notifications"

_EVERY_OTHER_TYPE = """
    Account ActivityDefinition AdverseEvent AllergyIntolerance AppointmentResponse AuditEvent Basic Binary
    BiologicallyDerivedProduct BodyStructure Bundle CapabilityStatement CarePlan CareTeam CatalogEntry
    ChargeItem ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem CompartmentDefinition
    Composition ConceptMap Condition Consent Contract Coverage CoverageEligibilityRequest
    CoverageEligibilityResponse DetectedIssue Device DeviceDefinition DeviceMetric DeviceRequest
    DeviceUseStatement DiagnosticReport DocumentManifest DocumentReference EffectEvidenceSynthesis Encounter
    EnrollmentRequest EnrollmentResponse EpisodeOfCare EventDefinition Evidence EvidenceVariable
    ExampleScenario ExplanationOfBenefit FamilyMemberHistory Flag Goal GraphDefinition Group GuidanceResponse
    ImagingStudy Immunization ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide
    InsurancePlan Invoice Library Linkage List Measure MeasureReport Media Medication MedicationAdministration
    MedicationDispense MedicationKnowledge MedicationRequest MedicationStatement MedicinalProduct
    MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductIndication
    MedicinalProductIngredient MedicinalProductInteraction MedicinalProductManufactured
    MedicinalProductPackaged MedicinalProductPharmaceutical MedicinalProductUndesirableEffect
    MessageDefinition MessageHeader MolecularSequence NamingSystem NutritionOrder Observation
    ObservationDefinition OperationDefinition OperationOutcome OrganizationAffiliation Parameters Patient
    PaymentNotice PaymentReconciliation Person PlanDefinition Procedure Provenance Questionnaire
    QuestionnaireResponse RelatedPerson RequestGroup ResearchDefinition ResearchElementDefinition
    ResearchStudy ResearchSubject RiskAssessment RiskEvidenceSynthesis SearchParameter Specimen
    SpecimenDefinition StructureDefinition StructureMap Substance SubstanceNucleicAcid SubstancePolymer
    SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification
    SupplyDelivery SupplyRequest TerminologyCapabilities TestReport TestScript ValueSet VerificationResult
    VisionPrescription
"""
"""The rest of R4 (http://hl7.org/fhir/R4/resourcelist.html): the shared record."""

OWNED_TYPES: dict[str, tuple[str, ...]] = {
    REFERRALS: (
        "ServiceRequest",
        "Task",
        "Appointment",
        "Slot",
        "Schedule",
        "Practitioner",
        "PractitionerRole",
        "Organization",
        "Location",
        "HealthcareService",
        "Endpoint",
    ),
    NOTIFICATIONS: ("Subscription", "Communication", "CommunicationRequest"),
    CAREPLANS: tuple(_EVERY_OTHER_TYPE.split()),
}

API_PREFIXES: dict[str, str] = {
    "referrals": REFERRALS,
    "plans": CAREPLANS,
    "careplans": CAREPLANS,
    "notifications": NOTIFICATIONS,
}
"""The first path segment below ``/api``."""

ROOTS: dict[str, str] = {"cds-services": CAREPLANS}
"""First path segments that protocols of others say (https://cds-hooks.hl7.org/2.0/#discovery)."""

_OWNER = {type_: service for service, types in OWNED_TYPES.items() for type_ in types}
_END_OF_TYPE = re.compile(r"[/?#]")
_IN_COMPARTMENT = re.compile(r"Patient/[^/?#]+/(?!Provenance)([A-Z][A-Za-z]+)")
"""A search in a compartment asks who owns what is searched; a Provenance with a patient as its target is kept beside
that patient."""


def owner_of(type_: str) -> str | None:
    """The service that owns resource type ``type_``; None for what is no R4 type."""
    return _OWNER.get(type_)


def type_in(url: str) -> str:
    """The resource type that a relative FHIR URL is about (``Task/1``, ``/Task?code=x``, ``Patient/1/Task``)."""
    path = url.removeprefix("/")
    within = _IN_COMPARTMENT.match(path)
    return _END_OF_TYPE.split(path, maxsplit=1)[0] if within is None else within.group(1)


def type_at(path: str) -> str:
    """The resource type that ``path``, below ``/fhir/``, is about; empty where its first segment is."""
    below = path.removeprefix("/fhir/")
    return "" if below.startswith("/") else type_in(below)
