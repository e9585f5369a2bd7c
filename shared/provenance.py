"""Who changed what, when and why: a Provenance for every unit of work (http://hl7.org/fhir/R4/provenance.html).

The server writes it in the transaction of the change itself, and nobody changes it afterwards.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.clock import instant
from shared.errors import Forbidden, Invalid
from shared.fhir.json import Resource, loads
from shared.fhir.kinds import Decision, DecisionContext, ResourceKind
from shared.security.caller import Caller, Role

TYPE = "Provenance"
SOURCE = "urn:consilium:provenance"
"""``meta.source`` of what the server wrote."""
MOST_TARGETS = 1_000
"""In one Provenance; a larger transaction has several."""
LONGEST_HEADER = 8_192
REQUESTS = "https://consilium.care/fhir/sid/request"
"""The system of the identifiers by which a request is known when it comes again."""
_DISCIPLINES = "https://consilium.care/fhir/CodeSystem/discipline"
_ROLES = "https://consilium.care/fhir/CodeSystem/caller-role"
_CALLERS = "https://consilium.care/fhir/sid/caller"
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"


@dataclass(frozen=True, slots=True)
class Change:
    """One new version, and the reason that it gives for its status."""

    type: str
    id: str
    version: int
    operation: str
    """``CREATE``, ``UPDATE`` or ``DELETE`` (v3-DataOperation)."""
    reason: Any = None
    """A CodeableConcept."""

    @property
    def reference(self) -> str:
        """The version, as a reference."""
        return f"{self.type}/{self.id}/_history/{self.version}"


@dataclass(frozen=True, slots=True)
class Cause:
    """What a caller says of a unit of work as a whole."""

    reason: str | None = None
    """Why, in words."""
    request: str | None = None
    """By which name the request is known when it comes again."""

    @property
    def reasons(self) -> list[Resource]:
        """Why, as CodeableConcepts."""
        return [{"text": self.reason}] if self.reason else []

    @property
    def entities(self) -> list[Resource]:
        """The request, as what the change was made from."""
        known = {"system": REQUESTS, "value": self.request}
        return [{"role": "source", "what": {"identifier": known}}] if self.request else []


UNSAID = Cause()


def change(before: Resource | None, after: Resource | None, type_: str, id_: str, version: int) -> Change:
    """What a write did. Its reason is a ``statusReason`` that it brought in."""
    operation = "DELETE" if after is None else "CREATE" if before is None else "UPDATE"
    reason = (after or {}).get("statusReason")
    told = reason if isinstance(reason, dict) and reason != (before or {}).get("statusReason") else None
    return Change(type_, id_, version, operation, told)


def accounts(changes: Iterable[Change], caller: Caller, at: datetime, cause: Cause = UNSAID) -> Iterator[Resource]:
    """The Provenances of ``changes`` by ``caller``: one for each kind of operation."""
    by_operation: dict[str, list[Change]] = {}
    for each in changes:
        by_operation.setdefault(each.operation, []).append(each)
    for operation, some in by_operation.items():
        for start in range(0, len(some), MOST_TARGETS):
            few = some[start : start + MOST_TARGETS]
            reasons = [*(each.reason for each in few if each.reason), *cause.reasons]
            yield {
                "resourceType": TYPE,
                "meta": {"source": SOURCE},
                "target": [{"reference": each.reference} for each in few],
                "recorded": instant(at),
                **({"reason": list({str(reason): reason for reason in reasons}.values())} if reasons else {}),
                "activity": {"coding": [{"system": _OPERATION, "code": operation}]},
                "agent": [agent(caller)],
                **({"entity": cause.entities} if cause.entities else {}),
            }


def agent(caller: Caller) -> Resource:
    """The caller as the author of a change: who, in which role and discipline, for whom."""
    roles = [{"coding": [{"system": _ROLES, "code": caller.role.value}]}]
    if caller.discipline is not None:
        roles.append({"coding": [{"system": _DISCIPLINES, "code": caller.discipline.value}]})
    known = {"system": _CALLERS, "value": caller.subject}
    who: Resource = {"reference": caller.fhir_user} if caller.fhir_user else {"identifier": known}
    for_whom: Resource | None = {"reference": caller.organization} if caller.organization else None
    if for_whom is None and (caller.fhir_user or "").startswith("Practitioner/"):
        # US Core wants to know for whom a practitioner acts (provenance-1)
        for_whom = {"display": "not stated"}
    return {
        "type": {"coding": [{"system": _PARTICIPATION, "code": "author"}]},
        "role": roles,
        "who": who,
        **({"onBehalfOf": for_whom} if for_whom else {}),
    }


def sent(header: str) -> Resource:
    """The Provenance of ``X-Provenance`` (http://hl7.org/fhir/R4/provenance.html#header). Raises ``Invalid``."""
    where = ("X-Provenance",)
    if len(header) > LONGEST_HEADER:
        raise Invalid("X-Provenance is longer than this server takes.", code="too-long", expression=where)
    try:
        resource = loads(header.encode("latin-1"))
    except Invalid:
        raise Invalid("X-Provenance is no JSON.", code="structure", expression=where) from None
    if not isinstance(resource, dict) or resource.get("resourceType") != TYPE:
        raise Invalid("X-Provenance is a Provenance as JSON.", code="structure", expression=where)
    if resource.get("target"):
        raise Invalid("X-Provenance has no target: the server gives it.", code="business-rule", expression=where)
    return resource


def decide(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """What the server wrote of a change stays as it is, and nobody else writes in its name. Raises ``Forbidden``."""
    for each in (before, after):
        if each is not None and each.get("meta", {}).get("source") == SOURCE:
            raise Forbidden("What the server recorded of a change cannot be written.", expression=("Provenance.meta",))
    if context.caller.role is Role.PATIENT:
        raise Forbidden("A patient does not record where data come from.")
    return Decision(after)


KIND = ResourceKind(TYPE, decide=decide)
"""Every service has it: a Provenance lives beside what it speaks of."""
