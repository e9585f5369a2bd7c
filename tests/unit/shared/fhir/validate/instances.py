"""Valid resources made from R4's table: the least that a type demands, or one of each element."""

from decimal import Decimal
from typing import Any

from shared.fhir.definitions.table import Element, Type, codes, elements, facts

SAMPLES: dict[str, Any] = {
    "base64Binary": "QQ==",
    "boolean": True,
    "canonical": "http://example.org/canonical|1",
    "code": "code",
    "date": "2024-02-29",
    "dateTime": "2024-02-29T10:00:00+01:00",
    "decimal": Decimal("1.10"),
    "id": "an-id.1",
    "instant": "2024-02-29T10:00:00.123Z",
    "integer": 3,
    "markdown": "*text*",
    "oid": "urn:oid:1.2.3",
    "positiveInt": 1,
    "string": "text",
    "time": "10:00:00",
    "unsignedInt": 0,
    "uri": "urn:example:1",
    "url": "http://example.org/",
    "uuid": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
    "xhtml": '<div xmlns="http://www.w3.org/1999/xhtml">text</div>',
    "Resource": {"resourceType": "Basic", "code": {"text": "text"}},
    "Extension": {"url": "http://example.org/extension", "valueString": "text"},
    "Ratio": {"numerator": {"value": 1}, "denominator": {"value": 2}},
    "Expression": {"language": "text/fhirpath", "expression": "true"},
    "TriggerDefinition": {"type": "named-event", "name": "name"},
    "Age": {"value": 41, "system": "http://unitsofmeasure.org", "code": "a"},
    "Attachment": {"title": "text"},
    "Reference": {"display": "text"},
    "Period": {"start": "2024"},
}

NEEDED_BY_RULES: dict[str, dict[str, Any]] = {
    "Appointment": {"status": "proposed"},
    "Appointment.participant": {"actor": {"display": "text"}},
    "AppointmentResponse": {"actor": {"display": "text"}},
    "Bundle.entry": {"resource": SAMPLES["Resource"]},
    "Consent": {"policyRule": {"text": "text"}},
    "MedicationAdministration.dosage": {"dose": {"value": 1}},
    "Organization": {"name": "text"},
    "Parameters.parameter": {"valueBoolean": True},
    "Patient.contact": {"name": {"text": "text"}},
    "Questionnaire.item": {"type": "group", "item": [{"linkId": "2", "type": "string"}]},
}
"""What invariants demand beside the cardinalities."""

_OVER = {
    "clinicalStatus": {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "resolved"}]
    }
}

PARTNERS: dict[str, dict[str, Any]] = {
    "Appointment.status": {"status": "booked", "start": SAMPLES["instant"], "end": SAMPLES["instant"]},
    "Appointment.cancelationReason": {"status": "cancelled"},
    "Appointment.start": {"end": SAMPLES["instant"]},
    "Appointment.end": {"start": SAMPLES["instant"]},
    "Bundle.type": {"type": "collection"},
    "Bundle.total": {"type": "searchset"},
    "Bundle.entry": {"type": "collection"},
    "Condition.abatement[x]": _OVER,
    "ServiceRequest.orderDetail": {"code": {"text": "text"}},
}
"""What invariants demand when an optional element is there."""


def minimal(path: str) -> dict[str, Any]:
    """The smallest valid object of a type or nested element."""
    made = {"resourceType": path} if path in facts()["resources"] else {}
    for element in elements(path):
        if element.required:
            name, type_ = next(element.names())
            made[name] = value(element, type_)
    made |= NEEDED_BY_RULES.get(path, {})
    if not made:
        element = next(e for e in elements(path) if e.name not in ("id", "extension", "modifierExtension"))
        name, type_ = next(element.names())
        made[name] = value(element, type_)
    return made


def value(element: Element, type_: Type) -> Any:
    """A valid value of ``element`` as a ``type_``; a list where it repeats."""
    one = _one(element, type_)
    return [one] if element.many else one


def _one(element: Element, type_: Type) -> Any:
    if element.codes and type_.name in ("code", "Coding", "CodeableConcept"):
        system, allowed = next(iter(codes(element.codes).items()))
        code = min(allowed)
        coding = {"system": system, "code": code}
        return {"code": code, "Coding": coding, "CodeableConcept": {"coding": [coding]}}[type_.name]
    if element.name == "contained":
        return SAMPLES["Resource"] | {"extension": [{"url": "http://example.org/", "valueUri": "#"}]}
    if type_.name in SAMPLES:
        return SAMPLES[type_.name]
    return minimal(type_.name)


def partners(type_: str, element: str) -> dict[str, Any]:
    """The other elements without which an invariant does not let ``element`` of ``type_`` be."""
    return PARTNERS.get(f"{type_}.{element}", {})
