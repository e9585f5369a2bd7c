"""Messages: a Bundle of type message becomes the transaction that it asks for (http://hl7.org/fhir/R4/messaging.html).

BSeR and 360X send a referral, its steps and its feedback so. What the sender has under an id of its own is kept under
one that follows from its address: the next message about the same Task is its next version. Whom we know by a business
identifier (patients, practitioners, organizations) is looked for before anybody is made.
"""

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from shared.clock import instant
from shared.errors import Invalid
from shared.fhir.http import legal_id
from shared.fhir.json import Resource
from shared.fhir.parameters import parameters_in

OPERATION = "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message"
REFERRAL = ("http://terminology.hl7.org/CodeSystem/v2-0003", "I12")
"""The event of BSeR's referral messages (REF/RRI), which the feedback bears, too."""
KNOWN_BY_IDENTIFIER = frozenset(
    {"Patient", "Practitioner", "PractitionerRole", "Organization", "Location", "HealthcareService", "RelatedPerson"}
)
_RELATIVE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?")
_NAMESPACE = uuid.UUID("5b2f3f0e-6f0c-5a35-9d6a-6a1f3f0d7c11")


def transaction_of(message: Resource) -> Resource:
    """The transaction that stores what ``message`` brings.

    Raises ``Invalid`` with the path of what is missing: a header first, an event that is served, a resource each."""
    entries = message.get("entry")
    if not isinstance(entries, list) or not entries:
        raise Invalid("A message has entries.", code="required", expression=("Bundle.entry",))
    resources = [_resource(number, entry) for number, entry in enumerate(entries)]
    header = resources[0]
    if header.get("resourceType") != "MessageHeader":
        where = ("Bundle.entry[0].resource",)
        raise Invalid("A message begins with its MessageHeader.", code="structure", expression=where)
    _require_event(header)
    _require_ids(message, resources)
    origin = _origin(header)
    urls = [_url(entry, resource, origin) for entry, resource in zip(entries, resources, strict=True)]
    if len(set(urls)) < len(urls):
        raise Invalid("Two entries of a message are the same resource.", code="duplicate", expression=("Bundle.entry",))
    made = [_entry(url, resource) for url, resource in zip(urls, resources, strict=True)]
    # the message comes once: what has its header is known
    made[0]["request"]["ifNoneMatch"] = "*"
    for one, url in zip(made, urls, strict=True):
        one["resource"] = _absolute(one["resource"], url.rsplit("/", 2)[0] if url.startswith("http") else origin)
    return {"resourceType": "Bundle", "type": "transaction", "entry": made}


def content_of(body: Resource) -> Resource:
    """The message in the body of ``$process-message``: itself, or the parameter ``content``.

    Raises ``Invalid`` where there is none, or the answer is to come later."""
    if body.get("resourceType") != "Parameters":
        return body
    parameters = parameters_in(body)
    if any(each.get("name") == "async" and each.get("valueBoolean") is True for each in parameters):
        raise Invalid("Messages are answered at once.", code="not-supported", expression=("Parameters.parameter",))
    found = [each.get("resource") for each in parameters if each.get("name") == "content"]
    if len(found) != 1 or not isinstance(found[0], dict):
        text = "The parameter content is the message."
        raise Invalid(text, code="required", expression=("Parameters.parameter",))
    return found[0]


def response_to(message: Resource, *, own: str, at: datetime) -> Resource:
    """The message that says that ``message`` was processed; ``own`` is our base URL."""
    header = message["entry"][0]["resource"]
    answered = header.get("id") or message.get("id") or "unnamed"
    told = {
        "resourceType": "MessageHeader",
        "id": str(uuid.uuid4()),
        "eventCoding": header["eventCoding"],
        "destination": [{"endpoint": header["source"]["endpoint"]}],
        "source": {"name": "Consilium", "endpoint": own},
        "response": {"identifier": answered, "code": "ok"},
    }
    return {
        "resourceType": "Bundle",
        "type": "message",
        "timestamp": instant(at),
        "entry": [{"fullUrl": f"urn:uuid:{told['id']}", "resource": told}],
    }


def _resource(number: int, entry: Any) -> Resource:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        where = (f"Bundle.entry[{number}].resource",)
        raise Invalid("An entry of a message has a resource.", code="required", expression=where)
    return resource


def _require_event(header: Resource) -> None:
    coding = header.get("eventCoding")
    event = (coding.get("system"), coding.get("code")) if isinstance(coding, dict) else None
    if event != REFERRAL:
        where = ("Bundle.entry[0].resource.event",)
        raise Invalid("This event is not served: referrals are I12 of v2-0003.", code="not-supported", expression=where)


def _require_ids(message: Resource, resources: Sequence[Resource]) -> None:
    """Resources are known by their ids, and the answer names that of the message. Raises ``Invalid``."""
    places = (f"Bundle.entry[{number}].resource.id" for number in range(len(resources)))
    for where, resource in (("Bundle.id", message), *zip(places, resources, strict=True)):
        id_ = resource.get("id", "none")
        if not isinstance(id_, str) or not legal_id(id_):
            raise Invalid("The id is not a FHIR id.", code="value", expression=(where,))


def _origin(header: Resource) -> str:
    source = header.get("source")
    endpoint = source.get("endpoint") if isinstance(source, dict) else None
    if not isinstance(endpoint, str) or not endpoint:
        where = ("Bundle.entry[0].resource.source.endpoint",)
        raise Invalid("A MessageHeader says where it comes from.", code="required", expression=where)
    return endpoint.rstrip("/")


def _url(entry: Mapping[str, Any], resource: Resource, origin: str) -> str:
    """By what the sender calls the resource; without fullUrl and id by what it holds."""
    url = entry.get("fullUrl")
    if isinstance(url, str) and url:
        return url
    if isinstance(id_ := resource.get("id"), str):
        return f"{origin}/{resource['resourceType']}/{id_}"
    return f"urn:sha256:{hashlib.sha256(repr(resource).encode()).hexdigest()}"


def _entry(url: str, resource: Resource) -> dict[str, Any]:
    type_ = resource["resourceType"]
    criteria = _criteria(resource) if type_ in KNOWN_BY_IDENTIFIER else None
    if criteria is not None:
        kept = {name: value for name, value in resource.items() if name != "id"}
        return {
            "fullUrl": url,
            "resource": kept,
            "request": {"method": "POST", "url": type_, "ifNoneExist": criteria},
        }
    id_ = str(uuid.uuid5(_NAMESPACE, url))
    return {
        "fullUrl": url,
        "resource": {**resource, "id": id_},
        "request": {"method": "PUT", "url": f"{type_}/{id_}"},
    }


def _criteria(resource: Resource) -> str | None:
    """The search by the first identifier that has a system and a value."""
    identifiers = resource.get("identifier")
    for each in identifiers if isinstance(identifiers, list) else ():
        if isinstance(each, dict) and isinstance(each.get("system"), str) and isinstance(each.get("value"), str):
            return f"identifier={quote(each['system'], safe='')}%7C{quote(each['value'], safe='')}"
    return None


def _absolute(value: Any, base: str) -> Any:
    """``value`` with relative references as what they mean: resources of the sender, some of them in this message
    (http://hl7.org/fhir/R4/bundle.html#references). Those in a Bundle that a message brings are for it to resolve."""
    if isinstance(value, list):
        return [_absolute(each, base) for each in value]
    if not isinstance(value, dict) or value.get("resourceType") == "Bundle":
        return value
    made = {name: _absolute(each, base) for name, each in value.items()}
    reference = value.get("reference")
    if isinstance(reference, str) and _RELATIVE.fullmatch(reference):
        made["reference"] = f"{base}/{reference}"
    return made
