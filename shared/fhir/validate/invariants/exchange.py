"""Rules of referrals, appointments and who provides care (http://hl7.org/fhir/R4/task.html#invs, likewise for each)."""

from shared.fhir.validate.invariants.rule import Invariant, Value, has, in_order

_UNTIMED = ("proposed", "cancelled", "waitlist")


def _timed(appointment: Value) -> bool:
    return (has(appointment, "start") and has(appointment, "end")) or appointment.get("status") in _UNTIMED


def _nowhere_home(name: str, organization: Value) -> bool:
    return not any(each.get("use") == "home" for each in organization.get(name, ()))


EXCHANGE = (
    Invariant(
        "inv-1", "Task", "A task is modified after it is authored.", lambda v: in_order(v, "authoredOn", "lastModified")
    ),
    Invariant(
        "app-1", "Appointment.participant", "A participant has a type or an actor.", lambda v: has(v, "type", "actor")
    ),
    Invariant("app-2", "Appointment", "Give start and end, or neither.", lambda v: has(v, "start") == has(v, "end")),
    Invariant("app-3", "Appointment", "Only proposed, wait-listed and cancelled appointments lack times.", _timed),
    Invariant(
        "app-4",
        "Appointment",
        "Only cancelled and missed appointments have a reason of cancellation.",
        lambda v: "cancelationReason" not in v or v.get("status") in ("noshow", "cancelled"),
    ),
    Invariant(
        "apr-1",
        "AppointmentResponse",
        "Give a type of participant or an actor.",
        lambda v: has(v, "participantType", "actor"),
    ),
    Invariant(
        "org-1", "Organization", "An organization has an identifier or a name.", lambda v: has(v, "identifier", "name")
    ),
    Invariant("org-2", "Organization", "An organization's address is no home.", lambda v: _nowhere_home("address", v)),
    Invariant("org-3", "Organization", "An organization's telecom is no home.", lambda v: _nowhere_home("telecom", v)),
)
