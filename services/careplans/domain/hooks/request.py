"""A call of a service (https://cds-hooks.hl7.org/2.0/#calling-a-cds-service), read into a record to judge.

``fhirServer`` and ``fhirAuthorization`` are never used: nobody's address is called on a client's word.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from services.careplans.domain.hooks.services import PREFETCH, HookService
from services.careplans.domain.safety.reading import local_reference, objects, own_reference, string
from shared.errors import Invalid
from shared.fhir.json import Resource

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_WHOSE = ("subject", "patient")
_UNSIGNED = frozenset({None, "draft", "active"})


@dataclass(frozen=True, slots=True)
class Call:
    """What an EHR asks. ``given`` are the prefetch keys that it satisfied; ``incomplete`` those with pages to come."""

    service: HookService
    instance: str
    patient: str
    """``Patient/x``."""
    given: dict[str, tuple[Resource, ...]]
    incomplete: tuple[str, ...]
    drafts: tuple[Resource, ...] = ()
    """MedicationRequests to be judged as if they were active."""
    selected: frozenset[str] = field(default_factory=frozenset)
    """References of the drafts that it is about."""

    @property
    def own(self) -> dict[str, list[Resource]]:
        """What was sent, by type; Medications that came along, too."""
        found: dict[str, list[Resource]] = {}
        for resources in self.given.values():
            for each in resources:
                found.setdefault(str(each["resourceType"]), []).append(each)
        return found


def read(service: HookService, body: Any) -> Call:
    """The call in ``body``. Raises ``Invalid`` with the path of what is missing or of another type."""
    if not isinstance(body, dict):
        raise Invalid("The body is a JSON object.", code="structure")
    if body.get("hook") != service.hook:
        raise Invalid("The hook is not the one of this service.", code="value", expression=("hook",))
    context = body.get("context")
    if not isinstance(context, dict):
        raise Invalid("The context is missing.", code="required", expression=("context",))
    patient = f"Patient/{_id(context)}"
    _text(context, "userId", "context.userId")
    given, incomplete = _prefetched(body.get("prefetch"), patient)
    drafts = tuple(_drafts(context, patient)) if service.orders else ()
    selected = frozenset(own_reference(each) for each in drafts)
    if service.hook == "order-select":
        chosen = _selections(context)
        if chosen and selected.isdisjoint(chosen):
            text = "The selections are none of the drafts: Type/id of an entry of draftOrders is expected."
            raise Invalid(text, code="value", expression=("context.selections",))
        selected &= chosen
    return Call(service, _text(body, "hookInstance", "hookInstance"), patient, given, incomplete, drafts, selected)


def _text(element: Resource, name: str, path: str) -> str:
    value = string(element, name)
    if value is None or len(value) > 200:
        raise Invalid("Text is required here.", code="required", expression=(path,))
    return value


def _id(context: Resource) -> str:
    id_ = _text(context, "patientId", "context.patientId").removeprefix("Patient/")
    if not ID.fullmatch(id_):
        raise Invalid("This is no id of a patient.", code="value", expression=("context.patientId",))
    return id_


def _prefetched(prefetch: Any, patient: str) -> tuple[dict[str, tuple[Resource, ...]], tuple[str, ...]]:
    if prefetch is None:
        return {}, ()
    if not isinstance(prefetch, dict):
        raise Invalid("The prefetch is an object.", code="structure", expression=("prefetch",))
    given, incomplete = dict[str, tuple[Resource, ...]](), list[str]()
    for key, (type_, _) in PREFETCH.items():
        value = prefetch.get(key)
        if key not in prefetch or (isinstance(value, dict) and value.get("resourceType") == "OperationOutcome"):
            continue
        found = tuple(_resources(value, type_, patient, f"prefetch.{key}"))
        if key == "patient" and not found:
            continue
        given[key] = found
        if isinstance(value, dict) and any(string(each, "relation") == "next" for each in objects(value.get("link"))):
            incomplete.append(key)
    return given, tuple(incomplete)


def _resources(value: Any, type_: str, patient: str, path: str) -> Iterator[Resource]:
    if value is None:
        return
    if not isinstance(value, dict):
        raise Invalid("A resource, a searchset or null is expected.", code="structure", expression=(path,))
    bundled = value.get("resourceType") == "Bundle"
    entries = [each.get("resource") for each in objects(value.get("entry"))] if bundled else [value]
    for each in entries:
        found = each.get("resourceType") if isinstance(each, dict) else None
        if found == "OperationOutcome" and bundled:
            continue
        if not isinstance(each, dict) or found not in (type_, "Medication"):
            raise Invalid("This is no resource of the template's type.", code="value", expression=(path,))
        _require_theirs(each, patient, path)
        yield each


def _require_theirs(resource: Resource, patient: str, path: str) -> None:
    """What is of another patient is a mistake with which nothing may be judged. Raises ``Invalid``."""
    whose = own_reference(resource) if resource.get("resourceType") == "Patient" else _whose(resource)
    if whose is not None and whose.startswith("Patient/") and whose != patient:
        raise Invalid("This is of another patient than the context.", code="value", expression=(path,))


def _whose(resource: Resource) -> str | None:
    named = (local_reference(resource.get(name)) for name in _WHOSE)
    return next((each for each in named if each is not None), None)


def _drafts(context: Resource, patient: str) -> Iterator[Resource]:
    orders = context.get("draftOrders")
    if not isinstance(orders, dict) or orders.get("resourceType") != "Bundle":
        raise Invalid("A Bundle is required here.", code="required", expression=("context.draftOrders",))
    for place, entry in enumerate(objects(orders.get("entry"))):
        resource = entry.get("resource")
        if not isinstance(resource, dict):
            continue
        _require_theirs(resource, patient, "context.draftOrders")
        if resource.get("resourceType") == "MedicationRequest":
            yield _as_if_active(resource, place)


def _as_if_active(draft: Resource, place: int) -> Resource:
    """The order as it is once it is signed: it begins today, whatever it says. What is no draft stays as it is."""
    named = draft | {"id": string(draft, "id") or f"draft-{place}"}
    if string(draft, "status") not in _UNSIGNED:
        return named
    kept = {name: value for name, value in named.items() if name != "authoredOn"}
    return kept | {"status": "active", "intent": "order"}


def _selections(context: Resource) -> frozenset[str]:
    selections = context.get("selections")
    if not isinstance(selections, list) or not all(isinstance(each, str) for each in selections):
        raise Invalid("A list of ids is required here.", code="required", expression=("context.selections",))
    return frozenset(selections)
