"""The types that referrals owns, and Provenance of them: it lives beside what it speaks of."""

from services.referrals.domain import agreement, appointment, directory, opening, order, task
from shared import provenance
from shared.fhir.kinds import Registry, ResourceKind


def _entry(type_: str) -> ResourceKind:
    return ResourceKind(type_, decide=directory.decide_entry)


def _stand_in(type_: str) -> ResourceKind:
    return ResourceKind(type_, decide=directory.decide_stand_in)


KINDS = Registry(
    [
        ResourceKind(
            "ServiceRequest",
            decide=order.decide,
            related=order.related,
            referring=agreement.tasks_to_look_at,
            if_match_required=True,
        ),
        ResourceKind(
            "Task",
            decide=task.decide,
            related=task.related,
            further=opening.further,
            referring=agreement.siblings_to_look_at,
            held=task.held,
            if_match_required=True,
        ),
        ResourceKind("Appointment", decide=appointment.decide),
        _entry("Slot"),
        _entry("Schedule"),
        _entry("Practitioner"),
        _stand_in("PractitionerRole"),
        _entry("Organization"),
        _entry("Location"),
        _stand_in("HealthcareService"),
        _entry("Endpoint"),
        provenance.KIND,
    ]
)
