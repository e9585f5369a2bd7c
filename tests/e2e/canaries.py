"""Requests that carry a canary in every place that a client can write to, well-formed and not."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.factories.resources import bundle, care_plan, entry, observation, patient

CANARY = "Zq7Canary"
"""Stands in names, codes, notes, identifiers, parameters, headers."""
ID = "Zq7CanaryId"
"""Stands where a client chooses an id; ids may travel in the data of events, nowhere else."""
NUMBER = 918273645546
"""Stands where a number is wanted."""

JSON = {"content-type": "application/fhir+json"}


@dataclass(frozen=True)
class Sent:
    """One request."""

    method: str
    url: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def everywhere() -> Iterator[Sent]:
    """All of them, in an order in which the good ones succeed."""
    yield from stored()
    yield from _refused_resources()
    yield from _reads()
    yield from _searches()
    yield from _headers()
    yield from _bundles()
    yield from _bodies()
    yield from _contributions()
    yield from _rest()


def canary_patient(**more: Any) -> dict[str, Any]:
    """A valid patient full of canaries."""
    return patient(
        id=ID,
        identifier=[{"system": f"urn:{CANARY}", "value": f"{CANARY}-{NUMBER}"}],
        name=[{"family": CANARY, "given": [CANARY], "text": CANARY}],
        telecom=[{"system": "email", "value": f"{CANARY}@example.org"}],
        address=[{"line": [CANARY], "city": CANARY}],
        text={"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{CANARY}</div>'},
        extension=[{"url": f"http://example.org/{CANARY}", "valueString": CANARY}],
    ) | dict(more)


def stored() -> Iterator[Sent]:
    """Well-formed ones, accepted from a system."""
    yield Sent("PUT", f"/fhir/Patient/{ID}", canary_patient())
    yield Sent("PUT", f"/fhir/Patient/{ID}", canary_patient(active=True), {"if-match": 'W/"1"'})
    yield Sent("POST", "/fhir/Patient", canary_patient())
    noted = observation(f"Patient/{ID}", note=[{"text": CANARY}], valueQuantity={"value": NUMBER, "unit": CANARY})
    yield Sent("POST", "/fhir/Observation", noted)
    yield Sent("PUT", f"/fhir/CarePlan/{ID}", care_plan(f"Patient/{ID}", id=ID, title=CANARY, description=CANARY))
    yield Sent(
        "PUT", f"/fhir/Practitioner/{ID}", {"resourceType": "Practitioner", "id": ID, "name": [{"text": CANARY}]}
    )
    yield Sent("PUT", f"/fhir/Organization/{ID}", {"resourceType": "Organization", "id": ID, "name": CANARY})
    message = {"resourceType": "Communication", "id": ID, "status": "completed", "payload": [{"contentString": CANARY}]}
    yield Sent("PUT", f"/fhir/Communication/{ID}", message)


def _refused_resources() -> Iterator[Sent]:
    broken: list[dict[str, Any]] = [
        {"gender": CANARY},
        {"birthDate": CANARY},
        {"active": CANARY},
        {CANARY: CANARY},
        {f"_{CANARY}": {"extension": CANARY}},
        {"name": CANARY},
        {"name": [{CANARY: 1}]},
        {"contact": [{"gender": CANARY}]},
        {"managingOrganization": {"reference": f"Patient/{ID}"}},
        {"managingOrganization": {"reference": f"{CANARY}/{ID}"}},
        {"managingOrganization": {"reference": f"Organization/{ID}-absent"}},
        {"generalPractitioner": [{"reference": f"https://{CANARY}.example/Nonsense"}]},
        {"link": [{"other": {"reference": f"Patient/{ID}-absent"}, "type": "seealso"}]},
        {"deceasedBoolean": True, "deceasedDateTime": CANARY},
        {"multipleBirthInteger": CANARY},
        {"multipleBirthInteger": NUMBER},
        {"text": {"status": "generated", "div": f"<div><script>{CANARY}</script></div>"}},
        {"text": {"status": CANARY, "div": CANARY}},
        {"extension": [{"url": CANARY}]},
        {"contained": [{"resourceType": CANARY, "id": CANARY}]},
        {"meta": {"versionId": CANARY, "lastUpdated": CANARY, "profile": [CANARY]}},
        {"meta": CANARY},
        {"resourceType": CANARY},
        {"resourceType": [CANARY]},
        {"identifier": [{"use": CANARY, "value": f"{CANARY}\u0000"}]},
        {"photo": [{"data": CANARY + "!", "contentType": CANARY}]},
    ]
    for more in broken:
        yield Sent("POST", "/fhir/Patient", canary_patient(**more))
        yield Sent("PUT", f"/fhir/Patient/{ID}", canary_patient(**more))
    yield Sent("PUT", f"/fhir/Patient/{ID}-other", canary_patient())
    yield Sent("PUT", f"/fhir/Patient/{ID}_!", canary_patient(id=f"{ID}_!"))
    for type_ in ("CarePlan", "Task", "ServiceRequest", "Communication", "Goal", "Subscription", "Observation"):
        yield Sent("POST", f"/fhir/{type_}", {"resourceType": type_, "status": CANARY, "subject": {"reference": ID}})
    yield Sent("PUT", f"/fhir/CarePlan/{ID}", care_plan(f"Patient/{ID}", id=ID, status="draft", title=CANARY))
    yield Sent("DELETE", f"/fhir/Patient/{ID}")


def _contributions() -> Iterator[Sent]:
    plan = care_plan(f"Patient/{ID}", id=ID, title=f"{CANARY} {CANARY}", description=CANARY)
    yield Sent("PUT", f"/fhir/CarePlan/{ID}", plan, {"if-match": 'W/"999"'})
    patch = [{"op": "replace", "path": "/title", "value": CANARY}]
    headers = {"if-match": 'W/"999"', "content-type": "application/json-patch+json"}
    yield Sent("PATCH", f"/fhir/CarePlan/{ID}", patch, headers)
    given = [{"name": "resource", "resource": plan | {"meta": {"versionId": "1"}}}]
    for more in (
        {"name": "reason", "valueString": CANARY},
        {"name": "reason", "valueString": [CANARY]},
        {"name": CANARY, "valueString": CANARY},
        {"name": "reason", CANARY: CANARY},
    ):
        body = {"resourceType": "Parameters", "parameter": [*given, more]}
        yield Sent("POST", f"/fhir/CarePlan/{ID}/$contribute", body)
    for broken in ({"activity": [CANARY]}, {"activity": [{"id": [CANARY]}]}, {"meta": {"versionId": CANARY}}):
        yield Sent("POST", f"/fhir/CarePlan/{ID}/$contribute", plan | broken)
    yield Sent("POST", f"/fhir/CarePlan/{ID}-absent/$contribute", plan)
    for query in (f"from={CANARY}", f"from=1&to={CANARY}", f"{CANARY}=1", "from=1", "from=999"):
        yield Sent("GET", f"/fhir/CarePlan/{ID}/$diff?{query}")


def _reads() -> Iterator[Sent]:
    for path in (
        f"Patient/{ID}-absent",
        f"Patient/{ID}/_history/7",
        f"Patient/{ID}/_history/{CANARY}",
        f"Patient/{ID}/_history?_count={CANARY}",
        f"Patient/{ID}/_history?_since={CANARY}&{CANARY}=1",
        f"Patient/{ID}-absent/_history",
        f"Patient/{ID}/{CANARY}",
        f"Patient/{ID}/${CANARY}",
        f"Patient/${CANARY}",
        f"${CANARY}",
        CANARY,
        f"{CANARY}/{ID}",
        f"{CANARY}/{CANARY}/{CANARY}/{CANARY}/{CANARY}/{CANARY}",
        f"Patient/{CANARY}%00",
        f"Patient/{CANARY}%ff",
        f"metadata?_format={CANARY}",
        f"metadata?{CANARY}={CANARY}",
        f"?{CANARY}={CANARY}",
        f"_history?{CANARY}={CANARY}",
    ):
        yield Sent("GET", f"/fhir/{path}")
    for method in ("PATCH", "DELETE", "POST", "PUT", "OPTIONS", "HEAD"):
        yield Sent(method, f"/fhir/{CANARY}/{ID}")
        yield Sent(method, f"/fhir/Patient/{ID}-absent/{CANARY}")
    yield Sent("PATCH", f"/fhir/Patient/{ID}", [{"op": "add", "path": f"/{CANARY}", "value": CANARY}])
    yield Sent("PATCH", f"/fhir/Patient?identifier={CANARY}", [])
    yield Sent("PUT", f"/fhir/Patient?identifier={CANARY}", canary_patient())
    yield Sent("DELETE", f"/fhir/Patient?identifier={CANARY}")


def _searches() -> Iterator[Sent]:
    for query in (
        f"name={CANARY}",
        f"name:{CANARY}=x",
        f"{CANARY}=x",
        f"{CANARY}:exact={CANARY}",
        f"birthdate={CANARY}",
        f"birthdate=ge{CANARY}",
        f"_lastUpdated={CANARY}",
        f"identifier={CANARY}|{CANARY}",
        f"identifier=|{CANARY}|{CANARY}",
        f"_count={CANARY}",
        f"_sort={CANARY}",
        f"_sort=-{CANARY},name",
        f"_include={CANARY}",
        f"_include=Patient:{CANARY}",
        f"_revinclude={CANARY}:{CANARY}:{CANARY}",
        f"_total={CANARY}",
        f"_summary={CANARY}",
        f"_elements={CANARY}",
        f"_cursor={CANARY}",
        f"_has:{CANARY}:patient:code={CANARY}",
        f"_has:Observation:patient:{CANARY}={CANARY}",
        f"general-practitioner.{CANARY}={CANARY}",
        f"general-practitioner:{CANARY}.name={CANARY}",
        f"organization={CANARY}/{CANARY}/{CANARY}",
        f"_id={CANARY}%00",
        f"name={CANARY}%ff",
        f"_format={CANARY}",
        f"name={CANARY}%5C&gender={CANARY}",
        "&".join(f"{CANARY}{number}={CANARY}" for number in range(300)),
    ):
        for strict in ({}, {"prefer": "handling=strict"}):
            yield Sent("GET", f"/fhir/Patient?{query}", headers=strict)
        form = {"content-type": "application/x-www-form-urlencoded"}
        yield Sent("POST", "/fhir/Patient/_search", query.encode(), form)
    yield Sent("GET", f"/fhir/Observation?value-quantity={CANARY}")
    yield Sent("GET", f"/fhir/Observation?value-quantity={NUMBER}|{CANARY}|{CANARY}&code={CANARY}")
    yield Sent("GET", f"/fhir/Task?patient={CANARY}&status={CANARY}&_include=Task:focus")
    yield Sent("POST", "/fhir/Patient/_search", b"name=x", {"content-type": f"text/{CANARY}"})


def _headers() -> Iterator[Sent]:
    for name in ("if-match", "if-none-match", "prefer", "accept", "content-type", "if-none-exist", "if-modified-since"):
        for method, body in (("GET", None), ("PUT", canary_patient()), ("DELETE", None)):
            yield Sent(method, f"/fhir/Patient/{ID}", body, {name: CANARY})
        yield Sent("POST", "/fhir/Patient", canary_patient(), {name: CANARY})
    for criteria in (f"identifier={CANARY}", f"{CANARY}={CANARY}", f"birthdate={CANARY}", f"Patient?{CANARY}"):
        yield Sent("POST", "/fhir/Patient", canary_patient(), {"if-none-exist": criteria})
    for preference in (f"handling={CANARY}", f"return={CANARY}", f"{CANARY}=strict"):
        yield Sent("POST", "/fhir/Patient", canary_patient(), {"prefer": preference})
    for authorization in (CANARY, f"Bearer {CANARY}", f"Bearer {CANARY}.{CANARY}.{CANARY}", f"Basic {CANARY}"):
        yield Sent("GET", f"/fhir/Patient/{ID}", headers={"authorization": authorization})
        yield Sent("POST", "/fhir", bundle("batch"), {"authorization": authorization})
        yield Sent("GET", "/api/notifications/messages", headers={"authorization": authorization})
    for name in ("traceparent", "tracestate", "baggage", "x-request-id", "x-forwarded-for", "user-agent", "cookie"):
        yield Sent("GET", f"/fhir/Patient/{ID}-absent", headers={name: CANARY})
        yield Sent("GET", "/api/plans", headers={name: CANARY})


def _bundles() -> Iterator[Sent]:
    inner = [
        entry("POST", "Patient", canary_patient(gender=CANARY)),
        entry("PUT", f"Patient/{ID}", canary_patient(birthDate=CANARY), ifMatch=CANARY),
        entry("GET", f"Patient/{ID}-absent"),
        entry("GET", f"Patient?birthdate={CANARY}"),
        entry("GET", f"Task?{CANARY}={CANARY}"),
        entry("GET", f"{CANARY}/{ID}"),
        entry("DELETE", f"Patient/{ID}/{CANARY}"),
        entry(CANARY, f"Patient/{ID}"),
        entry("POST", "Patient", canary_patient(), f"urn:uuid:{CANARY}", ifNoneExist=f"{CANARY}={CANARY}"),
        entry("POST", "Observation", observation(f"urn:uuid:{CANARY}-absent")),
        entry("POST", "Observation", observation(f"Patient?identifier={CANARY}-absent")),
        entry("POST", "Observation", observation(f"Patient?{CANARY}={CANARY}")),
        entry("POST", "Task", {"resourceType": "Task", "for": {"reference": f"Patient?identifier={CANARY}-absent"}}),
        {"request": CANARY},
        {CANARY: CANARY},
    ]
    for kind in ("batch", "transaction"):
        for one in inner:
            yield Sent("POST", "/fhir", bundle(kind, one))
            yield Sent("POST", "/fhir", bundle(kind, one, entry("GET", f"Task/{ID}-absent")))
        yield Sent("POST", "/fhir", bundle(kind, *inner))
    yield Sent("POST", "/fhir", bundle(CANARY, *inner))
    yield Sent("POST", "/fhir", {"resourceType": CANARY, "type": CANARY})
    yield Sent("POST", "/fhir", {"resourceType": "Bundle", "type": "batch", "entry": {CANARY: CANARY}})


def _bodies() -> Iterator[Sent]:
    bodies = (
        b'{"resourceType":"Patient","name":"' + CANARY.encode(),
        CANARY.encode(),
        b'"' + CANARY.encode() + b'"',
        b'{"resourceType":"Patient","name":"' + CANARY.encode() + b'\xff"}',
        b'{"' + CANARY.encode() + b'":' * 20,
        b'{"resourceType":"Patient","name":[{"family":"\\ud800' + CANARY.encode() + b'"}]}',
        b'{"resourceType":"Patient","a":' + b"[" * 5000 + CANARY.encode(),
    )
    for body in bodies:
        yield Sent("POST", "/fhir/Patient", body, JSON)
        yield Sent("PUT", f"/fhir/Task/{ID}", body, JSON)
        yield Sent("POST", "/fhir", body, JSON)
        yield Sent("POST", f"/api/referrals/{ID}/actions/accept", body, {"content-type": "application/json"})
        yield Sent("PUT", "/api/notifications/preferences", body, {"content-type": "application/json"})
    yield Sent(
        "POST", "/fhir/Patient", f"<Patient>{CANARY}</Patient>".encode(), {"content-type": "application/fhir+xml"}
    )


def _rest() -> Iterator[Sent]:
    for path in (
        f"referrals?status={CANARY}",
        f"referrals?patient={CANARY}",
        f"referrals?discipline={CANARY}&limit={CANARY}&cursor={CANARY}",
        f"referrals?{CANARY}={CANARY}",
        f"referrals/{ID}",
        f"referrals/{ID}/timeline?limit={CANARY}",
        f"referrals/{CANARY}!/timeline",
        f"referrals/{ID}/{CANARY}",
        f"plans?patient={CANARY}",
        f"plans?patient=Patient/{ID}",
        f"plans/{ID}",
        f"plans/{ID}/timeline",
        f"plans/{CANARY}!",
        f"notifications/messages?before={CANARY}&count={CANARY}",
        f"notifications/preferences?receiver={CANARY}",
        f"notifications/preferences?receiver=Practitioner/{ID}",
        f"notifications/deliveries?status={CANARY}&before={CANARY}",
        f"notifications/deliveries/{CANARY}/attempts",
        CANARY,
        f"notifications/{CANARY}",
    ):
        yield Sent("GET", f"/api/{path}")
    for wish in (
        {"receiver": CANARY, "channel": CANARY},
        {"receiver": f"Practitioner/{ID}", "channel": "email", "address": CANARY},
        {"receiver": f"Practitioner/{ID}", "channel": "webhook", "address": f"ftp://{CANARY}"},
        {"receiver": f"Practitioner/{ID}", "channel": "webhook", "address": f"https://{CANARY}.invalid/{CANARY}"},
        {"receiver": f"Practitioner/{ID}", "channel": "webhook", "address": "https://x.invalid", "secret": CANARY},
        {"receiver": f"Practitioner/{ID}", "channel": "stream", CANARY: CANARY},
        {"receiver": [CANARY], "channel": {CANARY: 1}},
    ):
        yield Sent("PUT", "/api/notifications/preferences", wish)
    yield Sent("DELETE", f"/api/notifications/preferences?receiver={CANARY}&channel={CANARY}")
    yield Sent("POST", f"/api/notifications/deliveries/{CANARY}/replay")
    yield Sent("GET", "/api/notifications/stream", headers={"last-event-id": CANARY})
    for action, inputs in (
        ("accept", {"owner": CANARY}),
        ("schedule", {"appointment": f"Appointment/{CANARY}", "comment": CANARY}),
        ("decline", {"reason": CANARY}),
        ("recall", {"reason": CANARY, "state": CANARY}),
        ("assign", {"owner": f"Practitioner/{CANARY}", CANARY: CANARY}),
        (CANARY, {CANARY: CANARY}),
    ):
        yield Sent("POST", f"/api/referrals/{ID}/actions/{action}", inputs, {"if-match": CANARY})
        yield Sent("POST", f"/api/referrals/{ID}/actions/{action}", inputs)
        yield Sent("POST", f"/api/referrals/{ID}/actions/{action}", inputs, {"if-match": 'W/"1"'})
        told = [{"name": name, "valueString": value} for name, value in ({"action": action} | inputs).items()]
        asked = {"resourceType": "Parameters", "parameter": told}
        yield Sent("POST", f"/fhir/Task/{ID}/$perform-action", asked)
        yield Sent("POST", f"/fhir/ServiceRequest/{ID}/$perform-action", asked)
    for type_ in ("Task", "ServiceRequest"):
        yield Sent("GET", f"/fhir/{type_}/{CANARY}/$available-actions")
    for patient_ in (CANARY, f"Patient/{ID}-absent", [CANARY]):
        yield Sent("POST", "/api/plans", {"patient": patient_, CANARY: CANARY})
    for action in ("acknowledge", "snooze", "resolve"):
        yield Sent("POST", f"/api/plans/{ID}/safety/{CANARY}/{action}", {"reason": CANARY, "months": 1})
        yield Sent("POST", f"/api/plans/{CANARY}/safety/{ID}/{action}", {"reason": [CANARY]})
    for service in (CANARY, "consilium-safety-patient-view", "consilium-safety-order-sign"):
        for context in (CANARY, {"patientId": CANARY, "userId": CANARY}, {"patientId": f"{CANARY}-x", CANARY: 1}):
            hook = service.removeprefix("consilium-safety-")
            called = {
                "hook": hook,
                "hookInstance": CANARY,
                "context": context,
                "fhirServer": f"https://{CANARY}.example",
            }
            yield Sent("POST", f"/cds-services/{service}", called | {"prefetch": {"patient": {CANARY: CANARY}}})
            yield Sent("POST", f"/cds-services/{service}", called)
        told = {"card": CANARY, "outcome": CANARY, "overrideReason": {"userComment": CANARY}}
        yield Sent("POST", f"/cds-services/{service}/feedback", {"feedback": [told]})
    yield Sent("POST", f"/{CANARY}/{CANARY}", {CANARY: CANARY})
