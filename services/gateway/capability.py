"""The whole CapabilityStatement: the services' statements as one (http://hl7.org/fhir/R4/capabilitystatement.html)."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from services.gateway.asgi import Answer, ASGIApp, Scope, call, inner_scope
from services.gateway.operations import PROCESS_MESSAGE, edge_operations_of
from services.gateway.outcome import FHIR_JSON
from services.gateway.routing import owner_of
from shared.errors import Unavailable
from shared.fhir.json import Resource, dumps, loads
from shared.fhir.operations.operation import Offer


class Capabilities:
    """The merged statement, asked for again after ``seconds``."""

    def __init__(
        self, upstreams: Mapping[str, ASGIApp], *, seconds: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._upstreams = upstreams
        self._seconds = seconds
        self._monotonic = monotonic
        self._known: dict[bytes, tuple[float, Answer]] = {}

    async def answer(self, scope: Scope) -> Answer:
        """The statement, for the host that ``scope`` names. A service's refusal is passed on.

        Raises ``Unavailable`` while a service is down."""
        headers = dict(scope["headers"])
        host = b" ".join(headers.get(name, b"") for name in (b"host", b"x-forwarded-host", b"x-forwarded-proto"))
        known = self._known.get(host)
        if known is not None and self._monotonic() < known[0]:
            return known[1]
        answer = await self._ask(scope)
        if answer.status == 200:
            if len(self._known) > 64:
                self._known.clear()
            self._known[host] = (self._monotonic() + self._seconds, answer)
        return answer

    async def _ask(self, scope: Scope) -> Answer:
        answers = await asyncio.gather(
            *(call(app, inner_scope(scope, method="GET", path="/fhir/metadata")) for app in self._upstreams.values())
        )
        for answer in answers:
            if 400 <= answer.status < 500:
                return answer
        if any(answer.status != 200 for answer in answers):
            raise Unavailable("A service cannot say what it does at the moment.")
        statements = {name: loads(answer.body) for name, answer in zip(self._upstreams, answers, strict=True)}
        return Answer(200, dumps(merge(statements)), (FHIR_JSON,))


def merge(statements: Mapping[str, Resource]) -> Resource:
    """One statement of many (by service): each type as its owner describes it, interactions of the whole from all."""
    first = next(iter(statements.values()))
    rests = [rest for statement in statements.values() for rest in statement.get("rest", ())[:1]]
    whole: dict[str, Any] = dict(rests[0]) if rests else {"mode": "server"}
    resources = {
        resource["type"]: resource
        for service, statement in statements.items()
        for rest in statement.get("rest", ())[:1]
        for resource in rest.get("resource", ())
        if owner_of(resource["type"]) == service
    }
    whole["resource"] = [_with_own(resources[type_]) for type_ in sorted(resources)]
    for element, key in (("interaction", "code"), ("operation", "name"), ("searchParam", "name")):
        found = _union((item for rest in rests for item in rest.get(element, ())), key)
        if found:
            whole[element] = found
    whole["operation"] = _union([*whole.get("operation", []), _told(PROCESS_MESSAGE)], "name")
    instantiates = list(dict.fromkeys(url for each in statements.values() for url in each.get("instantiates", ())))
    told = {"instantiates": instantiates} if instantiates else {}
    implementation = {**first.get("implementation", {}), "description": "Consilium"}
    return {**first, **told, "implementation": implementation, "rest": [whole]}


def _with_own(resource: Resource) -> Resource:
    """A type's description with the operations that the edge carries out itself."""
    own = map(_told, edge_operations_of(resource["type"]))
    told = _union([*resource.get("operation", ()), *own], "definition")
    return {**resource, "operation": told} if told else resource


def _told(offer: Offer) -> Resource:
    return {"name": offer.name, "definition": offer.definition}


def _union(items: Iterable[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    return list({item[key]: item for item in items}.values())
