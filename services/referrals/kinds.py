"""The types that referrals owns.

Provenance and AuditEvent about these types would live here too (they belong beside what they speak of); today every
Provenance is routed to the shared record, because a type has one owner.
"""

from services.referrals.domain import appointment, directory, opening, order, task
from shared.fhir.kinds import Registry, ResourceKind

_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
_SDOH_CC = "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/"
_BSER = "http://hl7.org/fhir/us/bser/StructureDefinition/"


def _entry(type_: str, *profiles: str) -> ResourceKind:
    return ResourceKind(type_, decide=directory.decide_entry, profiles=profiles)


def _stand_in(type_: str, *profiles: str) -> ResourceKind:
    return ResourceKind(type_, decide=directory.decide_stand_in, profiles=profiles)


KINDS = Registry(
    [
        ResourceKind(
            "ServiceRequest",
            decide=order.decide,
            related=order.related,
            profiles=(
                f"{_US_CORE}us-core-servicerequest",
                f"{_SDOH_CC}SDOHCC-ServiceRequest",
                f"{_BSER}referral-servicerequest",
                f"{_BSER}BSeR-ReferralServiceRequest",
            ),
            if_match_required=True,
        ),
        ResourceKind(
            "Task",
            decide=task.decide,
            related=task.related,
            further=opening.further,
            profiles=(
                f"{_SDOH_CC}SDOHCC-TaskForReferralManagement",
                f"{_SDOH_CC}SDOHCC-TaskForPatient",
                f"{_BSER}referral-task",
                f"{_BSER}BSeR-ReferralTask",
            ),
            if_match_required=True,
        ),
        ResourceKind("Appointment", decide=appointment.decide),
        _entry("Slot"),
        _entry("Schedule"),
        _entry("Practitioner", f"{_US_CORE}us-core-practitioner"),
        _stand_in("PractitionerRole", f"{_US_CORE}us-core-practitionerrole", f"{_SDOH_CC}SDOHCC-practitionerrole"),
        _entry("Organization", f"{_US_CORE}us-core-organization"),
        _entry("Location", f"{_US_CORE}us-core-location", f"{_SDOH_CC}SDOHCC-Location"),
        _stand_in(
            "HealthcareService",
            f"{_SDOH_CC}SDOHCC-HealthcareService",
            f"{_SDOH_CC}SDOHCC-HealthcareServiceForReferralManagement",
        ),
        _entry("Endpoint"),
    ]
)
